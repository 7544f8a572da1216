"""Rich Text Format: the text through striprtf, tables as rows, headings as in plain text.

Tracked changes count as accepted; notes follow their paragraph.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from striprtf.striprtf import destinations, rtf_to_text

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.metadata import believable_title, normalise
from rag.loaders.plain import add_prose
from rag.loaders.rows import has_digit, has_empty_corner
from rag.text.markup import raised

if TYPE_CHECKING:
    from rag.types import Document

_PROPERTIES = {"title": "title", "author": "author", "keywords": "tags", "subject": "description"}
_PROPERTY = re.compile(r"\{\\(title|author|keywords|subject)\s([^{}]{1,1000})\}")
_DAY = re.compile(r"\{\\(creatim|revtim)\\yr(\d{1,4})\\mo(\d{1,2})\\dy(\d{1,2})")
_BEGINNING = 50_000
_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<value>-?\d{1,10})? ?|\\'[0-9a-fA-F]{2}|\\.|[{}]|[^\\{}]+|\\",
    re.DOTALL,
)
_KEPT_WHEN_HIDDEN = frozenset(["sect", "cell", "row", "nestcell", "uc", "f"])
"""Control words that hold more than the hidden text together."""
_DEEPER = "\ue000"
"""Stands before an entry of a list, once for each level: striprtf drops what says so in RTF."""
_DEEPEST = 8
_ENTRY = re.compile(rf"({_DEEPER}+)\s*(\S{{1,12}})\t(.*)")
_ROW = re.compile(r"[^\n|]*\|[^\n]*\|\s*")


def load(data: bytes, document_id: str) -> Document:
    """Read an RTF file.

    Raises:
        DocumentError: it is no RTF, damaged, or has no text.
    """
    if not data.lstrip()[:5].startswith(b"{\\rtf"):
        raise DocumentError("is damaged or not an RTF file: save it again as .rtf")
    source = data.decode("latin-1")
    accepted = _Changes(source).accepted()
    try:
        text = rtf_to_text(accepted, errors="replace")
    except (ValueError, IndexError, KeyError, LookupError, TypeError) as error:
        raise DocumentError("is damaged or not an RTF file: save it again as .rtf") from error
    builder = _Builder()
    for part in _parts(text):
        if isinstance(part, list):
            for index, cells in enumerate(part):
                names = not any(map(has_digit, cells)) or has_empty_corner(cells)
                builder.row(cells, header=index == 0 and len(part) > 1 and names)
        else:
            # Each line is a paragraph, which blank lines tell the guesses of plain text.
            lines = [builder.line(line) for line in part.split("\n") if line.strip()]
            add_prose("\n\n".join(lines), builder)
    metadata = normalise(_properties(source[:_BEGINNING]))
    named = believable_title(str(metadata.pop("title", "")))
    return builder.build(document_id, named, metadata)


class _Builder(TextBuilder):
    """Knows from the file how deep the entries of lists are."""

    def __init__(self) -> None:
        super().__init__()
        self._depths: dict[str, int] = {}

    def line(self, line: str) -> str:
        """A line of prose without what says how deep it is, and with a bullet that is known."""
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            return line.replace(_DEEPER, "")
        self._depths[clean(entry[3])] = len(entry[1])
        # Word's second bullet is the letter o.
        number = entry[2] != "o" and any(map(str.isalnum, entry[2]))
        return f"{entry[2] if number else '-'} {entry[3]}"

    def item(self, text: str, level: int = 1, marker: str = "-") -> None:
        """An entry, as deep as the file says."""
        super().item(text, self._depths.get(clean(text), level), marker)


class _State(NamedTuple):
    """What a group of RTF takes over from the one around it."""

    out: list[str]
    ignored: bool = False
    deleted: bool = False
    hidden: bool = False
    marker: bool = False
    raised: str = ""


def _after(state: _State, word: str, *, on: bool) -> _State:
    """What a control word changes."""
    if word in destinations:
        return state._replace(ignored=True)
    if word == "deleted":
        return state._replace(deleted=on)
    if word == "listtext":
        return state._replace(marker=True)
    if word == "v":
        return state._replace(hidden=on)
    if word in ("super", "sub", "nosupersub"):
        return state._replace(raised=word if on and word != "nosupersub" else "")
    if word == "plain":
        return state._replace(deleted=False, hidden=False, raised="")
    return state


class _Changes:
    """Rewrites RTF source: deleted and hidden text left out, notes as paragraphs of their own.

    striprtf knows neither, nor which figures are raised. One pass over the tokens.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._out: list[str] = []
        self._state = _State(self._out)
        self._around: list[_State] = []
        self._notes: list[str] = []
        self._noted = 0
        self._in_table = False
        # Where the marker of an entry begins in what is written, and how deep the entry is.
        self._marker = 0
        self._depth = 0

    def accepted(self) -> str:
        """The source as it reads with all changes accepted."""
        end = 0
        while token := _TOKEN.match(self._source, end):
            end = token.end()
            if token["word"] == "bin":
                # So many bytes follow that are no RTF.
                end = min(len(self._source), end + max(0, int(token["value"] or 0)))
                self._state.out.append(self._source[token.start() : end])
            elif token["word"]:
                self._word(token[0], token["word"], token["value"])
            elif token[0] == "{":
                self._around.append(self._state)
                self._state.out.append("{")
            elif token[0] == "}":
                self._close()
            else:
                self._text(token[0])
        while self._around:
            self._close()
        return "".join(self._out)

    def _text(self, text: str) -> None:
        state = self._state
        if text == "\\*":
            self._state = state._replace(ignored=True)
        elif state.deleted or state.hidden:
            return
        elif state.raised and text[0] != "\\":
            text = raised(text, below=state.raised == "sub")
        state.out.append(text)

    def _word(self, token: str, word: str, value: str | None) -> None:
        state = self._state
        unseen = state.deleted or state.hidden
        if word == "footnote" and self._around and not (unseen or state.ignored):
            self._state = state._replace(out=[], raised="")
            return
        self._state = _after(state, word, on=value != "0")
        in_body = state.out is self._out and not state.ignored
        if in_body and word in ("trowd", "intbl", "row", "pard"):
            self._in_table = word in ("trowd", "intbl")
        if self._state.deleted or self._state.hidden:
            # What is left out may have ended the word.
            token = f"{token.rstrip()} "
        if not unseen or word in _KEPT_WHEN_HIDDEN or word in destinations:
            state.out.append(token)
        if in_body and not (unseen or self._in_table):
            self._entry(word, int(value or 0))
            if word == "par":
                self._add_notes()

    def _entry(self, word: str, value: int) -> None:
        """Say before the marker of an entry how deep it is."""
        if word == "listtext":
            self._marker = len(self._out)
            self._out.append("")
        elif word == "ilvl":
            self._depth = value
        elif word == "pard" and not self._state.marker:
            self._depth = 0
        elif word == "par" and self._marker:
            # Only now, for the file may say it before the marker or behind it.
            self._out[self._marker] = f"\\u{ord(_DEEPER)} ?" * (min(self._depth, _DEEPEST) + 1)
            self._marker = 0

    def _close(self) -> None:
        inside = self._state
        if self._around:
            self._state = self._around.pop()
        if inside.out is not self._state.out:
            self._noted += 1
            self._notes.append(f"[{self._noted}] {''.join(inside.out)}")
        if not self._around:
            self._add_notes()
        self._state.out.append("}")

    def _add_notes(self) -> None:
        self._out += [f"\\par {{{note}}}\\par " for note in self._notes]
        self._notes.clear()


def _parts(text: str) -> list[str | list[list[str]]]:
    """Runs of prose, and tables: striprtf ends each cell with "|"."""
    parts: list[str | list[list[str]]] = []
    for table, lines in groupby(text.split("\n"), lambda line: bool(_ROW.fullmatch(line))):
        if table:
            parts.append([_row(line) for line in lines])
        else:
            parts.append("\n".join(lines))
    return parts


def _row(line: str) -> list[str]:
    line = line.replace(_DEEPER, "").strip()
    return [cell.strip() for cell in line.removesuffix("|").split("|")]


def _properties(source: str) -> dict[str, object]:
    found: dict[str, object] = {
        _PROPERTIES[match[1]]: clean(rtf_to_text("{\\rtf1 " + match[2] + "}", errors="replace"))
        for match in _PROPERTY.finditer(source)
    }
    for match in _DAY.finditer(source):
        name = "created" if match[1] == "creatim" else "modified"
        found[name] = f"{int(match[2]):04d}-{int(match[3]):02d}-{int(match[4]):02d}"
    return found
