"""Options that several commands share, and the settings they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from rag.settings import Effective, Settings, load_settings
from rag.store.manifest import current_generation, generations_folder, read_manifest
from rag.store.noted import with_noted_corpus

Command = TypeVar("Command", bound=Callable[..., Any])

_HELP = {spec.name: spec.metadata["help"] for spec in fields(Settings)}
_DEFAULT = {spec.name: spec.default for spec in fields(Settings)}


def setting(
    name: str, text: str = "", own: Any = None, **attributes: Any
) -> Callable[[Command], Command]:
    """The option `--name` of a setting, with its help and default or those of one command."""
    text = f"{text or _HELP[name]}  [default: {own or _DEFAULT[name]}]"
    flag = f"--{name.replace('_', '-')}"
    if isinstance(_DEFAULT[name], bool):
        flag = f"{flag}/--no-{name.replace('_', '-')}"
        attributes.setdefault("default", None)
    return click.option(flag, name, help=text, **attributes)


def index_option(command: Command) -> Command:
    """The option `--index DIR`."""
    return setting("index", metavar="DIR")(command)


def json_option(command: Command) -> Command:
    """The option `--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print JSON on stdout and nothing else."
    )(command)


def where_option(command: Command) -> Command:
    """The option `--where`, which may be given several times."""
    return click.option(
        "--where",
        multiple=True,
        metavar="CONDITION",
        help="Search only documents that meet it, such as collection=handbook, "
        '"path=travel/*", language=en, tags=leave, "effective_date>=2024-01-01", '
        '"published<2023", "version!=1.0", or as_of=2024-06-01 for what was in effect on '
        "that day. Several: all must hold.",
    )(command)


def answering_options(command: Command) -> Command:
    """The options that change how a question is answered."""
    for name in ("caution", "reader", "encoder"):
        command = setting(name)(command)
    command = setting("threads", type=int)(command)
    return click.option(
        "--quick", is_flag=True, help="Answer without the reader; the same as --no-reader."
    )(command)


def settings_from(flags: dict[str, Any], **defaults: Any) -> Settings:
    """The effective settings, given a command's options and the defaults that are its own.

    Raises:
        SettingsError: a value is not possible.
    """
    return effective_from(flags, **defaults).settings


def effective_from(flags: dict[str, Any], **defaults: Any) -> Effective:
    """The same, with where each value came from.

    A command that takes a corpus and is given none gets the folder that the index was made from.

    Raises:
        SettingsError: a value is not possible.
    """
    if flags.pop("quick", False):
        flags["reader"] = False
    effective = load_settings(flags, defaults=defaults)
    return with_noted_corpus(effective) if "corpus" in flags else effective


def refuse_other_encoder(settings: Settings) -> None:
    """Fail before anything is loaded or fetched that cannot be compared with the index.

    Raises:
        IndexNotFound, IndexDamaged: there is no index, or it cannot be read.
        IndexIncompatible: see `check_names`.
    """
    # numpy comes with it, which settings alone do not need.
    from rag.encoders import check_names

    index = settings.index
    manifest = read_manifest(generations_folder(index) / current_generation(index))
    check_names(settings.encoder, manifest.encoder)
