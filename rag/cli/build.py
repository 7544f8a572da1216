"""`rag build`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from typing import Any

import click
from tqdm import tqdm

from rag.building.indexing import build_index
from rag.building.progress import Estimate, duration
from rag.cli.options import effective_from, index_option, json_option, setting
from rag.cli.output import say
from rag.errors import RagError
from rag.loaders import formats, use_another
from rag.settings import Settings
from rag.text.wording import counted
from rag.types import BuildReport, Problem

_LISTED = 20
Told = Collection[Problem]


@click.command()
@click.argument("corpus", required=False)
@index_option
@click.option(
    "--watch", is_flag=True, help="Keep the index in step with the folder; ends on Ctrl-C."
)
@setting("encoder")
@setting("precision")
@setting("chunk_tokens", type=int)
@setting("keep_generations", type=int)
@setting("max_file_mb", type=int)
@setting("document_seconds", type=int)
@setting("document_memory_mb", type=int)
@setting("ocr")
@setting("threads", type=int)
@json_option
def build(as_json: bool, watch: bool, **flags: Any) -> None:
    """Build or update the index from a folder of documents.

    CORPUS is the folder, by default that of the build before, else `corpus`. Only what changed is
    read and embedded again; the old index answers until the new one is whole, and stays if this is
    interrupted. A document that cannot be read is named with the reason, and the others go on.

    \b
    Examples:
      rag build
      rag build ~/policies --index ~/policies-index
      rag build --watch             build after every change; a running chat follows by itself
    """
    effective = effective_from(flags)
    settings = effective.settings
    if effective.sources["corpus"] == "index":
        say(f"reading {settings.corpus}, which the index was built from", err=True)

    def show(report: BuildReport, told: Told = ()) -> None:
        if as_json:
            click.echo(json.dumps(asdict(report), ensure_ascii=False))
        else:
            say(describe(report, told))

    if watch:
        _watch(settings, show)
    else:
        show(build_with_progress(settings))


def _watch(settings: Settings, show: Callable[[BuildReport, Told], None]) -> None:
    """Build until interrupted; of builds that found nothing to do only the first is shown.

    What one build had to say of a file, the next do not say again.
    """
    from rag.building.watch import watch_and_build

    def failed(error: RagError) -> None:
        say(f"rag: {' '.join(str(error).split())}; trying again", err=True)

    shown = ""
    told: set[Problem] = set()
    with _Bar() as bar:
        try:
            for report in watch_and_build(settings, bar.update, failed=failed):
                bar.close()
                if report.generation != shown:
                    show(report, told)
                    sys.stdout.flush()
                    say(f"watching {settings.corpus} (Ctrl-C ends)", err=True)
                    told = {*report.skipped, *report.failed, *report.warnings}
                shown = report.generation
        except KeyboardInterrupt:
            say("rag: stopped watching; the index is as the last build left it", err=True)


def build_with_progress(settings: Settings) -> BuildReport:
    """Build with a progress bar on stderr, if that is a terminal."""
    with _Bar() as bar:
        return build_index(settings, bar.update)


class _Bar:
    """The share of the work that is done, and the time that the rest will take."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._estimate = Estimate()

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Clear the line; the next update begins anew."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None

    def update(self, stage: str, done: int, total: int) -> None:
        if not sys.stderr.isatty():
            return
        if self._bar is None:
            self._estimate = Estimate()
            form = "{percentage:3.0f} % |{bar}| {desc}"
            self._bar = tqdm(total=1.0, file=sys.stderr, leave=False, bar_format=form)
        self._estimate.update(stage, done, total)
        left = f", {duration(self._estimate.remaining)} left" if self._estimate.share < 1 else ""
        self._bar.set_description_str(f"{self._estimate.stage}{left}", refresh=False)
        self._bar.update(self._estimate.share - self._bar.n)


def describe(report: BuildReport, told: Told = ()) -> str:
    """A report for people, without the problems that they were told before."""
    lines = [
        f"{counted(report.documents, 'document')}, {counted(report.chunks, 'chunk')} "
        f"({report.embedded} embedded, {report.reused} reused) in {report.seconds:.1f} s",
        f"added {len(report.added)}, changed {len(report.changed)}, "
        f"removed {len(report.removed)}, unchanged {report.unchanged}",
    ]
    was = {renamed.document: renamed.was for renamed in report.renamed}
    gone = set(was.values())
    added = [name for name in report.added if name not in was]
    removed = [name for name in report.removed if name not in gone]
    moved = [f"{name} (was {before})" for name, before in was.items()]
    for sign, names in (("+", added), ("~", report.changed), ("-", removed), (">", moved)):
        lines += _some([f"  {sign} {name}" for name in names], f"  {sign}")
    # All formats are said once, not for each file of another one.
    advice, advised = f": {use_another()}", False
    for title, problems in (
        ("skipped", report.skipped),
        ("failed", report.failed),
        ("note", report.warnings),
    ):
        new = [problem for problem in problems if problem not in told]
        named = [f"{title}: {p.document}: {p.reason.removesuffix(advice)}" for p in new]
        # What fails should be in the index: all of that is named.
        lines += _some(named, f"{title}:") if title == "skipped" else named
        advised = advised or any(problem.reason.endswith(advice) for problem in new)
    lines += [f"supported: {formats()}"] if advised else []
    lines.append(f"generation {report.generation}")
    return "\n".join(lines)


def _some(lines: Sequence[str], sign: str) -> list[str]:
    """The first lines, and how many there are besides."""
    more = len(lines) - _LISTED
    return [*lines[:_LISTED], *([f"{sign} … and {more} more"] if more > 0 else [])]
