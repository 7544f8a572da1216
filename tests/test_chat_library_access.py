"""Who may change the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.chat.library_access import Access, access_from
from rag.errors import NotAllowed, SettingsError, UsageError
from rag.settings import Settings

PASSWORD = "correct horse"
HERE = {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}


def owned() -> Access:
    return access_from(Settings(library="owner"), {"RAG_OWNER_PASSWORD": PASSWORD})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("library", "host", "mode"),
    [
        ("auto", "127.0.0.1", "local"),
        ("auto", "localhost", "local"),
        ("auto", "::1", "local"),
        ("auto", "0.0.0.0", "read"),
        ("auto", "10.1.2.3", "read"),
        ("auto", "policies.example", "read"),
        ("open", "0.0.0.0", "open"),
        ("read", "127.0.0.1", "read"),
    ],
)
def test_by_default_only_a_page_for_this_machine_is_open(
    library: str, host: str, mode: str
) -> None:
    assert access_from(Settings(library=library, host=host), {}).mode == mode  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:80", "[::1]:7860", "localhost"])
def test_a_local_page_is_open_to_this_machine(host: str) -> None:
    Access("local").require({"host": host})


@pytest.mark.parametrize(
    "host", ["evil.example:7860", "", "127.0.0.1.evil.example", "[::1", "0.0.0.0"]
)
def test_a_local_page_is_closed_to_names_that_only_lead_here(host: str) -> None:
    with pytest.raises(NotAllowed, match="only be changed on the machine"):
        Access("local").require({"host": host})


@pytest.mark.parametrize("mode", ["open", "local"])
@pytest.mark.parametrize(
    "headers",
    [
        {**HERE, "sec-fetch-site": "cross-site"},
        {**HERE, "sec-fetch-site": "same-site"},
        {"host": "127.0.0.1:7860", "origin": "http://evil.example"},
        {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:3000"},
        {"host": "127.0.0.1:7860", "origin": "null"},
    ],
)
def test_pages_of_other_sites_are_refused(mode: str, headers: dict[str, str]) -> None:
    with pytest.raises(NotAllowed, match="another site"):
        Access(mode).require(headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "headers",
    [
        HERE,
        {**HERE, "sec-fetch-site": "same-origin"},
        {"host": "127.0.0.1:7860"},
        {"host": "inner:80", "x-forwarded-host": "a.example", "origin": "https://a.example"},
    ],
)
def test_our_own_page_and_scripts_are_let_in(headers: dict[str, str]) -> None:
    Access("open").require(headers)


def test_a_library_for_reading_lets_nobody_change_it() -> None:
    with pytest.raises(NotAllowed, match="can only be read"):
        Access("read").require(HERE)


def test_the_owner_signs_in_with_the_password_and_out_again() -> None:
    access = owned()
    for token in ("", "guessed"):
        with pytest.raises(NotAllowed, match="Only the owner"):
            access.require(HERE, token)
    token = access.sign_in(PASSWORD, HERE)
    access.require(HERE, token)
    assert access.sign_in(PASSWORD, HERE) != token
    access.sign_out(token)
    assert access.refusal(HERE, token)


def test_a_wrong_password_is_refused_and_guessing_is_slowed_down() -> None:
    access, access.clock = owned(), Clock()
    for _ in range(10):
        with pytest.raises(NotAllowed, match="not the owner's password"):
            access.sign_in("correct horsf", HERE)
    with pytest.raises(NotAllowed, match="Too many"):
        access.sign_in(PASSWORD, HERE)
    access.clock.now = 61
    assert access.sign_in(PASSWORD, HERE)


def test_a_session_ends_after_twelve_hours() -> None:
    access, access.clock = owned(), Clock()
    token = access.sign_in(PASSWORD, HERE)
    access.clock.now = 12 * 3600 - 1
    assert access.refusal(HERE, token) == ""
    access.clock.now = 12 * 3600
    assert access.refusal(HERE, token)


def test_only_the_newest_hundred_sessions_are_kept() -> None:
    access = owned()
    tokens = [access.sign_in(PASSWORD, HERE) for _ in range(120)]
    assert access.refusal(HERE, tokens[0])
    assert access.refusal(HERE, tokens[-1]) == ""


def test_another_site_cannot_sign_in() -> None:
    with pytest.raises(NotAllowed, match="another site"):
        owned().sign_in(PASSWORD, {"host": "a", "origin": "http://b"})


def test_nobody_signs_in_where_there_is_no_owner() -> None:
    with pytest.raises(UsageError):
        Access("open").sign_in("", HERE)


def test_the_password_may_be_the_first_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nnothing else counts\n", "utf-8")
    access = access_from(Settings(library="owner", owner_password_file=str(file)), {})
    assert access.sign_in(PASSWORD, HERE)


def test_an_owner_without_a_good_password_is_an_error_of_one_line(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("1234567\n", "utf-8")
    for file, environment, words in (
        ("", {}, "--owner-password-file"),
        ("", {"RAG_OWNER_PASSWORD": "1234567"}, "RAG_OWNER_PASSWORD is too short"),
        (str(short), {}, "too short"),
        (str(tmp_path / "none"), {}, "cannot be read"),
    ):
        with pytest.raises(SettingsError, match=words) as caught:
            access_from(Settings(library="owner", owner_password_file=file), environment)
        assert "\n" not in str(caught.value)
        assert "1234567" not in str(caught.value)


def test_the_password_itself_is_kept_nowhere() -> None:
    assert PASSWORD not in repr(owned())
