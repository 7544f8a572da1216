"""What stands under an answer: what was searched, how sure it is, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.answering.caveats import Caveat
from rag.answering.conflicts import Conflict, Statement
from rag.answering.text import unanswered_text
from rag.catalogue.versions import Version, relation
from rag.chat.versions import version_html
from rag.text import wording
from rag.types import Answer, Document

_EMPTY = Markup("")
_MAX_SAID = 280
_RELATIONS = {
    "newer": "The newer version differs",
    "older": "An older version differs",
    "other": "Another source differs",
}


@dataclass(frozen=True, slots=True)
class Searched:
    """What an answer was looked for in.

    Attributes:
        documents: how many were searched.
        generation: id of the index.
        created: when it was built: UTC, ISO 8601.
        filters: the filters in words; empty if everything was searched.
        of: how many documents the index holds.
    """

    documents: int
    generation: str
    created: str
    filters: Sequence[str] = ()
    of: int = 0

    def __str__(self) -> str:
        if self.filters:
            return f"{self.documents:,} of {wording.counted(self.of, 'document')}"
        return wording.counted(self.documents, "document")

    @property
    def limits(self) -> str:
        """The filters as a half sentence."""
        return "; ".join(self.filters) if self.filters else "no filter"


def notes_html(
    answer: Answer,
    found: Sequence[Caveat],
    conflicts: Sequence[Conflict],
    documents: Mapping[str, Document],
    families: Mapping[str, Sequence[Version]],
) -> Markup:
    """What was left unanswered, what other sources say, and which documents have successors."""
    parts: list[Markup] = []
    if missing := unanswered_text(answer.unanswered):
        parts.append(
            Markup('<p class="open"><strong>Left unanswered.</strong> {}</p>').format(missing)
        )
    parts += [_conflict(n, one, documents, families) for n, one in enumerate(conflicts, start=1)]
    parts += map(_note, found)
    return _EMPTY.join(parts)


def _conflict(
    number: int,
    conflict: Conflict,
    documents: Mapping[str, Document],
    families: Mapping[str, Sequence[Version]],
) -> Markup:
    """Another source as it stands, beside the citation that it contradicts."""
    other, heading = conflict.other, _difference(conflict, families, _cite)
    if other.n:
        return Markup('<div class="differs">{}</div>').format(heading)
    dated = wording.dated(documents.get(other.document))
    return Markup(
        '<div class="differs">{heading}<button type="button" class="other" data-other="{number}">'
        '<span class="title">{title}</span> <span class="where">{place}</span><q>{said}</q>'
        "</button></div>"
    ).format(
        heading=heading,
        number=number,
        title=other.title,
        place=" · ".join(part for part in (wording.place(other), dated) if part),
        said=_around(other.words, conflict.theirs),
    )


def _difference(
    conflict: Conflict,
    families: Mapping[str, Sequence[Version]],
    cite: Callable[[Statement], str],
) -> Markup:
    """How two sources differ, as a sentence; `cite` makes the number of a citation."""
    found = relation(conflict.cited.document, conflict.other.document, families)
    words = {
        "ours": wording.shorten(conflict.ours, 60),
        "theirs": wording.shorten(conflict.theirs, 60),
        "cite": cite(conflict.cited),
    }
    if not conflict.other.n:
        return Markup(
            "<p><strong>{kind}</strong> from {cite}: “{ours}” there, “{theirs}” here.</p>"
        ).format(kind=_RELATIONS[found], **words)
    pair = [cite(conflict.other), cite(conflict.cited)]
    newer = Markup("; {} is the newer version of {}").format(
        *(pair if found == "newer" else pair[::-1])
    )
    return Markup(
        "<p><strong>These sources differ</strong>: “{ours}” in {cite}, “{theirs}” in {other}"
        "{newer}.</p>"
    ).format(other=pair[0], newer=_EMPTY if found == "other" else newer, **words)


def difference_text(conflict: Conflict, families: Mapping[str, Sequence[Version]]) -> str:
    """The same sentence as text, with numbers such as "[1]"."""
    return _difference(conflict, families, lambda statement: f"[{statement.n}]").striptags()


def _cite(statement: Statement) -> Markup:
    return Markup(
        '<button type="button" class="cite" data-n="{0}" aria-label="Citation {0}: {1}">{0}'
        "</button>"
    ).format(statement.n, statement.title)


def _around(words: str, part: str) -> Markup:
    """A sentence, cut to what is near a part of it, with that part marked."""
    at = max(words.find(part), 0)
    start = max(0, at + len(part) - _MAX_SAID) if at + len(part) > _MAX_SAID else 0
    shown = wording.shorten(words[start:], _MAX_SAID)
    before, found, after = shown.partition(part)
    dots = "… " if start else ""
    if not found:
        return Markup("{}{}").format(dots, shown)
    return Markup("{}{}<b>{}</b>{}").format(dots, before, found, after)


def _note(caveat: Caveat) -> Markup:
    kind, words, version = caveat
    title, _, said = words.rpartition(": ")
    if said:
        words = Markup("<strong>{}</strong>: {}").format(title, said)
    return Markup('<p class="{}">{}{}</p>').format(
        kind, words, version_html(version) if version else _EMPTY
    )


def pedigree_html(answer: Answer, searched: Searched, against: Sequence[str]) -> Markup:
    """How sure the answer is and what was searched, in a line that opens to all of it.

    Args:
        answer: no abstention.
        searched: what was searched.
        against: what speaks against it, in short.
    """
    level, words = wording.certainty(answer.confidence)
    rows = [
        ("Understood as", answer.standalone_question),
        ("Searched", f"{searched}, {searched.limits}"),
        ("Other sources", "; ".join(against) or "nothing found that says otherwise"),
        ("Left open", unanswered_text(answer.unanswered) or "nothing"),
        *([("Not found", answer.remark)] if answer.remark else []),
        (
            "Confidence",
            f"{round(answer.confidence * 100)} %: about this share of the answers that look like "
            "this one is right",
        ),
        (
            "Made by",
            "quoting word for word; no text was generated. It took "
            f"{max(1, round(answer.took_ms))} ms.",
        ),
    ]
    return Markup(
        '<details class="pedigree"><summary>'
        '<span class="sure sure-{level}" aria-hidden="true"><i></i><i></i><i></i></span>'
        '<span>{words}</span><span class="dim">{searched} searched</span></summary>'
        "<dl>{rows}<div><dt>Index</dt><dd>{built} · <code>{generation}</code></dd></div></dl>"
        "</details>"
    ).format(
        level=level,
        words=words,
        searched=searched,
        rows=_EMPTY.join(
            Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value) for name, value in rows
        ),
        built=wording.nice_time(searched.created),
        generation=searched.generation,
    )
