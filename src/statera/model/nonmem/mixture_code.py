"""$MIX: the number of subpopulations and their probabilities."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from statera.model.nonmem.code import Code, run
from statera.model.nonmem.formula_text import formula_text
from statera.model.nonmem.records import Problem, Record
from statera.numerics.expression import symbol

__all__ = ["MIXNUM", "read_mixture_code"]

MIXNUM = "MIXNUM"
"""The number of the subpopulation in the code of a control stream."""

_SHARE = "PROBABILITY_OF_"


def read_mixture_code(
    records: list[Record], names: Collection[str], problems: list[Problem]
) -> dict[str, Any]:
    """Return the table ``mixture`` of a model; empty where there is no $MIX.

    Parameters
    ----------
    records
        Those of $MIX.
    names
        THETAs and columns of the data.
    problems
        What cannot be translated; it is extended.
    """
    if not records:
        return {}
    code = Code()
    line = records[0].line
    for record in records:
        lines = [
            (number, re.sub(r"\bP\s*\(\s*(\d+)\s*\)", rf"{_SHARE}\1", text, flags=re.IGNORECASE))
            for number, text in record.lines
        ]
        run(Record("MIX", record.line, lines), names, code, problems, set(names))
    code.settle()
    if "NSPOP" not in code.values:
        problems.append(Problem(line, "$MIX does not set NSPOP"))
        return {}
    number = code.inline(symbol(code.values["NSPOP"]), ())
    if not number.is_Integer or int(number) < 2:
        problems.append(Problem(line, f"NSPOP must be 2 or more, and is {number}"))
        return {}
    found: dict[str, str] = {}
    for k in range(1, int(number) + 1):
        version = code.values.get(f"{_SHARE}{k}")
        if version is None:
            problems.append(Problem(line, f"$MIX does not set P({k})"))
            continue
        problems += code.needed([symbol(version)])[1]
        found[f"SUBPOP{k}"] = formula_text(code.inline(symbol(version), ()))
    return {"mixture": {"variable": MIXNUM, "probabilities": found}}
