"""Settings: flag over environment over file over default, and errors that name all three."""

from __future__ import annotations

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from rag.errors import SettingsError
from rag.settings import SETTINGS_FILE, Settings, load_settings


def write(folder: Path, text: str) -> None:
    (folder / SETTINGS_FILE).write_text(text, "utf-8")


def wrong(**given: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(**{"environment": {}, **given})
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_flag_over_environment_over_file_over_default(tmp_path: Path) -> None:
    flags: dict[str, Any] = {}
    environment: dict[str, str] = {}

    def value() -> tuple[int, str]:
        effective = load_settings(flags, environment, tmp_path)
        return effective.settings.chunk_tokens, effective.sources["chunk_tokens"]

    assert value() == (Settings().chunk_tokens, "default")
    write(tmp_path, "chunk_tokens = 101")
    assert value() == (101, "file")
    environment["RAG_CHUNK_TOKENS"] = "102"
    assert value() == (102, "environment")
    flags["chunk_tokens"] = 103
    assert value() == (103, "flag")
    flags["chunk_tokens"] = None
    assert value() == (102, "environment")


@pytest.mark.parametrize("name", [spec.name for spec in fields(Settings)])
def test_every_setting_can_be_set_everywhere(tmp_path: Path, name: str) -> None:
    default = getattr(Settings(), name)
    others = [c for c in get_args(get_type_hints(Settings)[name]) if c != default] or ["other"]
    other = {bool: not default, int: 777, float: 0.25}.get(type(default), others[0])
    expected = type(default)(other)
    spelled = str(other).lower() if isinstance(other, bool | int | float) else f'"{other}"'
    write(tmp_path, f"{name} = {spelled}")
    in_file = load_settings({}, {}, tmp_path)
    in_environment = load_settings({}, {f"RAG_{name.upper()}": str(other)}, tmp_path / "none")
    as_flag = load_settings({name: other}, {}, tmp_path / "none")
    for effective in (in_file, in_environment, as_flag):
        assert getattr(effective.settings, name) == expected
        assert type(getattr(effective.settings, name)) is type(expected)


def test_every_setting_says_what_it_is() -> None:
    for spec in fields(Settings):
        assert spec.metadata["help"].strip()


@pytest.mark.parametrize("name", ["host", "encoder", "conversations"])
def test_an_empty_name_is_refused(tmp_path: Path, name: str) -> None:
    """Of a host it would be every address of this machine."""
    with pytest.raises(SettingsError, match=f"--{name}: it is empty; leave it out"):
        load_settings({name: ""}, {}, tmp_path)
    assert load_settings({"allowed_hosts": ""}, {}, tmp_path).settings.allowed_hosts == ""


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    """`RAG_INDEX=` clears a variable; it does not name the current folder."""
    (tmp_path / "rag.toml").write_text('corpus = "from-file"\n')
    cleared = load_settings({}, {"RAG_INDEX": "", "RAG_CORPUS": "", "RAG_THREADS": ""}, tmp_path)
    assert cleared.settings.index == Path("index")
    assert cleared.settings.corpus == Path("from-file")
    assert cleared.sources["index"] == "default"


def test_a_command_may_have_defaults_of_its_own() -> None:
    own = load_settings({}, {}, defaults={"port": 8008})
    assert (own.settings.port, own.sources["port"]) == (8008, "default")
    assert load_settings({}, {"RAG_PORT": "1"}, defaults={"port": 8008}).settings.port == 1


def test_a_mistyped_variable_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    others = {"RAG_SHARED": "x", "RAG_OWNER_PASSWORD": "x", "RAG_INDEX": "x", "RAG_EMPTY": ""}
    load_settings({}, others)
    assert caplog.records == []
    load_settings({}, {**others, "RAG_INDX": "i", "RAG_QUICK": "1"})
    expected = "unknown settings are ignored: RAG_INDX, RAG_QUICK; `rag config` lists all of them"
    assert caplog.record_tuples == [("rag.settings", logging.WARNING, expected)]


def test_the_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_INDEX", "elsewhere")
    monkeypatch.setenv("RAG_SHARED", "not a setting")
    assert load_settings().settings.index == Path("elsewhere")


def test_the_file_is_looked_for_in_the_working_directory() -> None:
    write(Path(), 'index = "from-file"')
    assert load_settings(environment={}).settings.index == Path("from-file")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("true", True), ("YES", True), (" on ", True),
     ("0", False), ("False", False), ("no", False), ("OFF", False)],
)  # fmt: skip
def test_yes_and_no_have_several_names(text: str, value: bool) -> None:
    assert load_settings({}, {"RAG_READER": text}).settings.reader is value


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("chunk_tokens", "many", "expected int, got 'many'"),
        ("chunk_tokens", " ", "expected int, got ' '"),
        ("chunk_tokens", "12.5", "expected int, got '12.5'"),
        ("chunk_tokens", "31", "must be at least 32, got 31"),
        ("keep_generations", "0", "must be at least 1, got 0"),
        ("threads", "-1", "must be at least 0, got -1"),
        ("dense_weight", "heavy", "expected float, got 'heavy'"),
        ("dense_weight", "1.5", "must be at most 1, got 1.5"),
        ("dense_weight", "nan", "must be at least 0, got nan"),
        ("dense_weight", "inf", "must be at most 1, got inf"),
        ("port", "65536", "must be at most 65535, got 65536"),
        ("reader", "maybe", "expected bool, got 'maybe'"),
        ("caution", "bold", "expected cautious or balanced or eager, got 'bold'"),
    ],
)
def test_a_wrong_value_names_key_value_and_what_is_expected(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    assert wrong(environment={f"RAG_{name.upper()}": value}) == f"RAG_{name.upper()}: {expected}"
    assert wrong(flags={name: value}) == f"--{name.replace('_', '-')}: {expected}"
    write(tmp_path, f'{name} = "{value}"')
    assert wrong(folder=tmp_path) == f"{name} in rag.toml: {expected}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("chunk_tokens = true", "chunk_tokens in rag.toml: expected int, got 'True'"),
        ("chunk_tokens = 180.7", "chunk_tokens in rag.toml: expected int, got '180.7'"),
        ("reader = 2", "reader in rag.toml: expected bool, got '2'"),
        ('encoder = ["a"]', "encoder in rag.toml: expected str, got \"['a']\""),
        ("index = 3", "index in rag.toml: expected path, got '3'"),
        ("host = {a = 1}", "host in rag.toml: expected str, got \"{'a': 1}\""),
    ],
)
def test_a_value_of_another_type_in_the_file_is_refused(
    tmp_path: Path, line: str, expected: str
) -> None:
    write(tmp_path, line)
    assert wrong(folder=tmp_path) == expected


@pytest.mark.parametrize("name", ["corpus", "index"])
def test_a_path_that_is_empty_is_refused(tmp_path: Path, name: str) -> None:
    """It would be the working directory."""
    reason = "the path is empty; for the working directory, write ."
    assert wrong(flags={name: ""}) == f"--{name}: {reason}"
    write(tmp_path, f'{name} = ""')
    assert wrong(folder=tmp_path) == f"{name} in rag.toml: {reason}"
    assert load_settings({name: "."}, {}).settings == load_settings({name: Path()}, {}).settings


@pytest.mark.parametrize("name", ["index", "host", "owner_password_file"])
def test_a_null_character_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, f'{name} = "a\\u0000b"')
    assert wrong(folder=tmp_path) == f"{name} in rag.toml: 'a\\x00b' holds a null character"


@pytest.mark.parametrize("name", ["index", "encoder", "conversations", "owner_password_file"])
def test_a_tilde_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, f'{name} = "~/x"')
    for given in ({"flags": {name: "~/x"}}, {"environment": {f"RAG_{name.upper()}": "~/x"}},
                  {"folder": tmp_path}):  # fmt: skip
        effective = load_settings(**{"environment": {}, **given})  # type: ignore[arg-type]
        assert str(getattr(effective.settings, name)) == str(tmp_path / "x")
    assert str(getattr(load_settings({name: "~no/one"}).settings, name)) == "~no/one"


def test_the_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    write(tmp_path, "\ufeffthreads = 3")
    assert load_settings({}, {}, tmp_path).settings.threads == 3


def test_a_whole_number_is_a_number_with_a_fraction() -> None:
    assert load_settings({"dense_weight": 1}, {}).settings.dense_weight == 1.0


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "chunk_token = 5")
    assert wrong(folder=tmp_path) == (
        f"{tmp_path / 'rag.toml'}: unknown setting 'chunk_token'; `rag config` lists all of them"
    )


def test_an_unknown_setting_in_a_call_is_refused() -> None:
    assert wrong(flags={"chunk_token": 5}) == (
        "unknown setting 'chunk_token'; `rag config` lists all of them"
    )


@pytest.mark.parametrize("content", [b"chunk_tokens = ", b"\xff\xfe", b"[[[", b"a = 1\na = 2"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(content)
    assert wrong(folder=tmp_path).startswith(f"{tmp_path / 'rag.toml'} cannot be read: ")


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).mkdir()
    assert wrong(folder=tmp_path).startswith(f"{tmp_path / 'rag.toml'} cannot be read: ")
