"""Which concentration a potency is compared with: total or unbound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.engagement.potency import Potency
from statera.errors import InputError

__all__ = ["RULES", "Basis", "BasisRule", "concentration_basis"]


@dataclass(frozen=True)
class BasisRule:
    """A named rule that says which concentration is used, and on what assumption."""

    key: str
    name: str
    text: str
    flagged: bool


RULES: dict[str, BasisRule] = {
    rule.key: rule
    for rule in (
        BasisRule(
            "enzyme_unbound",
            "Enzyme assay: unbound",
            "An isolated-enzyme assay is taken to be free of plasma protein, so its potency is "
            "compared with the unbound concentration.",
            False,
        ),
        BasisRule(
            "cell_unbound",
            "Cell assay: unbound",
            "A cell assay is taken to run in protein-poor medium, so its potency is compared with "
            "the unbound concentration; binding to serum in the medium would change this.",
            False,
        ),
        BasisRule(
            "blood_total",
            "Blood assay: total",
            "In blood the drug is bound as it is in the patient, so the potency is compared with "
            "the total concentration.",
            False,
        ),
        BasisRule(
            "fraction_unknown_total",
            "Unbound fraction unknown: total",
            "The assay would call for the unbound concentration, but no unbound fraction is known; "
            "the total concentration is used, which overstates the inhibition.",
            True,
        ),
        BasisRule(
            "matrix_unknown_total",
            "Matrix unknown: total",
            "The source does not say what the drug was dissolved in; the total concentration is "
            "used, which overstates the inhibition if there was little protein.",
            True,
        ),
    )
}


@dataclass(frozen=True)
class Basis:
    """The concentration to use for one potency.

    Attributes
    ----------
    kind
        ``total`` or ``unbound``.
    factor
        What the total concentration is multiplied by: 1, or the unbound fraction.
    rule
        The rule that decided.
    """

    kind: Literal["total", "unbound"]
    factor: float
    rule: BasisRule

    @property
    def is_flagged(self) -> bool:
        """True where the reader must be told that the basis is a makeshift."""
        return self.rule.flagged

    def apply(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the concentration to use, in the unit of `total` and of its shape."""
        return np.asarray(total, dtype=np.float64) * self.factor


def concentration_basis(potency: Potency, unbound_fraction: float | None) -> Basis:
    """Choose the concentration that `potency` is compared with.

    Parameters
    ----------
    potency
        Its `matrix` decides.
    unbound_fraction
        Of the drug in plasma, above 0 and at most 1; None where it is not known.

    Raises
    ------
    InputError
        If the unbound fraction is outside this range.
    """
    if unbound_fraction is not None and not 0.0 < unbound_fraction <= 1.0:
        raise InputError(
            f"an unbound fraction of {unbound_fraction:g} is not possible",
            where="unbound_fraction",
            hint="Give a fraction above 0 and at most 1.",
        )
    if potency.matrix in ("whole_blood", "ex_vivo_blood"):
        return Basis("total", 1.0, RULES["blood_total"])
    if potency.matrix == "unknown":
        return Basis("total", 1.0, RULES["matrix_unknown_total"])
    if unbound_fraction is None:
        return Basis("total", 1.0, RULES["fraction_unknown_total"])
    key = "enzyme_unbound" if potency.matrix == "enzyme" else "cell_unbound"
    return Basis("unbound", unbound_fraction, RULES[key])
