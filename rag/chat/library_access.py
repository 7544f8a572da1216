"""Who may change the library. Asked by every call that changes something, before it does.

The page hides what is not allowed, but that is a courtesy: the guard is `Access.require`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import Literal
from urllib.parse import urlsplit

from rag.errors import NotAllowed, SettingsError, UsageError
from rag.settings import Settings

PASSWORD_VARIABLE = "RAG_OWNER_PASSWORD"  # noqa: S105  the name, not the password
SHORTEST = 8
_SIGNED_IN_SECONDS = 12 * 3600
_TRIES = 10
_TRIES_SECONDS = 60
_MOST_SESSIONS = 100

Mode = Literal["open", "local", "owner", "read"]
Headers = Mapping[str, str]
"""The headers of a request, names in lower case."""


@dataclass
class Access:
    """The rule, and who has signed in as owner. Safe to share between threads.

    Attributes:
        mode: "open" lets anybody in, "local" whoever speaks to this machine by a name of its own,
            "owner" whoever has signed in, "read" nobody.
        password: SHA-256 of the owner's password; empty but in the mode "owner".
        clock: seconds, ascending.
    """

    mode: Mode
    password: bytes = b""
    clock: Callable[[], float] = time.monotonic
    _sessions: dict[bytes, float] = field(default_factory=dict)
    _tries: list[float] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def require(self, headers: Headers, token: str = "") -> None:
        """Return if this request may change the library.

        Args:
            headers: of the request.
            token: what `sign_in` gave.

        Raises:
            NotAllowed: with the reason.
        """
        if not _same_origin(headers):
            raise NotAllowed("This request came from another site and was refused.")
        if self.mode == "read":
            raise NotAllowed(
                "This library can only be read here. Whoever runs it can change that with the "
                "setting `library`."
            )
        if self.mode == "local" and not _is_loopback(_host_name(headers.get("host", ""))):
            raise NotAllowed("This library can only be changed on the machine that it runs on.")
        if self.mode == "owner" and not self._signed_in(token):
            raise NotAllowed("Only the owner may do this: sign in with the owner's password.")

    def refusal(self, headers: Headers, token: str = "") -> str:
        """Why `require` would not return; "" if it would."""
        try:
            self.require(headers, token)
        except NotAllowed as error:
            return str(error)
        return ""

    def sign_in(self, password: str, headers: Headers) -> str:
        """A token for the owner, good for twelve hours or until the server stops.

        Raises:
            UsageError: there is no owner here.
            NotAllowed: it is the wrong password, or too many were tried.
        """
        if self.mode != "owner":
            raise UsageError("Nobody has to sign in here.")
        if not _same_origin(headers):
            raise NotAllowed("This request came from another site and was refused.")
        with self._lock:
            now = self.clock()
            self._tries = [tried for tried in self._tries if now - tried < _TRIES_SECONDS]
            if len(self._tries) >= _TRIES:
                raise NotAllowed("Too many wrong passwords: try again in a minute.")
            if not hmac.compare_digest(_digest(password), self.password):
                self._tries.append(now)
                raise NotAllowed("That is not the owner's password.")
            token = secrets.token_urlsafe(32)
            self._forget(now)
            self._sessions[_digest(token)] = now + _SIGNED_IN_SECONDS
            return token

    def sign_out(self, token: str) -> None:
        """The token is good for nothing from now on."""
        with self._lock:
            self._sessions.pop(_digest(token), None)

    def _signed_in(self, token: str) -> bool:
        # Looked up by its digest: how long that takes tells nothing of the token.
        with self._lock:
            return self._sessions.get(_digest(token), float("-inf")) > self.clock()

    def _forget(self, now: float) -> None:
        live = sorted((end, key) for key, end in self._sessions.items() if end > now)
        self._sessions = {key: end for end, key in live[-(_MOST_SESSIONS - 1) :]}


def access_from(settings: Settings, environment: Mapping[str, str] | None = None) -> Access:
    """The rule that the settings name.

    Raises:
        SettingsError: the library has an owner, but no usable password.
    """
    if settings.library == "auto":
        return Access("local" if _is_loopback(settings.host) else "read")
    if settings.library == "owner":
        return Access("owner", _digest(_password(settings.owner_password_file, environment)))
    return Access(settings.library)


def _password(file: str, environment: Mapping[str, str] | None) -> str:
    if file:
        try:
            first, *_ = Path(file).read_text("utf-8").splitlines() or [""]
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"owner_password_file: {file} cannot be read ({error}): name a text file whose "
                "first line is the password"
            ) from error
        password, where = first.strip(), file
    else:
        environment = os.environ if environment is None else environment
        password, where = environment.get(PASSWORD_VARIABLE, "").strip(), PASSWORD_VARIABLE
    if not password and not file:
        raise SettingsError(
            "library is 'owner', but there is no password: write one into a file and name it with "
            f"--owner-password-file, or set {PASSWORD_VARIABLE}"
        )
    if len(password) < SHORTEST:
        raise SettingsError(f"the password in {where} is too short: take {SHORTEST} characters")
    return password


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _same_origin(headers: Headers) -> bool:
    """Whether a page of this server asked, or no page at all.

    Browsers say so themselves where the connection is safe. Elsewhere the page's address has to
    be the one that was asked, also behind a proxy.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    ours = {headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")}
    return urlsplit(origin).netloc.lower() in {name.strip().lower() for name in ours if name}


def _host_name(host: str) -> str:
    """A `Host` header without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
