"""The owner of the documents: one role, and one way to become it.

Whoever presents a secret of the owner's gets a token. The token opens what people asked and
thought (`Desk.review`) and, where the library is kept for its owner, changes to it (`Access`).
Both ask `Owner.require` themselves; what the page shows or hides is a courtesy.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from filelock import FileLock

from rag.chat import payloads
from rag.chat.database import folder_of
from rag.chat.origin import Headers, client, require_same_origin
from rag.chat.payloads import Call, Payload, guarded
from rag.errors import ConversationsUnusable, NotAllowed, SettingsError, UsageError
from rag.settings import Settings

PASSWORD_VARIABLE = "RAG_OWNER_PASSWORD"  # noqa: S105  the name, not the password
SHORTEST = 8
_KEY_FILE = "owner-key"
_MAX_SECRET = 1_000
_SIGNED_IN_SECONDS = 12 * 3600
_TRIES = 10
_TRIES_SECONDS = 60
_MOST_SESSIONS = 100


@dataclass
class Owner:
    """The secrets of the owner, and who has signed in. Safe to share between threads.

    Attributes:
        key: the generated secret, which is part of the link; "" if there is none.
        password: SHA-256 of the secret to be typed instead; empty if none was chosen.
        clock: seconds, ascending.
    """

    key: str = field(default="", repr=False)
    password: bytes = field(default=b"", repr=False)
    clock: Callable[[], float] = time.monotonic
    _sessions: dict[bytes, float] = field(default_factory=dict)
    _tries: list[tuple[bytes, float]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @property
    def types(self) -> str:
        """What the owner types to sign in: "password" or "key"."""
        return "password" if self.password else "key"

    def sign_in(self, secret: str, headers: Headers) -> str:
        """A token for whoever has the key or the password, good for twelve hours.

        Raises:
            UsageError: there is no owner here.
            NotAllowed: it is the wrong secret, too many were tried, or another site asks.
        """
        if not self.key and not self.password:
            raise UsageError("Nobody can sign in here.")
        require_same_origin(headers)
        given = _digest(secret)
        with self._lock:
            now = self.clock()
            # Nobody guesses the key: it always opens, whatever others have tried.
            if not self.key or not hmac.compare_digest(given, _digest(self.key)):
                self._check_password(given, client(headers), now)
            token = secrets.token_urlsafe(32)
            self._forget(now)
            self._sessions[_digest(token)] = now + _SIGNED_IN_SECONDS
            return token

    def _check_password(self, given: bytes, who: bytes, now: float) -> None:
        """Return if this is the password. Each address has tries of its own."""
        self._tries = [one for one in self._tries if now - one[1] < _TRIES_SECONDS]
        # Not even the right one is told now, or there would be no limit to guessing.
        if sum(one[0] == who for one in self._tries) >= _TRIES:
            link = ", or open the owner's link" if self.key else ""
            raise NotAllowed(f"Too many wrong tries from your address: wait a minute{link}.")
        if not hmac.compare_digest(given, self.password):
            self._tries.append((who, now))
            raise NotAllowed(f"That is not the owner's {self.types}.")

    def sign_out(self, token: str) -> None:
        """The token is good for nothing from now on."""
        with self._lock:
            self._sessions.pop(_digest(token), None)

    def require(self, token: str) -> None:
        """Return if this is the token of somebody who has signed in.

        Raises:
            NotAllowed: it is not, or not any more.
        """
        # Looked up by its digest: how long that takes tells nothing of the token.
        with self._lock:
            if self._sessions.get(_digest(token), float("-inf")) <= self.clock():
                raise NotAllowed("Only the owner may do this: sign in first.")

    def _forget(self, now: float) -> None:
        live = [(token, end) for token, end in self._sessions.items() if end > now]
        self._sessions = dict(live[-(_MOST_SESSIONS - 1) :])


def owner_calls(owner: Owner) -> list[Call]:
    """What the page's script may ask: a token for a secret, and to forget the token."""

    def sign_in(payload: Payload, headers: Headers) -> Payload:
        return {"token": owner.sign_in(payloads.text(payload, "secret", _MAX_SECRET), headers)}

    def sign_out(payload: Payload, headers: Headers) -> Payload:
        owner.sign_out(payloads.text(payload, "token", _MAX_SECRET))
        return {}

    return [guarded(sign_in), guarded(sign_out)]


def owner_from(settings: Settings, environment: Mapping[str, str] | None = None) -> Owner:
    """The owner that the settings name; nobody, if nothing is kept and the library needs none.

    Raises:
        SettingsError: the password cannot be used, or the library has an owner who has no secret.
        ConversationsUnusable: the key can be neither read nor written.
    """
    folder = folder_of(settings)
    needed = settings.library == "owner"
    if folder is None and not needed:
        return Owner()
    password = _password(settings.owner_password_file, environment)
    if folder is None and not password:
        raise SettingsError(
            "library is 'owner', but with conversations off there is no key in the link, and there "
            "is no password: write one into a file and name it with --owner-password-file, or set "
            f"{PASSWORD_VARIABLE}"
        )
    return Owner(owner_key(folder) if folder else "", _digest(password) if password else b"")


def owner_key(folder: Path) -> str:
    """The generated secret, made when it is first needed; only this user may read it.

    Raises:
        ConversationsUnusable: it can be neither read nor written.
    """
    file = folder / _KEY_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Locked: who comes at the same moment, from another process, must find the same key.
        with FileLock(folder / f"{_KEY_FILE}.lock", mode=0o600, is_singleton=False):
            file.touch(mode=0o600)
            key = file.read_text("ascii").strip()
            if not key:
                key = secrets.token_urlsafe(24)
                file.write_text(key, "ascii")
    except (OSError, UnicodeError) as error:
        raise ConversationsUnusable(
            f"the owner's key cannot be kept in {file} ({error}): make it readable and writable, "
            "set `conversations` to another folder, or to off"
        ) from error
    return key


def _password(file: str, environment: Mapping[str, str] | None) -> str:
    """The password that was chosen; "" if none was."""
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
        if not password:
            return ""
    if len(password) < SHORTEST:
        raise SettingsError(f"the password in {where} is too short: take {SHORTEST} characters")
    return password


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
