"""From bytes to text: which encoding, and is it text at all?"""

from __future__ import annotations

import codecs
import re

from rag.errors import DocumentError, NoText

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0e-\x1f\x7f]")
_WESTERN = frozenset("äöüÄÖÜßéèêëàâçîôûùñáíóúÉÀÇåøæÅØÆ€£§°–—‘’“”…«»·½®©™")
_WESTERN_SHARE = 0.95
_FOREIGN_SHARE = 0.25
_SAMPLE = 1_000_000
_TELLING = 100_000


def decode(data: bytes, declared: str | None = None) -> str:
    """The text of a file with LF line ends and no byte-order mark.

    A byte-order mark decides; then UTF-8 if the bytes are valid; then what the file declares;
    then a statistical guess.

    Raises:
        NoText: it is empty.
        DocumentError: it is binary, or no encoding fits.
    """
    text = _decode(data, declared).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise NoText("is empty")
    controls = len(_CONTROL.findall(text, 0, _SAMPLE))
    if "\0" in text or controls > max(4, min(len(text), _SAMPLE) // 100):
        raise DocumentError("is not text but binary data: check what kind of file it is")
    return text


def _decode(data: bytes, declared: str | None) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise DocumentError(f"is damaged: not the {encoding} it says it is") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    nearly = data.decode("utf-8", "replace")
    if nearly.count("\ufffd") * 10 < sum(map(nearly.count, "’“”–éüöäа中的、")):
        return nearly
    try:
        return data.decode(declared) if declared else _guess(data)
    except (UnicodeError, LookupError):  # "undefined" is a codec, which fails without details.
        return _guess(data)


def _guess(data: bytes) -> str:
    if b"\0" in data:
        raise DocumentError("is not text but binary data: check what kind of file it is")
    # Imported here because it is rarely needed.
    from charset_normalizer import from_bytes

    telling = b"\n".join(line for line in data.splitlines() if not line.isascii())
    if _western(telling[:_TELLING]):
        return data.decode("cp1252", "replace")
    matches = from_bytes(telling[:_TELLING])
    # The codepages of western and central Europe differ in a few letters: with no reason for
    # another, the common one is the better guess.
    names = [match.encoding for match in matches]
    best = "cp1252" if "cp1252" in names else next(iter(names), "")
    try:
        return data.decode(best)
    except (UnicodeDecodeError, LookupError) as error:
        raise DocumentError("is in an unknown encoding: save it as UTF-8") from error


def _western(data: bytes) -> bool:
    """Whether it reads like a western European text, of which a short one is hard to guess."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    marks = [character for character in text if not character.isascii()]
    common = sum(character in _WESTERN for character in marks)
    letters = sum(map(str.isalpha, text))
    return (
        common >= _WESTERN_SHARE * len(marks)
        and sum(map(str.isalpha, marks)) <= _FOREIGN_SHARE * letters
    )
