"""JSON and XML: entries, sections and tables that can be quoted."""

from __future__ import annotations

import json

import pytest
from awkward import check_promises, laughing_xml, shown

from rag.errors import DocumentError
from rag.loaders import load_bytes
from rag.types import Document


def from_json(content: object) -> Document:
    document = load_bytes(json.dumps(content).encode(), "data/leave-rules.json")
    check_promises(document)
    return document


def from_xml(text: str) -> Document:
    document = load_bytes(text.encode(), "data/leave-rules.xml")
    check_promises(document)
    return document


def test_an_object_becomes_entries_and_sections() -> None:
    document = from_json(
        {
            "title": "Leave rules",
            "effectiveDate": "2024-05-01",
            "annual": {"days": 13, "carry_over": True, "who": ["staff", "interns"], "note": None},
            "steps": ["Open the form and fill in all of it. " * 4, "Send it. " * 20],
        }
    )
    assert document.title == "Leave rules"
    assert shown(document)[:5] == [
        ("heading", "Leave rules"),
        ("item", "effective Date: 2024-05-01"),
        ("heading", "annual"),
        ("item", "days: 13"),
        ("item", "carry over: yes"),
    ]
    assert ("item", "who: staff, interns") in shown(document)
    assert ("heading", "steps") in shown(document)


def test_records_of_the_same_fields_are_a_table() -> None:
    document = from_json(
        [{"city": "Selhaven", "rate": 45}, {"city": "Lund", "rate": 40, "note": "summer"}]
    )
    assert [(b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        (1, "city | rate | note"),
        (0, "Selhaven | 45 |"),
        (0, "Lund | 40 | summer"),
    ]


def test_records_with_long_or_nested_fields_are_sections() -> None:
    document = from_json(
        {"rules": [{"name": "Annual leave", "text": "x" * 300}, {"name": "Sickness", "text": "y"}]}
    )
    assert ("heading", "Annual leave") in shown(document)
    assert ("paragraph", "x" * 300) in shown(document)
    assert ("paragraph", "y") in shown(document)


def test_metadata_of_the_top_object() -> None:
    document = from_json(
        {"version": "2.1", "author": "People Office", "tags": ["leave", "pay"], "days": 13}
    )
    expected = {"version": "2.1", "author": "People Office", "tags": ["leave", "pay"]}
    assert expected.items() <= dict(document.metadata).items()
    assert "days" not in document.metadata


def test_metadata_under_any_label_but_for_words_that_records_use_otherwise() -> None:
    content = {"in-force-since": "13.05.2024", "Revision": "3", "by": "post", "review": "Great."}
    assert dict(from_json(content).metadata) == {
        "effective_date": "2024-05-13",
        "version": "3",
        "title": "Leave rules",
        "title_from": "file name",
    }


def test_xml_of_records_is_a_table() -> None:
    document = from_xml(
        "<rates xmlns='urn:x'><rate id='1'><city>Selhaven</city><sum>45</sum></rate>"
        "<!-- not this --><rate id='2'><city>Lund</city><sum>40</sum></rate></rates>"
    )
    assert shown(document) == [
        ("row", "id | city | sum"),
        ("row", "1 | Selhaven | 45"),
        ("row", "2 | Lund | 40"),
    ]


def test_xml_of_sections_and_prose() -> None:
    document = from_xml(
        """<?xml version="1.0"?><policy><title>Leave</title>
        <effective_date>2024-05-01</effective_date>
        <section><title>How much</title><p>Staff get <b>13 days</b> a year.</p>
        <p>New staff wait.</p><max unit="days">5</max></section></policy>"""
    )
    assert document.title == "Leave"
    assert document.metadata["effective_date"] == "2024-05-01"
    assert shown(document)[-4:] == [
        ("heading", "section: How much"),
        ("paragraph", "Staff get 13 days a year."),
        ("paragraph", "New staff wait."),
        ("item", "max: 5"),
    ]


def test_numbers_stay_as_they_are_written() -> None:
    written = b'{"rate": 1.10, "account": 12345678901234567.89, "share": 0.00001, "of": 1E3}'
    text = load_bytes(written, "rates.json").text
    for number in ("1.10", "12345678901234567.89", "0.00001", "1E3"):
        assert f": {number}" in text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_xml_in_the_encoding_that_it_declares(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a><b>Für Gäste</b><c>2</c></a>'
    assert "b: Für Gäste" in load_bytes(text.encode(encoding), "a.xml").text


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.json", b"{'a': 1}", "is not valid JSON: Expecting property name enclosed"),
        ("a.json", b"\0\1\2\3" * 50, "is not text but binary data: check what kind of file it is"),
        ("a.json", b"[" * 100_000, "is nested too deeply to be read: simplify it"),
        (
            "a.json",
            b"[" * 100 + b"1" + b"]" * 100,
            "is nested too deeply to be read: simplify it",
        ),
        ("a.json", b"{}", "has no text"),
        ("a.json", b"[null]", "has no text"),
        ("a.xml", b"<a><b></a>", "is damaged or not XML (Opening and ending tag mismatch"),
        ("a.xml", b"plain", "is damaged or not XML (Start tag expected"),
        ("a.xml", b"<a/>", "has no text"),
        (
            "a.xml",
            laughing_xml().encode(),
            "defines XML entities, which can be a bomb: save it without them",
        ),
        (
            "a.xml",
            ('<?xml version="1.0" encoding="utf-16"?>' + laughing_xml()).encode("utf-16"),
            "defines XML entities, which can be a bomb: save it without them",
        ),
        (
            "a.xml",
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            "defines XML entities, which can be a bomb: save it without them",
        ),
        ("a.xml", b"<a>" * 250 + b"1" + b"</a>" * 250, "is nested too deeply"),
        ("a.xml", b"<a>" * 100_000, "is damaged or not XML ("),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_what_cannot_be_read_says_why(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, name)
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_an_outer_doctype_is_not_fetched() -> None:
    text = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a><b>Text.</b><c>1</c></a>'
    assert "b: Text." in from_xml(text).text
