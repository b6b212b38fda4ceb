"""Write a request as TOML, so that it can be read again and answered elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["request_toml"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def request_toml(tree: Mapping[str, Any]) -> str:
    """Return a request, laid out as its files are, as TOML; numbers are written in full.

    Parameters
    ----------
    tree
        Plain data, as `statera.tdm.read_request.read_tree` returns it. Keys that are None are left
        out.

    Raises
    ------
    TypeError
        If a value has no counterpart in TOML.
    """
    return "\n".join(_table(tree, ())).strip() + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Return the lines of a table: its values first, then tables in it."""
    lines, below = [], []
    for key, value in table.items():
        inner = (*path, _key(key))
        if isinstance(value, Mapping):
            below += ["", f"[{'.'.join(inner)}]", *_table(value, inner)]
        elif _are_tables(value):
            for row in value:
                below += ["", f"[[{'.'.join(inner)}]]", *_table(row, inner)]
        elif value is not None:
            lines.append(f"{_key(key)} = {_value(value)}")
    return lines + below


def _are_tables(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], Mapping)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, float)):
        return repr(value).replace("e+", "e")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(v) for v in value)}]"
    raise TypeError(f"{type(value).__name__} has no counterpart in TOML")


def _text(text: str) -> str:
    """Return a basic string: its escapes are those of JSON, and DEL needs one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
