"""What was fetched from the web becomes a document of the corpus that knows where it is from.

Of a web page the main text is kept, as Markdown with front matter, unless that would lose headings
or tables; any other document is kept as it is, with its metadata in a file beside it. The same
address always goes to the same file.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from rag.errors import DocumentError, NoText, UsageError, WebError
from rag.loaders import LOADERS, load_bytes
from rag.loaders.fields import SIDECAR, read_fields
from rag.loaders.html import source_text
from rag.loaders.metadata import EVIDENCE
from rag.store.files import describe_error, replace_file
from rag.text.markup import plain_text
from rag.types import Document
from rag.web.fetching import Fetched

_OFFICE = "application/vnd.openxmlformats-officedocument"
_SUFFIXES = {
    "application/epub+zip": ".epub",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/xhtml+xml": ".html",
    "application/xml": ".xml",
    f"{_OFFICE}.presentationml.presentation": ".pptx",
    f"{_OFFICE}.spreadsheetml.sheet": ".xlsx",
    f"{_OFFICE}.wordprocessingml.document": ".docx",
    "message/rfc822": ".eml",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/rtf": ".rtf",
    "text/xml": ".xml",
}
_VAGUE = ("", "text/plain", "application/octet-stream", "application/zip", "binary/octet-stream")
_PAGES = (".html", ".htm")
_ENOUGH_FOUND = 0.5
_PART_AT_MOST = 60
_PARTS_AT_MOST = 8
_DIGEST = "content_sha256"
_FRONT = re.compile(rb"---\r?\n(.*?\n)---\r?\n(?:\r?\n)?", re.DOTALL)
_OURS = ("title", "source", "author", "published", "language", "modified", "retrieved", _DIGEST)

What = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True)
class Added:
    """A page or file that is in the corpus now.

    Attributes:
        url: where it is from, after redirects.
        document: its id in the corpus.
        what: "added"; "changed" if it replaced what was there before from the same address;
            "unchanged" if that was the same, and was left as it is.
    """

    url: str
    document: str
    what: What


def keep(
    fetched: Fetched, corpus: Path, today: date, folder: str = "web", collection: str = ""
) -> Added:
    """Write what was fetched into the corpus.

    Args:
        fetched: the page or file.
        corpus: the folder of documents; made if it is not there.
        today: the date that is noted.
        folder: where in the corpus, below it a folder for each server.
        collection: noted as its collection, if given.

    Raises:
        UsageError: `folder` leads out of the corpus.
        WebError: it is of a kind that cannot be indexed, has no text, or cannot be written.
    """
    suffix = _suffix(fetched)
    content, fields = fetched.content, dict[str, Any]()
    if suffix in _PAGES:
        content, fields, suffix = _main_text(fetched)
    fields["source"] = fetched.url
    fields["modified"] = _day(fetched.modified)
    fields["retrieved"] = today.isoformat()
    fields["collection"] = collection
    fields[_DIGEST] = hashlib.sha256(content).hexdigest()
    try:
        path, before, others = _place(fetched.url, suffix, _inside(corpus, folder))
        own_fields = {k: v for k, v in before.items() if k not in _OURS}
        merged = {**own_fields, **{name: value for name, value in fields.items() if value}}
        notes = _yaml(merged)
        document = path.relative_to(corpus).as_posix()
        was_there = path.exists()
        if (
            not others
            and was_there
            and _kept(path) == content
            and _lasting(before) == _lasting(read_fields(notes.decode("utf-8"))[0])
        ):
            return Added(fetched.url, document, "unchanged")
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".md":
            replace_file(path, b"---\n" + notes + b"---\n\n" + content)
        else:
            # The metadata first: a document without them would not know where it is from.
            replace_file(_beside(path), notes)
            replace_file(path, content)
        for other in others:
            other.unlink(missing_ok=True)
            _beside(other).unlink(missing_ok=True)
    except OSError as error:
        raise WebError(f"{fetched.url} cannot be written to the corpus: {describe_error(error)}") \
            from error  # fmt: skip
    return Added(fetched.url, document, "changed" if was_there or others else "added")


def _suffix(fetched: Fetched) -> str:
    own = PurePosixPath(urlsplit(fetched.url).path).suffix.lower()
    if fetched.media_type in _VAGUE and own in LOADERS:
        return own
    if fetched.media_type == "" and re.search(
        rb"<(?:!doctype )?html", fetched.content[:2000].lower()
    ):
        return ".html"
    if fetched.media_type not in _SUFFIXES:
        kind = fetched.media_type or "something unknown"
        raise WebError(f"{fetched.url} is {kind}, which cannot be indexed: save its text by hand")
    return _SUFFIXES[fetched.media_type]


def _main_text(fetched: Fetched) -> tuple[bytes, dict[str, Any], str]:
    """The main text of a page as Markdown; the page itself where too much of it would be lost."""
    content = fetched.content
    try:
        content = _as_utf8(fetched)
        page = load_bytes(content, "page.html")
    except DocumentError as error:
        blank = isinstance(error, NoText) and content.strip()
        made = " (is it made by scripts?)" if blank else ""
        raise WebError(f"{fetched.url} {error}{made}: save it from a browser") from error
    fields = {
        name: page.metadata[name]
        for name in ("title", "author", "published", "language")
        if name in page.metadata and f"{name}{EVIDENCE}" not in page.metadata
    }
    text = _markdown(content, page)
    found = text.encode("utf-8")
    enough = len(text.split()) >= _ENOUGH_FOUND * len(page.text.split())
    if enough and not _loses_structure(page, load_bytes(found, "page.md")):
        return found, fields, ".md"
    return content, fields, ".html"


def _as_utf8(fetched: Fetched) -> bytes:
    """The page, the same where it is UTF-8 already."""
    try:
        fetched.content.decode("utf-8")
    except UnicodeDecodeError:
        return source_text(fetched.content, fetched.charset).encode("utf-8")
    return fetched.content


def _loses_structure(page: Document, markdown: Document) -> bool:
    """Whether Markdown lacks a row of a table, or a heading although it has what stands below."""
    blocks, kept = _in_words(page), _in_words(markdown)
    text = " ".join(words for _, words in kept)
    missing = set(blocks).difference(kept)
    return any(kind == "row" for kind, _ in missing) or any(
        block[0] == "heading" and block in missing and below in text
        for block, (_, below) in pairwise(blocks)
    )


def _in_words(document: Document) -> list[tuple[str, str]]:
    """Kind and words of each block."""
    found = []
    for block in document.blocks:
        text = plain_text(document.id, document.text[block.start : block.end])
        found.append((str(block.kind), " ".join(re.findall(r"\w+", text))))
    return found


def _markdown(content: bytes, page: Document) -> str:
    # Imported here because only web pages need it.
    import trafilatura

    try:
        found = trafilatura.extract(
            content.decode("utf-8", "replace"),
            output_format="markdown",
            include_comments=False,
            include_tables=True,
            include_links=False,
            favor_recall=True,
        )
    except (RecursionError, ValueError, TypeError, AttributeError):
        found = None
    text = unicodedata.normalize("NFC", (found or "").strip())
    if text and not re.search(r"^# ", text, re.MULTILINE):
        text = f"# {page.title}\n\n{text}"
    return f"{text}\n" if text else ""


def _inside(corpus: Path, folder: str) -> Path:
    """The folder in the corpus.

    Raises:
        UsageError: it leads out of it, or is hidden.
    """
    corpus.mkdir(parents=True, exist_ok=True)
    place = corpus / folder
    if any(part.startswith(".") and part.strip(".") for part in PurePosixPath(folder).parts):
        raise UsageError(f"the folder {folder} is hidden, which builds leave out: name another")
    if not place.resolve().is_relative_to(corpus.resolve()):
        raise UsageError(f"the folder {folder} leads out of the corpus: name one inside it")
    return place


def _place(url: str, suffix: str, folder: Path) -> tuple[Path, Mapping[str, Any], list[Path]]:
    """The file for an address, what is noted of it already, and other files that are from there.

    There are others where an address once led to another kind of file. A file that is from
    elsewhere is never replaced: then the name gets a suffix.
    """
    name = _name(url)
    ours, free = dict[Path, Mapping[str, Any]](), list[Path]()
    for stem in (name, f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"):
        for kind in dict.fromkeys((suffix, *LOADERS)):
            path = folder / f"{stem}{kind}"
            if not path.parent.resolve().is_relative_to(folder.resolve()) or path.is_symlink():
                continue
            fields = _fields(path)
            # What somebody saved by hand, of another kind, is not ours to remove.
            if fields.get("source") == url and (kind == suffix or _DIGEST in fields):
                ours[path] = fields
            elif kind == suffix and not path.exists() and not _beside(path).exists():
                free.append(path)
    fitting = [path for path in ours if path.suffix == suffix] + free
    if not fitting:
        path = folder / f"{name}{suffix}"
        raise WebError(f"{url}: {path} is there already and from elsewhere: rename or remove it")
    path = fitting[0]
    others = [other for other in ours if other != path]
    return path, ours.get(path) or next(iter(ours.values()), {}), others


def _name(url: str) -> str:
    """A path that says where something is from: "agency.example/policies/annual-leave"."""
    parts = urlsplit(url)
    names = [_safe(part) for part in unquote(parts.path).split("/")]
    names = [name for name in names if name] or ["index"]
    stem, dot, suffix = names[-1].rpartition(".")
    if dot and stem and f".{suffix.lower()}" in LOADERS:
        names[-1] = stem
    if len(names) > _PARTS_AT_MOST:
        rest = hashlib.sha256("/".join(names).encode()).hexdigest()[:8]
        names = [*names[: _PARTS_AT_MOST - 1], f"{names[-1]}-{rest}"]
    if parts.query:
        names[-1] += f"-{hashlib.sha256(parts.query.encode()).hexdigest()[:8]}"
    host = _safe(parts.netloc.removeprefix("www."))
    return "/".join([host, *names])


def _safe(part: str) -> str:
    plain = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", part))
    return plain[:_PART_AT_MOST].strip("-.")


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}{SIDECAR}")


def _fields(path: Path) -> Mapping[str, Any]:
    """What is noted of a document in the corpus: in its front matter or in the file beside it."""
    content = b""
    if path.suffix != ".md":
        content = _beside(path).read_bytes() if _beside(path).is_file() else b""
    elif path.is_file() and (front := _FRONT.match(path.read_bytes())):
        content = front[1]
    try:
        return read_fields(content.decode("utf-8"))[0]
    except UnicodeDecodeError:
        return {}


def _kept(path: Path) -> bytes:
    """What was fetched, as it was kept."""
    content = path.read_bytes()
    front = _FRONT.match(content) if path.suffix == ".md" else None
    return content[front.end() :] if front else content


def _lasting(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without the days of fetching and serving, which alone are no change."""
    passing = ("retrieved", "modified")
    return {name: value for name, value in fields.items() if name not in passing}


def _yaml(fields: Mapping[str, Any]) -> bytes:
    import yaml

    text: str = yaml.safe_dump(dict(fields), sort_keys=False, allow_unicode=True, width=1000)
    return text.encode("utf-8")


def _day(header: str) -> str:
    try:
        return parsedate_to_datetime(header).date().isoformat() if header else ""
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
