"""Rules and initial assignments, and the order in which assigned names can be computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import free_names
from statera.pathway.sbml_math import Formulas
from statera.pathway.sbml_names import Names, elements

__all__ = ["Rules", "in_order", "read_rules"]


@dataclass(frozen=True)
class Rules:
    """Formulas by the name that they set.

    Attributes
    ----------
    assigned
        Assignment rules.
    rates
        Rate rules.
    initial
        Initial assignments.
    """

    assigned: Mapping[str, sp.Expr]
    rates: Mapping[str, sp.Expr]
    initial: Mapping[str, sp.Expr]


def read_rules(formulas: Formulas, names: Names) -> Rules:
    """Read all rules and initial assignments of a file.

    Raises
    ------
    InputError
        If there is an algebraic rule, or one sets what is not there, constant, or set by another.
    """
    file = formulas.file
    assigned: dict[str, sp.Expr] = {}
    rates: dict[str, sp.Expr] = {}
    for rule in elements(file.model.getListOfRules()):
        if rule.isAlgebraic():
            raise file.refusal(
                rule,
                "is not supported",
                hint="Solve it for one variable, and write that as an assignment rule.",
            )
        if not rule.isSetMath():
            continue
        key = rule.getVariable()
        if key not in names.ids or file.model.getReaction(key) is not None:
            raise file.refusal(rule, "sets what is not in the model")
        target = file.model.getElementBySId(key)
        if target.getConstant():
            raise file.refusal(rule, "sets something that is constant")
        if names.ids[key] in assigned or names.ids[key] in rates:
            raise file.refusal(rule, "is the second rule for the same variable")
        kept = assigned if rule.isAssignment() else rates
        kept[names.ids[key]] = formulas.expression(rule)
    return Rules(assigned, rates, _initial(formulas, names, assigned))


def _initial(
    formulas: Formulas, names: Names, assigned: Mapping[str, sp.Expr]
) -> dict[str, sp.Expr]:
    file = formulas.file
    found: dict[str, sp.Expr] = {}
    for element in elements(file.model.getListOfInitialAssignments()):
        if not element.isSetMath():
            continue
        key = element.getSymbol()
        if key not in names.ids or file.model.getReaction(key) is not None:
            raise file.refusal(element, "sets what is not in the model")
        if names.ids[key] in assigned or names.ids[key] in found:
            raise file.refusal(element, "sets what another rule sets")
        found[names.ids[key]] = formulas.expression(element)
    return found


def in_order(assigned: Mapping[str, sp.Expr], where: str) -> dict[str, sp.Expr]:
    """Return assigned names, each after those that it needs.

    Raises
    ------
    InputError
        If some need each other in a circle.
    """
    ordered: dict[str, sp.Expr] = {}

    def place(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " needs ".join([*path[path.index(name) :], name])
            raise InputError(f"rules form a circle: {circle}", where=where)
        if name in ordered:
            return
        for needed in sorted(free_names(assigned[name]) & assigned.keys()):
            place(needed, (*path, name))
        ordered[name] = assigned[name]

    for name in assigned:
        place(name, ())
    return ordered
