"""How the effect of an exposure depends on its size, with first and second derivatives.

Every effect is 0 at exposure 0, so that placebo may be part of the data:

========================  =========================================  ==========================
``none``                  0
``linear``                slope x                                    slope
``log``                   slope ln(1 + x / reference)                slope
``emax``                  Emax x / (EC50 + x)                        Emax, ln EC50
``sigmoid-emax``          Emax x^Hill / (EC50^Hill + x^Hill)         Emax, ln EC50, ln Hill
========================  =========================================  ==========================

EC50 and Hill are positive and are estimated as logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from statera.errors import UnknownNameError

__all__ = ["FORMS", "EffectForm", "Form", "form_called"]

Floats = NDArray[np.float64]
Form = Literal["none", "linear", "log", "emax", "sigmoid-emax"]
FORMS: tuple[Form, ...] = get_args(Form)

_NAMES: dict[str, tuple[str, ...]] = {
    "none": (),
    "linear": ("slope",),
    "log": ("slope",),
    "emax": ("Emax", "ln EC50"),
    "sigmoid-emax": ("Emax", "ln EC50", "ln Hill"),
}


@dataclass(frozen=True)
class EffectForm:
    """One form of the effect.

    Attributes
    ----------
    name
        See the table above.
    reference
        Exposure at which the logarithmic form bends; of the other forms without meaning.
    """

    name: Form
    reference: float = 1.0

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its parameters, in order."""
        return _NAMES[self.name]

    @property
    def is_linear(self) -> bool:
        """Whether the effect is linear in its parameters."""
        return self.name not in ("emax", "sigmoid-emax")

    def evaluate(self, x: Floats, p: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the effect, its slopes and its second derivatives.

        Parameters
        ----------
        x : (n,) float64
            Exposures, not negative.
        p : (k,) float64
            Parameters.

        Returns
        -------
        (n,), (n, k), (n, k, k) float64
        """
        k = len(self.parameters)
        curve = np.zeros((x.size, k, k))
        if self.name == "none":
            return np.zeros(x.size), np.zeros((x.size, 0)), curve
        if self.is_linear:
            column = x if self.name == "linear" else np.log1p(x / self.reference)
            return p[0] * column, column[:, None].copy(), curve
        return _saturating(x, p, curve)


def _saturating(x: Floats, p: Floats, curve: Floats) -> tuple[Floats, Floats, Floats]:
    hill = np.exp(p[2]) if p.size == 3 else 1.0
    positive = x > 0
    v = np.zeros(x.size)
    v[positive] = hill * (np.log(x[positive]) - p[1])
    share = np.where(positive, expit(v), 0.0)
    bend = share * np.where(positive, expit(-v), 0.0)
    # v depends on (ln EC50, ln Hill): slopes (-hill, v), second derivatives (0, -hill; -hill, v)
    inner = np.column_stack([np.full(x.size, -hill), v])[:, : p.size - 1]
    slope = np.column_stack([share, p[0] * bend[:, None] * inner])
    curve[:, 0, 1:] = curve[:, 1:, 0] = bend[:, None] * inner
    second = (bend * (1.0 - 2.0 * share))[:, None, None] * inner[:, :, None] * inner[:, None, :]
    if p.size == 3:
        second[:, 0, 1] -= bend * hill
        second[:, 1, 0] -= bend * hill
        second[:, 1, 1] += bend * v
    curve[:, 1:, 1:] = p[0] * second
    return p[0] * share, slope, curve


def form_called(name: str, exposure: Floats, reference: float | None = None) -> EffectForm:
    """Return a form; the reference of the logarithm is the median positive exposure unless given.

    Raises
    ------
    UnknownNameError
        If no form has this name.
    """
    known = next((form for form in FORMS if form == name), None)
    if known is None:
        raise UnknownNameError("form of the effect", name, FORMS)
    positive = exposure[exposure > 0]
    middle = float(np.median(positive)) if positive.size else 1.0
    return EffectForm(known, middle if reference is None else reference)
