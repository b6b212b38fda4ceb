"""What happened to each subject, in a sentence."""

from __future__ import annotations

from statera.simulate import doses

__all__ = ["SENTENCES", "sentence"]

SENTENCES: dict[int, str] = {
    doses.OK: "ok",
    doses.BAD_INPUT: (
        "a bioavailability, lag, duration or rate of an input is negative or not a number"
    ),
    doses.NO_STEADY_STATE: "no steady state exists: an amount grows without bound",
    doses.LAG_TOO_LONG: "the lag is not shorter than the dosing interval at steady state",
    doses.NOT_FINITE: "the solution is not finite: check parameters and covariates",
    doses.TOO_MANY_STEPS: "the solver needed too many steps: the system may be stiff",
    doses.STEP_TOO_SMALL: "the solver's step became too small: the system may be singular",
    doses.NOT_PERIODIC: "the steady state was not reached within the allowed number of periods",
}


def sentence(code: int) -> str:
    """Return the sentence of a status code."""
    return SENTENCES[code]
