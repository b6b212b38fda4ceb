"""Find the line and column of a key in the text of a TOML file.

The standard decoder gives values without positions. Errors found after decoding (an unknown
unit, a missing source) still have to say where they stand, so the text is scanned once more for
the position of its keys. The text is known to be valid TOML when this is called.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["KeyPath", "locate"]

KeyPath = tuple[str | int, ...]
"""Keys and positions in arrays from the top of the file, such as ``("fact", 3, "unit")``."""

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(
    r'[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|\'([^\'\n]*)\'|([A-Za-z0-9_-]+))[ \t]*(\.)?'
)
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def locate(text: str, path: KeyPath) -> tuple[int, int]:
    """Return line and column, both from 1, of a key in the text of a TOML file.

    Parameters
    ----------
    text
        A valid TOML document.
    path
        The key; a table or an element of an array of tables is found at its header. A path
        into an inline table or array gives the position of the key that holds it.

    Returns
    -------
    tuple of int
        Line and column; those of the nearest enclosing key where the key itself is absent,
        and ``(1, 1)`` where nothing of the path is there.
    """
    positions = _positions(text)
    for length in range(len(path), 0, -1):
        offset = positions.get(path[:length])
        if offset is not None:
            line_start = text.rfind("\n", 0, offset) + 1
            return text.count("\n", 0, offset) + 1, offset - line_start + 1
    return 1, 1


@lru_cache(maxsize=4)
def _positions(text: str) -> dict[KeyPath, int]:
    """Return the offset of every key, table header and element of an array of tables."""
    found: dict[KeyPath, int] = {}
    sizes: dict[KeyPath, int] = {}  # arrays of tables: how many elements so far
    table: KeyPath = ()
    at = _skip_space(text, 0)
    while at < len(text):
        start = at
        if text[at] == "[":
            is_array = text.startswith("[[", at)
            parts, at = _key(text, at + (2 if is_array else 1))
            at += 2 if is_array else 1
            table = _resolve(parts, sizes, new_element=is_array)
            found.setdefault(table, start)
            if is_array:
                found.setdefault(table[:-1], start)
        else:
            parts, at = _key(text, at)
            for length in range(1, len(parts) + 1):
                found.setdefault(table + parts[:length], start)
            at = _skip_value(text, at + 1)  # past the equals sign
        at = _skip_space(text, at)
    return found


def _resolve(parts: tuple[str, ...], sizes: dict[KeyPath, int], *, new_element: bool) -> KeyPath:
    """Return the full path of a header: prefixes that are arrays stand for their last element."""
    path: KeyPath = ()
    for i, part in enumerate(parts):
        path = (*path, part)
        if i == len(parts) - 1 and new_element:
            sizes[path] = sizes.get(path, 0) + 1
        if path in sizes:
            path = (*path, sizes[path] - 1)
    return path


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _key(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """Return the parts of a key, which may be dotted, and the offset behind it."""
    parts: list[str] = []
    while match := _KEY_PART.match(text, at):
        quoted, literal, bare, dot = match.groups()
        parts.append(next(p for p in (quoted, literal, bare) if p is not None))
        at = match.end()
        if dot is None:
            return tuple(parts), at
    return tuple(parts), max(at, 1)


def _skip_value(text: str, at: int) -> int:
    """Return the offset of the end of a value: the line's end, outside strings and brackets."""
    depth = 0
    while at < len(text):
        char = text[at]
        if char in "\"'" and (match := _STRING.match(text, at)):
            at = match.end()
            continue
        if char == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
        elif char == "\n" and depth == 0:
            return at
        at += 1
    return at
