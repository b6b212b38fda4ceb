"""How computed values of a monograph were obtained: what the marks on the page link to."""

from __future__ import annotations

from statera.report.document import Method

__all__ = ["METHODS"]

METHODS: dict[str, Method] = {
    m.key: m
    for m in (
        Method(
            "typical",
            "Typical subject",
            "The published model is solved for a subject with the reference covariates and no "
            "random effects, in closed form where the equations are linear. Cmax and tmax are "
            "located between events by bisection on the exact derivative, AUC is the exact "
            "integral, and steady state is the exact sum of the geometric series of all earlier "
            "doses.",
        ),
        Method(
            "population",
            "Simulated population",
            "Random effects are drawn from the published covariance matrix with a fixed seed at "
            "the covariates stated; percentiles are taken over the subjects. Residual error is not "
            "added. Bands show variability between subjects, not uncertainty of the parameters.",
        ),
        Method(
            "difference",
            "Difference from the published value",
            "Simulated value over published value, minus one.",
        ),
        Method(
            "halflife",
            "Half-life from the model",
            "ln 2 over the smallest rate of the model's equations (the terminal phase) for the "
            "typical subject.",
        ),
        Method(
            "accumulation",
            "Accumulation",
            "AUC over one dosing interval at steady state divided by AUC over the same interval "
            "after the first dose, minus one.",
        ),
    )
}
