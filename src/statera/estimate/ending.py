"""How a fit ended, in words."""

from __future__ import annotations

__all__ = ["FINISHED", "sentence"]

FINISHED = frozenset({"converged", "evaluated"})
"""Statuses of a fit whose estimates may be used as they are."""

_SENTENCES = {
    "converged": "The fit converged: no step lowers the objective by more than the tolerance.",
    "evaluated": "The objective was evaluated at the given values; nothing was estimated.",
    "no progress": (
        "The search stopped: no step lowers the objective although its gradient is not 0. "
        "Look for parameters that the data do not determine, or start from other values."
    ),
    "drift": (
        "A parameter runs on without end while the objective all but stays; it is held at its last "
        "value, and the search converged for all others. The warnings name it and say what to do."
    ),
    "no start": (
        "The objective cannot be computed at the initial values: predictions or their variances "
        "are not usable numbers there. Check doses and units, and give other initial values."
    ),
    "iterations": (
        "The search stopped at the largest number of iterations before it converged. "
        "Resume it from a checkpoint, or allow more iterations."
    ),
    "not_stationary": (
        "The search ended although the parameters still drift. Allow a longer burn-in, or look "
        "for a parameter that the data do not determine."
    ),
    "stopped": (
        "The search was stopped before it converged: these are the best values so far. "
        "Resume it from a checkpoint."
    ),
}


_OF_ITS = {
    "converged": "The parameters no longer change from iteration to iteration.",
    "no progress": (
        "The search stopped: the next step leads to values at which a subject cannot be solved. "
        "Start from other values, or use focei."
    ),
    "iterations": (
        "The search stopped at the largest number of iterations while parameters still change. "
        "Steps are small where data say little: go on by focei from its checkpoint."
    ),
}


def sentence(status: str, method: str = "") -> str:
    """Return what a status means and what to do; the status itself where it is not listed.

    Parameters
    ----------
    method
        Method of the fit, where the meaning depends on it.
    """
    if (status, method) == ("converged", "saem"):
        return "The parameters no longer drift; the estimates are averages of the chains."
    if method == "its" and status in _OF_ITS:
        return _OF_ITS[status]
    return _SENTENCES.get(status, f"The fit ended with the status '{status}'.")
