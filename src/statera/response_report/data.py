"""The results of an analysis as plain data."""

from __future__ import annotations

from typing import Any

from statera.response.analysis import ResponseAnalysis
from statera.response.cox import Cox
from statera.response.predict_doses import PredictedDose
from statera.response_report.methods import OUTCOMES, outcome_kind

__all__ = ["response_data"]


def response_data(
    found: ResponseAnalysis, exposure_label: str, predicted: tuple[PredictedDose, ...] = ()
) -> dict[str, Any]:
    """Return everything that the page shows, without the drawings.

    Parameters
    ----------
    found
        From `statera.response.analysis.analyse_response`.
    exposure_label
        What the exposure is.
    predicted
        Doses that were not given.
    """
    fit = found.fit
    best = found.comparison.best
    return {
        "outcome": OUTCOMES[outcome_kind(found)],
        "exposure": exposure_label,
        "form": found.options.form,
        "status": fit.status if fit is not None else "not fitted",
        "rows": found.outcome.n,
        "events": found.outcome.events,
        "log_likelihood": fit.log_likelihood if fit is not None else None,
        "aic": fit.aic if fit is not None else None,
        "parameters": [vars(row) for row in found.parameters],
        "forms": [
            {
                "form": r.form,
                "status": r.status,
                "parameters": r.parameters,
                "log_likelihood": r.log_likelihood,
                "aic": r.aic,
                "difference": r.delta,
                "weight": r.weight,
            }
            for r in found.comparison.rows
        ],
        "smallest_aic": best.form if best is not None else None,
        "tests": [vars(t) for t in found.comparison.tests],
        "curves": [vars(c) for c in found.curves],
        "bootstrap": None if found.band is None else {
            "exposure": found.band.exposure, "low": found.band.low, "high": found.band.high,
            "fitted": found.band.theta.shape[0], "failed": found.band.failed,
            "ec50_ran_off": found.band.unidentified,
        },
        "observed": [[vars(o) for o in one] for one in found.observed],
        "doses": [[vars(d) for d in one] for one in found.doses],
        "predicted_doses": [vars(d) for d in predicted],
        "at": found.at,
        "log_rank": None if found.log_rank is None else vars(found.log_rank),
        "proportional_odds": (
            None if found.proportional_odds is None else vars(found.proportional_odds)
        ),
        "permutation": None if found.permutation is None else {
            "statistic": found.permutation[0], "p_value": found.permutation[1],
        },
        "ratio": isinstance(found.outcome, Cox),
    }  # fmt: skip
