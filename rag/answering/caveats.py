"""What a careful reader should know of the cited documents: are they still the last word?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from rag.catalogue.versions import Version, as_named, named, newer_and_older, successor
from rag.text import wording
from rag.types import Answer, Document


class Caveat(NamedTuple):
    """Something to be known of a cited document.

    Attributes:
        kind: "standing" if it may no longer apply, "version" if it has an older version.
        words: a sentence, which ends in ": " or in a space if it goes on with the version.
        version: the one that it points to.
    """

    kind: Literal["standing", "version"]
    words: str
    version: Version | None = None

    @property
    def text(self) -> str:
        """All of it on one line, with the date and the id of the other version."""
        other = self.version
        if other is None:
            return self.words
        again = other.id in other.title
        named_once = (other.title, other.dated, "" if again else other.id)
        return self.words + ", ".join(filter(None, named_once))


def caveats(
    answer: Answer, documents: Mapping[str, Document], known: Mapping[str, Sequence[Version]]
) -> list[Caveat]:
    """What is to be said of the documents that an answer cites, in the order of its citations.

    Args:
        answer: one with citations; of an abstention there is nothing to say.
        documents: the cited ones by id; of one that is missing only its versions are told.
        known: see `rag.catalogue.versions.families`.
    """
    cited = {citation.document: citation.title for citation in answer.citations}
    return [
        caveat
        for identifier, title in cited.items()
        for caveat in _of_one(identifier, title, documents.get(identifier), cited, known)
    ]


def _of_one(
    identifier: str,
    title: str,
    document: Document | None,
    cited: Mapping[str, str],
    known: Mapping[str, Sequence[Version]],
) -> list[Caveat]:
    versions = known.get(identifier, ())
    name = named(title, identifier, versions)
    found: list[Caveat] = []
    heir = successor(identifier, versions)
    if heir:
        found.append(Caveat("standing", f"{name}: Superseded by ", as_named(heir, versions)))
    elif document and (said := wording.standing(document.metadata)):
        found.append(Caveat("standing", f"{name}: {said}"))
    newer, older = newer_and_older(identifier, known)
    others = [one for one in versions if one.id not in cited and one != heir]
    found += [
        Caveat("standing", f"There is a newer version of {name}: ", as_named(one, versions))
        for one in newer
        if one in others
    ]
    # What gave way to another is not the one to compare with an older one.
    return found or [
        Caveat("version", f"There is an older version of {name}: ", as_named(one, versions))
        for one in older
        if one in others
    ]
