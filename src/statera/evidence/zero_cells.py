"""What is added to counts where a cell is empty, before an effect is computed.

1/2 to every cell of a study with an empty one (Haldane; Anscombe, Biometrika 1956;43:461) is the
convention that ``only zero`` names. Methods made for rare events need none: see the page on
evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.numerics.intervals_exact import check_level

__all__ = ["AddTo", "EffectSizeOptions", "Variance", "corrected"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Scales on which an empty cell has a finite value: nothing is added unless that is asked for.
_STABLE = frozenset({"AS", "IRSD", "PAS", "PFT", "IRS", "IRFT"})


class AddTo(StrEnum):
    """Which studies get the correction."""

    ONLY_ZERO = "only zero"
    ALL_IF_ANY_ZERO = "all if any zero"
    ALL = "all"
    NONE = "none"


class Variance(StrEnum):
    """Which sampling variance."""

    LARGE_SAMPLE = "large sample"
    UNBIASED = "unbiased"
    EQUAL_VARIANCES = "equal variances"
    AVERAGE = "average"


@dataclass(frozen=True)
class EffectSizeOptions:
    """How effects are computed.

    Attributes
    ----------
    add
        Added to each cell of a study chosen by `add_to`; None: 1/2, and 0 on the scales that need
        nothing (AS, IRSD, PAS, PFT, IRS, IRFT).
    add_to
        Which studies get it.
    drop_double_zero
        Studies without events in both arms (or with events only) get no effect.
    variance
        Large sample for all; unbiased for RD, SMD, PR; equal variances in both arms for MD, ROM;
        by the average over studies for RD, SMD, PR, PLN, PLO.
    bias_correction
        Of the log ratio of means, to second order (Lajeunesse, Ecology 2015;96:2056).
    level
        Of printed intervals, unless a column ``level`` says otherwise.
    """

    add: float | None = None
    add_to: AddTo = AddTo.ONLY_ZERO
    drop_double_zero: bool = False
    variance: Variance = Variance.LARGE_SAMPLE
    bias_correction: bool = True
    level: float = 0.95

    def __post_init__(self) -> None:
        object.__setattr__(self, "add_to", AddTo(self.add_to))
        object.__setattr__(self, "variance", Variance(self.variance))
        check_level(self.level)
        if self.add is not None and not 0.0 <= self.add < np.inf:
            raise InputError(
                f"{self.add:g} cannot be added to a cell", where="add", hint="Give 0 or more."
            )

    def amount(self, code: str) -> float:
        """Return what is added for a measure."""
        if self.add is not None:
            return self.add
        return 0.0 if code in _STABLE else 0.5


def corrected(
    cells: tuple[Floats, ...], options: EffectSizeOptions, code: str
) -> tuple[tuple[Floats, ...], Bools]:
    """Return the cells with the correction, and which studies got one.

    Parameters
    ----------
    cells : each (k,) float64
        Counts; NaN where missing.
    options, code
        What is added, and for which measure.
    """
    amount = options.amount(code)
    empty = np.zeros(cells[0].shape, dtype=bool)
    for cell in cells:
        empty |= cell == 0.0
    match options.add_to:
        case AddTo.ALL:
            chosen = np.ones_like(empty)
        case AddTo.NONE:
            chosen = np.zeros_like(empty)
        case AddTo.ALL_IF_ANY_ZERO:
            chosen = np.full_like(empty, bool(empty.any()))
        case _:
            chosen = empty
    if amount == 0.0:
        chosen = np.zeros_like(empty)
    return tuple(cell + amount * chosen for cell in cells), chosen
