"""Dilution of a drug stock in solvent, and series of concentrations."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError

__all__ = ["Dilution", "dilution", "log_dilution_series"]

#: More wells than a 384-well plate has cannot be one series.
MAX_POINTS = 384


@dataclass(frozen=True)
class Dilution:
    """How far a stock is diluted to reach a concentration.

    Attributes
    ----------
    target_nM
        Concentration reached, nM.
    fold
        Final volume over volume of stock.
    solvent_percent
        Share of solvent in the final volume, % v/v, where the stock is in pure solvent and is
        diluted in medium. Vehicle wells need the same share.
    """

    target_nM: float
    fold: float
    solvent_percent: float

    @property
    def text(self) -> str:
        """In words, such as ``1:10 000, 0.01 % solvent``."""
        fold = f"{self.fold:,.0f}".replace(",", " ") if self.fold >= 100 else f"{self.fold:.3g}"
        return f"1:{fold}, {self.solvent_percent:.2g} % solvent"


def dilution(stock_mM: float, target_nM: float) -> Dilution:
    """Return the dilution of a stock in pure solvent to a working concentration.

    Parameters
    ----------
    stock_mM
        Concentration of the stock, mM.
    target_nM
        Concentration wanted, nM.

    Raises
    ------
    InputError
        If a concentration is not positive and finite, or the target exceeds the stock.
    """
    _positive(stock_mM, "stock_mM")
    _positive(target_nM, "target_nM")
    fold = stock_mM * 1e6 / target_nM
    if not 1.0 <= fold < math.inf:
        raise InputError(
            f"{target_nM:g} nM cannot be made from a stock of {stock_mM:g} mM",
            where="target_nM",
            hint=f"Give a target of at most {stock_mM * 1e6:g} nM.",
        )
    return Dilution(target_nM, fold, 100.0 / fold)


def log_dilution_series(top_nM: float, fold: float, n: int) -> NDArray[np.float64]:
    """Return concentrations that fall by a constant factor.

    Parameters
    ----------
    top_nM
        Highest concentration, nM.
    fold
        Factor between neighbours, above 1; the root of 10 gives half-log steps.
    n
        Number of concentrations, at least 2.

    Returns
    -------
    (n,) float64, nM, highest first.

    Raises
    ------
    InputError
        If an argument is outside these limits or the lowest concentration vanishes.
    """
    _positive(top_nM, "top_nM")
    if not 1.0 < fold < math.inf:
        raise InputError(
            f"a step of {fold:g} does not dilute", where="fold", hint="Give a factor above 1."
        )
    if n != int(n) or not 2 <= n <= MAX_POINTS:
        raise InputError(
            f"{n} is not a number of concentrations",
            where="n",
            hint=f"Give a whole number from 2 to {MAX_POINTS}.",
        )
    log_series = math.log(top_nM) - math.log(fold) * np.arange(int(n))
    series = np.asarray(np.exp(log_series), dtype=np.float64)
    series[0] = top_nM
    if series[-1] < 1e-300:
        raise InputError(
            "the lowest concentration vanishes", where="n", hint="Use fewer or smaller steps."
        )
    return series


def _positive(value: float, what: str) -> None:
    if not 0.0 < value < math.inf:
        raise InputError(
            f"a concentration of {value:g} is not possible",
            where=what,
            hint="Give a positive, finite number.",
        )
