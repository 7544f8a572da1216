"""E-mail: which part is read, which headers are metadata, what is attached."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from awkward import check_promises, shown

from rag.errors import DocumentError
from rag.loaders import load_bytes
from rag.types import Document

HTML = "<html><body><p>Staff get <b>13 days</b>.</p><ul><li>Ask early.</li></ul></body></html>"


def message(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    given = {
        "From": "People Office <people@agency.example>",
        "To": "all@agency.example",
        "Subject": "Leave: new rules für alle",
        "Date": "Wed, 01 May 2024 10:00:00 +0200",
        **headers,
    }
    for name, value in given.items():
        mail[name] = value
    return mail


def load(data: bytes) -> Document:
    document = load_bytes(data, "mail/re-leave.eml")
    check_promises(document)
    return document


def test_the_text_is_preferred_and_headers_are_metadata() -> None:
    mail = message(Keywords="leave, rules")
    mail.set_content("Dear all,\n\nstaff get 13 days.\n\n- Ask early.\n- Ask in writing.\n")
    mail.add_alternative(HTML, subtype="html")
    document = load(mail.as_bytes())
    assert document.title == "Leave: new rules für alle"
    assert shown(document) == [
        ("heading", "Leave: new rules für alle"),
        ("paragraph", "Dear all,"),
        ("paragraph", "staff get 13 days."),
        ("item", "Ask early."),
        ("item", "Ask in writing."),
    ]
    expected = {
        "author": "People Office <people@agency.example>",
        "to": "all@agency.example",
        "published": "2024-05-01",
        "tags": ["leave", "rules"],
    }
    assert expected.items() <= dict(document.metadata).items()


def test_html_otherwise() -> None:
    mail = message()
    mail.set_content(HTML, subtype="html")
    assert shown(load(mail.as_bytes()))[1:] == [
        ("paragraph", "Staff get 13 days."),
        ("item", "Ask early."),
    ]


def outline(body: str, subtype: str = "plain") -> list[tuple[str, int, str]]:
    """(kind, level, text) of each block below the subject."""
    mail = message()
    mail.set_content(body, subtype=subtype)
    document = load(mail.as_bytes())
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks[1:]]


def test_each_quoted_message_is_a_section_under_its_writer_and_date() -> None:
    assert outline(
        "I was wrong: guests pay.\n\n"
        "On Thu, 27 Mar 2025 at 17:05, Ole Lie <ole@harbour.example>\nwrote:\n\n"
        "> Do guests pay? The rules say that the north pier\n> is free for a night.\n>\n"
        "> On Wed, 26 Mar 2025 at 09:30, Anna Berg wrote:\n>> Guests are exempt.\n"
    ) == [
        ("paragraph", 0, "I was wrong: guests pay."),
        ("heading", 2, "On Thu, 27 Mar 2025 at 17:05, Ole Lie <ole@harbour.example> wrote:"),
        ("paragraph", 0, "Do guests pay? The rules say that the north pier is free for a night."),
        ("heading", 2, "On Wed, 26 Mar 2025 at 09:30, Anna Berg wrote:"),
        ("paragraph", 0, "Guests are exempt."),
    ]


def test_paragraphs_of_a_quoted_message_stay_apart() -> None:
    body = "Hi,\n\nOn 3 May 2024, Ole Lie wrote:\n\n> Guests pay.\n\n> Members do not.\n"
    assert outline(body)[2:] == [
        ("paragraph", 0, "Guests pay."),
        ("paragraph", 0, "Members do not."),
    ]


def test_answers_between_quoted_lines_are_the_writers_own() -> None:
    assert outline("Hi,\n\n> Do guests pay?\n\nYes.\n\n> And members?\n\nNo.\n") == [
        ("paragraph", 0, "Hi,"),
        ("heading", 2, "Quoted message"),
        ("paragraph", 0, "Do guests pay?"),
        ("heading", 2, "From: People Office <people@agency.example>"),
        ("paragraph", 0, "Yes."),
        ("heading", 2, "Quoted message"),
        ("paragraph", 0, "And members?"),
        ("heading", 2, "From: People Office <people@agency.example>"),
        ("paragraph", 0, "No."),
    ]


FORWARDED = [
    ("paragraph", 0, "See below."),
    ("heading", 2, "From: Ole Lie, Sent: Friday, 17 January 2025 15:20"),
    ("paragraph", 0, "To: Anna Berg"),
    ("paragraph", 0, "Subject: Berths"),
    ("paragraph", 0, "Guests are exempt."),
]


def test_a_forwarded_message_is_a_section() -> None:
    fields = [
        "From: Ole Lie",
        "Sent: Friday, 17 January 2025 15:20",
        "To: Anna Berg",
        "Subject: Berths",
    ]
    divider = "-----Original Message-----"
    plain = "\n".join(["See below.", "", divider, *fields, "", "Guests are exempt."])
    assert outline(plain) == FORWARDED
    html = "<br>".join(f"<b>{field.replace(':', ':</b>', 1)}" for field in fields)
    page = f"<p>See below.</p><hr><p>{html}</p><p>Guests are exempt.</p>"
    assert outline(page, "html") == FORWARDED


def test_the_names_of_attachments_are_no_part_of_a_quoted_message() -> None:
    mail = message()
    mail.set_content("See below.\n\nOn 3 May 2024, Ole Lie wrote:\n> The form is new.\n")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="form.pdf")
    assert shown(load(mail.as_bytes()))[-2:] == [
        ("heading", "From: People Office <people@agency.example>"),
        ("paragraph", "Attached: form.pdf"),
    ]


def test_a_letter_that_begins_with_a_date_or_a_name_quotes_nothing() -> None:
    body = "On 3 May the port wrote: guests pay.\n\nFrom: the north pier.\n"
    assert outline(body) == [
        ("paragraph", 0, "On 3 May the port wrote: guests pay."),
        ("paragraph", 0, "From: the north pier."),
    ]


def test_attachments_are_named() -> None:
    mail = message()
    mail.set_content("See the form.")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="leave form.pdf")
    mail.add_attachment(message())
    document = load(mail.as_bytes())
    assert shown(document)[1:] == [
        ("paragraph", "See the form."),
        ("paragraph", "Attached: leave form.pdf, a message"),
    ]
    assert document.metadata["attachments"] == "leave form.pdf, a message"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "cp1252"])
def test_any_charset(charset: str) -> None:
    mail = message()
    mail.set_content("Für Gäste: 40.", charset=charset, cte="base64")
    assert "Für Gäste: 40." in load(mail.as_bytes()).text


def test_a_wrong_charset_a_wrong_date_and_no_subject_do_no_harm() -> None:
    data = (
        b"From: a@b.example\nDate: someday\nContent-Type: text/plain; charset=klingon\n\n"
        b"F\xc3\xbcr alle.\n"
    )
    document = load(data)
    assert document.text == "Für alle."
    assert document.title == "Re leave"
    assert "published" not in document.metadata


def _encrypted() -> bytes:
    return (
        b"From: a@b.example\nSubject: x\nContent-Type: multipart/encrypted; boundary=b\n\n--b--\n"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Just a text, saved under a wrong name.", "is not an e-mail: save it again as .eml"),
        (b"\0\1\2" * 100, "is not an e-mail: save it again as .eml"),
        (_encrypted(), "is encrypted: save a copy that is not"),
        (b"From: a@b.example\nSubject: only this\n\n\n", "has no text"),
        (
            b"From: a@b.example\nSubject: x\n\n\0\1\2\3\4\5",
            "is not text but binary data: check what kind of file it is",
        ),
    ],
    ids=["text", "binary", "encrypted", "no body", "binary body"],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.eml")
    assert str(caught.value) == reason
