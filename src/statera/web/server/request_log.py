"""One line a request, and the end of every failure that nobody expected.

A line names the method, the route as a template, status, time and user: no address with what a
user wrote, no query, no body, no name of a file.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from statera.web.server.failure import Failure, refuse
from statera.web.server.metrics import Metrics
from statera.web.server.who import Identity

__all__ = ["RequestLog", "start_logging"]

_lines = logging.getLogger("statera.web.requests")
_bugs = logging.getLogger("statera.web.bugs")
_PACKAGE = Path(__file__).resolve().parents[2]
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class _Lines(logging.Formatter):
    """One line of JSON a record; what is one already stays as it is."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.name in (_lines.name, _bugs.name):
            return message
        fields = {"time": _now(), "level": record.levelname.lower(), "message": message}
        return json.dumps(fields)


def start_logging() -> None:
    """Write what the server has to say to standard error."""
    log = logging.getLogger("statera.web")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Lines())
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


class RequestLog:
    """Middleware that gives each request an id, counts it, and writes its line.

    Parameters
    ----------
    app
    metrics
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope["request_id"] = request_id
        began, status, sent = time.perf_counter(), 0, 0

        async def send_counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        except Exception as error:
            _bugs.error("%s", _bug_line(request_id, error))
            if not status:
                await refuse(
                    send_counted,
                    Failure(
                        500,
                        "this is a bug in Statera",
                        f"request {request_id}",
                        "The log of the server names the place under this id.",
                    ),
                )
        finally:
            seconds = time.perf_counter() - began
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.metrics.observe(method, route_template(scope), status, seconds)
            if _lines.isEnabledFor(logging.INFO):
                _lines.info("%s", _line(scope, method, status, seconds, sent))


def route_template(scope: Scope) -> str:
    """Return the address of a request as the route wrote it; of pages and files only that."""
    route = scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    if not isinstance(template, str):
        return "other"
    return "page" if template in ("/{path}", "/{path:path}") else template


def _line(scope: Scope, method: str, status: int, seconds: float, sent: int) -> str:
    identity = scope.get("identity")
    fields = {
        "time": _now(),
        "id": scope["request_id"],
        "method": method,
        "route": route_template(scope),
        "status": status,
        "ms": round(seconds * 1000, 1),
        "bytes": sent,
        "user": identity.user.id if isinstance(identity, Identity) else "",
    }
    return json.dumps(fields)


def _bug_line(request_id: str, error: BaseException) -> str:
    """Return where an exception came from; its message may hold what a user sent, and stays out."""
    places = []
    for frame in traceback.extract_tb(error.__traceback__):
        file = Path(frame.filename)
        if file.is_relative_to(_PACKAGE):
            places.append(f"{file.relative_to(_PACKAGE).as_posix()}:{frame.lineno}")
    last = traceback.extract_tb(error.__traceback__)[-1:]
    fields = {
        "time": _now(),
        "id": request_id,
        "bug": type(error).__name__,
        "places": places,
        "raised": [f"{Path(f.filename).name}:{f.lineno}" for f in last],
    }
    return json.dumps(fields)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
