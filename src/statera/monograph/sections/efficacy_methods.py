"""How the computed values on efficacy were obtained."""

from __future__ import annotations

from statera.report.document import Method

__all__ = ["METHODS"]

METHODS: tuple[Method, ...] = (
    Method(
        "risk_difference",
        "Risk difference with interval",
        "Proportion in the active arm minus that in the control arm, in percentage points, with "
        "Newcombe's hybrid score interval (method 10; Stat Med 1998;17:873-890). Where a source "
        "prints percentages only, the whole number nearest to percentage times arm size is used; "
        "the range that rounding alone leaves is in the data. The analysis is crude: the source's "
        "own model, strata and handling of missing data are not repeated.",
    ),
    Method(
        "plain_difference",
        "Difference without interval",
        "Printed percentage of the active arm minus that of the control arm. The sizes of the arms "
        "were not retrieved, so no interval is given.",
    ),
    Method(
        "derived_sizes",
        "Arm sizes derived from the allocation",
        "Total randomised times the arm's share of the allocation ratio, rounded to whole "
        "patients. Assumed: the ratio is stated in the order in which the source lists the arms, "
        "and the achieved sizes are close to it. The difference and its interval follow as for "
        "any two proportions.",
    ),
    Method(
        "latent_emax",
        "Effect on the latent ACR response",
        "Effect = Emax C / (EC50 + C), with C the total average concentration at steady state. It "
        "is the inhibition of the production of a latent variable in a model of phase 2b data; "
        "to turn it into a response rate, thresholds, placebo effect and variability would be "
        "needed, and these were not retrieved.",
    ),
    Method(
        "hb_effect",
        "Drug effect on red-cell precursors",
        "E = slope C^power, the fraction by which the proliferation of precursors falls. The unit "
        "of C in the source was not captured; nM is assumed.",
    ),
    Method(
        "hb_steady",
        "Haemoglobin at the new steady state",
        "At steady state proliferation must balance: (1 - E) FB = 1 with FB = (RET0/RET)^g1 "
        "(RBC0/RBC)^g2. Reticulocytes and red cells then fall by the same factor, "
        "r = (1 - E)^(1/(g1 + g2)), and haemoglobin with them. The drug effect alone: recovery of "
        "haemoglobin as inflammation falls is not part of the equations.",
    ),
    Method(
        "hb_baseline",
        "Baseline and transit times of the haemoglobin model",
        "Haemoglobin = SHb (reticulocytes + red cells); with four bins each and equal flow, "
        "red cells per bin = reticulocytes per bin times ktr2/kcir, so baseline = "
        "SHb 4 RETBL (1 + ktr2/kcir). Mean transit = number of bins over the rate.",
    ),
    Method(
        "pstat1",
        "pSTAT1 from the published model",
        "Baseline times one minus the time-averaged inhibition of the typical subject at steady "
        "state, with inhibition from the published IC50 and Hill coefficient.",
    ),
)
