"""Serving the API until it is interrupted."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing, suppress

import uvicorn

from rag.errors import UsageError
from rag.live import LiveIndex
from rag.serve.app import make_app
from rag.settings import Settings

_WAITING = 1024
"""Connections that the system holds until they are taken."""
_PATIENCE = 5
"""Seconds that open requests have to end when the server is stopped."""


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Answer over HTTP from the index of the settings; Ctrl-C ends it after what is open.

    Args:
        settings: the effective settings; host and port say where to listen, port 0 takes a free
            one.
        announce: called once with the address, when everything is loaded.

    Raises:
        RagError: the index cannot be opened, or the port is taken.
    """
    with closing(LiveIndex(settings.index, settings)) as index, closing(_listen(settings)) as own:
        # Loads the models: nobody waits for that, and they are loaded once.
        index.ask("What is this about?")
        config = uvicorn.Config(
            make_app(index, settings.host, settings.allowed_hosts),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE,
        )
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        announce(f"http://{host}:{own.getsockname()[1]}")
        # uvicorn ends in good order and then passes the interrupt on.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[own])


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Only where the protocol is named does asyncio send each reply at once (TCP_NODELAY); else
    # its second packet waits 40 ms for the caller's word that the first has come.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        listening.listen(_WAITING)
    except OSError as error:
        listening.close()
        raise UsageError(
            f"cannot listen on {settings.host}, port {settings.port} ({error.strerror}): choose "
            "another with --port"
        ) from error
    return listening
