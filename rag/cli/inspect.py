"""`rag status`, `rag text` and `rag config`: looking without changing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from rag.cli.options import index_option, json_option, settings_from
from rag.cli.output import say
from rag.settings import Settings, load_settings
from rag.store.generation import list_generations, open_current
from rag.store.manifest import generations_folder
from rag.store.noted import noted_corpus, with_noted_corpus


@click.command()
@index_option
@json_option
def status(as_json: bool, **flags: Any) -> None:
    """Show what the index holds, how it was made and how large it is."""
    data = _status(settings_from(flags).index)
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    shown = {
        **data,
        "bytes": f"{data['bytes'] / 1e6:.1f} MB",
        "vector_index": data["vector_index"]["explained"],
        "generations": ", ".join(data["generations"]),
        "corpus": data["corpus"] or "not noted",
    }
    for name, value in shown.items():
        if name not in ("files", "document_ids"):
            say(f"{name.replace('_', ' '):16} {value}")


def _status(index: Path) -> Mapping[str, Any]:
    generation = open_current(index)
    try:
        manifest, documents = generation.manifest, generation.tables.documents()
        corpus = noted_corpus(index)
        return {
            "generation": manifest.generation,
            "created": manifest.created,
            "corpus": str(corpus) if corpus else None,
            "documents": manifest.documents,
            "chunks": manifest.chunks,
            "sentences": manifest.sentences,
            "tokens": sum(info.tokens for info in documents),
            "encoder": manifest.encoder,
            "encoder_digest": manifest.encoder_digest,
            "dimension": manifest.dimension,
            "chunking": manifest.chunking,
            "vector_index": {
                **manifest.vector_index,
                "explained": explain(manifest.vector_index, manifest.chunks),
            },
            "generations": list_generations(index),
            "folder": str(generations_folder(index) / manifest.generation),
            "bytes": sum(info.size for info in manifest.files.values()),
            "files": {name: info.size for name, info in manifest.files.items()},
            "document_ids": [info.id for info in documents],
        }
    finally:
        generation.close()


def explain(vector_index: Mapping[str, Any], chunks: int) -> str:
    """How chunks are found by their vectors, and why so, in one line."""
    most = vector_index["exact_up_to"]
    if vector_index["kind"] == "exact":
        return f"exact: a question is compared with every chunk, up to {most:,} chunks"
    return (
        f"inverted lists: more than {most:,} chunks, so a question is compared with the "
        f"{vector_index['codes']} codes of {vector_index['compared']:,} of {chunks:,} chunks, in "
        f"the nearest of {vector_index['lists']:,} lists, and the best are ranked exactly"
    )


@click.command()
@click.argument("document")
@index_option
def text(document: str, **flags: Any) -> None:
    """Print the canonical text of DOCUMENT, exactly: what every offset of a citation refers to.

    \b
    Example:
      rag text handbook/annual-leave.md
    """
    from rag.index import open_index

    settings = settings_from(flags)
    with open_index(settings.index, settings) as index:
        content = index.text(document)
    # As bytes: echo would translate the line ends of text and lose lone surrogates.
    click.echo(content.encode("utf-8", "surrogatepass"), nl=False)


@click.command()
@json_option
def config(as_json: bool) -> None:
    """Show every setting: its value, where it came from, and what it means.

    Flags win over environment variables (RAG_NAME), these over rag.toml in the working
    directory, that over the folder that the index was built from, and that over the default.
    """
    effective = with_noted_corpus(load_settings())
    rows = [
        {
            "name": name,
            "value": str(value) if isinstance(value, Path) else value,
            "source": effective.sources[name],
            "help": Settings.__dataclass_fields__[name].metadata["help"],
        }
        for name, value in vars(effective.settings).items()
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        say(f"{row['name']:18} {row['value']!s:14} ({row['source']})  {row['help']}")
