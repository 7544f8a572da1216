"""The library as HTML: the lines of its table, the report of a build, what changed.

Names and texts of documents are escaped by `markupsafe`, and names stand apart in direction too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from markupsafe import Markup

from rag.chat.library_names import shown
from rag.chat.library_rows import Row
from rag.comparing.generations import Difference, DocumentChange, SentenceChange, word_runs
from rag.comparing.page import summary
from rag.text import wording

_EMPTY = Markup("")
_STATES = {"indexed": "Indexed", "waiting": "Waiting", "failed": "Failed", "skipped": "Skipped"}
_MAX_NAMES = 200
_MAX_CHANGES = 200
_MAX_SENTENCES = 80
_KINDS = {
    "added": "Added",
    "removed": "Removed",
    "renamed": "Renamed, with the same text",
    "changed": "Changed",
}
_BIN = Markup(
    '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4 6h12M8 6V4h4v2M5.500 6l.700 10h7.600'
    'l.700-10M8.500 9v4.500M11.500 9v4.500"/></svg>'
)


def rows_html(rows: Iterable[Row], *, may_change: bool) -> Markup:
    """The body of the table.

    Args:
        rows: in the order that they are shown in.
        may_change: whether the reader may delete documents.
    """
    return _EMPTY.join(_row(row, may_change=may_change) for row in rows)


def _row(row: Row, *, may_change: bool) -> Markup:
    return Markup(
        '<tr class="s-{state}"><td class="c-title">{title}{path}{facts}{why}</td>'
        '<td class="c-collection">{collection}</td><td class="c-published">{published}</td>'
        '<td class="c-effective_date">{effective}</td><td class="c-review_date">{review}</td>'
        '<td class="c-pages">{pages}</td><td class="c-size">{size}</td>'
        '<td class="c-state"><span class="state">{words}</span></td><td class="c-do">{do}</td></tr>'
    ).format(
        state=row.state,
        title=_title(row),
        path=Markup('<bdi class="path" title="{0}">{0}</bdi>').format(shown(row.id)),
        facts=_facts(row),
        why=Markup('<span class="why">{}</span>').format(wording.sentence_case(row.why))
        if row.why
        else _EMPTY,
        collection=_name(row.collection),
        published=short_date(row.published),
        effective=short_date(row.effective_date),
        review=_review(row.review_date),
        pages=f"{row.pages:,}" if row.pages else "",
        size=size_in_words(row.size),
        words=_STATES[row.state],
        do=_delete(row) if may_change and row.on_disk else _EMPTY,
    )


def _review(value: str) -> Markup:
    """The date of the next review; one that is past stands out."""
    if value and value < datetime.now(UTC).date().isoformat()[: len(value)]:
        return Markup('<span class="due">{}, overdue</span>').format(short_date(value))
    return Markup("{}").format(short_date(value))


def _title(row: Row) -> Markup:
    name = _name(row.title)
    if not row.readable:
        return Markup('<span class="title">{}</span>').format(name)
    return Markup(
        '<button type="button" class="document title" data-document="{}">{}</button>'
    ).format(row.id, name)


def _facts(row: Row) -> Markup:
    """The other columns in a line, for where there is no room for them."""
    dates = (
        ("published", row.published), ("effective", row.effective_date), ("review", row.review_date)
    )  # fmt: skip
    parts = [
        Markup('<span class="state">{}</span>').format(_STATES[row.state]),
        _name(row.collection),
        *(f"{word} {short_date(day)}" for word, day in dates if day),
        wording.counted(row.pages, "page") if row.pages else "",
        size_in_words(row.size),
    ]
    spans = (Markup("<span>{}</span>").format(part) for part in parts if part)
    return Markup('<span class="row-facts">{}</span>').format(_EMPTY.join(spans))


def _delete(row: Row) -> Markup:
    return Markup(
        '<button type="button" class="tool bare" data-lib="delete" data-id="{id}" '
        'data-title="{title}" aria-label="Delete {title}" title="Delete">{bin}</button>'
    ).format(id=row.id, title=shown(row.title), bin=_BIN)


def _name(text: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(shown(text)) if text else _EMPTY


def short_date(value: str) -> str:
    """An ISO date in little room, such as "1 Mar 2024" or "Mar 2024"; else as it stands."""
    try:
        day = date.fromisoformat(f"{value}-01-01"[:10] if len(value) < 10 else value[:10])
    except ValueError:
        return wording.shorten(value, 20)
    if len(value) == 4:
        return value
    return f"{day:%b %Y}" if len(value) == 7 else f"{day.day} {day:%b %Y}"


def size_in_words(size: int) -> str:
    """Bytes in little room, such as "34 KB" or "1.2 MB"; "" for none."""
    if size <= 0:
        return ""
    if size < 1_000:
        return f"{size} B"
    if size < 999_500:
        return f"{size / 1e3:.0f} KB"
    return f"{size / 1e6:.1f} MB" if size < 999_500_000 else f"{size / 1e9:.1f} GB"


def report_html(report: Mapping[str, Any]) -> Markup:
    """What a build did, documents by name; `report` as `rag build --json` prints it."""
    lists = (
        ("Failed", "failed", _problems(report.get("failed", ()))),
        ("Skipped", "skipped", _problems(report.get("skipped", ()))),
        ("Warnings", "warnings", _problems(report.get("warnings", ()))),
        ("Added", "added", _names(report, "added")),
        ("Changed", "changed", _names(report, "changed")),
        ("Renamed", "renamed", [_renamed(entry) for entry in report.get("renamed", ())]),
        ("Removed", "removed", _names(report, "removed")),
    )
    return _EMPTY.join(
        Markup("<details{open}><summary>{title} <span>{count}</span></summary>{list}</details>")
        .format(
            open=Markup(" open") if kind == "failed" else _EMPTY,
            title=title,
            count=f"{len(entries):,}",
            list=_list(entries),
        )
        for title, kind, entries in lists
        if entries
    )  # fmt: skip


def report_line(report: Mapping[str, Any]) -> str:
    """The same in a sentence, to be read and to be heard."""
    moved = len(report.get("renamed", ()))
    counts = [
        (len(report.get("added", ())) - moved, "added"),
        (len(report.get("changed", ())), "changed"),
        (moved, "renamed"),
        (len(report.get("removed", ())) - moved, "removed"),
        (len(report.get("failed", ())), "failed"),
    ]
    done = ", ".join(f"{count:,} {words}" for count, words in counts if count)
    documents = wording.counted(int(report.get("documents", 0)), "document")
    return (
        f"Rebuilt in {_seconds(float(report.get('seconds', 0)))}: "
        f"{done or 'nothing had changed'}. {documents} in the index."
    )


def _seconds(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _problems(entries: Iterable[Mapping[str, str]]) -> list[Markup]:
    return [
        Markup("{} <span>{}</span>").format(_name(entry["document"]), entry["reason"])
        for entry in entries
    ]


def _names(report: Mapping[str, Any], key: str) -> list[Markup]:
    """Names under a key, without those that were only renamed."""
    renamed = {name for entry in report.get("renamed", ()) for name in entry.values()}
    return [_name(name) for name in report.get(key, ()) if name not in renamed]


def _renamed(entry: Mapping[str, str]) -> Markup:
    return Markup("{} <span>was {}</span>").format(_name(entry["document"]), _name(entry["was"]))


def _list(entries: Sequence[Markup]) -> Markup:
    lines = [Markup("<li>{}</li>").format(entry) for entry in entries[:_MAX_NAMES]]
    rest = len(entries) - _MAX_NAMES
    if rest > 0:
        lines.append(Markup('<li class="dim">and {} more</li>').format(f"{rest:,}"))
    return Markup('<ul role="list">{}</ul>').format(_EMPTY.join(lines))


def changes_html(difference: Difference) -> Markup:
    """What separates two generations, sentence by sentence."""
    head = Markup('<p class="dim">From {} ({}) to {} ({}): {}.</p>').format(
        _number(difference.before),
        wording.nice_time(difference.before_created),
        _number(difference.after),
        wording.nice_time(difference.after_created),
        summary(difference),
    )
    parts = [
        Markup("<section><h4>{}</h4>{}</section>").format(
            _KINDS[kind], _EMPTY.join(_change(change) for change in changes)
        )
        for kind, changes in groupby(difference.documents[:_MAX_CHANGES], lambda one: one.kind)
    ]
    rest = len(difference.documents) - _MAX_CHANGES
    if rest > 0:
        parts.append(
            Markup('<p class="dim">and {} more: `rag diff` shows all</p>').format(f"{rest:,}")
        )
    return head + _EMPTY.join(parts)


def _number(generation: str) -> str:
    """A generation without the time in its id."""
    return generation.partition("-")[0]


def _change(change: DocumentChange) -> Markup:
    was = Markup(", was {}").format(_name(change.was)) if change.was else _EMPTY
    title = Markup('{} <span class="path">{}{}</span>').format(
        _name(change.title), _name(change.document), was
    )
    if change.kind != "changed":
        return Markup('<p class="change">{}</p>').format(title)
    if not change.lines:
        return Markup('<p class="change">{} <span>only layout or markup</span></p>').format(title)
    sections = (
        Markup("{}{}").format(
            Markup("<h5>{}</h5>").format(section) if section else _EMPTY,
            _EMPTY.join(_sentence(sentence) for sentence in sentences),
        )
        for section, sentences in groupby(
            change.lines[:_MAX_SENTENCES], lambda sentence: sentence.section
        )
    )
    rest = len(change.lines) - _MAX_SENTENCES
    more = Markup('<p class="dim">and {} more sentences</p>').format(rest) if rest > 0 else _EMPTY
    return Markup(
        '<details class="change"><summary>{} <span>{}</span></summary>{}{}</details>'
    ).format(title, wording.counted(len(change.lines), "sentence"), _EMPTY.join(sections), more)


def _sentence(change: SentenceChange) -> Markup:
    if change.before is None or change.after is None:
        before = [(True, change.before)] if change.before else []
        after = [(True, change.after)] if change.after else []
    else:
        before, after = word_runs(change.before, change.after)
    return Markup('<div class="pair"><p>{}</p><p>{}</p></div>').format(
        _runs(before, Markup("<del>{}</del>")), _runs(after, Markup("<ins>{}</ins>"))
    )


def _runs(runs: Sequence[tuple[bool, str]], marked: Markup) -> Markup:
    return Markup(" ").join(marked.format(text) if differs else text for differs, text in runs)
