"""Variances and covariances of random effects, from what papers print."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.model import fields
from statera.model.fields import KeyPath, SpecError
from statera.model.model import RandomEffect

__all__ = ["covariance_matrix", "variance_from"]


def variance_from(row: Mapping[str, Any], path: KeyPath) -> tuple[float, str]:
    """Return the variance of a random effect and how it was obtained.

    A variance is taken as it stands. A coefficient of variation in percent needs a stated
    conversion: ``lognormal`` for ``CV = 100 sqrt(exp(w2) - 1)`` and ``sqrt`` for
    ``CV = 100 sqrt(w2)``; papers use both, and they differ by a third at 100 %.
    """
    if ("variance" in row) == ("cv" in row):
        raise SpecError(path, "give either 'variance' or 'cv'")
    if "variance" in row:
        variance = fields.need_number(row, "variance", path)
        if variance < 0:
            raise SpecError((*path, "variance"), f"a variance cannot be negative: {variance:g}")
        return variance, "as published"
    cv = fields.need_number(row, "cv", path) / 100.0
    if cv < 0:
        raise SpecError((*path, "cv"), "a coefficient of variation cannot be negative")
    conversion = fields.choice(row, "conversion", path, ["lognormal", "sqrt"])
    if conversion == "lognormal":
        return math.log1p(cv * cv), "w2 = ln(1 + CV^2)"
    return cv * cv, "w2 = CV^2"


def covariance_matrix(effects: Mapping[str, RandomEffect], entries: Any) -> NDArray[np.float64]:
    """Return the covariance matrix of the random effects in their order.

    Raises
    ------
    SpecError
        If an entry names an unknown effect, a pair twice, or the matrix is not positive
        semi-definite.
    """
    names = list(effects)
    omega = np.diag([effects[n].variance for n in names]).astype(np.float64)
    if not isinstance(entries, list):
        raise SpecError(("covariances",), "expected a list of tables")
    for index, entry in enumerate(entries):
        path: KeyPath = ("covariances", index)
        row = fields.as_table(entry, path)
        fields.only(row, {"between", "value", "correlation", "locator", "note"}, path)
        pair = fields.texts(row, "between", path)
        if len(pair) != 2 or not set(pair) <= set(names) or pair[0] == pair[1]:
            raise SpecError((*path, "between"), "expected the names of two random effects")
        i, j = names.index(pair[0]), names.index(pair[1])
        if omega[i, j] != 0.0:
            raise SpecError((*path, "between"), f"the pair {pair[0]}, {pair[1]} stands twice")
        if ("value" in row) == ("correlation" in row):
            raise SpecError(path, "give either 'value' (a covariance) or 'correlation'")
        if "value" in row:
            covariance = fields.need_number(row, "value", path)
        else:
            rho = fields.need_number(row, "correlation", path)
            covariance = rho * math.sqrt(omega[i, i] * omega[j, j])
        omega[i, j] = omega[j, i] = covariance
    if names and np.linalg.eigvalsh(omega).min() < -1e-12:
        raise SpecError(
            ("covariances",),
            "the covariance matrix of the random effects is not positive semi-definite",
            "Check which table of the paper holds the variances that belong together.",
        )
    omega.setflags(write=False)
    return omega
