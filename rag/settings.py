"""Every setting, once: its name, type, default and meaning.

A setting `name` is the environment variable `RAG_NAME` and the key `name` in `rag.toml`, and the
flag `--name` of the commands that `rag.cli` gives it to; a flag wins over the variable, that over
the file, and that over the default.
"""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from rag.errors import SettingsError

Caution = Literal["cautious", "balanced", "eager"]
Ocr = Literal["auto", "off"]
Precision = Literal["auto", "fp32"]
Library = Literal["auto", "open", "owner", "read"]
Source = Literal["flag", "environment", "file", "index", "default"]

log = logging.getLogger(__name__)

SETTINGS_FILE = "rag.toml"
_PREFIX = "RAG_"
_OTHER_VARIABLES = {
    "RAG_OWNER_PASSWORD",
    "RAG_SHARED", "RAG_STORM", "RAG_STORM_SEED", "RAG_TEST_STORM",  # of tests and benchmarks
}  # fmt: skip


def _setting(
    default: Any, help_text: str, *, least: float | None = None, most: float | None = None
) -> Any:
    return field(default=default, metadata={"help": help_text, "least": least, "most": most})


@dataclass(frozen=True)
class Settings:
    """The effective configuration of one call."""

    corpus: Path = _setting(
        Path("corpus"), "folder of documents; where none is given, the one that the index is of"
    )
    index: Path = _setting(Path("index"), "folder of the index")
    encoder: str = _setting(
        "default",
        "embedding model: 'default' (all-MiniLM-L6-v2, bundled, adapted for questions), or "
        "the name or folder of any sentence-transformers model",
    )
    precision: Precision = _setting(
        "auto",
        "of the vectors that a build makes with the default encoder: auto (bf16 where the "
        "processor multiplies it natively, else fp32) or fp32 (the same on every machine)",
    )
    chunk_tokens: int = _setting(
        180, "longest passage in tokens of the encoder, heading path included", least=32
    )
    keep_generations: int = _setting(3, "how many generations of the index are kept", least=1)
    dense_weight: float = _setting(
        0.7, "share of the embedding score in the ranking, the rest is BM25", least=0.0, most=1.0
    )
    reader: bool = _setting(True, "read the best passages with the bundled reader (slower, better)")
    caution: Caution = _setting("balanced", "when to abstain: cautious, balanced or eager")
    threads: int = _setting(0, "threads for the models; 0 takes all cores", least=0, most=1024)
    max_file_mb: int = _setting(200, "larger documents are skipped, in MB", least=1)
    document_seconds: int = _setting(
        60, "a document that takes longer to read is left out, in seconds", least=1, most=86_400
    )
    document_memory_mb: int = _setting(
        2000,
        "a document that needs more memory to read is left out, in MB",
        least=300,
        most=1_000_000,
    )
    ocr: Ocr = _setting(
        "auto", "read scanned pages of PDFs with tesseract: auto (where it is installed) or off"
    )
    web_allow_private: bool = _setting(
        False, "let `rag add` fetch from this machine and from private networks"
    )
    web_max_mb: int = _setting(20, "`rag add` refuses what is larger, in MB", least=1)
    conversations: str = _setting(
        "beside",
        "folder where the chat keeps conversations and feedback: beside (beside the index, as "
        "INDEX-conversations), off (nothing is kept), or a folder",
    )
    library: Library = _setting(
        "auto",
        "who may upload, delete and rebuild in the chat: auto (anybody at this machine as long as "
        "the page listens to no other, else nobody), open (anybody), owner (who signs in, see "
        "owner_password_file) or read (nobody)",
    )
    owner_password_file: str = _setting(
        "",
        "file whose first line is the owner's password; without it, the environment variable "
        "RAG_OWNER_PASSWORD holds it; with neither, the owner signs in with the key in the link "
        "that `rag chat` prints, which is kept with the conversations: where they are off, a "
        "password is needed",
    )
    library_max_mb: int = _setting(
        5000, "uploads end where the corpus would become larger, in MB", least=1
    )
    library_max_files: int = _setting(
        20000, "uploads end where the corpus would have more files", least=1
    )
    host: str = _setting("127.0.0.1", "address that `rag chat` and `rag serve` listen on")
    allowed_hosts: str = _setting(
        "",
        "further host names that `rag chat` and `rag serve` answer to, with commas between them, "
        "such as that of a proxy before them",
    )
    port: int = _setting(
        7860,
        "port that `rag chat` listens on, or `rag serve` (there 8008 by default); 0 takes any",
        least=0,
        most=65535,
    )


@dataclass(frozen=True)
class Effective:
    """Settings together with where each value came from."""

    settings: Settings
    sources: Mapping[str, Source]


def load_settings(
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Effective:
    """Resolve every setting: flag over environment over `rag.toml` over default.

    A variable that looks like a setting and is none is warned of: others may use the prefix, too.

    Args:
        flags: values given on the command line; None means not given.
        environment: defaults to the process environment; an empty variable counts as not given.
        folder: where `rag.toml` is looked for; defaults to the working directory.
        defaults: those of one command that differ from the rest.

    Raises:
        SettingsError: an unknown name, or a value of the wrong type or range.
    """
    flags, defaults = flags or {}, defaults or {}
    _refuse_unknown(flags, "")
    environment = os.environ if environment is None else environment
    _warn_of_unknown(environment)
    file_values = _read_file((folder or Path()) / SETTINGS_FILE)
    types = get_type_hints(Settings)
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for spec in fields(Settings):
        name, variable = spec.name, _variable(spec.name)
        raw: Any
        source: Source
        if flags.get(name) is not None:
            raw, source, where = flags[name], "flag", f"--{name.replace('_', '-')}"
        elif environment.get(variable):
            raw, source, where = environment[variable], "environment", variable
        elif name in file_values:
            raw, source, where = file_values[name], "file", f"{name} in {SETTINGS_FILE}"
        else:
            values[name], sources[name] = defaults.get(name, spec.default), "default"
            continue
        values[name] = _convert(raw, types[name], where, may_be_empty=spec.default == "")
        _check_range(values[name], where, spec.metadata["least"], spec.metadata["most"])
        sources[name] = source
    return Effective(Settings(**values), sources)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    _refuse_unknown(values, f"{path}: ")
    return values


def _refuse_unknown(values: Mapping[str, Any], where: str) -> None:
    known = {spec.name for spec in fields(Settings)}
    for name in values:
        if name not in known:
            raise SettingsError(f"{where}unknown setting {name!r}; `rag config` lists all of them")


def _variable(name: str) -> str:
    return f"{_PREFIX}{name.upper()}"


def _warn_of_unknown(environment: Mapping[str, str]) -> None:
    known = {_variable(spec.name) for spec in fields(Settings)} | _OTHER_VARIABLES
    set_ = {name for name, value in environment.items() if name.startswith(_PREFIX) and value}
    if unknown := sorted(set_ - known):
        names = ", ".join(unknown)
        log.warning("unknown settings are ignored: %s; `rag config` lists all of them", names)


def _convert(raw: Any, kind: Any, where: str, *, may_be_empty: bool) -> Any:
    """`raw` (text, or a TOML or flag value) as `kind`."""
    choices = get_args(kind)
    try:
        if choices:
            value: Any = str(raw)
            if value not in choices:
                raise ValueError
        elif kind is bool:
            value = raw if isinstance(raw, bool) else _BOOLEANS[str(raw).strip().lower()]
        elif isinstance(raw, bool) or not isinstance(raw, _ACCEPTED[kind]):
            raise TypeError
        elif kind in (str, Path):
            text = _usable(raw, where)
            if not text and not may_be_empty:
                # Nobody means the working directory, or every address of this machine, by a
                # variable that is not set.
                raise SettingsError(f"{where}: {_EMPTY[kind]}")
            value = kind(text)
        else:
            value = kind(raw)
    except (KeyError, TypeError, ValueError):
        expected = " or ".join(choices) if choices else kind.__name__.lower()
        raise SettingsError(f"{where}: expected {expected}, got {str(raw)!r}") from None
    return value


def _usable(raw: Any, where: str) -> str:
    """Text that may be a path, with `~` as a shell reads it: no shell has seen it in a file."""
    text: str = os.fspath(raw)
    if "\0" in text:
        raise SettingsError(f"{where}: {text!r} holds a null character")
    return os.path.expanduser(text)  # noqa: PTH111  Path's own refuses a name that is no user's


def _check_range(value: Any, where: str, least: float | None, most: float | None) -> None:
    # The other way round, "not a number" would pass.
    if least is not None and not value >= least:
        raise SettingsError(f"{where}: must be at least {least:g}, got {value:.15g}")
    if most is not None and not value <= most:
        raise SettingsError(f"{where}: must be at most {most:g}, got {value:.15g}")


_EMPTY = {
    Path: "the path is empty; for the working directory, write .",
    str: "it is empty; leave it out for its default",
}
_ACCEPTED: Mapping[Any, tuple[type, ...]] = {
    int: (str, int),
    float: (str, int, float),
    str: (str, os.PathLike),
    Path: (str, os.PathLike),
}
"""Types of values that can be turned into a setting of this type; text always can be tried."""
_BOOLEANS = {
    "1": True, "true": True, "yes": True, "on": True,
    "0": False, "false": False, "no": False, "off": False,
}  # fmt: skip
