"""What a task may use inside a worker process."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from statera.errors import InputError, UsageError
from statera.plain import plain
from statera.web import journal, samples
from statera.web.frames import LONGEST_BODY, pack
from statera.web.work import Upload

__all__ = ["WorkerWork"]

_MOST_FILES = 200
_MOST_BYTES = 1_000_000_000
_MEDIA_TYPE = re.compile(r"^[a-z]+/[a-z0-9.+-]{1,60}(; ?charset=utf-8)?$")
_FILE_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


class WorkerWork:
    """The :class:`statera.web.work.Work` of a request.

    Parameters
    ----------
    head
        Of the frame: ``attempt``, ``uploads``, and for jobs ``folder``.
    send
        Takes frames for the server.
    """

    def __init__(self, head: dict[str, Any], send: Callable[[bytes], None]) -> None:
        self.attempt: int = head.get("attempt", 1)
        self._kept = Path(head["folder"]) if head.get("folder") else None
        self._passing: Path | None = None
        self._told: int | None = None
        self._uploads: dict[str, dict[str, Any]] = head.get("uploads", {})
        self._send = send

    def __enter__(self) -> WorkerWork:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._passing is not None:
            shutil.rmtree(self._passing, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """The folder of the job; without one, a folder that goes when the task ends."""
        if self._kept is not None:
            return self._kept / "work"
        if self._passing is None:
            self._passing = Path(tempfile.mkdtemp(prefix="statera-task-"))
        return self._passing

    def progress(self, fraction: float | None, message: str, **data: Any) -> None:
        """Tell the server; whoever waits for an answer is not told."""
        if self._kept is not None:
            self._told = 1 + (journal.begin(self._kept) if self._told is None else self._told)
            told = {"number": self._told, "fraction": fraction, "message": message, "data": data}
            event = {"kind": "progress", "time": time.time(), **plain(told)}
            journal.append(self._kept, event)
            self._send(pack(event))

    def upload(self, upload_id: str) -> Upload:
        """Return an upload that the request names."""
        found = self._uploads[upload_id]
        if "samples" in found:
            return samples.path(upload_id, Path(found["samples"]))
        path = Path(found["path"])
        if not path.is_file():
            raise InputError(
                "the upload was deleted", where=found["name"], hint="Upload the file again."
            )
        return Upload(upload_id, found["name"], path, found["size"], found["sha256"])

    def save(self, name: str, content: bytes, media_type: str) -> None:
        """Keep a file in the folder of the job, whole or not at all."""
        if self._kept is None:
            raise UsageError(
                "this task keeps files, and an answer that is waited for has none",
                hint="Start it as a job.",
            )
        if not _FILE_NAME.match(name) or not _MEDIA_TYPE.match(media_type):
            raise ValueError("names of files hold letters, digits, dots, dashes and underscores")
        folder = self._kept / "files"
        others = [file for file in folder.iterdir() if file.name != name]
        size = len(content) + sum(file.stat().st_size for file in others)
        if len(others) >= _MOST_FILES or size > _MOST_BYTES:
            raise InputError(
                f"a job may keep {_MOST_FILES} files of {_MOST_BYTES // 10**6} MB together",
                where=name,
                hint="Ask for fewer figures or a smaller sample.",
            )
        _write(folder / name, content)
        head = {"kind": "file", "name": name, "media_type": media_type, "size": len(content)}
        self._send(pack(head))

    def keep_result(self, answer: bytes) -> bytes:
        """Write the answer of a job to its folder and return nothing; else return the answer."""
        if self._kept is None:
            return answer
        if len(answer) > LONGEST_BODY:
            raise InputError(
                f"the result is larger than {LONGEST_BODY // 10**6} MB",
                hint="Ask for fewer times, subjects or outputs.",
            )
        _write(self._kept / "result.json", answer)
        return b""


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
