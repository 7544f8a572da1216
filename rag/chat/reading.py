"""A document as a page for reading: headings, an outline, and the quoted passages marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from rag.catalogue.versions import Version, as_named, successor
from rag.chat import markup
from rag.chat.versions import version_html
from rag.text import wording
from rag.text.markup import Piece, is_markdown, visible
from rag.types import Block, Document

_TAGS = {
    "strong": Markup("<strong>{}</strong>"),
    "em": Markup("<em>{}</em>"),
    "strike": Markup("<s>{}</s>"),
    "code": Markup("<code>{}</code>"),
    "link": Markup('<span class="link">{}</span>'),
}
_MARK = Markup('<mark class="m-{}" data-n="{}"{}>{}</mark>')
_FIRST = Markup(" data-first")
_MIN_OUTLINE = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """A passage to highlight; `n` is its number in the answer, `kind` "cite" or "near"."""

    n: int
    start: int
    end: int
    kind: str = "cite"


def document_html(
    document: Document, marks: Sequence[Mark], family: Sequence[Version] = ()
) -> Markup:
    """The whole document with its marks; every character of it is inert.

    Marks outside the document are ignored. A mark that lies in no block (in front matter, say) is
    shown as a paragraph of its own at its place, so that a quotation can always be seen. Its
    successor is opened from its head if it is of the same `family`.
    """
    marks = [mark for mark in marks if 0 <= mark.start < mark.end <= len(document.text)]
    blocks = _with_uncovered(_blocks_or_paragraphs(document), marks)
    shown = _without_title(document, blocks, marks)
    body = Markup("").join(_Writer(document, marks, shown).groups())
    return Markup(
        '<article class="doc" data-document="{id}">{header}{outline}'
        '<div class="doc-body">{body}</div></article>'
    ).format(
        id=document.id,
        header=_header(document, family),
        outline=_outline(document, blocks, marks),
        body=body,
    )


def _header(document: Document, family: Sequence[Version]) -> Markup:
    facts: list[str] = []
    if dated := wording.document_date(document.metadata):
        facts.append(wording.sentence_case(" ".join(dated)))
    if document.pages:
        facts.append(wording.counted(len(document.pages), "page"))
    for key in ("author", "owner", "version"):
        if value := wording.first(document.metadata, key):
            label = "Version " if key == "version" else ""
            facts.append(label + wording.shorten(value, 60))
    return Markup(
        '<header class="doc-head"><p class="doc-path">{path}</p><h2 class="doc-title">{title}</h2>'
        '<p class="doc-facts">{facts}</p>{warning}</header>'
    ).format(
        path=document.id,
        title=document.title,
        facts=Markup("").join(Markup("<span>{}</span>").format(fact) for fact in facts),
        warning=_warning(document, family),
    )


def _warning(document: Document, family: Sequence[Version]) -> Markup:
    heir = successor(document.id, family)
    if heir:
        words = Markup("Superseded by {}").format(version_html(as_named(heir, family)))
    else:
        words = Markup.escape(wording.standing(document.metadata) or "")
    return Markup('<p class="standing">{}</p>').format(words) if words else words


def _outline(document: Document, blocks: Sequence[Block], marks: Sequence[Mark]) -> Markup:
    headings = [block for block in blocks if block.kind == "heading"]
    if headings and _label(document, headings[0]) == document.title:
        headings = headings[1:]
    if len(headings) < _MIN_OUTLINE:
        return Markup("")
    top = min(block.level for block in headings)
    entries = Markup("").join(
        Markup(
            '<li class="depth-{depth}"><button type="button" data-jump="h-{at}">{label}{badges}'
            "</button></li>"
        ).format(
            depth=min(heading.level - top, 3),
            at=heading.start,
            label=_label(document, heading),
            badges=_badges(heading, following, marks),
        )
        for heading, following in zip(
            headings, [*(h.start for h in headings[1:]), len(document.text)], strict=True
        )
    )
    return Markup(
        '<nav class="outline" aria-label="Outline of this document">'
        '<details><summary>In this document</summary><ol role="list">{}</ol></details></nav>'
    ).format(entries)


def _without_title(
    document: Document, blocks: Sequence[Block], marks: Sequence[Mark]
) -> Sequence[Block]:
    """Leave out a first heading that repeats the title, unless it is quoted itself."""
    if not blocks or blocks[0].kind != "heading" or _label(document, blocks[0]) != document.title:
        return blocks
    quoted = any(m.start < blocks[0].end and blocks[0].start < m.end for m in marks)
    return blocks if quoted else blocks[1:]


def _badges(heading: Block, following: int, marks: Sequence[Mark]) -> Markup:
    inside = sorted(m.n for m in marks if m.kind == "cite" and heading.start <= m.start < following)
    return Markup("").join(Markup('<span class="badge">{}</span>').format(n) for n in inside)


def _label(document: Document, block: Block) -> str:
    pieces = markup.heading(
        document.text, block.start, block.end, markdown=is_markdown(document.id)
    )
    return wording.shorten("".join(visible(document.text, piece) for piece in pieces), 90)


def _blocks_or_paragraphs(document: Document) -> list[Block]:
    if document.blocks:
        return list(document.blocks)
    blocks: list[Block] = []
    position = 0
    for part in document.text.split("\n\n"):
        if part.strip():
            start = position + len(part) - len(part.lstrip())
            blocks.append(Block("paragraph", start, start + len(part.strip())))
        position += len(part) + 2
    return blocks


def _with_uncovered(blocks: list[Block], marks: Sequence[Mark]) -> list[Block]:
    extra = [
        Block("paragraph", mark.start, mark.end)
        for mark in marks
        if not any(block.start < mark.end and mark.start < block.end for block in blocks)
    ]
    return sorted(blocks + extra, key=lambda block: block.start) if extra else blocks


class _Writer:
    """Writes blocks as HTML; holds what every one of them needs."""

    def __init__(self, document: Document, marks: Sequence[Mark], blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._top = min((b.level for b in blocks if b.kind == "heading"), default=1)
        self._text = document.text
        self._markdown = is_markdown(document.id)
        self._marks = sorted(marks, key=lambda mark: (mark.start, mark.n))
        self._begun: set[tuple[str, int]] = set()
        self._pages = iter(document.pages)
        self._page = next(self._pages, None)

    def groups(self) -> Iterator[Markup]:
        """Blocks in order, with runs of items and rows gathered into lists and tables."""
        for kind, run in groupby(self._blocks, key=lambda block: block.kind):
            if kind == "item":
                yield from self._list(list(run))
            elif kind == "row":
                yield from self._tables(list(run))
            else:
                for block in run:
                    yield self._page_line(block)
                    yield self._single(block)

    def _single(self, block: Block) -> Markup:
        if block.kind == "heading":
            pieces = markup.heading(self._text, block.start, block.end, markdown=self._markdown)
            return Markup('<h{0} id="h-{1}" tabindex="-1">{2}</h{0}>').format(
                min(block.level - self._top + 3, 6), block.start, self._emit(pieces)
            )
        if block.kind == "code":
            pieces = markup.code(self._text, block.start, block.end, markdown=self._markdown)
            return Markup('<pre tabindex="0"><code>{}</code></pre>').format(self._emit(pieces))
        pieces = markup.paragraph(self._text, block.start, block.end, markdown=self._markdown)
        quoted = self._markdown and self._text[block.start : block.end].startswith(">")
        template = "<blockquote><p>{}</p></blockquote>" if quoted else "<p>{}</p>"
        return Markup(template).format(self._emit(pieces))  # noqa: S704  one of two constants

    def _list(self, items: list[Block]) -> Iterator[Markup]:
        yield Markup('<ul role="list">')
        for block in items:
            marker, pieces = markup.item(
                self._text, block.start, block.end, markdown=self._markdown
            )
            yield Markup('<li class="depth-{}">{}<span class="marker">{}</span>{}</li>').format(
                min(max(block.level, 1), 5),
                self._page_line(block),
                marker,
                self._emit(pieces),
            )
        yield Markup("</ul>")

    def _tables(self, rows: list[Block]) -> Iterator[Markup]:
        table: list[Block] = []
        for row in rows:
            if table and row.level == 1 and table[-1].level != 1:
                yield self._table(table)
                table = []
            table.append(row)
        yield self._table(table)

    def _table(self, rows: list[Block]) -> Markup:
        lines: list[Markup] = []
        for row in rows:
            tag = "th" if row.level == 1 else "td"
            parts = markup.cells(self._text, row.start, row.end, markdown=self._markdown)
            lines.append(
                Markup("<tr>{}</tr>").format(
                    Markup("").join(
                        Markup("<{0}>{1}</{0}>").format(tag, self._emit(part)) for part in parts
                    )
                )
            )
        return Markup('{}<div class="table" tabindex="0"><table>{}</table></div>').format(
            self._page_line(rows[0]), Markup("").join(lines)
        )

    def _page_line(self, block: Block) -> Markup:
        line = Markup("")
        while self._page is not None and self._page.start <= block.start:
            line = Markup('<p class="page" id="p-{0}"><span>Page {0}</span></p>').format(
                self._page.number
            )
            self._page = next(self._pages, None)
        return line

    def _emit(self, pieces: Iterable[Piece]) -> Markup:
        """Pieces as escaped text, styled, with one <mark> around each run of marked ones."""
        out: list[Markup] = []
        for mark, run in groupby(self._cut_at_marks(pieces), key=lambda cut: cut[0]):
            shown = Markup("").join(self._styled(piece) for _, piece in run)
            if mark is not None and shown.strip():
                key = (mark.kind, mark.n)
                first = "" if key in self._begun else _FIRST
                self._begun.add(key)
                shown = _MARK.format(mark.kind, mark.n, first, shown)
            out.append(shown)
        return Markup("").join(out)

    def _styled(self, piece: Piece) -> Markup:
        shown = Markup.escape(visible(self._text, piece))
        if shown:
            for style in reversed(piece.styles):
                shown = _TAGS[style].format(shown)
        return shown

    def _cut_at_marks(self, pieces: Iterable[Piece]) -> Iterator[tuple[Mark | None, Piece]]:
        for piece in pieces:
            position = piece.start
            for mark in self._marks:
                if mark.end <= position or mark.start >= piece.end:
                    continue
                if piece.shown is not None:
                    yield mark, piece
                    position = piece.end
                    break
                if mark.start > position:
                    yield None, Piece(position, mark.start, None, piece.styles)
                    position = mark.start
                until = min(mark.end, piece.end)
                yield mark, Piece(position, until, None, piece.styles)
                position = until
            if position < piece.end:
                shown = piece.shown if position == piece.start else None
                yield None, Piece(position, piece.end, shown, piece.styles)
