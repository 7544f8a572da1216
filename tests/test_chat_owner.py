"""The owner: which secrets there are, how one signs in with them, and for how long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from rag.chat.origin import CLIENT
from rag.chat.owner import Owner, owner_calls, owner_from, owner_key
from rag.errors import ConversationsUnusable, NotAllowed, SettingsError, UsageError
from rag.settings import Settings

PASSWORD = "correct horse"
CHOSEN = {"RAG_OWNER_PASSWORD": PASSWORD}
HERE = {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def owner() -> Owner:
    return Owner(key="k" * 32, clock=Clock())


def kept_in(folder: Path, **more: Any) -> Settings:
    return Settings(index=folder / "index", conversations=str(folder / "kept"), **more)


def test_the_key_gives_a_token_until_signing_out(owner: Owner) -> None:
    for token in ("", "guessed", owner.key):
        with pytest.raises(NotAllowed, match="Only the owner"):
            owner.require(token)
    token = owner.sign_in(owner.key, HERE)
    owner.require(token)
    assert owner.sign_in(owner.key, HERE) != token
    owner.sign_out(token)
    with pytest.raises(NotAllowed, match="Only the owner"):
        owner.require(token)


def test_guessing_is_slowed_down_but_does_not_keep_out_the_owner(tmp_path: Path) -> None:
    owner = owner_from(kept_in(tmp_path), CHOSEN)
    owner.clock = Clock()
    stranger, same_network = ({**HERE, CLIENT: f"2001:db8::{n}"} for n in (1, 2))
    for _ in range(10):
        with pytest.raises(NotAllowed, match="not the owner's password"):
            owner.sign_in("guessed", stranger)
    for secret, who in (("guessed", stranger), (PASSWORD, same_network)):
        with pytest.raises(NotAllowed, match="Too many wrong tries from your address"):
            owner.sign_in(secret, who)
    assert owner.sign_in(owner.key, stranger)
    for address in ("2001:db8:0:1::1", "192.0.2.7", "::ffff:192.0.2.8", ""):
        assert owner.sign_in(PASSWORD, {**HERE, CLIENT: address})
    owner.clock.now = 61
    assert owner.sign_in(PASSWORD, stranger)


def test_a_session_ends_after_twelve_hours(owner: Owner) -> None:
    token = owner.sign_in(owner.key, HERE)
    owner.clock.now = 12 * 3600 - 1  # type: ignore[attr-defined]
    owner.require(token)
    owner.clock.now = 12 * 3600  # type: ignore[attr-defined]
    with pytest.raises(NotAllowed):
        owner.require(token)


def test_only_the_newest_hundred_sessions_are_kept(owner: Owner) -> None:
    tokens = [owner.sign_in(owner.key, HERE) for _ in range(120)]
    owner.require(tokens[-1])
    with pytest.raises(NotAllowed):
        owner.require(tokens[0])


@pytest.mark.parametrize(
    "headers",
    [{"host": "a", "origin": "http://b"}, {**HERE, "sec-fetch-site": "cross-site"}],
)
def test_another_site_cannot_sign_in(owner: Owner, headers: dict[str, str]) -> None:
    with pytest.raises(NotAllowed, match="another site"):
        owner.sign_in(owner.key, headers)


@pytest.mark.parametrize("secret", ["", "anything"])
def test_where_there_is_no_owner_nobody_can_sign_in(secret: str) -> None:
    with pytest.raises(UsageError, match="Nobody can sign in here"):
        Owner().sign_in(secret, HERE)
    with pytest.raises(NotAllowed):
        Owner().require("")


def test_neither_secrets_nor_tokens_can_be_read_off_the_owner(tmp_path: Path) -> None:
    owner = owner_from(kept_in(tmp_path), CHOSEN)
    token = owner.sign_in(PASSWORD, HERE)
    for secret in (PASSWORD, owner.key, token):
        assert secret not in repr(owner)


@pytest.mark.parametrize("library", ["auto", "open", "owner", "read"])
def test_without_a_password_the_key_of_the_link_is_the_way_in(tmp_path: Path, library: Any) -> None:
    owner = owner_from(kept_in(tmp_path, library=library), {})
    assert owner.types == "key"
    assert owner.key == (tmp_path / "kept" / "owner-key").read_text("ascii")
    owner.require(owner.sign_in(owner.key, HERE))


def test_a_password_is_typed_instead_and_the_link_keeps_working(tmp_path: Path) -> None:
    owner = owner_from(kept_in(tmp_path), CHOSEN)
    assert owner.types == "password"
    for secret in (PASSWORD, owner.key):
        owner.require(owner.sign_in(secret, HERE))
    for wrong in ("", "correct horsf", PASSWORD + owner.key):
        with pytest.raises(NotAllowed, match="not the owner's password"):
            owner.sign_in(wrong, HERE)


def test_where_nothing_is_kept_the_password_is_the_only_way_in() -> None:
    settings = Settings(library="owner", conversations="off")
    owner = owner_from(settings, CHOSEN)
    assert owner.key == ""
    owner.require(owner.sign_in(PASSWORD, HERE))
    with pytest.raises(NotAllowed):
        owner.sign_in("", HERE)
    with pytest.raises(SettingsError, match=r"there is no password: .*--owner-password-file"):
        owner_from(settings, {})


def test_where_nothing_is_kept_and_the_library_has_no_owner_there_is_none() -> None:
    owner = owner_from(Settings(conversations="off"), CHOSEN)
    with pytest.raises(UsageError, match="Nobody can sign in here"):
        owner.sign_in(PASSWORD, HERE)


def test_the_password_may_be_the_first_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nnothing else counts\n", "utf-8")
    owner = owner_from(kept_in(tmp_path, owner_password_file=str(file)), {})
    assert owner.sign_in(PASSWORD, HERE)


@pytest.mark.parametrize("library", ["auto", "owner"])
def test_a_password_that_is_no_good_is_an_error_of_one_line(tmp_path: Path, library: Any) -> None:
    short = tmp_path / "short"
    short.write_text("1234567\n", "utf-8")
    (tmp_path / "empty").touch()
    for file, environment, words in (
        ("", {"RAG_OWNER_PASSWORD": "1234567"}, "RAG_OWNER_PASSWORD is too short"),
        (str(short), {}, "too short"),
        (str(tmp_path / "empty"), {}, "too short"),
        (str(tmp_path / "none"), {}, "cannot be read"),
    ):
        settings = kept_in(tmp_path, library=library, owner_password_file=file)
        with pytest.raises(SettingsError, match=words) as caught:
            owner_from(settings, environment)
        assert "\n" not in str(caught.value)
        assert "1234567" not in str(caught.value)


def test_the_key_stays_the_same_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    key = owner_key(folder)
    assert owner_key(folder) == key
    assert len(key) >= 32
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "owner-key").stat().st_mode & 0o077 == 0


def test_who_comes_at_the_same_moment_finds_the_same_key(tmp_path: Path) -> None:
    together = Barrier(8)

    def key(folder: Path) -> str:
        together.wait()
        return owner_key(folder)

    with ThreadPoolExecutor(8) as pool:
        for number in range(6):
            assert len(set(pool.map(key, [tmp_path / str(number)] * 8))) == 1


def test_an_empty_file_is_not_taken_for_a_key(tmp_path: Path) -> None:
    (tmp_path / "owner-key").touch(mode=0o600)
    assert len(owner_key(tmp_path)) >= 32


def test_a_key_that_cannot_be_kept_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "owner-key").mkdir()
    with pytest.raises(ConversationsUnusable, match="set `conversations` to another folder"):
        owner_key(tmp_path)


def test_the_script_gets_a_token_or_the_reason(owner: Owner) -> None:
    sign_in, sign_out = owner_calls(owner)
    for wrong in ({}, {"secret": 7}, {"secret": "ü"}, "no object"):
        assert "not the owner's key" in sign_in(wrong, HERE)["error"]  # type: ignore[arg-type]
    assert "too long" in sign_in({"secret": "k" * 1_001}, HERE)["error"]
    token = sign_in({"secret": owner.key}, HERE)["token"]
    owner.require(token)
    assert sign_out({"token": token}, HERE) == {}
    with pytest.raises(NotAllowed):
        owner.require(token)
