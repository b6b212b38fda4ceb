"""Run the server until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from statera.errors import InputError
from statera.web.server.app import create_app
from statera.web.server.database import open_database
from statera.web.server.request_log import start_logging
from statera.web.server.settings import Settings
from statera.web.server.slow_client import HeadTimeout

__all__ = ["serve"]

_GRACE_SECONDS = 20  # a task that is waited for has 30; jobs are taken up again after a restart
_CONNECTIONS = 2_000


def serve(settings: Settings, started: Callable[[str], None]) -> None:
    """Listen and answer until SIGTERM or SIGINT, then finish what is short and stop.

    Parameters
    ----------
    settings
    started
        Called with the address once the server answers.

    Raises
    ------
    UsageError
        If the settings are unsafe or cannot work.
    InputError
        If the address is in use or not of this machine, or the database does not answer.
    """
    app = create_app(settings)
    open_database(settings.database, settings.folder).dispose()  # to be told in words, if not
    start_logging()
    listener = _listen(settings.host, settings.port)

    class Protocol(HeadTimeout):
        head_seconds = settings.limits.head_seconds

    config = uvicorn.Config(
        app,
        http=Protocol,
        # what a proxy says of its client is believed of the proxies that were named only
        proxy_headers=settings.modes != ("none",),
        forwarded_allow_ips=["127.0.0.1", "::1", *settings.trusted_proxies],
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        ws="none",
        lifespan="on",
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, lambda: started(_address(settings, listener)))
    with listener:
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._say_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._say_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        # uvicorn would raise the signal once more; being told to stop is how a server ends well
        self._captured_signals.clear()


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, so that a taken port is told before anything starts."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, proto)
    except OSError as error:
        raise InputError(f"'{host}' is not an address of this machine", where="--host") from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(2048)
    except OSError as error:
        found.close()
        raise InputError(
            f"cannot listen on {host}, port {port}: {error.strerror}",
            where="--port",
            hint="Another program may use it; choose another with --port, 0 for any that is free.",
        ) from error
    return found


def _address(settings: Settings, listener: socket.socket) -> str:
    if settings.public_url:
        return settings.public_url
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
