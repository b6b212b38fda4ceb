"""The one JSON object that ``--json`` prints, whether the command succeeded or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statera.plain import plain

__all__ = ["Envelope", "Failure"]


@dataclass(frozen=True)
class Failure:
    """What went wrong, in the four parts every error has.

    Attributes
    ----------
    what
        One sentence: what is wrong.
    where
        A place in a file, the name of an argument or of a command.
    hint
        What to do next.
    exit_code
        Exit code of the process.
    """

    what: str
    where: str
    hint: str
    exit_code: int


@dataclass(frozen=True)
class Envelope:
    """What ``--json`` prints.

    Attributes
    ----------
    schema
        Name and version of the layout of `result`, such as ``statera.simulate/1``.
    result
        The result; None where the command failed.
    warnings
        What a reader must know, in sentences.
    manifest
        How the result was made.
    error
        What went wrong; None where the command succeeded.
    """

    schema: str
    result: Any
    warnings: tuple[str, ...]
    manifest: Mapping[str, Any]
    error: Failure | None = None

    def to_json(self, *, ascii_only: bool = True) -> str:
        """Return the envelope as strict JSON (no NaN or Infinity) on one line, line break included.

        By default other characters than ASCII are escaped, so that any terminal and any pipe can
        carry the text.
        """
        fields: dict[str, Any] = {
            "schema": self.schema,
            "ok": self.error is None,
            "result": plain(self.result),
            "warnings": list(self.warnings),
            "manifest": plain(self.manifest),
        }
        if self.error is not None:
            fields["error"] = plain(self.error)
        return json.dumps(fields, ensure_ascii=ascii_only, allow_nan=False) + "\n"
