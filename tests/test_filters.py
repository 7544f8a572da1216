"""What a condition means, and that filters apply before ranking."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rag.catalogue.conditions import Where, parse_where
from rag.catalogue.filters import select
from rag.cli import main
from rag.errors import UsageError
from rag.index import Index
from rag.loaders import load_bytes
from rag.loaders.metadata import normalise

if TYPE_CHECKING:
    from workshop import Workshop


@dataclass
class Doc:
    id: str
    metadata: dict[str, Any] = field(default_factory=dict)
    title: str = "A title"
    first_chunk: int = 0
    chunks: int = 1


DOCS = [
    Doc(
        "handbook/leave.md",
        {"published": "2023-05-01", "version": "1.10", "tags": ["leave", "Pay rise"]},
        "Annual leave",
    ),
    Doc("handbook/sub/sick.pdf", {"published": "2023-06", "language": "en-GB", "version": "2"}),
    Doc("travel.txt", {"collection": "Hand book", "language": "de", "published": "2024"}),
    Doc("old/x.md", {"published": "Spring 2024", "author": "A. (B) Author*", "owner": "People"}),
]


def found(*conditions: str) -> list[str]:
    rows = [Doc(d.id, d.metadata, d.title, i) for i, d in enumerate(DOCS)]
    chosen = select(parse_where(conditions), rows)
    assert chosen.documents == len(chosen.rows)
    return [DOCS[row].id.rpartition("/")[2][0] for row in chosen.rows]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("path=handbook/*", "ls"),
        ("path=handbook/leave.md", "l"),
        ("path=*.md", "lx"),
        ("path=HANDBOOK/*", ""),
        ("path!=handbook/*", "tx"),
        ("document=travel.txt", "t"),
        ("collection=handbook", "ls"),
        ("collection=hand book", "t"),
        ("collection=hand*", "lst"),
        ("collection!=handbook", "tx"),
        ("language=en", "s"),
        ("language=en-gb", "s"),
        ("language=EN_GB", "s"),
        ("language=e", ""),
        ("lang=de", "t"),
        ("tags=leave", "l"),
        ("tag=PAY RISE", "l"),
        ("tags=pay", ""),
        ("tags!=leave", "stx"),
        ("title=annual*", "l"),
        ('title="Annual leave"', "l"),
        ("author=a. (b) author*", "x"),
        ("author=*(b)*", "x"),
        ("version=1.10", "l"),
        ("version=1.10.0", "l"),
        ("version=1.1", ""),
        ("version>1.9", "ls"),
        ("version>=v2.0", "s"),
        ("version!=2", "ltx"),
        ("published=2023", "ls"),
        ("published=2023-06", "s"),
        ("published=2023-06-15", ""),
        ("published=1 May 2023", "l"),
        ("published<2023-06-15", "l"),
        ("published<2024", "ls"),
        ("published<=2023-06-30", "l"),
        ("published<=2023-06", "ls"),
        ("published>=2023-06-01", "st"),
        ("published>=2023-06-02", "t"),
        ("published>2023", "t"),
        ("published > 2023", "t"),
        ("published!=2023", "tx"),
        ("effective_date>=2020", ""),
        ("meta.owner=people", "x"),
        ("meta.nothing=x", ""),
        ("meta.nothing!=x", "lstx"),
    ],
)
def test_conditions(condition: str, expected: str) -> None:
    assert "".join(found(condition)) == expected


def test_one_of_several_authors_is_enough() -> None:
    docs = [Doc("a", {"author": "Ann Lee, Bob Ray"}), Doc("b", {"author": "Ann Lee"}), Doc("c")]
    for condition, expected in (
        ("author=ann lee", 2), ("author=Bob Ray", 1), ("author=Ann Lee, Bob Ray", 1),
        ("author=Ann", 0), ("author!=Bob Ray", 2),
    ):  # fmt: skip
        assert select(parse_where(condition), docs).documents == expected, condition


def test_the_author_of_an_e_mail_is_found_with_and_without_the_address() -> None:
    docs = [
        Doc("a", {"author": "Carla Diaz <c@x.org>"}),
        Doc("b", {"author": '"Ray, B" <b@x.org>'}),
    ]
    for condition, expected in (
        ("author=carla diaz", 1), ("author=Carla Diaz <c@x.org>", 1), ("author=Ray, B", 1),
        ("author=Carla", 0), ("author!=Carla Diaz", 1),
    ):  # fmt: skip
        assert select(parse_where(condition), docs).documents == expected, condition


def test_one_of_several_values_of_any_field_is_enough() -> None:
    rules = "---\naudience: [staff, Night crew]\nmodified: 3 May 2024\n---\n\nBerths are free.\n"
    docs = [Doc("rules.md", dict(load_bytes(rules.encode(), "rules.md").metadata)), Doc("b")]
    for condition, expected in (
        ("meta.audience=staff", 1), ("meta.audience=night crew", 1), ("meta.audience=night", 0),
        ("meta.audience!=staff", 1), ("modified>=2024", 1), ("modified<2024-05-03", 0),
    ):  # fmt: skip
        assert select(parse_where(condition), docs).documents == expected, condition


def test_all_conditions_have_to_hold() -> None:
    assert found("path=handbook/*", "published>=2023-06") == ["s"]
    assert found("path=handbook/*", "published>=2025") == []
    assert found() == ["l", "s", "t", "x"]


def test_a_list_of_stars_is_no_trap() -> None:
    long = Doc("a" * 100_000)
    assert select(parse_where("path=" + "*a" * 50 + "*b"), [long]).documents == 0
    assert select(parse_where("path=*a*a*"), [Doc("a")]).documents == 0


VERSIONS = [
    Doc("a/travel-2022.md", {"effective_date": "2022-01-01"}, "Travel policy 2022"),
    Doc("b/travel.md", {"effective_date": "2024-03-01"}, "Travel policy, version 2.1"),
    Doc("c/travel.md", {"published": "2025-01-01"}, "Travel Policy"),
    Doc("d/reise.md", {"effective_date": "2021", "language": "de"}, "Travel policy"),
    Doc("e/other.md", {"effective_date": "2023-07"}, "Travel policy for trainees"),
    Doc("f/undated.md", {}, "Travel policy"),
    Doc("g/own.md", {"effective_date": "2020", "collection": "Lab"}, "Travel policy"),
]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2019", "f"),
        ("2020-12-31", "fg"),
        ("2021-12-31", "dfg"),
        ("2022-01-01", "adfg"),
        ("2023-07-01", "adefg"),
        ("2024-02-29", "adefg"),
        ("2024-03-01", "bdefg"),
        ("2024", "bdefg"),
        ("1 January 2025", "cdefg"),
    ],
)
def test_what_was_in_effect_on_a_day(day: str, expected: str) -> None:
    rows = [Doc(d.id, d.metadata, d.title, i) for i, d in enumerate(VERSIONS)]
    chosen = select(parse_where(f"as_of={day}"), rows)
    assert "".join(VERSIONS[row].id[0] for row in chosen.rows) == expected


@pytest.mark.parametrize(
    "name", ["valid_from", "Valid since", "in effect from", "in-force-since", "effective_since"]
)
def test_since_when_it_is_in_effect_has_several_names(name: str) -> None:
    days = ("2021-01-01", "1 January 2023")
    docs = [Doc(day, normalise({name: day}), "Berths", at) for at, day in enumerate(days)]
    chosen = {
        where: list(select(parse_where(where), docs).rows)
        for where in (
            "as_of=2020",
            "as_of=2021-06-01",
            "as_of=2023",
            f"{name.replace(' ', '_')}>2022",
        )
    }
    assert list(chosen.values()) == [[], [0], [1], [1]]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "leave",
            "the filter 'leave' is not understood: write for example \"collection=handbook\", "
            '"effective_date>=2024-01-01" or "tags=leave"',
        ),
        ("colection=x", "a filter knows no field 'colection': use one of as_of author collection "),
        ("tags=", "the filter 'tags=' has no value: write for example"),
        ('tags=""', "the filter 'tags=\"\"' has no value: write for example"),
        ("published>soon", "the filter 'published>soon' has no date: write 2024, 2024-06 or "),
        ("published=2024-13", "the filter 'published=2024-13' has no date"),
        ("published=3/4/2024", "the filter 'published=3/4/2024' has no date"),
        ("author>x", "the filter 'author>x' compares text: only = and != can, as in \"author=x\""),
        ("version>new", "the filter 'version>new' has no version number: write \"version>=1.2\""),
        ("as_of>2024", "the filter 'as_of>2024' is not understood: write \"as_of=2024-06-01\""),
        ("meta.=x", "a filter knows no field 'meta.'"),
        (3, "the filter 3 is not understood"),
    ],
    ids=str,
)
def test_what_is_not_understood_says_how_to_write_it(condition: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_where([condition])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [5, 0, True])
def test_a_filter_that_is_no_text_is_refused(given: Any) -> None:
    kind = type(given).__name__
    with pytest.raises(UsageError, match=f"a filter is text, not {kind}: write for example"):
        parse_where(given)


def test_a_parsed_filter_is_a_value() -> None:
    where = parse_where(["Tag = leave", "date >= 1 May 2024"])
    assert str(where) == "tags=leave and published>=2024-05-01"
    assert parse_where(where) is where
    assert where == parse_where(["tags=leave", "published>=2024-05-01"])
    assert hash(where) == hash(parse_where(["tags=leave", "published>=2024-05-01"]))
    assert not parse_where(None)
    assert not Where()


# --- in an index

FILTERS = (
    ["collection=leave"],
    ["path!=leave/*"],
    ["effective_date>=2025"],
    ["path=*.md", "title!=*leave*"],
    ["language=en"],
)


@pytest.mark.parametrize("where", FILTERS, ids=str)
def test_a_filter_takes_away_and_changes_no_score(
    small_index: Index, questions: tuple[str, ...], where: list[str]
) -> None:
    chosen = select(parse_where(where), small_index.documents())
    assert len(chosen.rows) > 0
    for question in questions:
        everything = small_index.retrieve(question, k=1000)
        expected = [hit for hit in everything if hit.row in chosen.rows]
        hits = small_index.retrieve(question, k=1000, where=where)
        assert [hit.row for hit in hits] == [hit.row for hit in expected]
        assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
        np.testing.assert_allclose(
            [hit.scores.fused for hit in hits], [h.scores.fused for h in expected], atol=1e-5
        )
        first = small_index.retrieve(question, k=2, where=where)
        assert [hit.row for hit in first] == [hit.row for hit in hits[:2]]


def test_a_filter_is_applied_before_the_best_are_taken(
    workshop: Callable[..., Workshop],
) -> None:
    texts = {
        f"many/{i:03}.md": f"# Leave {i}\n\nStaff get {i} days of leave.\n" for i in range(150)
    }
    texts["one/pay.md"] = "# Pay\n\nSalaries are paid monthly; nothing here is about holidays.\n"
    work = workshop(texts)
    work.build()
    with work.open() as index:
        question = "How many days of leave do staff get?"
        assert all(hit.chunk.document != "one/pay.md" for hit in index.retrieve(question, 100))
        [hit] = index.retrieve(question, 5, where="collection=one")
        assert hit.chunk.document == "one/pay.md"


def test_an_answer_quotes_only_what_is_allowed(small_index: Index) -> None:
    question = "How many days of annual leave do staff get?"
    everything = small_index.ask(question)
    assert everything.citations[0].document == "leave/annual.md"
    assert "where" not in everything.to_dict()
    answer = small_index.ask(question, where="path!=leave/*")
    documents = [c.document for c in answer.citations] + [p.document for p in answer.nearest]
    assert documents
    assert not any(name.startswith("leave/") for name in documents)
    assert answer.to_dict()["where"] == ["path!=leave/*"]


def test_a_filter_without_documents_is_an_abstention_that_says_so(small_index: Index) -> None:
    answer = small_index.ask("How many days of leave?", where="collection=nothing")
    assert answer.abstained
    assert answer.nearest == ()
    assert answer.text == (
        "The filter collection=nothing matches no document, so there is nothing to quote. The "
        "index holds 6 documents."
    )
    assert small_index.retrieve("leave", where="collection=nothing") == []


def test_abstentions_count_the_documents_that_were_searched(small_index: Index) -> None:
    answer = small_index.ask("Is the moon made of cheese?", where="path=leave/*")
    assert answer.abstained
    assert "in the 2 documents I searched" in answer.text


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    out, err = capsys.readouterr()
    return int(exit_.value.code or 0), out, err


def test_the_command_line_takes_several(
    small_settings: Any, small_index: Index, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    index = ("--index", str(small_settings.index))
    where = ("--where", "collection=leave", "--where", "effective_date>=2025")
    code, out, _ = run(capsys, "retrieve", "weeks of leave", *index, *where, "--json")
    assert code == 0
    assert {hit["document"] for hit in json.loads(out)} == {"leave/parental.md"}
    code, out, _ = run(capsys, "ask", "When must parental leave begin?", *index, *where)
    assert "searched only where collection=leave and effective_date>=2025" in out
    batch = tmp_path / "batch.jsonl"
    line = {"id": "1", "question": "weeks of leave", "where": ["path=leave/annual.md"]}
    batch.write_text(json.dumps(line))
    code, out, _ = run(capsys, "retrieve", "--batch", str(batch), *index)
    assert {hit["document"] for hit in json.loads(out)["hits"]} == {"leave/annual.md"}
    code, out, _ = run(capsys, "retrieve", "leave", *index, "--where", "tags=none")
    assert out == "No document meets the filter.\n"


def test_a_wrong_filter_is_wrong_use(
    small_settings: Any, small_index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(
        capsys, "ask", "x", "--index", str(small_settings.index), "--where", "nonsense"
    )
    assert (code, out) == (2, "")
    assert err.startswith("rag: the filter 'nonsense' is not understood: write for example")
    assert err.count("\n") == 1
