"""What a generation says about itself, and the pointer to the published one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from itertools import accumulate
from pathlib import Path

from rag.errors import IndexDamaged, IndexIncompatible, IndexNotFound
from rag.store.files import digests_of, fingerprint_of, replace_file, sha256_of

FORMAT = 3
POINTER = "CURRENT"
MANIFEST = "manifest.json"

_REMEDY = "run `rag build` for a new generation"
_READERS = 2
"""Files whose digests are computed at once."""


@dataclass(frozen=True)
class FileInfo:
    """One file of a generation.

    Attributes:
        size: in bytes.
        sha256: of its bytes, for whoever wants to be sure.
        xxh3: the same as 64-bit XXH3, which takes a third of the time to compare; "" in
            generations that were written before it was kept.
    """

    size: int
    sha256: str
    xxh3: str = ""


@dataclass(frozen=True)
class Manifest:
    """The content of `manifest.json`.

    Attributes:
        generation: id, equal to the name of the folder.
        created: UTC, ISO 8601.
        encoder: name of the embedding model, as in the settings.
        encoder_digest: changes whenever vectors may differ.
        dimension: length of a vector.
        chunking: digest of the rules and limits by which documents were cut.
        documents: how many documents.
        chunks: how many chunks.
        sentences: how many sentences.
        files: every file of the generation but this one.
        vector_index: how chunks are found by their vectors: the kind, and its parameters.
        format: version of the layout.
    """

    generation: str
    created: str
    encoder: str
    encoder_digest: str
    dimension: int
    chunking: str
    documents: int
    chunks: int
    sentences: int
    files: Mapping[str, FileInfo]
    vector_index: Mapping[str, str | int] = field(default_factory=dict)
    format: int = FORMAT


_FIELDS = {spec.name for spec in fields(Manifest)}


def generations_folder(index: Path) -> Path:
    """Where the generations of an index lie."""
    return index / "generations"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` durably into a generation's folder."""
    replace_file(folder / MANIFEST, json.dumps(asdict(manifest), indent=1).encode())


def read_manifest(folder: Path) -> Manifest:
    """Read a generation's manifest.

    Raises:
        IndexDamaged: it is missing or not readable.
        IndexIncompatible: another version of this program wrote it.
    """
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != FORMAT:
            raise IndexIncompatible(
                f"{path} has format {data['format']}, this program reads {FORMAT}: "
                "run `rag build` to make a new generation"
            )
        data["files"] = {name: FileInfo(**info) for name, info in data["files"].items()}
        # What another version of the same format says besides is no damage.
        return Manifest(**{name: data[name] for name in _FIELDS & data.keys()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexDamaged(
            f"{path} cannot be read ({error or type(error).__name__}): run `rag build` for a new "
            "generation"
        ) from error


def current_generation(index: Path) -> str:
    """The id of the published generation.

    Raises:
        IndexNotFound: nothing has been published in this folder.
        IndexDamaged: the pointer cannot be read.
    """
    path = index / POINTER
    try:
        data = json.loads(path.read_text("utf-8"))
        name = data["generation"]
        if not isinstance(name, str) or not name or Path(name).name != name:
            raise ValueError("not a generation's id")
    except (FileNotFoundError, NotADirectoryError):
        raise IndexNotFound(
            f"there is no index in {index}: make one with `rag build CORPUS --index {index}`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDamaged(
            f"{path} cannot be read ({error}): run `rag build` for a new generation"
        ) from error
    return name


def publish(index: Path, generation: str) -> None:
    """Make a generation the one that answers. This rename is the commit."""
    replace_file(index / POINTER, json.dumps({"generation": generation}).encode())


def describe_files(folder: Path) -> dict[str, FileInfo]:
    """Size and digest of every file below `folder` but the manifest."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    with ThreadPoolExecutor(_READERS) as pool:
        digests = pool.map(digests_of, paths)
        return {
            path.relative_to(folder).as_posix(): FileInfo(path.stat().st_size, *both)
            for path, both in zip(paths, digests, strict=True)
        }


def verify(folder: Path, manifest: Manifest, checked: int | None) -> None:
    """Compare a generation's files with its manifest.

    Args:
        folder: the generation.
        manifest: what it should hold.
        checked: how many bytes, the smallest files first, are compared with their digests; None
            compares all. Existence and size are always compared.

    Raises:
        IndexDamaged: the first file that differs, by name.
    """
    by_size = sorted(manifest.files.items(), key=lambda item: (item[1].size, item[0]))
    for name, info in by_size:
        path = folder / name
        try:
            size = path.stat().st_size
        except OSError:
            raise IndexDamaged(f"{path} is missing: {_REMEDY}") from None
        if size != info.size:
            raise IndexDamaged(f"{path} has {size} bytes instead of {info.size}: {_REMEDY}")
    read = accumulate(info.size for _, info in by_size)
    count = sum(1 for size in read if checked is None or size <= checked)
    with ThreadPoolExecutor(_READERS) as pool:
        # The results are looked at in order, so the first that differs is always the same.
        for _ in pool.map(lambda item: _compare(folder / item[0], item[1]), by_size[:count]):
            pass


def _compare(path: Path, info: FileInfo) -> None:
    try:
        intact = _is_intact(path, info)
    except OSError as error:
        raise IndexDamaged(
            f"{path} cannot be read ({error.strerror or error}): {_REMEDY}"
        ) from error
    if not intact:
        raise IndexDamaged(f"{path} differs from its checksum: {_REMEDY}")


def _is_intact(path: Path, info: FileInfo) -> bool:
    if info.xxh3:
        return fingerprint_of(path) == info.xxh3
    return sha256_of(path) == info.sha256
