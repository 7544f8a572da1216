"""Spreadsheets and separated values: headers, rows, what the cells show."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from awkward import (
    check_promises,
    encrypted_docx,
    laughing_xml,
    package_bytes,
    sheets_bytes,
    shown,
    texts,
    zip_bomb,
)

from rag.errors import DocumentError
from rag.loaders import load_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.types import Document


def rows(document: Document) -> list[tuple[int, str]]:
    return [(b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "row"]


def csv(data: str | bytes) -> Document:
    document = load_bytes(data.encode() if isinstance(data, str) else data, "data/daily_rates.csv")
    check_promises(document)
    return document


def xlsx(make: Callable[[Any], None]) -> Document:
    document = load_bytes(sheets_bytes(make), "data/daily_rates.xlsx")
    check_promises(document)
    return document


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_is_recognised(separator: str) -> None:
    lines = [("City", "Rate", "Note"), ("Selhaven", "45", "high; season"), ("Abroad", "1,50", "-")]
    quoted = "\n".join(separator.join(f'"{cell}"' for cell in line) for line in lines)
    document = csv(quoted)
    assert rows(document) == [
        (1, "City | Rate | Note"),
        (0, "Selhaven | 45 | high; season"),
        (0, "Abroad | 1,50 | -"),
    ]
    assert document.title == "Daily rates"


def test_decimal_commas_do_not_make_a_comma_the_separator() -> None:
    document = csv("City;Rate\nSelhaven;45,50\nLund;40,00\nTarn;39,90\n")
    assert rows(document)[1] == (0, "Selhaven | 45,50")


def test_excel_says_which_separator_it_used() -> None:
    assert rows(csv("sep=;\nCity;Rate\nA, B and C;4\n"))[1] == (0, "A, B and C | 4")


def test_cells_with_line_ends_and_quotes() -> None:
    document = csv('City,Note\nSelhaven,"two\nlines, ""so to say"""\n')
    assert rows(document)[1] == (0, 'Selhaven | two lines, "so to say"')


@pytest.mark.parametrize("space", ["\u2028", "\x85", "\x0b", "\x0c"])
def test_only_line_ends_end_a_row(space: str) -> None:
    document = csv(f"City;Note\nSelhaven;two{space}lines, 1,5 or 2,5\nLund;1,5{space}2,5\n")
    assert rows(document) == [
        (1, "City | Note"),
        (0, "Selhaven | two lines, 1,5 or 2,5"),
        (0, "Lund | 1,5 2,5"),
    ]


def test_a_table_without_a_header_has_none() -> None:
    assert rows(csv("Selhaven,45\nLund,40\n")) == [(0, "Selhaven | 45"), (0, "Lund | 40")]


@pytest.mark.parametrize(
    ("first", "level"), [(",2023,2024", 1), (",Day,Week", 1), (",9,9", 0), ("East,23,24", 0)]
)
def test_an_empty_corner_stands_above_names(first: str, level: int) -> None:
    assert [found for found, _ in rows(csv(f"{first}\nWest,5,7\n"))] == [level, 0]


@pytest.mark.parametrize(
    ("first", "second", "level"),
    [
        ("Country,2023,2024", "Norway,50,52", 1),
        ("Country,Unit,2022/23,2023/24", "Norway,boats,,1.5 %", 1),
        ("Country,2023,2023", "Norway,50,52", 0),
        ("Norway,50,52", "Sweden,40,41", 0),
        ("Selhaven,2019", "Lund,2020", 0),
        ("2023,2024", "50,52", 0),
        ("Selhaven,2019", "Lund,unknown", 0),
    ],
)
def test_years_above_figures_name_columns(first: str, second: str, level: int) -> None:
    assert [found for found, _ in rows(csv(f"{first}\n{second}\n"))] == [level, 0]


def test_a_title_above_the_table_and_a_second_table() -> None:
    document = csv("Daily rates,,\n\nCity,Rate,\nSelhaven,45,\n\nCity,Hotel,\nLund,90,\n")
    assert shown(document) == [
        ("paragraph", "Daily rates"),
        ("row", "City | Rate"),
        ("row", "Selhaven | 45"),
        ("row", "City | Hotel"),
        ("row", "Lund | 90"),
    ]
    assert [level for level, _ in rows(document)] == [1, 0, 1, 0]


def test_other_encodings() -> None:
    text = "Stadt;Satz\nMünchen;45 €\nKöln;40 €\nDüsseldorf und Umgebung für Gäste;39 €\n"
    assert rows(csv(text.encode("cp1252")))[1] == (0, "München | 45 €")
    assert rows(csv("City,Rate\nLund,4\n".encode("utf-16")))[1] == (0, "Lund | 4")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\1\2\3" * 100, "is not text but binary data: check what kind of file it is"),
        (
            b'a,"' + b"x" * 200_000,
            "is not a table that can be read: field larger than field limit (131072): check quotes",
        ),
        (b",,,\n,,,\n", "has no text"),
    ],
    ids=["binary", "open quote", "empty cells"],
)
def test_a_bad_csv_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.csv")
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (15000, '"¥"#,##0', "¥15,000"),
        (1250.5, '#,##0.00 "NOK"', "1,250.50 NOK"),
        (98, "[$€-2] #,##0", "€ 98"),
        (98, "[$€-407]#,##0.00", "€98.00"),
        (-3.5, "$#,##0.00;[Red]-$#,##0.00", "-$3.50"),
        (5, '_("$"* #,##0.00_)', "$5.00"),
        (5, "_-* #,##0.00 [$€-407]_-", "5.00 €"),
        (3, '0" days"', "3 days"),
        (1000, "#,##0", "1000"),
        (7.0, "0.00", "7"),
        (12.5, "[$-409]General", "12.5"),
    ],
)
def test_a_number_has_its_unit(value: float, form: str, expected: str) -> None:
    def make(book: Any) -> None:
        book.active.append(["What", "Rate"])
        book.active.append(["Hotel", value])
        book.active["B2"].number_format = form

    assert shown(xlsx(make))[-1] == ("row", f"Hotel | {expected}")


def test_sheets_are_sections_and_cells_are_what_they_show() -> None:
    def make(book: Any) -> None:
        sheet = book.active
        sheet.title = "Rates"
        sheet.append(["City", "Rate", "Since", "Share", "Tax", "At"])
        sheet.append(["Selhaven", 45.0, dt.datetime(2024, 5, 1), 0.155, True, dt.time(9, 30)])  # noqa: DTZ001
        sheet["D2"].number_format = "0.0%"
        sheet.append(["Lund", 0.1 + 0.2, None, None, False])
        hidden = book.create_sheet("Internal")
        hidden.append(["secret", "x"])
        hidden.sheet_state = "hidden"
        book.create_sheet("Empty")
        book.create_sheet("Hotels").append(["Only a note."])

    document = xlsx(make)
    assert shown(document) == [
        ("heading", "Rates"),
        ("row", "City | Rate | Since | Share | Tax | At"),
        ("row", "Selhaven | 45 | 2024-05-01 | 15.5% | yes | 09:30"),
        ("row", "Lund | 0.3 |  |  | no"),
        ("heading", "Hotels"),
        ("paragraph", "Only a note."),
    ]


def test_formulas_without_a_result_are_empty_and_empty_rows_end_a_table() -> None:
    def make(book: Any) -> None:
        sheet = book.active
        for row in (["Rates of 2024"], [], ["City", "Rate"], ["Lund", "=1+1"], [], [], ["A", "B"]):
            sheet.append(row)

    assert shown(xlsx(make))[1:] == [
        ("paragraph", "Rates of 2024"),
        ("row", "City | Rate"),
        ("row", "Lund"),
        ("row", "A | B"),
    ]


def test_a_cell_in_the_last_row_of_the_sheet_costs_little() -> None:
    def make(book: Any) -> None:
        book.active.append(["City", "Rate"])
        book.active["A1048576"] = "far down"
        book.active["XFD1"] = "far right"

    document = xlsx(make)
    assert "far down" in document.text
    assert len(document.text) < 1000


def test_properties_of_a_workbook() -> None:
    def make(book: Any) -> None:
        core = book.properties
        core.title, core.creator, core.keywords = "Rates 2024", "Travel Office", "rates"
        book.active.append(["City", "Rate"])

    document = xlsx(make)
    assert document.title == "Rates 2024"
    assert {"author": "Travel Office", "tags": ["rates"]}.items() <= dict(document.metadata).items()


def _laughing_workbook() -> bytes:
    import io
    import zipfile

    source = zipfile.ZipFile(io.BytesIO(sheets_bytes(lambda book: book.active.append(["a", "b"]))))
    parts: dict[str, str | bytes] = {name: source.read(name) for name in source.namelist()}
    parts["xl/worksheets/sheet1.xml"] = laughing_xml()
    return package_bytes(parts)


DAMAGED = "is damaged or not an Excel workbook: open it there and save it again"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encrypted_docx(), "is encrypted: save a copy without a password"),
        (encrypted_docx()[:512], "is in the old Excel format: save it as .xlsx"),
        (
            zip_bomb(),
            "unpacks to 400 MB, more than the 200 MB allowed: remove its pictures or split it",
        ),
        (sheets_bytes(lambda book: None), "has no text"),
        (b"not a package", "is damaged or not an Excel workbook: save it again as .xlsx"),
        (package_bytes({"a.txt": "x"}), DAMAGED),
        (
            _laughing_workbook(),
            "defines XML entities, which can be a bomb: save it without them",
        ),
    ],
    ids=["encrypted", "old", "bomb", "no text", "no zip", "no parts", "laughs"],
)
def test_a_bad_workbook_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.xlsx")
    assert str(caught.value) == reason


def test_texts_of_a_kind() -> None:
    assert texts(csv("One\nTwo\n"), "paragraph") == ["One", "Two"]
