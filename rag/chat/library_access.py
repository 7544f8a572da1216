"""Who may change the library. Asked by every call that changes something, before it does.

The page hides what is not allowed, but that is a courtesy: the guard is `Access.require`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rag.chat.origin import Headers, asked_host, is_loopback, require_same_origin
from rag.chat.owner import Owner
from rag.errors import NotAllowed
from rag.settings import Settings

Mode = Literal["open", "local", "owner", "read"]


@dataclass(frozen=True)
class Access:
    """The rule.

    Attributes:
        mode: "open" lets anybody in, "local" whoever speaks to this machine by a name of its own,
            "owner" whoever has signed in, "read" nobody.
        owner: knows who has signed in.
    """

    mode: Mode
    owner: Owner = field(default_factory=Owner)

    def require(self, headers: Headers, token: str = "") -> None:
        """Return if this request may change the library.

        Args:
            headers: of the request.
            token: what `Owner.sign_in` gave.

        Raises:
            NotAllowed: with the reason.
        """
        require_same_origin(headers)
        if self.mode == "read":
            raise NotAllowed(
                "This library can only be read here. Whoever runs it can change that with the "
                "setting `library`."
            )
        if self.mode == "local" and not is_loopback(asked_host(headers)):
            raise NotAllowed("This library can only be changed on the machine that it runs on.")
        if self.mode == "owner":
            self.owner.require(token)

    def refusal(self, headers: Headers, token: str = "") -> str:
        """Why `require` would not return; "" if it would."""
        try:
            self.require(headers, token)
        except NotAllowed as error:
            return str(error)
        return ""


def access_from(settings: Settings, owner: Owner) -> Access:
    """The rule that the settings name."""
    if settings.library == "auto":
        return Access("local" if is_loopback(settings.host) else "read", owner)
    return Access(settings.library, owner)
