"""A version of a document as something to click."""

from __future__ import annotations

from markupsafe import Markup

from rag.catalogue.versions import Version


def version_html(version: Version) -> Markup:
    """A version with its date, to be opened."""
    return Markup(
        '<button type="button" class="document" data-document="{id}">{title}</button>{dated}'
    ).format(
        id=version.id,
        title=version.title,
        dated=f", {version.dated}" if version.dated else "",
    )
