"""Options of the solver for systems that are not linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from statera.errors import UsageError

__all__ = ["METHODS", "OdeOptions"]

METHODS = ("auto", "tsit5", "rodas5p")


@dataclass(frozen=True)
class OdeOptions:
    """Tolerances and limits.

    Attributes
    ----------
    method
        ``"tsit5"``, ``"rodas5p"`` for stiff systems, or ``"auto"``: Tsit5, and Rodas5P for each
        subject in which Tsit5 finds its steps held down by stability or fails.
    rtol, atol
        Relative and absolute tolerance of a step, on the states. The relative one counts from a
        thousandth of the largest size a state has had, so that results do not depend on units.
    max_steps
        Steps allowed between two events.
    periods
        Dosing periods allowed to reach a steady state, by Newton's method and by repetition.
    period_rtol
        Relative change of the state over a period at which it counts as steady.
    control_sensitivities
        Whether sensitivities must meet the tolerance as well, counted from a tenth of the largest
        size each has had. Without it the states alone decide the steps, as other solvers do by
        default: fewer of them, and sensitivities that are as a rule some ten times less exact.
    """

    rtol: float = 1e-6
    atol: float = 1e-14
    max_steps: int = 100_000
    periods: int = 5_000
    period_rtol: float = 1e-8
    method: Literal["auto", "tsit5", "rodas5p"] = "auto"
    control_sensitivities: bool = True

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UsageError(
                f"'{self.method}' is not a method", hint=f"Methods are {', '.join(METHODS)}."
            )
        if not (0 < self.rtol < 1 and self.atol >= 0 and self.max_steps > 0 and self.periods > 0):
            raise UsageError("tolerances must lie between 0 and 1 and limits be above 0")
        if not self.control_sensitivities and self.atol == 0:
            raise UsageError("sensitivities that need not meet the tolerance need atol above 0")
