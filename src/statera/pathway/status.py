"""How the solution of a condition ended."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

__all__ = ["Status", "sentence"]


class Status(IntEnum):
    """How the solution of a condition ended; `OK` is zero."""

    OK = 0
    TOO_MANY_STEPS = 1
    STEP_TOO_SMALL = 2
    NOT_FINITE = 3
    ENDLESS_EVENTS = 4
    BAD_START = 5
    NO_STEADY_STATE = 6


def sentence(
    status: Status, time: float, index: int, states: Sequence[str], parameters: Sequence[str]
) -> str:
    """Return what happened, where, and what to look at.

    Parameters
    ----------
    status
        How it ended.
    time
        Where it stopped.
    index
        Number of the state that is not finite; a parameter's number counts on behind the states.
    states, parameters
        Their names.
    """
    name = [*states, *parameters][index] if index < len(states) + len(parameters) else ""
    kind = "state" if index < len(states) else "parameter"
    return {
        Status.OK: "ok",
        Status.TOO_MANY_STEPS: f"the solver needed too many steps and stopped at t = {time:.6g}: "
        "allow more, or a looser tolerance",
        Status.STEP_TOO_SMALL: f"the solver's step became too small at t = {time:.6g}: a state may "
        "grow without bound there",
        Status.NOT_FINITE: f"the derivative of '{name}' is not finite at t = {time:.6g}",
        Status.ENDLESS_EVENTS: "events or switches follow each other without end at "
        f"t = {time:.6g}",
        Status.BAD_START: f"the {kind} '{name}' is not a finite number at the start",
        Status.NO_STEADY_STATE: f"no steady state was reached by t = {time:.6g}: the slope of "
        f"'{name}' is farthest from zero",
    }[status]
