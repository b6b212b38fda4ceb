"""A question, which no record holds, is added to an imported request from a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from statera.errors import InputError, Place
from statera.library.read import Document, read_json
from statera.tdm.read_potency import state_potencies
from statera.tdm.read_request import request_from

__all__ = ["with_question"]

_KEYS = ("question", "options")


def with_question(request: Mapping[str, Any], path: str | Path | None) -> dict[str, Any]:
    """Return a request with the question and options of a file, checked as a whole.

    Parameters
    ----------
    request
        As imported.
    path
        TOML, or JSON where its name ends so, with the tables ``question`` and ``options`` of a
        request; None for a request without a question, which asks for a forecast only.

    Raises
    ------
    InputError
        If the file cannot be read, holds anything else, or the request as a whole is not
        understood.
    """
    whole = dict(request)
    if path is not None:
        found = _read(Path(path))
        other = sorted(found.keys() - {*_KEYS, "schema"})
        if other:
            raise InputError(
                f"the file holds '{other[0]}', and a question has none",
                where=Place(str(path)),
                hint=f"Only these are read: {', '.join(_KEYS)}. The patient comes from the bundle.",
            )
        whole |= {key: _plain(found[key]) for key in _KEYS if key in found}
        state_potencies(whole, Document(str(path), "", whole), Path(path).parent)
    request_from(whole)
    return whole


def _read(path: Path) -> dict[str, Any]:
    if path.suffix.lower() == ".json":
        _, data = read_json(path)
    else:
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(
                f"the file cannot be read: {error}",
                where=Place(str(path)),
                hint="Expected TOML with [question] and [[question.targets]].",
            ) from error
    if not isinstance(data, dict):
        raise InputError(
            "the file holds no object", where=Place(str(path)), hint='Expected {"question": {...}}.'
        )
    return data


def _plain(value: Any) -> Any:
    """Return a value of TOML as JSON has it: dates as texts."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
