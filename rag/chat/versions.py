"""Which documents are versions of each other, so that no answer hides a newer or older one."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from rag.chat import wording

_YEAR = r"(?:19|20)\d{2}"
_DATED = re.compile(
    rf"[\[(]?\b(?:{_YEAR}(?:\s*[-/–]\s*\d{{2,4}})?|v(?:ersion)?\.?\s?\d+(?:\.\d+)*)\b[\])]?",
    re.IGNORECASE,
)
_MAX_FAMILY = 6


@dataclass(frozen=True, slots=True)
class Version:
    """One of several documents with the same title but for its date, or that name each other.

    Attributes:
        id: of the document.
        title: as it stands, with its date.
        order: sorts versions by age; empty if nothing tells its age.
        dated: its date in words; may be empty.
        replaced_by: id of the document that it names as its successor; "" if that is not there.
    """

    id: str
    title: str
    order: str
    dated: str
    replaced_by: str = ""


def families(infos: Iterable[Any]) -> Mapping[str, Sequence[Version]]:
    """For each document that has other versions, all of them, newest first.

    Titles that differ in nothing but a year or a version number make a family; a family of more
    than six is taken for a series (minutes, yearly reports), not for versions of one document.
    A document and the one that supersedes it are of one family whatever their titles.
    """
    infos = list(infos)
    ids = {info.id for info in infos}
    by_title: dict[str, list[Version]] = defaultdict(list)
    for info in infos:
        by_title[_family(info.title)].append(_version(info, ids))
    found = {
        version.id: members
        for members in by_title.values()
        if 1 < len(members) <= _MAX_FAMILY and len({one.order for one in members}) > 1
        for version in members
    }
    _link({version.id: version for members in by_title.values() for version in members}, found)
    return {
        name: sorted(members, key=lambda one: (one.order, one.id), reverse=True)
        for name, members in found.items()
    }


def _link(known: Mapping[str, Version], found: dict[str, list[Version]]) -> None:
    """Bring the families of each document and of its successor together."""
    for old in known.values():
        if not old.replaced_by:
            continue
        new = known[old.replaced_by]
        both = [*found.get(old.id, [old]), *found.get(new.id, [new])]
        members = list({version.id: version for version in both}.values())
        if len(members) > _MAX_FAMILY:
            found[old.id] = [old, new]
        else:
            found.update((version.id, members) for version in members)


def newer_and_older(
    document_id: str, known: Mapping[str, Sequence[Version]]
) -> tuple[list[Version], list[Version]]:
    """The versions of a document that are newer, and those that are older, newest first."""
    family = known.get(document_id, ())
    own = next((one for one in family if one.id == document_id), None)
    if own is None:
        return [], []
    return [one for one in family if _replaces(one, own)], [
        one for one in family if _replaces(own, one)
    ]


def _replaces(one: Version, other: Version) -> bool:
    """Whether one is newer: what documents say of each other counts more than their dates."""
    if one.id == other.replaced_by or other.id == one.replaced_by:
        return one.id == other.replaced_by
    return one.order > other.order


def successor(document_id: str, family: Iterable[Version]) -> Version | None:
    """The version that a document names as its successor."""
    by_id = {version.id: version for version in family}
    own = by_id.get(document_id)
    return by_id.get(own.replaced_by) if own else None


def named(title: str, document_id: str, family: Iterable[Version]) -> str:
    """A title, followed by the id if another version has the same one."""
    same = sum(version.title == title for version in family)
    return f"{title} ({document_id})" if same > 1 else title


def as_named(version: Version, family: Iterable[Version]) -> Version:
    """The version with its title as `named`."""
    return replace(version, title=named(version.title, version.id, family))


def version_html(version: Version) -> Markup:
    """A version with its date, to be opened."""
    return Markup(
        '<button type="button" class="document" data-document="{id}">{title}</button>{dated}'
    ).format(
        id=version.id,
        title=version.title,
        dated=f", {version.dated}" if version.dated else "",
    )


def age(document_id: str, known: Mapping[str, Sequence[Version]]) -> str:
    """What tells an older version from the newest, e.g. "2022 version"; "" for the newest."""
    if not newer_and_older(document_id, known)[0]:
        return ""
    family = known[document_id]
    own = next(one for one in family if one.id == document_id)
    year = own.order[:4]
    if year and sum(one.order[:4] == year for one in family) == 1:
        return f"{year} version"
    return f"Version {own.dated}" if own.dated else "Older version"


def _family(title: str) -> str:
    return " ".join(re.findall(r"\w+", _DATED.sub(" ", title).lower()))


def _version(info: Any, ids: Collection[str]) -> Version:
    dated = wording.document_date(info.metadata)
    year = re.search(_YEAR, info.title)
    order = wording.iso_date(info.metadata) or (year[0] if year else "")
    says = wording.successor(info.metadata) or ""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(info.id), says))
    replaced_by = next((name for name in (says, beside) if name in ids and name != info.id), "")
    return Version(info.id, info.title, order, " ".join(dated) if dated else "", replaced_by)
