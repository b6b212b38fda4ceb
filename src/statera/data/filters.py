"""Conditions on records, as NONMEM's IGNORE and ACCEPT write them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statera.data.raw_table import read_number
from statera.errors import InputError, UnknownNameError

__all__ = ["Condition", "is_mark", "read_conditions"]

_WORDS = {
    ".EQ.": "==", ".NE.": "!=", ".LT.": "<", ".LE.": "<=", ".GT.": ">", ".GE.": ">=",
    ".EQN.": "==", ".NEN.": "!=", "/=": "!=", "=": "==",
}  # fmt: skip
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_PATTERN = re.compile(
    r"""^\s*(?P<name>\w+)\s*
    (?P<test>\.(?:EQN|NEN|EQ|NE|LT|LE|GT|GE)\.|==|!=|/=|<=|>=|<|>|=)\s*
    (?P<value>"[^"]*"|'[^']*'|[^\s"'<>=]+)\s*$""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Condition:
    """One comparison of a column with a value.

    Attributes
    ----------
    text
        As written.
    column
        Column of the table.
    test
        One of ``== != < <= > >=``.
    value
        What the cell is compared with; empty for a missing cell.
    """

    text: str
    column: str
    test: str
    value: str

    def holds(self, cell: str) -> bool:
        """Return True where a cell fulfils the condition.

        Two numbers are compared as numbers, anything else as text, and only for equality: a
        missing cell is neither above nor below a number.
        """
        left, right = read_number(cell), read_number(self.value)
        if left is not None and right is not None:
            return _TESTS[self.test](left, right)
        if self.test in ("==", "!="):
            return _TESTS[self.test](cell, self.value)
        return False


def is_mark(text: str) -> bool:
    """Return True for a character that marks whole lines, such as ``@``, ``#`` or ``C``."""
    return len(text.strip()) == 1


def read_conditions(
    texts: Sequence[str], columns: Sequence[str], names: Mapping[str, str], where: str
) -> tuple[Condition, ...]:
    """Return the conditions of a list; several may stand in one text, separated by commas.

    Parameters
    ----------
    texts
        Such as ``"DOSE.EQ.0"``, ``"ID>100"`` or ``"(SD.NE.1, ID.EQ.7)"``.
    columns
        Columns of the table.
    names
        Column of each role that is called otherwise.
    where
        Name of the argument, for errors.

    Raises
    ------
    InputError
        If a text cannot be read, names an unknown column, or asks for an order of texts.
    """
    known = {c.upper(): c for c in columns} | {k.upper(): v for k, v in names.items()}
    found = []
    for part in (p for text in texts for p in text.strip().strip("()").split(",")):
        match = _PATTERN.match(part)
        if match is None:
            raise InputError(
                f"cannot read the condition '{part.strip()}'",
                where=where,
                hint="Write it like 'DOSE.EQ.0', 'ID>100' or 'SEX==\"M\"'.",
            )
        name, test = match["name"], match["test"].upper()
        if name.upper() not in known:
            raise UnknownNameError("column", name, columns, where=where)
        test = _WORDS.get(test, test)
        value = match["value"].strip("\"'")
        value = "" if value == "." else value
        if test not in ("==", "!=") and read_number(value) is None:
            raise InputError(f"'{part.strip()}' asks for an order of texts", where=where)
        found.append(Condition(part.strip(), known[name.upper()], test, value))
    return tuple(found)
