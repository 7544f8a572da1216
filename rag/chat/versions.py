"""Which documents are versions of each other, so that no answer hides a newer or older one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.chat import wording

_YEAR = r"(?:19|20)\d{2}"
_DATED = re.compile(
    rf"[\[(]?\b(?:{_YEAR}(?:\s*[-/–]\s*\d{{2,4}})?|v(?:ersion)?\.?\s?\d+(?:\.\d+)*)\b[\])]?",
    re.IGNORECASE,
)
_MAX_FAMILY = 6


@dataclass(frozen=True, slots=True)
class Version:
    """One of several documents with the same title but for its date.

    Attributes:
        id: of the document.
        title: as it stands, with its date.
        order: sorts versions by age; empty if nothing tells its age.
        dated: its date in words; may be empty.
    """

    id: str
    title: str
    order: str
    dated: str


def families(infos: Iterable[Any]) -> Mapping[str, Sequence[Version]]:
    """For each document that has other versions, all of them, newest first.

    Titles that differ in nothing but a year or a version number make a family; a family of more
    than six is taken for a series (minutes, yearly reports), not for versions of one document.
    """
    found: dict[str, list[Version]] = defaultdict(list)
    for info in infos:
        found[_family(info.title)].append(_version(info))
    return {
        version.id: sorted(members, key=lambda one: (one.order, one.id), reverse=True)
        for members in found.values()
        if 1 < len(members) <= _MAX_FAMILY and len({one.order for one in members}) > 1
        for version in members
    }


def newer_and_older(
    document_id: str, known: Mapping[str, Sequence[Version]]
) -> tuple[list[Version], list[Version]]:
    """The versions of a document that are newer, and those that are older, newest first."""
    family = known.get(document_id, ())
    own = next((one.order for one in family if one.id == document_id), "")
    return [one for one in family if one.order > own], [one for one in family if one.order < own]


def _family(title: str) -> str:
    return " ".join(re.findall(r"\w+", _DATED.sub(" ", title).lower()))


def _version(info: Any) -> Version:
    dated = wording.document_date(info.metadata)
    year = re.search(_YEAR, info.title)
    order = wording.iso_date(info.metadata) or (year[0] if year else "")
    return Version(info.id, info.title, order, " ".join(dated) if dated else "")
