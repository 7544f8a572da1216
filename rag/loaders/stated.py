"""Version and dates that a document states of itself in its first lines.

Any other date may be about anything, and a document that replaces another one may say since when
that was in effect. So a statement counts where it stands alone, as in "Effective from 1 May 2024",
or where its subject is this very document, as in "This policy takes effect on 1 May 2024".
"""

from __future__ import annotations

import re

from rag.loaders.metadata import DATE_WORDS, EVIDENCE, iso_date

_WITHIN = 1500
_LABELS = {
    "effective_date": r"effective(?: date| from| since| on| as (?:of|from))?|"
    r"(?:valid|in (?:force|effect)) (?:from|since|as of)|"
    r"(?:date of )?(?:entry|coming) into (?:force|effect)|"
    r"(?P<active>(?:took|takes?) effect|"
    r"(?:came|comes?|enters?|entered|goes?|went) into (?:force|effect))(?: on| from| as of)?",
    "review_date": r"(?:next review|review date|review due|due for review)(?: date| by| on)?",
    "published": r"(?:(?:first |originally )?(?:published|issued)|date of (?:issue|publication)|"
    r"publication date)(?: on)?",
}
_LABEL = "|".join(f"(?P<{name}>{words})" for name, words in _LABELS.items())
# "__Version:__" begins a word too.
_START = r"(?<![^\W_])"
# Between label and value: "Effective date: ", "**Effective date:** ", or two cells of a row.
_BETWEEN = r"[ \t]*[*_]{0,3}[ \t]*(?P<colon>[:|]?)[*_]{0,3}[ \t]+[*_]{0,3}"
_STATEMENT = re.compile(
    rf"{_START}(?P<verb>(?:is|are|was|were|has|have|been|will|shall|becomes?) "
    r"(?:(?:be|been|made|and|entered into) ){0,4})?"
    rf"(?:{_LABEL}){_BETWEEN}(?P<date>{DATE_WORDS})\b",
    re.IGNORECASE,
)
_VERSION = re.compile(
    rf"{_START}version{_BETWEEN}v?(?P<number>\d{{1,3}}(?:\.\d{{1,3}}){{1,3}})\b", re.IGNORECASE
)
_OTHER = re.compile(
    r"\b(?:replac\w+|supersed\w+|previous|earlier|old|than|from|with)\W+(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)
# "It" goes on with the subject of the sentence before.
_BEGINS = re.compile(r"\n\s*\n|(?<=[.!?:])\W*\s(?=[\W\d_]*[^\W\d_a-z])(?!\W*It\b)|[|·•]")
_DOCUMENT = (
    "act|agreement|by-?laws?|charter|circular|code|contract|decision|decree|directive|document|"
    "edition|guidance|guide|guidelines?|handbook|instructions?|law|manual|notice|order|ordinance|"
    "plan|policy|policies|procedures?|protocol|regulations?|report|rules?|standards?|statement|"
    "statutes?|strategy|terms|version"
)
_ALONE = re.compile(rf"[\W\d_]*(?:(?:the|date|{_DOCUMENT}|version\W+[\d.]+)\W+)*", re.IGNORECASE)
# Between two statements: "Effective 1 May 2024, next review 1 May 2026".
_ADDED = re.compile(r"[\s,;/]*(?:and\s+)?")
_THIS = (
    r"(?:(?:^|[,;:])[\W\d_]*(?:this|these|the present|our)|\b(?-i:This|THIS|These|THESE|Our))\s+"
    rf"(?:(?-i:[A-Z])\S*\s+|(?-i:[a-z])\S*\s+(?=(?:{_DOCUMENT})\b)){{0,3}}(?:{_DOCUMENT})\b"
    r"(?:\s+(?:and|of|for|on)\s+\w+)?(?:\s*\([^()]*\))?"
)
_SUBJECT = re.compile(rf"{_THIS}(?:\W+which)?\W*$", re.IGNORECASE)
_SUBJECT_BEFORE = re.compile(rf"{_THIS}.*\W(?:and|it)\W+$", re.IGNORECASE | re.DOTALL)
# "Effective 1 April 2024, parking fees rise" is about something else.
_GOES_ON = re.compile(
    r",\s*(?!(?i:next|last|version|review|valid|effective|in force|in effect|replac\w+|supersed\w+|"
    r"\w+ed)\b)\w"
    r"|[ \t]*\n?[ \t]*(?!(?:and|at|by|for|in|of|on|or|through|till|to|under|until|with)\b)[a-z]"
)


def stated(text: str) -> dict[str, str | list[str]]:
    """What is stated, and under "effective_date_evidence" and the like the words that do so.

    Of several statements of one thing the first counts.
    """
    beginning = text[:_WITHIN]
    found: dict[str, str | list[str]] = {}
    begins = [0, *(match.end() for match in _BEGINS.finditer(beginning))]
    done = 0
    for match in _STATEMENT.finditer(beginning):
        name = next(name for name in _LABELS if match[name])
        day = iso_date(match["date"])
        start = max(at for at in begins if at <= match.start())
        added = done and _ADDED.fullmatch(beginning, done, match.start())
        own = added or _is_own(match, beginning[start : match.start()])
        if day and own and name not in found:
            found[name] = day
            found[name + EVIDENCE] = beginning[match.start(name) : match.end()]
            done = match.end()
    for match in _VERSION.finditer(beginning):
        other = _OTHER.search(beginning, 0, match.start()) or _in_later_cell(match)
        if "version" not in found and not other:
            found["version"] = match["number"]
            found["version" + EVIDENCE] = match[0]
    return found


def _in_later_cell(match: re.Match[str]) -> bool:
    """Whether label and value are cells of a row that is about what its first cell names."""
    line = match.string[: match.start()].rpartition("\n")[2]
    return match["colon"] == "|" and "|" in line.lstrip("| \t")


def _is_own(match: re.Match[str], before: str) -> bool:
    """Whether a date is said of the document, judged by the sentence before it."""
    if _in_later_cell(match):
        return False
    if _SUBJECT.search(before):
        return True
    if (match["verb"] or match["active"]) and _SUBJECT_BEFORE.search(before):
        return True
    if match["verb"]:
        return False
    # What is written large begins something new, wherever it stands.
    large = match[0][0].isupper() and not _OTHER.search(before)
    line = before.rpartition("\n")[2]
    # Else a line may begin in the middle of a sentence.
    begins = line == before or f"{line}{match[0]}".lstrip("*_ \t")[0].isupper()
    alone = large or (begins and _ALONE.fullmatch(line))
    return bool(alone and (match["colon"] or not _GOES_ON.match(match.string, match.end())))
