"""Plain text: the text is the file, its structure is guessed."""

from __future__ import annotations

import contextlib

import pytest
from awkward import check_promises, shown, texts
from hypothesis import given
from hypothesis import strategies as st
from shared_data import shared

from rag.errors import DocumentError
from rag.loaders import load, load_bytes
from rag.types import Document


def read(text: str, name: str = "policies/travel-rules.txt") -> Document:
    document = load_bytes(text.encode(), name)
    check_promises(document)
    return document


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"\xef\xbb\xbfbom", "bom"),
        ("\ufeffwide é".encode("utf-16-le"), "wide é"),
        ("\ufeffwide é".encode("utf-16-be"), "wide é"),
        (
            "“Curly” – déjà vu, naïve café, Straße".encode("cp1252"),
            "“Curly” – déjà vu, naïve café, Straße",
        ),
        (
            "Договор между сторонами вступает в силу с первого января".encode("cp1251"),
            "Договор между сторонами вступает в силу с первого января",
        ),
        ("“good” – text ".encode() * 30 + b"\xff", "“good” – text " * 30 + "\ufffd"),
        (b"tab\tand\x0cform feed", "tab\tand\x0cform feed"),
    ],
    ids=[
        "line ends",
        "bom",
        "utf-16-le",
        "utf-16-be",
        "cp1252",
        "cp1251",
        "one bad byte",
        "layout",
    ],
)
def test_the_text_is_the_decoded_file(data: bytes, text: str) -> None:
    for name in ("a.txt", "a.md"):
        assert load_bytes(data, name).text == text


@given(st.text())
def test_any_text_comes_through_unchanged_or_is_refused(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    for name in ("a.txt", "a.md"):
        try:
            document = load_bytes(data, name)
        except DocumentError:
            continue
        check_promises(document)
        if data.decode("utf-8", "replace") == text:
            expected = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
            assert document.text == expected
        assert load_bytes(data, name) == document


@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(data: bytes) -> None:
    for name in ("a.txt", "a.md", "a.html", "a.pdf", "a.docx"):
        with contextlib.suppress(DocumentError):
            check_promises(load_bytes(data, name))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \r\n\t", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"text\0with nul", "is not text but binary data: check what kind of file it is"),
        (bytes(range(1, 32)) * 10, "is not text but binary data: check what kind of file it is"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0",
            "is not text but binary data: check what kind of file it is",
        ),
        (b"\xff\xfea", "is damaged: not the utf-16-le it says it is"),
    ],
)
def test_what_is_no_text_says_so(data: bytes, reason: str) -> None:
    for name in ("a.txt", "a.md"):
        with pytest.raises(DocumentError) as caught:
            load_bytes(data, name)
        assert str(caught.value) == reason


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    document = read(
        "Staff keep the receipts of every journey and\n"
        "hand them in within thirty days of their\nreturn.\n\n"
        "Another paragraph."
    )
    assert [text.count("\n") for _, text in shown(document)] == [2, 0]


def test_long_lines_are_paragraphs_of_their_own() -> None:
    line = (
        "This is a long line of a file in which each line is a paragraph, as many exports have it. "
        * 3
    )
    assert len(read("\n".join([line.strip()] * 4)).blocks) == 4


def test_short_lines_are_not_glued_together() -> None:
    document = read(
        "The rules on travel are kept by the travel office and are\n"
        "updated once a year after a consultation.\n\n"
        "Travel Office\nHarbour Street 1\nSelhaven\n"
    )
    assert texts(document, "paragraph")[1:] == ["Travel Office", "Harbour Street 1", "Selhaven"]


def test_lists() -> None:
    document = read(
        "Bring:\n- a passport that is valid for at least six months\n"
        "  after the return,\n* tickets.\n"
        "  (a) outward\n  (b) return\n\nThen:\n\n1. Sign.\n2. Leave.\n• Done.\n"
    )
    assert [
        (b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "item"
    ] == [
        (1, "a passport that is valid for at least six months\n  after the return,"),
        (1, "tickets."),
        (2, "outward"),
        (2, "return"),
        (1, "Sign."),
        (1, "Leave."),
        (1, "Done."),
    ]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_decimal_numbers_and_capital_letters_are_entries(gap: str) -> None:
    lines = [
        "2.1 The owner of a boat must not:",
        "2.1.1 let it to anyone; or",
        "2.1.2 moor at night:",
        "(A) on the pier,",
        "(B) at the crane;",
        "2.1.3 live on it.",
    ]
    document = read(f"Berths\n\n{gap.join(lines)}\n\n2.2 Fees\n\nA night is 20 euros.\n")
    assert [
        (b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "item"
    ] == [
        (3, "let it to anyone; or"),
        (3, "moor at night:"),
        (4, "on the pier,"),
        (4, "at the crane;"),
        (3, "live on it."),
    ]
    assert texts(document, "heading") == ["Berths", "2.2 Fees"]


def test_a_decimal_number_in_a_sentence_is_not_an_entry() -> None:
    document = read(
        "2.1 Fees\n\nThey are due at noon.\n\n"
        "Boats of guests pay what is laid down in the sections 2.1,\n"
        "2.2 and 2.3 of the harbour rules of\n2024.\n"
    )
    assert texts(document, "item") == []


@pytest.mark.parametrize("dash", ["-", "--", "–", "—"])
def test_dashes_are_entries(dash: str) -> None:
    document = read(f"Guests must\n\n{dash} pay at noon,\n{dash} leave a key.\n\n(C) 2024 Pier\n")
    assert texts(document, "item") == ["pay at noon,", "leave a key."]


def test_a_number_at_a_line_start_is_not_an_entry() -> None:
    document = read(
        "The rule was changed by the Board in the meeting of section\n"
        "4. It holds since then for all.\n"
    )
    assert [kind for kind, _ in shown(document)] == ["paragraph"]


@pytest.mark.parametrize("dash", ["-", "–", "—", "*", "+"])
def test_a_dash_at_a_line_start_is_not_an_entry(dash: str) -> None:
    document = read(
        "Boats may stay overnight if the harbour master\n"
        f"{dash} who is there until ten {dash} has been told.\n"
    )
    assert [kind for kind, _ in shown(document)] == ["paragraph"]
    assert len(read(f"1. {document.text}").blocks) == 1


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_a_list_follows_a_full_line_without_a_colon(gap: str) -> None:
    document = read(f"Owners who leave a boat overnight must hand in\n- the key{gap}- a deposit.\n")
    assert texts(document, "item") == ["the key", "a deposit."]


@pytest.mark.parametrize(
    "line", [f"https://harbour.example/{'a' * 100}", "A fee is due for each night. " * 5]
)
def test_a_long_line_leaves_hard_wrapped_paragraphs_whole(line: str) -> None:
    wrapped = "Boats of guests lie at the north pier and are\nmoved when the ferry comes."
    document = read(f"{wrapped}\n\nSee the list of fees at\n{line}\n\n{wrapped}\n")
    assert texts(document, "paragraph").count(wrapped) == 2


def test_lines_of_a_file_that_is_not_hard_wrapped_stay_apart() -> None:
    lines = [f"Rule {n} of the harbour holds for all boats of guests." for n in range(8)]
    lines[3:3] = ["A boat that nobody fetches is sold by the harbour", "after a year."]
    lines.append("The harbour master decides all that these rules leave open. " * 3)
    assert len(read("\n".join(lines)).blocks) == len(lines)


def test_the_last_entry_of_a_list_with_blank_lines_is_no_heading() -> None:
    document = read(
        "Berths\n\nBring:\n\n1. Passport\n\n2. Ship's papers\n\n3. Proof of insurance\n\n"
        "A berth costs 20 euros.\n\n4. Reserved\n\n5. Late fees\n\nThey are due at noon.\n"
    )
    assert texts(document, "heading") == ["Berths", "5. Late fees"]


def test_headings() -> None:
    document = read(
        "Travel rules\n============\n\nText of some length here.\n\n"
        "SCOPE AND PURPOSE\n\nMore text.\n\n"
        "2. Who may travel\n\nAll staff may travel if they have approval.\n\n"
        "2.1 Exceptions\n\nNone.\n\n"
        "Underlined\n----------\n\nText.\n\nNOT A HEADING, it goes on.\n\n1. one\n\n2. two\n"
    )
    assert [
        (b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "heading"
    ] == [
        (1, "Travel rules"),
        (2, "SCOPE AND PURPOSE"),
        (2, "2. Who may travel"),
        (3, "2.1 Exceptions"),
        (2, "Underlined"),
    ]
    assert document.title == "Travel rules"


def test_the_title_is_the_file_name_if_nothing_stands_alone() -> None:
    assert read("Just text that ends here.\nAnd more of it.").title == "Travel rules"
    assert read("Just text.", "leave/README.txt").title == "Leave"


def test_a_breadcrumb_is_not_the_title() -> None:
    assert read("News > Opinion >\n\nA fine article\n\nText.").title == "A fine article"


def test_header_lines_become_metadata() -> None:
    document = read(
        "Rules on travel\n\nSource: Gazette | 16 September 2022\nBy Jane Q. Public\nVersion: 2.1\n"
        "Effective date: 1 March 2024\nReview date: soon\n\n" + "A long text. " * 40
    )
    assert dict(document.metadata) == {
        "title": "Rules on travel",
        "source": "Gazette",
        "published": "2022-09-16",
        "author": "Jane Q. Public",
        "version": "2.1",
        "version_evidence": "Version: 2.1",
        "effective_date": "2024-03-01",
        "effective_date_evidence": "Effective date: 1 March 2024",
    }


def test_the_seed_article() -> None:
    path = shared("seed/corpus/china-kazakhstan-30th-anniversary.txt")
    document = load(path, path.name)
    check_promises(document)
    assert document.title.startswith("The 30th anniversary of China-Kazakhstan ties")
    expected = {"source": "CGTN", "published": "2022-09-16", "author": "Hamzah Rifaat Hussain"}
    assert expected.items() <= dict(document.metadata).items()
    assert document.text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_one_line_of_five_megabytes(name: str) -> None:
    assert len(load_bytes(b"word " * 1_000_000, name).blocks) == 1
