"""Options of `statera.data.read_data` from $INPUT and $DATA."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from statera.model.nonmem.records import Problem, Record

__all__ = ["DATA_ITEMS", "read_data_options"]

DATA_ITEMS = ("ID", "TIME", "EVID", "AMT", "RATE", "II", "ADDL", "SS", "CMT", "DV", "MDV")
"""Columns with a meaning of their own; all others are covariates."""

_OTHER_ITEMS = ("DATE", "DAT1", "DAT2", "DAT3", "L1", "L2", "PCMT", "CALL", "CONT", "MRG_", "RAW_")


def read_data_options(
    records: list[Record], folder: Path, problems: list[Problem], remarks: list[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the arguments of ``read_data``, its source included, and the columns that are read."""
    names: list[str] = []
    drop: list[str] = []
    for record in (r for r in records if r.name == "INPUT"):
        for line, text in record.lines:
            for item in text.upper().replace(",", " ").split():
                _input(item, line, names, drop, problems)
    options: dict[str, Any] = {"names": names, "drop": drop, "ignore": [], "accept": []}
    data = next((r for r in records if r.name == "DATA"), None)
    if data is None:
        problems.append(Problem(1, "there is no $DATA"))
        return options, ()
    rest = _file(data.text, folder, options)
    pattern = r"\b(IGNORE|ACCEPT|IGN|ACC)\s*=?\s*(\([^)]*\)|'.'|\".\"|\S)"
    for kind, value in re.findall(pattern, rest, re.IGNORECASE):
        text = value.strip("'\"") if len(value) == 3 and value[0] in "'\"" else value
        key = "ignore" if kind.upper().startswith("IGN") else "accept"
        options[key].append(text)
    rest = re.sub(pattern, " ", rest, flags=re.IGNORECASE)
    for word in rest.split():
        if re.match(
            r"(WIDE|NOWIDE|CHECKOUT|NOREWIND|REWIND|RECS|RECORDS|NRECS|LRECL)", word.upper()
        ):
            remarks.append(f"line {data.line}: $DATA {word} is not used")
        else:
            problems.append(Problem(data.line, f"$DATA {word} is not translated"))
    read = tuple(n for n in names if n and n not in drop)
    for name in read:
        if name in _OTHER_ITEMS:
            problems.append(Problem(data.line, f"the data item {name} is not translated"))
    return options, read


def _file(text: str, folder: Path, options: dict[str, Any]) -> str:
    """Set the source, and return what follows the name of the file."""
    match = re.match(r"\s*(?:'([^']+)'|\"([^\"]+)\"|(\S+))(.*)", text)
    assert match is not None
    name = match[1] or match[2] or match[3]
    options["source"] = folder / name
    return match[4]


def _input(
    item: str, line: int, names: list[str], drop: list[str], problems: list[Problem]
) -> None:
    left, _, right = item.partition("=")
    if left in ("DROP", "SKIP") and not right:
        names.append("")
    elif right in ("DROP", "SKIP") or left in ("DROP", "SKIP"):
        name = left if right in ("DROP", "SKIP") else right
        names.append(name)
        drop.append(name)
    elif right:
        reserved = [n for n in (left, right) if n in DATA_ITEMS]
        if len(reserved) != 1:
            problems.append(Problem(line, f"$INPUT {item}: which name is meant is not clear"))
        names.append(reserved[0] if reserved else left)
    else:
        names.append(left)
