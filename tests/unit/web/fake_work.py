"""A stand-in for the process a task runs in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from statera.web.work import Upload


@dataclass
class FakeWork:
    """Keeps what a task tells and saves."""

    folder: Path = Path()
    uploads: dict[str, Path] = field(default_factory=dict)
    attempt: int = 1
    told: list[tuple[float | None, str, dict[str, Any]]] = field(default_factory=list)
    saved: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def progress(self, fraction: float | None, message: str, **data: Any) -> None:
        self.told.append((fraction, message, data))

    def upload(self, upload_id: str) -> Upload:
        path = self.uploads[upload_id]
        content = path.read_bytes()
        return Upload(upload_id, path.name, path, len(content), hashlib.sha256(content).hexdigest())

    def save(self, name: str, content: bytes, media_type: str) -> None:
        self.saved[name] = (content, media_type)
