"""What a task may use of the process it runs in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Upload", "Work"]


@dataclass(frozen=True)
class Upload:
    """A file that was uploaded, or a sample.

    Attributes
    ----------
    id
    name
        As the user called it; only ever shown, never used as a path.
    path
        Where it lies.
    size
        In bytes.
    sha256
        Hexadecimal.
    """

    id: str
    name: str
    path: Path
    size: int
    sha256: str


class Work(Protocol):
    """What a task may use. A task that is cancelled gets a :class:`KeyboardInterrupt`."""

    @property
    def folder(self) -> Path:
        """A folder of its own; that of a job stays until the job is deleted (checkpoints)."""

    @property
    def attempt(self) -> int:
        """1 at first; more after a resume, a restart of the server or the death of a worker."""

    def progress(self, fraction: float | None, message: str, **data: Any) -> None:
        """Tell how far it is (0 to 1, or None where that is unknown), with plain data to draw."""

    def upload(self, upload_id: str) -> Upload:
        """Return an upload that the request names."""

    def save(self, name: str, content: bytes, media_type: str) -> None:
        """Keep a file beside the result (jobs only), to be downloaded."""
