"""Read the library's TOML files strictly: what is not expected is an error with its place."""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from statera.errors import InputError, Place
from statera.library.locate import KeyPath, locate

__all__ = ["Document", "Table", "read_document", "read_json", "read_text", "refuse_key"]

_AT = re.compile(r"\s*\(at line (\d+), column (\d+)\)$")
_AT_END = re.compile(r"\s*\(at end of document\)$")

EnumT = TypeVar("EnumT", bound=StrEnum)


@dataclass(frozen=True)
class Document:
    """A TOML file that was read: its name, its text (for places) and its data."""

    file: str
    text: str
    data: Mapping[str, Any]

    def place(self, *path: str | int) -> Place:
        """Return where a key stands, such as ``place("fact", 3, "unit")``.

        Data without a text (JSON, a dictionary) have no lines: the place names the key.
        """
        if not self.text:
            keys = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
            return Place(f"{self.file}: {keys.lstrip('.')}" if keys else self.file)
        line, column = locate(self.text, path)
        return Place(self.file, line, column)

    def table(self) -> Table:
        """Return the top of the file, for strict reading."""
        return Table(self, self.data, ())


def read_text(path: str | Path | Traversable) -> str:
    """Return the text of a file.

    Raises
    ------
    InputError
        If the file cannot be opened or is not UTF-8.
    """
    source = Path(path) if isinstance(path, str) else path
    try:
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"the file is not UTF-8 text (byte {error.start})",
            where=Place(str(path)),
            hint="Save it as UTF-8.",
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot read the file: {error.strerror or error}",
            where=Place(str(path)),
            hint="Check the path and that you may read it.",
        ) from error


def read_document(path: str | Path | Traversable, schema: str | None = None) -> Document:
    """Read a TOML file.

    Parameters
    ----------
    path
        The file.
    schema
        The value that the key ``schema`` must have, such as ``"statera.facts/1"``.

    Raises
    ------
    InputError
        If the file cannot be read, is not TOML, or names another schema.
    """
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(path), text, str(error)) from error
    except (RecursionError, ValueError) as error:
        raise _unreadable(str(path), error) from error
    document = Document(str(path), text, data)
    if schema is not None:
        if "schema" not in data:
            raise InputError(
                "the file does not say what it is: 'schema' is missing",
                where=Place(str(path), 1, 1),
                hint=f'Begin it with: schema = "{schema}"',
            )
        found = document.table().text("schema")
        if found != schema:
            raise InputError(
                f"the file says schema '{found}'",
                where=document.place("schema"),
                hint=f'Expected schema = "{schema}".',
            )
    return document


def read_json(path: str | Path | Traversable) -> tuple[str, Any]:
    """Return the text and the data of a JSON file.

    Raises
    ------
    InputError
        If the file cannot be read or is not JSON.
    """
    text = read_text(path)
    try:
        return text, json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"this is not valid JSON: {error.msg}",
            where=Place(str(path), error.lineno, error.colno),
            hint="Correct the syntax at this place.",
        ) from error
    except (RecursionError, ValueError) as error:
        raise _unreadable(str(path), error) from error


def _unreadable(file: str, error: Exception) -> InputError:
    """Say what no parser takes although its syntax allows it."""
    deep = isinstance(error, RecursionError)
    return InputError(
        "the file is nested too deeply" if deep else "the file holds a number or date that is none",
        where=file,
        hint="Nobody writes such a file by hand: see where it comes from.",
    )


def _syntax_error(file: str, text: str, message: str) -> InputError:
    line, column = text.count("\n") + 1, 1
    if match := _AT.search(message):
        line, column = int(match.group(1)), int(match.group(2))
        message = message[: match.start()]
    elif match := _AT_END.search(message):
        column = len(text) - (text.rfind("\n") + 1) + 1
        message = f"{message[: match.start()]} before the end of the file"
    return InputError(
        f"this is not valid TOML: {message}",
        where=Place(file, line, column),
        hint="Correct the syntax at this place.",
    )


class Table:
    """One table of a file, read key by key; `finish` refuses keys that nobody asked for.

    Parameters
    ----------
    document
        The file.
    data
        The table.
    path
        Its place in the file.
    """

    def __init__(self, document: Document, data: Mapping[str, Any], path: KeyPath) -> None:
        self.document = document
        self.data = data
        self.path = path
        self._asked: set[str] = set()

    def fail(self, key: str, found: str, expected: str) -> NoReturn:
        """Raise an InputError at `key`."""
        where = self.document.place(*self.path, key)
        raise InputError(found, where=where, hint=f"Expected {expected}.")

    def _get(self, key: str, kinds: tuple[type, ...], expected: str) -> Any:
        self._asked.add(key)
        value = self.data.get(key)
        if value is None:
            return None
        # TOML's true and false are ints to Python, and never meant where a number is
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.fail(key, f"'{key}' is {_kind(value)}: {_shown(value)}", expected)
        return value

    def _required(self, key: str, expected: str) -> NoReturn:
        self.fail(key, f"'{key}' is missing{self.name}", f"{key} = {expected}")

    @property
    def name(self) -> str:
        """The table's own name for a sentence, such as `` in 'pk-tmax'``; may be empty."""
        name = self.data.get("id") or self.data.get("name")
        return f" in '{name}'" if isinstance(name, str) else ""

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without `default` the key is required and not empty."""
        value = self._get(key, (str,), "a text in quotes")
        if value is None or (value == "" and default is None):
            return default if default is not None else self._required(key, "a text")
        return str(value)

    def number(self, key: str) -> float | None:
        """Return a finite number, or None where the key is absent."""
        value = self._get(key, (int, float), "a number")
        if value is None:
            return None
        if not math.isfinite(value):
            self.fail(key, f"'{key}' is not finite: {value}", "a finite number")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._get(key, (bool,), "true or false")
        return default if value is None else bool(value)

    def scalar(self, key: str) -> float | str | None:
        """Return a number or a text, or None where the key is absent."""
        value = self._get(key, (int, float, str), "a number or a text")
        return self.number(key) if isinstance(value, int | float) else value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._get(key, (list,), 'a list of texts, such as ["a", "b"]')
        if value is None:
            return self._required(key, 'a list of texts, such as ["a"]') if required else ()
        if not all(isinstance(v, str) and v for v in value):
            self.fail(key, f"'{key}' holds something that is not a text", "a list of texts")
        return tuple(value)

    def numbers(self, key: str) -> tuple[float, ...] | None:
        """Return a list of finite numbers, or None where the key is absent."""
        value = self._get(key, (list,), "a list of numbers, such as [1, 2]")
        if value is None:
            return None
        kinds = {type(v) for v in value}
        if not kinds <= {int, float} or not all(math.isfinite(v) for v in value):
            self.fail(key, f"'{key}' holds something that is not a number", "a list of numbers")
        return tuple(float(v) for v in value)

    def choice(self, key: str, kind: type[EnumT], default: EnumT | None = None) -> EnumT:
        """Return one of the members of an enumeration of texts."""
        words = ", ".join(member.value for member in kind)
        value = self._get(key, (str,), f"one of: {words}")
        if value is None:
            return default if default is not None else self._required(key, f"one of: {words}")
        try:
            return kind(value)
        except ValueError:
            self.fail(key, f"'{key}' is '{value}', which is not known", f"one of: {words}")

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the tables of an array of tables."""
        value = self._get(key, (list,), f"tables headed [[{key}]]")
        for i, item in enumerate(value or ()):
            if not isinstance(item, dict):
                self.fail(key, f"'{key}' holds something that is not a table", f"[[{key}]]")
            yield Table(self.document, item, (*self.path, key, i))

    def sub(self, key: str) -> Table:
        """Return the table under `key`, which is required."""
        value = self._get(key, (dict,), f"a table headed [{key}]")
        if value is None:
            self.fail(key, f"the table [{key}] is missing", f"a table headed [{key}]")
        return Table(self.document, value, (*self.path, key))

    def rest(self) -> dict[str, Any]:
        """Return the keys not yet asked for, and count them as asked."""
        left = {k: v for k, v in self.data.items() if k not in self._asked}
        self._asked.update(left)
        return left

    def finish(self, *also_known: str) -> None:
        """Refuse keys that were not asked for.

        Raises
        ------
        InputError
            At the first such key, with the nearest known ones.
        """
        known = self._asked.union(also_known)
        for key in self.data:
            if key not in known:
                refuse_key(self, key, known)


def refuse_key(table: Table, key: str, known: set[str]) -> NoReturn:
    """Raise the error for an unknown key, naming the nearest known ones."""
    close = difflib.get_close_matches(key, sorted(known), n=3)
    names = ", ".join(close) if close else ", ".join(sorted(known))
    table.fail(key, f"'{key}' is not a known key here", f"one of: {names}")


def _kind(value: object) -> str:
    names = {bool: "true or false", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "a date")


def _shown(value: object) -> str:
    shown = str(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."
