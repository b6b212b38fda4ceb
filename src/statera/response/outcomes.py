"""What every kind of outcome tells the fit, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["Indices", "Matrix", "Outcome", "Rows"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Matrix: TypeAlias = "Floats | csr_array"


@dataclass(frozen=True)
class Rows:
    """Log-likelihood of each row by z = (linear predictor, baseline parameters), m of them.

    Attributes
    ----------
    value : (n,) float64
    slope : (n, m) float64
    curve : (n, m, m) float64
    """

    value: Floats
    slope: Floats
    curve: Floats

    def __add__(self, other: Rows) -> Rows:
        """Return the sum."""
        return Rows(self.value + other.value, self.slope + other.slope, self.curve + other.curve)


class Outcome(Protocol):
    """An outcome of n rows whose likelihood is a product over rows."""

    @property
    def n(self) -> int:
        """Number of rows."""
        ...

    @property
    def events(self) -> int:
        """Number of events: of the rarer answer, where there are two."""
        ...

    @property
    def intercept(self) -> bool:
        """Whether the linear predictor has an intercept beside the baseline parameters."""
        ...

    @property
    def baseline(self) -> tuple[str, ...]:
        """Names of the baseline parameters."""
        ...

    @property
    def people(self) -> Indices:
        """Number of the subject of each row, (n,)."""
        ...

    def start(self) -> Floats:
        """Return first guesses of intercept (where there is one) and baseline parameters."""
        ...

    def rows(self, eta: Floats, baseline: Floats) -> Rows:
        """Return the log-likelihood of each row."""
        ...

    def take(self, index: Indices) -> Outcome:
        """Return the outcome of some rows, in this order; a row may come more than once."""
        ...

    def recession(self, design: Floats) -> tuple[Matrix, Matrix]:
        """Return what a direction must obey along which no row's likelihood falls.

        Parameters
        ----------
        design : (n, c) float64
            Columns of the linear predictor, the intercept among them where there is one.

        Returns
        -------
        at_least, equal : (_, c + b) float64
            The direction d holds the c coefficients and then b baseline parameters (or none of
            them): ``at_least @ d >= 0`` and ``equal @ d == 0``. If some d obeys and a row of
            `at_least` is positive, the likelihood has no maximum.
        """
        ...
