"""How the computed values on target engagement were obtained."""

from __future__ import annotations

from statera.engagement import ASSUMPTIONS
from statera.report.document import Method

__all__ = ["METHODS"]

_RECEPTORS = tuple(
    Method(
        f"receptor_{rule.key}",
        f"Receptor inhibition: {rule.name.lower()}",
        f"{rule.formula}, with I1, I2, ... the inhibition of the kinases that the table of "
        f"receptors lists, from their enzyme potencies at the unbound concentration. "
        f"{rule.rationale} Source of the rule: {rule.source}.\n\nA kinase whose potency is a bound "
        "or unknown, or which the table leaves open, may be inhibited from 0 to 100 %, and the "
        "result is given as the range that follows. Enzyme assays run at their own concentration "
        "of ATP, so values compare kinases and cytokines; they do not predict the inhibition in a "
        "cell. Averages over a dosing interval are taken with the trapezoidal rule over the "
        "observation times.",
    )
    for rule in (ASSUMPTIONS["limiting_kinase"], ASSUMPTIONS["independent"])
)

METHODS: tuple[Method, ...] = (
    Method(
        "engagement",
        "Inhibition from concentration",
        "Hill equation, I = C^h / (C^h + IC50^h), with complete inhibition as its limit (Hill, "
        "J Physiol 1910;40:iv-vii). C is the simulated total concentration of the typical subject "
        "at steady state, times the unbound fraction where the potency was measured without "
        "plasma. h is 1 where the source gives none: an assumption, also behind every bound.\n\n"
        "The average is the exact time average over the dosing interval for a concentration that "
        "rises linearly and falls log-linearly between samples; maximum and minimum are at "
        "the exact extremes of the concentration; time above the IC50 is scaled to 24 h. With an "
        "IC50 known to be below a value, all of them are lower bounds; above it, upper bounds.",
    ),
    Method(
        "engagement_population",
        "Inhibition in the population",
        "The same for every simulated subject; 5th and 95th percentile of the average inhibition. "
        "The potency is the same for all, because its own variability between people is known for "
        "potencies of a plate only: the range shows the variability of the concentration alone.",
    ),
    Method(
        "engagement_plate",
        "Potencies fitted from your plate",
        "IC50, Hill coefficient and their uncertainty were fitted by this program from your plate; "
        "the potency file that was given is named by its hash in the manifest. ln IC50 is taken as "
        "normal. Three things are kept apart: the interval of the mean over donors, as the fit "
        "gave it; donors about that mean, by the standard deviation between them; and persons who "
        "were not measured, who differ by both, so that the variances add. What is not known of "
        "these is left out.\n\n"
        "Inhibition falls with the IC50, so its quantiles at a given concentration are exactly the "
        "inhibitions at the opposite quantiles of the IC50. For persons each simulated subject "
        "gets an IC50 of its own, independent of its concentration, at the midpoint of one of "
        "equally probable parts of the distribution. The Hill coefficient is used as fitted; its "
        "uncertainty is not. An IC50 known only to be at least or at most a value is a bound, "
        "without a distribution.",
    ),
    Method(
        "engagement_added",
        "Parent and metabolite added",
        "Assumed: parent and active metabolite act on the same site and add up as concentrations "
        "weighted by potency (Loewe additivity), I = X^h / (1 + X^h) with X = C/IC50 + Cm/IC50m, "
        "with the Hill coefficient that the source gives for both. Both concentrations and both "
        "potencies are masses per volume, so no molar mass is needed. The metabolite's simulated "
        "concentration is taken as the one measured: its apparent volume in the model absorbs the "
        "formed fraction and the ratio of the molar masses. Maximum and minimum are those of the "
        "sampled times.",
    ),
    Method(
        "engagement_implied",
        "IC50 implied by an observed return to baseline",
        "With a Hill coefficient of 1, an inhibition of at most i at the total concentration C "
        "needs IC50 >= C (1 - i) / i.",
    ),
    *_RECEPTORS,
)
