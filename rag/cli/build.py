"""`rag build`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import click
from tqdm import tqdm

from rag.cli.options import index_option, json_option, setting, settings_from
from rag.indexing import Progress, build_index
from rag.settings import Settings
from rag.types import BuildReport

_LISTED = 20


@click.command()
@click.argument("corpus", required=False)
@index_option
@setting("encoder")
@setting("chunk_tokens", type=int)
@setting("keep_generations", type=int)
@setting("max_file_mb", type=int)
@setting("threads", type=int)
@json_option
def build(as_json: bool, **flags: Any) -> None:
    """Build or update the index from a folder of documents.

    CORPUS is the folder, by default `corpus`. Only what changed is read and embedded again; the
    old index answers until the new one is whole, and stays if this is interrupted.

    \b
    Examples:
      rag build
      rag build ~/policies --index ~/policies-index
    """
    report = build_with_progress(settings_from(flags))
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        click.echo(describe(report))


def build_with_progress(settings: Settings) -> BuildReport:
    """Build with a progress bar on stderr, if that is a terminal."""
    with _Bars() as bars:
        return build_index(settings, bars.update)


class _Bars:
    """One bar a stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    @property
    def update(self) -> Progress:
        return self._update

    def _update(self, stage: str, done: int, total: int) -> None:
        if not sys.stderr.isatty():
            return
        if stage != self._stage:
            if self._bar is not None:
                self._bar.close()
            unit = {"reading": "documents", "embedding": "chunks"}.get(stage, "steps")
            self._bar = tqdm(total=total, desc=stage, unit=f" {unit}", file=sys.stderr)
            self._stage = stage
        if self._bar is not None:
            self._bar.update(done - self._bar.n)


def describe(report: BuildReport) -> str:
    """A report for people."""
    lines = [
        f"{report.documents} documents, {report.chunks} chunks "
        f"({report.embedded} embedded, {report.reused} reused) in {report.seconds:.1f} s",
        f"added {len(report.added)}, changed {len(report.changed)}, "
        f"removed {len(report.removed)}, unchanged {report.unchanged}",
    ]
    for sign, names in (("+", report.added), ("~", report.changed), ("-", report.removed)):
        lines += [f"  {sign} {name}" for name in names[:_LISTED]]
        if len(names) > _LISTED:
            lines.append(f"  {sign} … and {len(names) - _LISTED} more")
    for title, problems in (("skipped", report.skipped), ("failed", report.failed)):
        lines += [f"{title}: {problem.document}: {problem.reason}" for problem in problems]
    lines.append(f"generation {report.generation}")
    return "\n".join(lines)
