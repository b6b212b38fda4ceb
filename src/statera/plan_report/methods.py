"""How the values of a bench sheet were computed."""

from __future__ import annotations

from statera.report.document import Method

__all__ = ["METHODS"]

METHODS: dict[str, Method] = {
    m.key: m
    for m in (
        Method(
            "dilutions",
            "Dilutions",
            "The series is made in pure solvent, each member from the one before, and every "
            "member is diluted by the same volumes into medium, so that all wells, vehicle "
            "included, hold the same share of solvent. Volumes are those that the pipettes "
            "deliver: of all transfers up to twice the least that gives enough, the roundest with "
            "a fold within 0.2 % of the wanted one, else the one with the nearest fold. "
            "Concentrations reached follow from these volumes, step by step; pipetting error is "
            "not in them. A dilution beyond the largest fold gets an intermediate.",
        ),
        Method(
            "totals",
            "Totals",
            "Number of wells times the amount in each, plus the reserve. Drug stock, solvent and "
            "medium are summed over the mixtures of the sheet as they are pipetted.",
        ),
        Method(
            "expected",
            "Expected inhibition",
            "C / (C + IC50) with the slope stated by the source, or 1 where it states none, at the "
            "dose reached in the well. An IC50 known only as a bound gives a bound. Only "
            "potencies measured with the cytokine are used; binding to serum in the medium is not "
            "considered.",
        ),
        Method(
            "precision",
            "Precision by simulation",
            "Donors are simulated well by well from a logistic curve, controls included: ln IC50 "
            "normal between donors, signals with a constant coefficient of variation, inhibition "
            "by the controls simulated with them. Each donor is fitted by the code that fits "
            "measured curves, with a profile-likelihood interval; determined means that both its "
            "ends are. The variance of the donors' mean of ln IC50 is that between donors plus "
            "that of the fits (estimated less true ln IC50), over the number of donors; its 95 % "
            "interval uses the t quantile of that number less one.",
        ),
    )
}
