"""`rag ask` and `rag retrieve`."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from rag.asking.asked import Asked, asked_from, history_from
from rag.catalogue.conditions import parse_where
from rag.cli.options import (
    answering_options,
    index_option,
    json_option,
    refuse_other_encoder,
    setting,
    settings_from,
    where_option,
)
from rag.cli.output import say
from rag.errors import UsageError
from rag.index import Index, open_index
from rag.types import Answer, Citation, Hit, Turn

_WIDTH = 96


@click.command()
@click.argument("question", required=False)
@index_option
@click.option("--history", "history_file", metavar="FILE.json", help="The conversation so far.")
@click.option("--batch", metavar="FILE.jsonl", help="Answer every line of a file; - reads stdin.")
@where_option
@answering_options
@json_option
def ask(
    question: str | None,
    history_file: str | None,
    batch: str | None,
    where: tuple[str, ...],
    as_json: bool,
    **flags: Any,
) -> None:
    """Answer QUESTION with quotations from the documents, or say that they do not answer it.

    A history is a list of {"role": "user" or "assistant", "content": "…"}. A batch has lines
    {"id": "…", "question": "…", "history": […], "where": […]} and prints one JSON answer a line,
    in order; what a line may search is limited by its own conditions and those of --where.

    \b
    Examples:
      rag ask "How many days of annual leave do staff get?"
      rag ask "Who approves trips abroad?" --where collection=handbook --where as_of=2024-06-01
      rag ask --batch questions.jsonl > answers.jsonl
    """
    _one_of(question, batch, history_file)
    with _open(flags) as index:
        if batch is not None:
            for answer in index.ask_many(_read_batch(batch, where)):
                _print_json(answer.to_dict())
        elif question is not None:
            answer = index.ask(question, _read_history(history_file), where=where)
            if as_json:
                _print_json(answer.to_dict())
            else:
                say(describe_answer(answer, _notes(index, answer)))


@click.command()
@click.argument("question", required=False)
@click.option("-k", "k", type=int, default=5, show_default=True, help="How many passages.")
@index_option
@click.option("--history", "history_file", metavar="FILE.json", help="The conversation so far.")
@click.option("--batch", metavar="FILE.jsonl", help="Search for every line; - reads stdin.")
@where_option
@setting("encoder")
@setting("dense_weight", type=float)
@setting("threads", type=int)
@json_option
def retrieve(
    question: str | None,
    k: int,
    history_file: str | None,
    batch: str | None,
    where: tuple[str, ...],
    as_json: bool,
    **flags: Any,
) -> None:
    """Find the passages nearest to QUESTION, best first.

    \b
    Examples:
      rag retrieve "paid parental leave" -k 3
      rag retrieve --batch questions.jsonl -k 10 > hits.jsonl
    """
    _one_of(question, batch, history_file)
    if k < 1:
        raise UsageError(f"-k must be at least 1, got {k}")
    with _open(flags) as index:
        if batch is not None:
            for asked, hits in _with_hits(index, _read_batch(batch, where), k):
                _print_json({"id": asked.id, "hits": [hit.to_dict() for hit in hits]})
        elif question is not None:
            hits = index.retrieve(question, k, _read_history(history_file), where=where)
            if as_json:
                _print_json([hit.to_dict() for hit in hits])
            else:
                say(describe_hits(hits, filtered=bool(where)))


def _one_of(question: str | None, batch: str | None, history_file: str | None) -> None:
    if (question is None) == (batch is None):
        raise UsageError("give a QUESTION or --batch FILE, one of the two")
    if batch is not None and history_file is not None:
        raise UsageError("a batch carries its own histories: leave --history out")


def _open(flags: dict[str, Any]) -> Index:
    settings = settings_from(flags)
    refuse_other_encoder(settings)
    return open_index(settings.index, settings)


def _print_json(data: object) -> None:
    # A question may hold lone surrogates, which cannot be written.
    line = json.dumps(data, ensure_ascii=False)
    click.echo(line.encode("utf-8", "replace").decode("utf-8"))


def _with_hits(index: Index, batch: Iterable[Asked], k: int) -> Iterator[tuple[Asked, list[Hit]]]:
    waiting: deque[Asked] = deque()

    def noted() -> Iterator[Asked]:
        for asked in batch:
            waiting.append(asked)
            yield asked

    for hits in index.retrieve_many(noted(), k):
        yield waiting.popleft(), hits


def _read_history(path: str | None) -> list[Turn]:
    if path is None:
        return []
    try:
        data = json.loads(Path(path).read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"the history {path} cannot be read: {error}") from error
    return history_from(data, path)


def _read_batch(path: str, where: tuple[str, ...]) -> Iterator[Asked]:
    """The questions of a file; `where` limits each of them further."""
    if path == "-" and sys.stdin is None:
        raise UsageError("the batch is to come from standard input, which is closed")
    try:
        with click.open_file(path, encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _asked(line, f"{path}, line {number}", where)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the batch {path} cannot be read: {error}") from error


def _asked(line: str, place: str, where: tuple[str, ...]) -> Asked:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: not JSON ({error})") from error
    asked = asked_from(data, place)
    limits = (*where, *(data.get("where") or ()))
    try:
        parse_where(limits)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from error
    return replace(asked, where=limits)


def _notes(index: Index, answer: Answer) -> list[str]:
    """What a careful reader should know of the cited documents: are they still the last word?"""
    if not answer.citations:
        return []
    # Scripts that read JSON need not wait for these, nor for the words below.
    from rag.answering.caveats import caveats
    from rag.catalogue.versions import families

    documents = {c.document: index.document(c.document) for c in answer.citations}
    found = caveats(answer, documents, families(index.documents()))
    return [caveat.text for caveat in found]


def describe_answer(answer: Answer, notes: Sequence[str] = ()) -> str:
    """An answer for people: the text, where each sentence stands, and the notes on that."""
    from rag.text.wording import certainty

    lines = [*(textwrap.fill(line, _WIDTH) for line in answer.text.split("\n")), ""]
    if answer.abstained and answer.nearest:
        lines.append("Nearest passages:")
        for passage in answer.nearest:
            place = _place(passage.document, passage.section, passage.page)
            quote = textwrap.shorten(passage.text, _WIDTH * 2, placeholder=" …")
            lines += [f"  {place}", textwrap.indent(textwrap.fill(quote, _WIDTH - 4), "    ")]
    else:
        for c in answer.citations:
            place = _place(c.document, c.section, c.page)
            lines.append(f"[{c.n}] {place}{_age(c)}, characters {c.start}-{c.end}")
        lines += [textwrap.fill(note, _WIDTH) for note in ("", *notes) if notes]
    sure = f"confidence {answer.confidence:.0%}"
    if not answer.abstained:
        sure = f"{certainty(answer.confidence)[1]} ({sure})"
    lines += ["", f"{sure}, generation {answer.generation}"]
    if answer.where:
        lines.append(f"searched only where {' and '.join(answer.where)}")
    return "\n".join(lines)


def _age(citation: Citation) -> str:
    from rag.text.wording import nice_date

    if citation.effective_date:
        return f", effective {nice_date(citation.effective_date)}"
    return f", published {nice_date(citation.published)}" if citation.published else ""


def describe_hits(hits: list[Hit], *, filtered: bool = False) -> str:
    """Hits for people; `filtered` says that not all documents were searched."""
    if not hits:
        return "No document meets the filter." if filtered else "The index is empty."
    blocks = []
    for hit in hits:
        chunk = hit.chunk
        place = _place(chunk.document, chunk.section, chunk.page)
        quote = textwrap.shorten(chunk.text, _WIDTH * 3, placeholder=" …")
        blocks.append(
            f"{hit.rank}. {place}  (score {hit.scores.fused:.2f})\n"
            + textwrap.indent(textwrap.fill(quote, _WIDTH - 3), "   ")
        )
    return "\n".join(blocks)


def _place(document: str, section: str | None, page: int | None) -> str:
    parts = [document]
    if section:
        parts.append(f"“{section}”")
    if page:
        parts.append(f"page {page}")
    return ", ".join(parts)
