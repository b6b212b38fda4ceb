"""How the computed values on the mechanism were obtained."""

from __future__ import annotations

from statera.report.document import Method

__all__ = ["METHODS"]

METHODS: tuple[Method, ...] = (
    Method(
        "concentration_chosen",
        "Concentration at which the mechanism is shown",
        "Unless one is given on the command line: the average over a dosing interval at steady "
        "state of the typical subject, AUC over the interval divided by its length, at the "
        "highest once- or twice-daily label dose inside the range of the model, divided by the "
        "molar mass. The unbound concentration is the total times one minus the bound fraction.",
    ),
    Method(
        "kinase",
        "Inhibition of a kinase",
        "Hill equation, I = C / (C + IC50), with a Hill coefficient of 1 (assumed: no source gives "
        "one for the enzymes) and C the unbound concentration where it is known. Where sources "
        "disagree, the range spans them. An IC50 known to be above a value gives an inhibition of "
        "at most that of the value.",
    ),
    Method(
        "fold",
        "Fold selectivity",
        "IC50 of the kinase over IC50 of the reference kinase, both from isolated enzymes. A bound "
        "of the numerator gives a bound of the ratio, rounded towards the side that stays true.",
    ),
)
