"""E-mail: the message as text, its headers as metadata, the names of what is attached.

Each older message that it quotes or forwards is a section, under the line that says who wrote it.
"""

from __future__ import annotations

from email import message_from_bytes, policy
from email.errors import MessageError
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from rag.errors import DocumentError, NoText
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.decoding import decode
from rag.loaders.html import add_page
from rag.loaders.mail_quotes import introduction, messages
from rag.loaders.metadata import normalise
from rag.loaders.plain import add_prose

if TYPE_CHECKING:
    from email.message import EmailMessage, Message

    from rag.types import Document

_TELLING = ("from", "to", "subject", "date", "message-id", "received")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


def load(data: bytes, document_id: str) -> Document:
    """Read a message; what is attached is named, not read.

    Raises:
        DocumentError: it is no e-mail, encrypted, or has no text.
    """
    message = _opened(data)
    if sum(name in message for name in _TELLING) < 2:
        raise DocumentError("is not an e-mail: save it again as .eml")
    if message.get_content_type() in _ENCRYPTED:
        raise DocumentError("is encrypted: save a copy that is not")
    subject = clean(str(message.get("subject", "")))
    builder = _MailBuilder()
    builder.heading(subject, 1)
    before = len(builder)
    _add_body(message, builder)
    attached = _attachments(message)
    if attached:
        if builder.quotes:
            builder.heading(_sender(message), 2)
        builder.paragraph(f"Attached: {', '.join(attached)}")
    if len(builder) == before:
        raise NoText("has no text")
    metadata = normalise(_headers(message))
    if attached:
        metadata["attachments"] = ", ".join(attached)
    return builder.build(document_id, subject, metadata)


class _MailBuilder(TextBuilder):
    """Makes headings of the lines that stand above quoted messages in HTML, too.

    Attributes:
        quotes: whether what comes next is part of a quoted message.
    """

    def __init__(self) -> None:
        super().__init__()
        self.quotes = False

    def message(self, heading: str) -> None:
        """Begin what somebody else wrote, or wrote before."""
        self.heading(heading, 2)
        self.quotes = bool(heading)

    def paragraph(self, text: str, lead: str = "") -> None:
        """A paragraph or what introduces a message."""
        begun = introduction([line for line in map(clean, text.split("\n")) if line])
        if begun is None:
            super().paragraph(text, lead)
            return
        self.message(begun.heading)
        for line in begun.rest:
            super().paragraph(line)


def _opened(data: bytes) -> EmailMessage:
    try:
        return message_from_bytes(data.lstrip(), policy=policy.default)
    except (MessageError, LookupError, ValueError, AttributeError, TypeError) as error:
        raise DocumentError("is damaged or not an e-mail: save it again as .eml") from error


def _sender(message: EmailMessage) -> str:
    return f"From: {message.get('from', '')}"


def _add_body(message: EmailMessage, builder: _MailBuilder) -> None:
    part = message.get_body(("plain", "html"))
    if part is None:
        return
    content = _bytes(part)
    if part.get_content_type() == "text/html":
        add_page(content, builder)
        return
    if not content.strip():
        return
    text = decode(content, part.get_content_charset())
    for quoted in messages(text, _sender(message)):
        builder.message(quoted.heading)
        add_prose(quoted.text, builder, 2 if quoted.heading else 1, titled=False)


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _attachments(message: EmailMessage) -> list[str]:
    names = []
    for part in message.iter_attachments():
        inner = part.get_content_type() == "message/rfc822"
        name = part.get_filename() or ("a message" if inner else "")
        if name:
            names.append(clean(name))
    return names


def _headers(message: EmailMessage) -> dict[str, object]:
    sent = str(message.get("date", ""))
    try:
        published = parsedate_to_datetime(sent).date().isoformat() if sent else ""
    except (ValueError, TypeError, IndexError, OverflowError):
        published = ""
    return {
        "author": str(message.get("from", "")),
        "to": str(message.get("to", "")),
        "cc": str(message.get("cc", "")),
        "published": published,
        "language": str(message.get("content-language", "")),
        "tags": str(message.get("keywords", "")),
        "message_id": str(message.get("message-id", "")),
    }
