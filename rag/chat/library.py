"""What the index holds, for the header of the page and the list of documents beside the chat."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from rag.catalogue.described import Described
from rag.chat.wording import folders
from rag.text import wording

_MAX_LISTED = 1_000


def facts_html(infos: Sequence[Described], created: str) -> Markup:
    """How much is searched, and how fresh it is."""
    return Markup("<span>{}</span><span>indexed {}</span>").format(
        wording.counted(len(infos), "document"), wording.nice_time(created)
    )


def documents_html(infos: Sequence[Described]) -> Markup:
    """Every document as a button, gathered by folder."""
    ordered = sorted(infos, key=lambda info: (folders(info.id), wording.natural_order(info.title)))
    groups = [
        Markup('<section><h3>{}</h3><ul role="list">{}</ul></section>').format(
            folder or "Documents", Markup("").join(_document(info) for info in members)
        )
        for folder, members in groupby(ordered[:_MAX_LISTED], key=lambda info: folders(info.id))
    ]
    rest = len(ordered) - _MAX_LISTED
    if rest > 0:
        groups.append(Markup('<p class="dim">and {} more in the library</p>').format(f"{rest:,}"))
    return Markup("").join(groups)


def _document(info: Described) -> Markup:
    dated = wording.document_date(info.metadata)
    return Markup(
        '<li><button type="button" class="document" data-document="{id}">'
        '<span class="title">{title}</span><span class="when">{when}</span>{warning}</button></li>'
    ).format(
        id=info.id,
        title=info.title,
        when=" ".join(dated) if dated else info.id.rpartition("/")[2],
        warning=_warning(wording.standing(info.metadata)),
    )


def _warning(standing: str | None) -> Markup:
    if standing is None:
        return Markup("")
    return Markup('<span class="flag">{}</span>').format(standing)
