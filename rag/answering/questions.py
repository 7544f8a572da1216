"""What kind of answer a question asks for, and whether a sentence looks like one."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["yes_no", "quantity", "time", "person", "definition", "procedure", "list", "other"]

_ASKS = (
    r"(?:^\W*|[,;:.?!–—-] |\b(?:and|or|but|so|then|since|until|till|by|from|to|with|for|of|on|at|"
    r"exactly|know|me|us|say|explain) )"
)
"""Before a word that asks, unlike "the staff who" and "if so when"."""
_QUESTION_FORMS: tuple[tuple[Kind, str], ...] = (
    (
        "yes_no",
        r"^\s*(?:(?:and|but|so|then|ok|okay),? )?(?:is|are|am|was|were|do|does|did|can|could|"
        r"may|must|should|shall|will|would|has|have|had|need)\b"
        # "Can you tell me when …" asks when.
        r"(?! (?:you|we|any(?:one|body)|somebody) (?:tell|know|say|explain|list|name)\b)",
    ),
    (
        "quantity",
        r"\bhow (?:many|much|long|often|far|large|big|high|low|old|frequently|fast)\b|"
        r"\b(?:what|which) (?:is the )?(?:\w+ ){0,2}(?:number|amount|percentage|share|limit|"
        r"maximum|minimum|threshold|cost|price|rate|fee|budget|ceiling|cap)\b",
    ),
    (
        "procedure",
        r"\bwhat (?:must|should|can|do|shall) (?:\w+ ){1,3}do\b|\bwhat to do\b",
    ),
    (
        "time",
        rf"{_ASKS}when\b|\bhow soon\b|\bdeadline\b|"
        r"\b(?:what|which) (?:time|date|day|year|month)\b|\bby what\b",
    ),
    (
        "definition",
        r"\bdefin(?:e|ed|ition)\b|\bmean(?:s|ing)?\b|\bstands? for\b|"
        r"^\s*what(?: is|'s| are) (?:an? |the )?(?!not\b)[\w-]+(?: [\w-]+){0,2}\s*\??$",
    ),
    (
        "procedure",
        r"\bhow (?:do|does|can|could|should|would|must|shall|to)\b|\bsteps?\b|\bprocess\b",
    ),
    (
        "person",
        rf"{_ASKS}who(?:m|se)?\b|\b(?:which|what) (?:office|team|person|department|body|company|"
        r"companies|organi[sz]ation|address|email|e-mail|contact)\b|\bcontact\b|\bwhere (?:do|"
        r"should|can) i (?:send|report|submit)\b",
    ),
    (
        "list",
        r"\b(?:what|which) (?:\w+ ){0,4}(?:are|were|include)\b|^\s*list\b|"
        r"\bwhat (?:\w+ ){0,6}(?:include|contain|be (?:in|on|part of)|goes (?:in|into|on))\b|"
        r"\blist (?:of|the|all)\b|\bname (?:the|all)\b|"
        r"\bwhat kinds?\b|\bwhat types?\b|\brequirements\b|\bexamples\b",
    ),
)
_QUESTIONS = tuple((kind, re.compile(form, re.IGNORECASE)) for kind, form in _QUESTION_FORMS)

_ENGLISH = re.compile(
    r"\b(?:the|of|how|what|which|who|where|is|are|do|does|may|can|must)\b", re.IGNORECASE
)
# Behind another word of the same sentence: the first one has a capital anyway. A number is a year
# only where it counts nothing: "in 2031?", not "2000 euros".
_NAME = re.compile(
    r"(?<=[\w,;:)\"'’”] )[\"'“‘(]?"
    r"((?!I\b)[^\W\d_][\w&-]*(?:[.'’]\w+)*|(?:19|20)\d\d(?=\s*(?:[?.,;:)]|$|(?:and|or|to)\b)))"
)
_NO_NAMES = frozenset(
    """ok am pm mr mrs ms miss dr prof sir madam please hello hi dear thanks thank tell regards eur
    euro euros usd gbp chf dollar dollars pound pounds section sections article articles clause
    paragraph annex appendix chapter part rule form january february march april may june july
    august september october november december jan feb mar apr jun jul aug sep sept oct nov dec
    ltd inc plc llc gmbh co corp monday tuesday wednesday thursday friday saturday sunday""".split()
)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|"
    r"forty|fifty|sixty|ninety|hundred|thousand|million|billion|half|quarter|once|twice|daily|"
    r"weekly|monthly|quarterly|yearly|annually|unlimited)"
)
_SIGN_FORMS: dict[Kind, str] = {
    "quantity": rf"\d|\b{NUMBER_WORD}\b|[$€£%]",
    "time": rf"\b{_MONTH}\b|\b\d{{1,2}}[:.]\d\d\b|\b(?:19|20)\d\d\b|\b(?:within|before|after|by|"
    r"until|every|day|days|week|weeks|month|months|year|years|hour|hours|quarter|monday|"
    r"tuesday|wednesday|thursday|friday|daily|weekly|annually|immediately|as soon as)\b",
    "person": r"[\w.+-]+@[\w-]+\.\w+|\b(?:director|manager|officer|supervisor|team|office|lead|"
    r"committee|board|department|head|chief|unit|secretary|representative|staff|contact)\b|"
    r"(?-i:(?<=[a-z,] )[A-Z][a-z]+ [A-Z][a-z]+)|#[\w-]+",
    "definition": r"\b(?:is|are|means?|refers? to|stands? for|defined as|known as|called|"
    r"includes?)\b|^[^.]{2,60}[:–—]\s",
    "procedure": r"\b(?:must|should|need to|have to|please|submit|send|fill|complete|click|"
    r"request|contact|email|ask|follow|use|open|create|add|select|sign|go to|notify|report)\b",
    "list": r"[,;:]|\b(?:include|following|such as|and)\b",
    "yes_no": r"\b(?:not|no|never|must|may|can|cannot|only|unless|except|required|allowed|"
    r"permitted|prohibited|should|need|eligible|always|any|all|will|is|are)\b",
}
_SIGNS = {kind: re.compile(form, re.IGNORECASE) for kind, form in _SIGN_FORMS.items()}


def names(question: str) -> list[str]:
    """The names and years in an English question; none where most words have capitals."""
    found = [
        re.sub("['’]s$", "", match[1])
        for match in _NAME.finditer(question)
        if not match[1][0].islower()
    ]
    found = list(dict.fromkeys(found))
    if not _ENGLISH.search(question) or 2 * len(found) > len(question.split()):
        return []
    return [name for name in found if name.lower() not in _NO_NAMES]


def question_kind(question: str) -> Kind:
    """The kind of answer that a question asks for."""
    for kind, pattern in _QUESTIONS:
        if pattern.search(question):
            return kind
    return "other"


def looks_like_answer(kind: Kind, sentence: str) -> bool:
    """True if a sentence has the signs of an answer of this kind; always for "other"."""
    signs = _SIGNS.get(kind)
    return signs is None or bool(signs.search(sentence))
