"""Blocks that repeat with SAME as effects of occasions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp

from statera.model.nonmem.code import Code
from statera.model.nonmem.records import Problem
from statera.model.nonmem.values import Block
from statera.numerics.expression import symbol

__all__ = ["Occasions", "find_occasions"]


@dataclass(frozen=True)
class Occasions:
    """Effects that are drawn anew on every occasion.

    Attributes
    ----------
    effects
        Their names.
    merged
        Symbol of the first block for that of each repeat.
    column
        Column that tells the occasion; empty where there is none.
    others
        Whether an effect enters for all values that no condition names.
    """

    effects: frozenset[str] = frozenset()
    merged: Mapping[sp.Symbol, sp.Symbol] = field(default_factory=dict)
    column: str = ""
    others: bool = False


def find_occasions(
    code: Code,
    order: list[str],
    blocks: list[Block],
    covariates: list[str],
    problems: list[Problem],
) -> Occasions:
    """Return the effects of occasions.

    A block and its repeats become one, where a column tells for each of its values which of them
    enters, and never two at once. Anything else is a problem at the line of the repeat.
    """
    groups = _groups(blocks)
    if not groups:
        return Occasions()
    used = {s for group, _ in groups for etas in group for s in etas}
    written = [code.inline(code.equations[n], ()) for n in order]
    written = [e for e in written if not used.isdisjoint(e.free_symbols)]
    column, values = _column(written, covariates)
    merged: dict[sp.Symbol, sp.Symbol] = {}
    effects: set[str] = set()
    others = False
    for group, line in groups:
        entering = _entering(written, group, column, values) if column else None
        if entering is None:
            problems.append(Problem(
                line, "SAME: no column tells which of the repeated effects enters on an occasion"
            ))  # fmt: skip
            continue
        others = others or len(entering) > len(values)
        effects |= {s.name for s in group[0]}
        for repeat in group[1:]:
            merged |= dict(zip(repeat, group[0], strict=True))
    return Occasions(frozenset(effects), merged, column, others)


def _groups(blocks: list[Block]) -> list[tuple[list[list[sp.Symbol]], int]]:
    """Return the effects of each block that repeats and of its repeats, and a line."""
    found: list[tuple[list[list[sp.Symbol]], int]] = []
    first, last = 1, None
    for block in blocks:
        etas = [symbol(f"ETA{first + i}") for i in range(block.size)]
        first += block.size
        if block.same and last is not None:
            if len(last) == 1:
                found.append((last, block.line))
            last.append(etas)
        else:
            last = [etas]
    return found


def _column(written: list[sp.Expr], covariates: list[str]) -> tuple[str, list[sp.Expr]]:
    tests = [
        c
        for e in written
        for switch in e.atoms(sp.Piecewise)
        for _, c in switch.args
        if isinstance(c, sp.Equality)
    ]
    for name in covariates:
        values = {a for c in tests if symbol(name) in c.args for a in c.args if a.is_number}
        if len(values) > 1:
            return name, sorted(values, key=float)
    return "", []


def _entering(
    written: list[sp.Expr], group: list[list[sp.Symbol]], column: str, values: list[sp.Expr]
) -> list[int] | None:
    """Return which repeat enters for each value of the column, and for all others where one does.

    None where two enter at once, none enters for a value, or one enters for two values.
    """
    seen = []
    other = sp.Integer(1 + int(max(map(float, values))))
    for value in [*values, other]:
        free = {s for e in written for s in e.xreplace({symbol(column): value}).free_symbols}
        present = [k for k, etas in enumerate(group) if not free.isdisjoint(etas)]
        if len(present) > 1 or (not present and value != other):
            return None
        seen += present
    return seen if len(set(seen)) == len(seen) else None
