"""What a reader is told of the standing of the documents that an answer cites."""

from __future__ import annotations

import pytest
from test_chat_render import answer, citation

from rag.answering.caveats import Caveat, caveats
from rag.catalogue.versions import Version
from rag.types import Document

NEW = Version("b.md", "Remote", "2025", "effective 1 May 2025")
OLD = Version("a.md", "Remote", "2022", "")
CITED = answer("Two days. [1]", citation(1, "Two days.", title="Remote"))


def document(**metadata: str) -> dict[str, Document]:
    return {"a.md": Document("a.md", "Remote", "", (), metadata=metadata)}


def told(found: dict[str, Document], *versions: Version) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in caveats(CITED, found, {"a.md": versions})]


def test_versions_of_the_same_title_are_told_apart() -> None:
    assert told({}, NEW, OLD) == [(
        "standing",
        "There is a newer version of Remote (a.md): Remote (b.md), effective 1 May 2025",
    )]  # fmt: skip


def test_an_older_version_is_told_as_well() -> None:
    before = Version("old/a.md", "Remote 2019", "2019", "")
    assert told({}, OLD, before) == [
        ("version", "There is an older version of Remote: Remote 2019, old/a.md")
    ]


def test_a_successor_is_named_once() -> None:
    old = Version("a.md", "Remote", "2022", "", "b.md")
    assert told(document(superseded_by="b.md"), NEW, old) == [
        ("standing", "Remote (a.md): Superseded by Remote (b.md), effective 1 May 2025")
    ]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"superseded_by": "Rules of 2025"}, "Remote: Superseded by Rules of 2025"),
        ({"status": "withdrawn"}, "Remote: Withdrawn"),
    ],
)
def test_what_a_document_says_of_itself(metadata: dict[str, str], expected: str) -> None:
    assert told(document(**metadata)) == [("standing", expected)]


def test_a_version_that_is_cited_too_needs_no_word() -> None:
    cited = answer(
        "Two days. [1] Three. [2]",
        citation(1, "Two days.", title="Remote"),
        citation(2, "Three.", title="Remote", document="b.md"),
    )
    assert caveats(cited, {}, {"a.md": [NEW, OLD], "b.md": [NEW, OLD]}) == []


def test_the_text_of_a_caveat_has_the_id_of_a_version_unless_its_title_has() -> None:
    named = Version("b.md", "Remote (b.md)", "2025", "effective 1 May 2025")
    assert [Caveat("version", "It: ", one).text for one in (NEW, named)] == [
        "It: Remote, effective 1 May 2025, b.md",
        "It: Remote (b.md), effective 1 May 2025",
    ]


def test_an_abstention_has_none() -> None:
    assert caveats(answer("Nothing found."), {}, {}) == []
