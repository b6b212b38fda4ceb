"""The one JSON object that ``--json`` prints, whether the command succeeded or not."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

__all__ = ["Envelope", "Failure", "plain"]


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


def plain(value: Any) -> Any:
    """Turn results into what JSON can hold.

    Numbers that are not finite become null: JSON has none. Arrays and scalars of numpy are told
    by their ``tolist``, so that numpy need not be imported.

    Raises
    ------
    TypeError
        If a value has no counterpart in JSON: better an error than a text such as ``<object>``.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no counterpart in JSON")
