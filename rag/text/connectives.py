"""Words by which a sentence or question leans on what was said before it, or takes something back.

The patterns are for the beginning of a sentence without markup and number (`match`), but for
`LIMITS_ENTRIES`, `EXEMPTS`, `OPPOSES`, `HELD`, `HOLDS_NOW`, those for lists of conditions, and the
functions, which find their words anywhere.
"""

from __future__ import annotations

import re

_SUBJECTS = r"it|they|he|she"
_POSSESSIVES = r"its|their|his|her"
_OTHER_FORMS = r"them|theirs|him|hers"
_DEMONSTRATIVES = r"this|that|these|those|such"
_CONTRASTS = r"however|but"
_HELPERS = (
    r"is|are|was|were|has|have|had|do|does|did|can|could|may|might|must|shall|should|will|would"
)
DOES_NOT_HOLD = (
    r"(?:(?:does|do|shall|need|must) not|(?:cannot|(?:is|are|may|can) not) (?:be )?"
    r"(?:required|needed|necessary|applicable|applied|so|due|payable|paid|charged|allowed|granted|"
    r"permitted|possible))"
)
"""Behind a subject, as a pattern: "does not", "is not required"."""

_CASES = (
    rf"in (?:(?:{_DEMONSTRATIVES}|such an?) (?:case|event|situation)s?|"
    r"(?:either|neither|both|(?:all )?other|the (?:former|latter)) cases?)"
)
_REST = r"(?:all )?others(?!['’])|every(?:one|body) else"
_CIRCUMSTANCES = r"(?:circumstance|condition|purpose|reason|respect)s?|end|way|manner"
_AFTER_PREPOSITION = (
    rf"(?:under|for|to|in) (?:{_DEMONSTRATIVES}) (?:{_CIRCUMSTANCES})|"
    r"(?:after|before|besides|beyond|despite|for|from|on|until|with|without) (?:"
    # "Without it, …", "After that you …"; but not "For it to hold", "For this trip".
    r"(?:it|them)(?! to\b)|(?:this|that|these|those)(?=,)|"
    rf"(?:this|that)(?= (?:you|we|the|an?|no|{_SUBJECTS})\b))"
)

LEANS_BACK = re.compile(
    rf"(?:{_SUBJECTS}|{_POSSESSIVES}|{_DEMONSTRATIVES}|{_CONTRASTS}|also|then|otherwise|instead|"
    rf"thereafter|failing (?:this|that|which)|{_CASES}|{_AFTER_PREPOSITION}|{_REST}|if so|if not|"
    # But not "If this card is lost", "If this is your first day".
    rf"if (?:this|that) (?:{_HELPERS}|happens|applies|fails)(?! (?:your|the first)\b))\b",
    re.IGNORECASE,
)
"""A sentence that says little without the one before: "It is paid.", "Otherwise ask first.",
"In such a case ask first.", "All others pay."

The answer quotes it with that one.
"""
GOES_ON = re.compile(
    rf"(?:{_SUBJECTS}|{_DEMONSTRATIVES})(?:['’](?:s|re)| is| are| means?| refers?)\b", re.IGNORECASE
)
"""It goes on explaining a word: "It is how we earn our costs.", "This means day and night."

The answer quotes it after a definition.
"""
ANNOUNCES_EXCEPTIONS = re.compile(
    r"(?:there (?:is|are) )?(?:\w+ )?exceptions?(?:[:.]| (?:is|are|apply|may|for|to|can)\b|$)",
    re.IGNORECASE,
)
"""Exceptions to a rule as a whole: "There are two exceptions:", "Exceptions may be granted."

The answer quotes it, with its list, also where other sentences stand between rule and exceptions.
"""
OPENS_EXCEPTION = re.compile(
    rf"{ANNOUNCES_EXCEPTIONS.pattern}|"
    rf"(?:{_CONTRASTS}|in no case|at no time|under no circumstances|notwithstanding|"
    r"by way of derogation|provided that|excluded (?:are|is)|exempt|"
    r"not (?:if|when|where|for|during|before|until)|"
    # "This rule does not …", "Paragraph 1 shall not …", "The above does not …"
    rf"(?:it|{_DEMONSTRATIVES}|the above|(?:sub)?(?:paragraph|section|article|rule|clause)s?)"
    rf"(?:\W+\w+){{0,3}}?\W+{DOES_NOT_HOLD})\b",
    re.IGNORECASE,
)
"""It takes back the sentence before: "However, interns get five.", "This rule does not apply …"

The answer quotes it with that one, or after the list that it follows.
"""
TAKES_BACK_EARLIER = re.compile(
    r"(?:this|these|the above)(?:\W+\w+){0,2}?\W+(?:does|do|shall) not (?:apply|hold)\b",
    re.IGNORECASE,
)
"""It may take back a sentence further up: "This does not apply to guards, whose leave is longer."

The answer quotes it with the one of which it speaks.
"""
STAYS_WITH_THE_ONE_BEFORE = re.compile(
    rf"(?:{LEANS_BACK.pattern}|{OPENS_EXCEPTION.pattern})", re.IGNORECASE
)
"""Either: "It is paid.", "In no case is cash paid." A passage does not begin with it."""
LIMITS = re.compile(r"(?:only|except|unless|nothing in)\b", re.IGNORECASE)
"""It may limit what was said, or be a rule of its own: "Only this year.", "Only adults may skate."

The answer quotes it where it speaks of the same.
"""
LIMITS_ENTRIES = re.compile(
    r"\b(?:exceptions?|exempt\w*|waive[ds]?|derogat\w*|need not|"
    r"(?:does|do|shall) not (?:apply|run|count)|only (?:if|where|when)|unless|provided that|"
    r"(?:may|can|shall|is|are) (?:be )?(?:\w+ )?"
    r"(?:extended|reduced|shortened|prolonged|doubled))\b|"
    r"^no \w+ (?:is|are) (?:charged|due|needed|required|paid|payable)\b",
    re.IGNORECASE,
)
"""It says where something does not hold, or not so: "The head may waive (b).", "Unless it rains …"

The answer quotes it after what it speaks of: entries of the list before it, or the sentence before.
"""
ANNOUNCES = re.compile(
    r"(?:this|the following) (?:\w+ )?(?:page|section|chapter|part|document|guide|guidance|policy|"
    r"handbook|article|note) (?:also )?(?:outlines|describes|explains|sets out|summari[sz]es|lists|"
    r"is about|(?:provides|gives|contains) (?:an |the )?(?:overview|information|guidance|details|"
    r"advice|instructions))\b",
    re.IGNORECASE,
)
"""It says what is written about, and not what is written: "This page outlines how to apply."."""
EXEMPTS = re.compile(
    r"\b(?:(?:(?:is|are|be|remain) exempt(?:ed)?|"
    r"(?:is|are)(?: not)? (?:excluded|eligible|entitled|covered|included))"
    r"(?P<of> (?:from|for|to|by|in) (?:this|these|the above))?|"
    r"(?:receives?|gets?|pays?) (?:none|nothing|half)|"
    r"(?:receives?|gets?) one(?: (?:after|before|from|if|once|only|until|when)\b[^.;]*)?)[.;]?$",
    re.IGNORECASE,
)
"""It says for whom something else holds and not what, which is the sentence before.

"Trams are exempt.", "Interns are not eligible.", "Guests pay half."; `of` is " from this".
"""
OPPOSES = re.compile(
    r"\b(?:den(?:y|ies|ied)|disput(?:e|es|ed)|reject(?:s|ed)?|refut(?:e|es|ed)|contest(?:s|ed)?) "
    r"(?:this|that|it|these|those|them)\b(?! \w+ly\b)|"
    r"\b(?:decid|vot)(?:es?|ed) against (?:this|that|it|them)\b|"
    r"^(?:\w+ ){1,4}?(?:do|does|did) not agree\b(?! (?:on|to|upon|with (?!th(?:is|at|em|ese)\b)))",
    re.IGNORECASE,
)
"""It speaks against the sentence before: "We did not agree", "The city disputes this"."""
_FATES = r"lost|carried|rejected|withdrawn|deferred|adopted|defeated|approved|agreed"
VERDICT = re.compile(
    rf"(?:(?:not )?(?:{_FATES}))(?=[.,;:!]| (?:by|with|unanimously|until|to the|\d))|"
    r"(?:the|this|that|his|her|their) (?:proposal|motion|amendment|suggestion|idea) "
    rf"(?:was|has been) (?:\w+ ){{0,2}}?(?:{_FATES}|accepted|dropped|pursued)\b|"
    r"(?:it|this) (?:was|has been) (?:rejected|withdrawn|defeated|dropped|"
    r"not (?:adopted|accepted|pursued))\b",
    re.IGNORECASE,
)
"""What became of a motion: "Lost, 23 votes to 32.", "The motion was withdrawn."."""
HELD = re.compile(
    r"\b(?:until now|up to now|so far|hitherto)\b|^(?:until|before|previously|formerly)\b",
    re.IGNORECASE,
)
"""It says what held before: "Until now the fee was 9 euros."."""
HOLDS_NOW = re.compile(
    r"^(?:from|as (?:of|from)|since|with effect from)\b|\b(?:now|in future)\b", re.IGNORECASE
)
"""It says what holds since: "From May it is 12 euros."

The answer quotes it with what held before, where it speaks of the same.
"""
_CONDITIONS = r"(?:conditions|requirements|criteria)"
_TERMS = rf"(?:under|on|subject to) (?:all )?(?:the |these )?(?:following )?{_CONDITIONS}"
_MEETS = r"(?:meet|fulfil|satisf[yi])\w*"
# Not at the beginning: "If there is a fire:" leads in to what is to be done. And what one must
# meet, as in "You must meet these requirements:", no entry is taken to be enough for.
CONDITIONAL = re.compile(
    rf"(?<=\S\s)(?:if|where|provided|unless|who {_MEETS})\b|\b{_TERMS}\b", re.IGNORECASE
)
"""Of a lead-in: the entries are conditions, "You may leave if:"."""
ALTERNATIVE = re.compile(r"\b(?:any|either|(?:one|two|three|some) (?:or more|of))\b", re.IGNORECASE)
"""Of a lead-in: not all entries must hold, "if any of these is true:"."""
TOGETHER = re.compile(
    rf"\b(?:(?:all|both|each) of|(?:all|both)(?: the| these)? (?:following|{_CONDITIONS})|"
    rf"{_CONDITIONS} .*\b(?:met|fulfilled|satisfied)|{_MEETS} .*\b{_CONDITIONS}|{_TERMS})\b",
    re.IGNORECASE,
)
"""Of a lead-in: all entries must hold, "if these conditions are met:"."""
REPLY = re.compile(r"(?:a(?:nswer)?: )?(?:yes|no)\b", re.IGNORECASE)
"""The answer to a question: "Yes, without flash.", "A: No." It is quoted with that."""
BARE_REPLY = re.compile(rf"{REPLY.pattern}[.!]?$", re.IGNORECASE)
"""It and nothing else: "Yes.", "A: No." The reason after it is quoted as well."""

_HALF_IN = (
    # Not far on, where it stands for a deed of the same sentence: "… staff who have not done so".
    r"^(?:[\w’'-]+,? ){0,6}(?:do(?:es|ing)?|did|done) so\b|"
    r"\bin the same way\b(?! (?:as|that)\b)|\blikewise\b|\bthe latter\b|"
    rf"\bthe former\b(?= (?:{_HELPERS})\b)"
)
_LEANS = re.compile(
    rf"(?:^{LEANS_BACK.pattern}|{_HALF_IN}|"
    rf"^(?:there,|so (?:{_HELPERS})\b|of (?:these|those|them)\b|both\b(?! [\w’'-]+ and\b)|"
    r"neither\b(?! (?:[\w’'-]+ ){1,3}nor\b)|thus\b|therefore\b|the same (?:applies|goes|holds)\b|"
    # "During probation it is required": what "it" is, no such phrase says; but not "it is best to".
    r"(?:during|within|in|on|at|for|from|after|before|until|since|under|with|without) (?!case )"
    r"(?:[\w’'-]+ ){0,5}[\w’'-]+,? (?:it(?! is (?:\w+ )?\w+ (?:to|that)\b)|they|he|she) "
    rf"(?:{_HELPERS}|\w+s)\b))",
    re.IGNORECASE,
)
POINTS_AT_SEVERAL = re.compile(
    r"(?:they|them|these|those|such|in (?:these|those|such|either|neither|both|other|all other) "
    rf"cases?|in such a case|of (?:these|those|them)|both|neither|{_REST}|otherwise|if so|if not|"
    r"the (?:latter|former))\b",
    re.IGNORECASE,
)
"""Of what leans back, what may mean all entries of a list: "In these cases ten days are kept."."""
_CLAUSE_BEFORE_PERSON = re.compile(
    r"(?:if|where|when|unless|as|once|while|although)\b(?P<clause>[^,.;]*), (?:he|she)\b",
    re.IGNORECASE,
)
_MAY_BE_PERSON = re.compile(
    r"\b(?:who\w*|\w+(?:er|or|ee|ist|ant|ent|ian|man|son|body|one)|staff|child|guest|intern)\b",
    re.IGNORECASE,
)
_SPEECH = re.compile(r"[\"“„«][^\"”“»]*(?:[,.!?…][\"”“»]|$)")
"""Not a word in quotation marks: ‘"Leave" means …’."""
_ENDS_SPEECH = re.compile(r"[^\"“„«]*[.!?…][\"”»]$")
_NAME = re.compile(r"\b[A-Z]")

_POINTS_BACK = re.compile(
    rf"\b(?:{_SUBJECTS}|{_POSSESSIVES}|{_OTHER_FORMS}|{_DEMONSTRATIVES}|the above)\b",
    re.IGNORECASE,
)
_NO_NOUN = (
    rf"{_HELPERS}|about|after|at|before|by|for|from|in|like|of|on|since|than|to|until|with|without|"
    r"and|but|or|if|when|what|who|why|how|where"
)
_RELATIVE_THAT = re.compile(
    # "a form that needs a stamp", but not "what does that cost?", "any of that", "the shop that
    # day".
    rf"\b(?:(?:the|an?|any|all|each|every|some|no|which|what)\s+(?!(?:{_NO_NOUN})\b)[\w'’-]+"
    r"\s+that\b(?!\s+(?:time|day|week|month|year|way)\b)"
    # "trains that I take", "cards that expired", "I heard that there is a lift", but not "is that
    # paid?", "use that card".
    rf"|(?!(?:{_NO_NOUN})\b)[\w'’-]+\s+that(?=\s+(?:{_HELPERS}|{_SUBJECTS}|i|we|you|there|the|my|"
    r"your|our|\w+ed|\w+[^\Wsiu]s)\b))",
    re.IGNORECASE,
)


def points_back(text: str) -> bool:
    """Whether a pronoun stands for something said before: "Only they pay", "Does that hold?".

    "That" is none where it joins a clause to its noun or verb: "forms that are signed".
    """
    return bool(_POINTS_BACK.search(text) and _POINTS_BACK.search(_RELATIVE_THAT.sub(" ", text)))


def leans_back(text: str) -> bool:
    """Whether a sentence says little without the one before, as by its first words, so by others.

    "Trainees may do so later.", "During probation it is required.", "Where there is a risk, he
    tells the board.", "Lost, 23 votes to 32."; and what is quoted without its speaker.
    """
    if _LEANS.search(text) or VERDICT.match(text) or _lacks_its_speaker(text):
        return True
    behind = _CLAUSE_BEFORE_PERSON.match(text)
    return behind is not None and not _MAY_BE_PERSON.search(behind["clause"])


def _lacks_its_speaker(text: str) -> bool:
    """Whether speech is quoted and nobody named: ‘"It is dear," she said.’, ‘Nobody asked."’."""
    if _ENDS_SPEECH.match(text):
        return True
    return bool(_SPEECH.match(text)) and not _NAME.search(_SPEECH.sub(" ", text))
