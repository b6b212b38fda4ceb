"""Covariates that a regimen fixes by itself."""

from __future__ import annotations

from statera.data import Dose
from statera.model import Model

__all__ = ["implied_covariates"]


def implied_covariates(model: Model, dose: Dose) -> dict[str, float]:
    """Return covariates that a regimen itself fixes: the daily dose, and whether doses repeat."""
    found = {}
    if "DOSE" in model.covariates:
        found["DOSE"] = dose.amount * 24.0 / (dose.interval or 24.0)
    if "MULTIPLE" in model.covariates:
        found["MULTIPLE"] = float(dose.interval > 0)
    return found
