"""Events: triggers, delays, priorities and assignments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp

from statera.pathway.network import Event, Trigger
from statera.pathway.sbml_math import Formulas
from statera.pathway.sbml_names import Names, elements

__all__ = ["read_events"]


def read_events(formulas: Formulas, names: Names) -> tuple[Event, ...]:
    """Return the events of a file, in its order; those that do nothing are kept.

    Raises
    ------
    InputError
        If one sets what is not in the model, or is constant or set by an assignment rule.
    """
    events = []
    for index, element in enumerate(elements(formulas.file.model.getListOfEvents()), 1):
        trigger = element.getTrigger()
        if trigger is None or not trigger.isSetMath():
            continue  # by the standard (level 3 version 2) it never fires
        name = element.getIdAttribute() or names.fresh(f"event_{index}")
        events.append(
            Event(
                name,
                _trigger(formulas, trigger),
                _assignments(formulas, names, element),
                _part(formulas, element.getDelay()),
                _part(formulas, element.getPriority()) if element.getLevel() >= 3 else None,
                bool(element.getUseValuesFromTriggerTime()),
                element.getName(),
            )
        )
    return tuple(events)


def _trigger(formulas: Formulas, element: Any) -> Trigger:
    found = Trigger(formulas.condition(element))
    if element.getLevel() < 3:
        return found
    return replace(
        found,
        at_start=bool(element.getInitialValue()),
        persistent=bool(element.getPersistent()),
    )


def _part(formulas: Formulas, element: Any) -> sp.Expr | None:
    if element is None or not element.isSetMath():
        return None
    return formulas.expression(element)


def _assignments(formulas: Formulas, names: Names, event: Any) -> dict[str, sp.Expr]:
    file = formulas.file
    found: dict[str, sp.Expr] = {}
    for element in elements(event.getListOfEventAssignments()):
        if not element.isSetMath():
            continue
        key = element.getVariable()
        if key not in names.ids or file.model.getReaction(key) is not None:
            raise file.refusal(element, "sets what is not in the model")
        if file.model.getElementBySId(key).getConstant():
            raise file.refusal(element, "sets something that is constant")
        if file.model.getAssignmentRuleByVariable(key) is not None:
            raise file.refusal(element, "sets what an assignment rule sets")
        if names.ids[key] in found:
            raise file.refusal(element, "sets the same variable twice")
        found[names.ids[key]] = formulas.expression(element)
    return found
