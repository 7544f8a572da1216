"""Which documents are versions of one another, and since when each of them holds.

Both the filter `as_of` and what is said of newer versions go by this. Versions have

- the same title, but for years and version numbers: "Leave 2022–23" and "Leave 2023–24", "Travel
  policy rev. 2" and "rev. 3", "Travel policy 2.0" and "2.1". A number that names a part, as in
  "Section 3.2", or that begins a title, as in "3.2 Travel", is no version. What it says of its
  stage does not count either: "Leave (draft)", "Leave, revised", "Correction: Leave";
- the same language: a translation of a later text is no version of the earlier one. Documents that
  do not say their language are taken for English, as questions and words are;
- the same collection, if their metadata name one: a laboratory that has a collection and a travel
  policy of its own has no version of everybody's. Folders do not count, for old versions often
  lie in one of their own.

A document and the one that it names as its successor are versions whatever their titles, languages
and collections.

A version holds since its effective date, else since it was published. When a file was changed or
looked at again says neither, and the year in a title may be the one that a plan reaches to: it only
puts versions in order that have no date. Of the same day a draft is older than provisional and
these than final text, which is older than what is revised, and that than a correction; else the
higher version number is the newer. What cannot be compared is neither newer nor older.

A correction takes nothing's place, for it says only what is different, and neither does a draft,
whatever its date, that of anything but an older draft.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rag.catalogue.conditions import DATE, numbers
from rag.catalogue.described import Described, Titled
from rag.text import wording

Relation = Literal["newer", "older", "other"]
Family = tuple[str, str, str]
"""Title without its years and numbers, language, collection: equal for versions of one document."""

_Age = tuple[str, int, tuple[int, ...]]
"""Since when a document holds, its stage and its number."""

_SINCE = ("effective_date", "published")
_YEAR = r"(?:19|20)\d\d"
_YEARS = re.compile(rf"\b{_YEAR}(?:\s*[-/–]\s*\d{{2,4}}|[-/]\d)?(?:[-/]\d\d?)?\b")
_NAMED = re.compile(
    r"\b(?:version|ver|v|revision|rev)\.?\s*(?P<number>\d+(?:\.\d+)*)\b", re.IGNORECASE
)
_LAST = re.compile(
    r"(?<![\w.])(?P<part>(?:annex|appendix|article|chapter|clause|form|module|paragraph|part|rule|"
    r"schedule|(?:sub-?)?section|table|unit)\s+)?(?P<number>\d+(?:\.\d+)+)\W*$",
    re.IGNORECASE,
)
_STAGE = (
    r"(?:(?:consultation|discussion|final|first|public|revised|second|third|working) +)?"
    r"(?P<{0}>draft|provisional|preliminary|final|revised|updated|corrected|correction|corrigendum|"
    r"errat(?:um|a))(?: +(?:edition|figures|text|version|for (?:comments?|consultation)))?"
)
_CORRECTS = r"^\W*(?P<correction>correction|corrigendum|errat(?:um|a))"
_STAGES = re.compile(
    rf"{_CORRECTS}(?::| +(?:to|of)(?: +the)?\b|\W*[–—-])"
    rf"|^\W*{_STAGE.format('before')} *[:–—]|^\W*(?P<draft>draft) "
    rf"|[(\[] *{_STAGE.format('within')} *[)\]]|(?:,| [-–—]|:) *{_STAGE.format('after')}\W*$",
    re.IGNORECASE,
)
_DRAFT, _PROVISIONAL, _FINAL, _REVISED, _CORRECTION = range(5)
_RANKS = {
    "draft": _DRAFT,
    "provisional": _PROVISIONAL,
    "preliminary": _PROVISIONAL,
    "final": _FINAL,
    "revised": _REVISED,
    "updated": _REVISED,
    "corrected": _REVISED,
}
_UNSAID = "en"
_MOST_TOLD = 6


@dataclass(frozen=True, slots=True)
class Version:
    """One of several documents that are versions of one another.

    Attributes:
        id: of the document.
        title: as it stands, with its date.
        order: the day since when it holds, else the first of the year in its title, as
            "2024-03-01"; "" if nothing tells its age.
        dated: its date in words; may be empty.
        replaced_by: id of the document that it names as its successor; "" if that is not there.
        number: its version number, (2, 1) for 2.1; () if it has none.
        stage: 0 for a draft, 1 if provisional, 2 if final, 3 if revised, 4 for a correction.
    """

    id: str
    title: str
    order: str
    dated: str
    replaced_by: str = ""
    number: tuple[int, ...] = ()
    stage: int = _FINAL


def family(document: Titled) -> Family:
    """What is the same for all versions of a document."""
    metadata = document.metadata
    language = _plain(wording.first(metadata, "language") or _UNSAID)[:2]
    return (
        _lasting_title(document.title), language, _plain(str(metadata.get("collection") or "")),
    )  # fmt: skip


def _lasting_title(title: str) -> str:
    """A title without its years, numbers and stage."""
    bare = _NAMED.sub(" ", _YEARS.sub(" ", _STAGES.sub(" ", title)))
    last = _LAST.search(bare)
    if last and not last["part"]:
        bare = bare[: last.start()]
    # A title of nothing but a year is one like any other.
    return _plain(bare) or _plain(title) or title


def since(metadata: Mapping[str, Any]) -> str:
    """The first day that a document can hold on, as "2024-03-01"; "" if it does not say."""
    for name in _SINCE:
        value = wording.first(metadata, name) or ""
        if DATE.fullmatch(value):
            return f"{value}-01-01"[:10]
    return ""


def in_effect(documents: Sequence[Titled], day: str) -> set[str]:
    """Ids of what was in effect on a day: of each document its newest version until then.

    A document that does not say since when it holds may have been, unless one that it names as its
    successor held by then.

    Args:
        documents: all of an index.
        day: as "2024-06-01"; of a month or year its last, which need not exist ("2024-06-31").
    """
    ages = {one.id: (since(one.metadata), _stage(one), _number(one)) for one in documents}
    begun = {one.id: family(one) for one in documents if "" < ages[one.id][0] <= day}
    heirs = {one.id: heir for one in documents if (heir := _heir(one, begun))}
    newest: dict[tuple[Family, bool], _Age] = {}
    for name, own in begun.items():
        # What gave way to a document with another title has still replaced those before it.
        given_way = name in heirs and begun[heirs[name]] == own
        stage = ages[name][1]
        if not given_way and stage != _CORRECTION:
            kind = own, stage < _FINAL
            newest[kind] = max(newest.get(kind, ages[name]), ages[name])
    current = {name for name, (start, _, _) in ages.items() if not start}
    for name in begun.keys() - heirs.keys():
        stage, own = ages[name][1], begun[name]
        draft, final = newest.get((own, True)), newest.get((own, False))
        if stage == _CORRECTION:
            current.add(name)
        elif stage < _FINAL:
            if _is_as_new(ages[name], draft) and not (final and final > ages[name]):
                current.add(name)
        elif _is_as_new(ages[name], final):
            current.add(name)
    return current - heirs.keys()


def _is_as_new(own: _Age, newest: _Age | None) -> bool:
    """Whether an age is the newest, or has no number that could be lower."""
    return newest is None or (own[:2] == newest[:2] and own[2] in ((), newest[2]))


def families(documents: Iterable[Described]) -> Mapping[str, Sequence[Version]]:
    """For each document that has other versions, all of them, newest first.

    More than six are taken for a series (minutes, yearly reports), of which a reader need not be
    told every other one: only those that name their successor are here, each with that. The
    filter `as_of`, which somebody chose, still takes the newest of them.
    """
    documents = list(documents)
    ids = {one.id for one in documents}
    members: dict[Family, list[Described]] = defaultdict(list)
    for one in documents:
        members[family(one)].append(one)
    several = [own for own in members.values() if 1 < len(own) <= _MOST_TOLD]
    heirs = {one.id: heir for one in documents if (heir := _heir(one, ids))}
    # Most documents have no other version, and need not be looked at any closer.
    wanted = {one.id for own in several for one in own} | heirs.keys() | set(heirs.values())
    known = {one.id: _version(one, ids) for one in documents if one.id in wanted}
    found: dict[str, list[Version]] = {}
    for own in several:
        versions = [known[one.id] for one in own]
        if len({(one.order, one.stage, one.number) for one in versions}) > 1:
            found.update((version.id, versions) for version in versions)
    _link(known, found)
    return {name: sorted(versions, key=_rank, reverse=True) for name, versions in found.items()}


def _rank(version: Version) -> tuple[str, int, tuple[int, ...], str]:
    return version.order, version.stage, version.number, version.id


def _link(known: Mapping[str, Version], found: dict[str, list[Version]]) -> None:
    """Bring the families of each document and of its successor together."""
    for old in known.values():
        if not old.replaced_by:
            continue
        new = known[old.replaced_by]
        both = [*found.get(old.id, [old]), *found.get(new.id, [new])]
        members = list({version.id: version for version in both}.values())
        if len(members) > _MOST_TOLD:
            found[old.id] = [old, new]
        else:
            found.update((version.id, members) for version in members)


def newer_and_older(
    document_id: str, known: Mapping[str, Sequence[Version]]
) -> tuple[list[Version], list[Version]]:
    """The versions of a document that are newer, and those that are older, newest first."""
    versions = known.get(document_id, ())
    own = next((one for one in versions if one.id == document_id), None)
    if own is None:
        return [], []
    return [one for one in versions if _replaces(one, own)], [
        one for one in versions if _replaces(own, one)
    ]


def relation(document_id: str, other: str, known: Mapping[str, Sequence[Version]]) -> Relation:
    """What another document is to one: a "newer" or "older" version of it, or an "other"."""
    newer, older = newer_and_older(document_id, known)
    if any(version.id == other for version in newer):
        return "newer"
    return "older" if any(version.id == other for version in older) else "other"


def _replaces(one: Version, other: Version) -> bool:
    """Whether one is newer: what documents say of each other counts more than their dates."""
    if one.id == other.replaced_by or other.id == one.replaced_by:
        return one.id == other.replaced_by
    if one.order and other.order and one.order != other.order:
        return one.order > other.order
    if one.stage != other.stage:
        return one.stage > other.stage
    return bool(one.number and other.number) and one.number > other.number


def successor(document_id: str, versions: Iterable[Version]) -> Version | None:
    """The version that a document names as its successor."""
    by_id = {version.id: version for version in versions}
    own = by_id.get(document_id)
    return by_id.get(own.replaced_by) if own else None


def may_be_versions(titles: Mapping[str, str]) -> list[str]:
    """Of documents, given with their titles, those that may be versions of one another."""
    lasting = {name: _lasting_title(title) for name, title in titles.items()}
    times = Counter(lasting.values())
    return [name for name, title in lasting.items() if times[title] > 1]


def not_in_effect(documents: Sequence[Titled], day: str) -> frozenset[str]:
    """Ids of the documents that say since when they hold and were not in effect on a day.

    See `in_effect`.
    """
    current = in_effect(documents, day)
    return frozenset(one.id for one in documents if since(one.metadata) and one.id not in current)


def superseded(documents: Sequence[Described]) -> frozenset[str]:
    """Ids of the documents that name a successor that is among them."""
    ids = {one.id for one in documents}
    return frozenset(one.id for one in documents if _heir(one, ids))


def named(title: str, document_id: str, versions: Iterable[Version]) -> str:
    """A title, followed by the id if another version has the same one."""
    same = sum(version.title == title for version in versions)
    return f"{title} ({document_id})" if same > 1 else title


def as_named(version: Version, versions: Iterable[Version]) -> Version:
    """The version with its title as `named`."""
    return replace(version, title=named(version.title, version.id, versions))


def age(document_id: str, known: Mapping[str, Sequence[Version]]) -> str:
    """What tells an older version from the newest, e.g. "2022 version"; "" for the newest."""
    if not newer_and_older(document_id, known)[0]:
        return ""
    versions = known[document_id]
    own = next(one for one in versions if one.id == document_id)
    year = own.order[:4]
    if year and sum(one.order[:4] == year for one in versions) == 1:
        return f"{year} version"
    return f"Version {own.dated}" if own.dated else "Older version"


def _version(document: Described, ids: Container[str]) -> Version:
    dated = wording.document_date(document.metadata)
    year = re.search(rf"\b{_YEAR}\b", document.title)
    return Version(
        document.id,
        document.title,
        since(document.metadata) or (f"{year[0]}-01-01" if year else ""),
        " ".join(dated) if dated else "",
        _heir(document, ids),
        _number(document),
        _stage(document),
    )


def _stage(document: Titled) -> int:
    """How far a document has come, by its title; final if it does not say."""
    found = _STAGES.search(document.title)
    said = next((word for word in found.groups() if word), "") if found else "final"
    return _RANKS.get(said.lower(), _CORRECTION)


def _number(document: Titled) -> tuple[int, ...]:
    """The version number of a document, in its metadata or else in its title; () without one."""
    stated = str(document.metadata.get("version") or "")
    title = _YEARS.sub(" ", _STAGES.sub(" ", document.title))
    last = _LAST.search(title)
    in_title = _NAMED.search(title) or (last if last and not last["part"] else None)
    return numbers(stated) or (numbers(in_title["number"]) if in_title else None) or ()


def _heir(document: Titled, ids: Container[str]) -> str:
    """Which of these ids a document names as its successor, if need be beside it; else ""."""
    says = wording.successor(document.metadata)
    if not says:
        return ""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(document.id), says))
    return next((name for name in (says, beside) if name in ids and name != document.id), "")


def _plain(text: str) -> str:
    """Its words, in the same form whatever their case."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))
