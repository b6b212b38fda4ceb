"""The built front end."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from statera.web.server.allowed_methods import allowed_methods
from statera.web.server.failure import Failure

__all__ = ["STATIC", "StaticFiles", "static_routes"]

STATIC = Path(__file__).resolve().parents[1] / "static"
_FOREVER = "public, max-age=31536000, immutable"  # names of assets hold a hash of their content
_ASK_FIRST = "no-cache"
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".webmanifest": "application/json"}


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str
    packed: bytes | None
    tag: str


class StaticFiles:
    """The files below a folder, read once: a path that is not in the list leads nowhere.

    They are small, so that they and their compressed forms stay in memory.

    Parameters
    ----------
    folder
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self.folder = folder
        self._files: dict[str, _File] = {}
        self._listed = 0.0

    def find(self, path: str) -> _File | None:
        """Return the file at an address, or the page of the app for an address of its own."""
        index = self.folder / "index.html"
        changed = index.stat().st_mtime if index.is_file() else 0.0
        if changed != self._listed:  # a new build
            self._files = _list(self.folder)
            self._listed = changed
        if "." not in path.rpartition("/")[2]:
            path = "/index.html"
        return self._files.get(path)

    def answer(self, request: Request) -> Response:
        """Answer a request for a file or a page.

        Raises
        ------
        Failure
            With status 404 for an unknown file, and 503 where the front end was not built.
        """
        path = request.scope["path"]
        found = self.find(path)
        if found is None:
            if self._files:
                raise Failure(404, "there is nothing at this address")
            raise Failure(
                503,
                "the front end is not part of this installation",
                hint="Install a released package, or build it: npm --prefix frontend ci, then "
                "npm --prefix frontend run build. The interface at /api/v1 works without it.",
                kind="absent",
            )
        headers = {
            "Cache-Control": _FOREVER if path.startswith("/assets/") else _ASK_FIRST,
            "ETag": found.tag,
        }
        if found.packed is not None:
            headers["Vary"] = "Accept-Encoding"
        if found.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if found.packed is not None and _takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            return Response(found.packed, headers=headers, media_type=found.media_type)
        return Response(found.content, headers=headers, media_type=found.media_type)


def static_routes(files: StaticFiles) -> APIRouter:
    """Return the routes that are asked last: every address that nothing else answers."""
    router = APIRouter()

    def answer(request: Request) -> Response:
        path = request.scope["path"]
        if path.startswith("/api/"):
            if allowed_methods(request.app, path):
                raise HTTPException(405)
            raise Failure(404, "there is nothing at this address")
        return files.answer(request)

    router.add_api_route("/{path:path}", answer, methods=["GET", "HEAD"], include_in_schema=False)
    return router


def _list(folder: Path) -> dict[str, _File]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        packed = gzip.compress(content, 9, mtime=0)
        media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        tag = hashlib.sha256(content).hexdigest()[:32]
        found["/" + path.relative_to(folder).as_posix()] = _File(
            content,
            media_type or "application/octet-stream",
            packed if len(packed) < len(content) else None,
            f'"{tag}"',
        )
    return found


def _takes_gzip(request: Request) -> bool:
    for part in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
