"""How the values of a plate's report were obtained, and their sources."""

from __future__ import annotations

from statera.report.document import Method, Reference

__all__ = ["METHODS", "REFERENCES"]

METHODS: dict[str, Method] = {
    m.key: m
    for m in (
        Method(
            "plate_ic50",
            "IC50 and its status",
            "A logistic curve of the response against the dose is fitted by least squares to the "
            "wells of one donor, stimulation, population and readout, the logarithm of the IC50 "
            "being a parameter. Its interval holds all values at which the sum of squares, the "
            "other parameters fitted anew, stays below RSS (1 + t²/df). An end further than ten "
            "times beyond the doses is not determined, and then the IC50 is given as a bound or "
            "not at all.\n\n"
            "Remarks follow the rule that two doses should lie beyond each bend of the curve, "
            "which is where (dose / IC50)^slope is 4.68 or its inverse. A flat line is compared "
            "by Akaike's criterion for small samples. The Hill slope is positive where the "
            "response falls with the dose. The dose at a stated response takes the errors of all "
            "parameters. pIC50 is minus log10 of the IC50 in mol/L.",
        ),
        Method(
            "plate_window",
            "Stimulation window, Z′ and signal window",
            "Fold is the mean median of the stimulated wells over that of the unstimulated ones. "
            "Z′ = 1 − 3 (s₁ + s₂) / |m₁ − m₂|, with means and standard deviations of the wells of "
            "both controls on the scale of the responses. A curve is refused where stimulation is "
            "not upward, the fold is too small or the stimulated wells scatter too much, before "
            "any fit is believed: neither number knows which control should be higher. Few "
            "control wells make both uncertain.",
        ),
        Method(
            "plate_repeats",
            "Minimum significant ratio",
            "The smallest ratio of two IC50s, each from one plate, that is unlikely to be chance: "
            "10^(2 √2 s), with s the standard deviation of log10 IC50 between plates of the same "
            "donor, stimulation, population and readout.",
        ),
        Method(
            "plate_median",
            "Median fluorescence and inhibition",
            "The readout of a population is the median of compensated, linear values of its "
            "events. Per cent inhibition is 100 (S − x) / (S − U), with S and U the means over "
            "stimulated and unstimulated wells of the same plate, donor and stimulation; the "
            "response that curves are fitted to is 100 less that.",
        ),
        Method(
            "plate_donors",
            "Over donors",
            "From three donors on, one logistic curve is fitted to the points of all, with random "
            "effects of donors on the logarithm of the IC50 and on both limits, by maximum "
            "likelihood; a term whose variance goes to zero is left out and named. Two donors' "
            "own estimates of ln IC50 are pooled with the variance between them. The interval of "
            "a new donor adds the variance between donors to that of the mean; the interval of the "
            "standard deviation between donors is by profile likelihood. IC50s known as "
            "bounds only are not pooled, and named.",
        ),
        Method(
            "plate_comparisons",
            "Curves compared",
            "Curves are fitted together, once with parameters of their own and once sharing some "
            "of them; the F test compares the sums of squares, (RSS₁ − RSS₀) / (df₁ − df₀) over "
            "RSS₀ / df₀. The relative potency is the ratio of IC50s of parallel curves, with an "
            "interval by profile likelihood.",
        ),
        Method(
            "plate_gates",
            "Gates and their drawings",
            "Gates are applied to values on the scale that each names. Drawings show a sample of "
            "the parent's events in bins; the darkness of a bin grows with the logarithm of its "
            "count, and events beyond an axis count in its outermost bin.",
        ),
        Method(
            "plate_quality",
            "Quality control",
            "Events at or beyond the range of a detector, in stretches of time whose rate of "
            "events differs from the rest, or whose signals drift from their median, are counted "
            "by rule and left out where the settings say so.",
        ),
    )
}

REFERENCES: dict[str, Reference] = {
    key: Reference(key, text, f"https://doi.org/{doi}")
    for key, text, doi in (
        (
            "Bates_1988",
            "Bates DM, Watts DG. Nonlinear Regression Analysis and Its Applications. Wiley, 1988.",
            "10.1002/9780470316757",
        ),
        (
            "Sebaugh_2011",
            "Sebaugh JL. Guidelines for accurate EC50/IC50 estimation. Pharm Stat 2011;10:128-134.",
            "10.1002/pst.426",
        ),
        (
            "Sebaugh_2003",
            "Sebaugh JL, McCray PD. Defining the linear portion of a sigmoid-shaped curve: bend "
            "points. Pharm Stat 2003;2:167-174.",
            "10.1002/pst.62",
        ),
        (
            "Hurvich_1989",
            "Hurvich CM, Tsai CL. Regression and time series model selection in small samples. "
            "Biometrika 1989;76:297-307.",
            "10.1093/biomet/76.2.297",
        ),
        (
            "Zhang_1999",
            "Zhang JH, Chung TDY, Oldenburg KR. A simple statistical parameter for use in "
            "evaluation and validation of high throughput screening assays. J Biomol Screen "
            "1999;4:67-73.",
            "10.1177/108705719900400206",
        ),
        (
            "Eastwood_2006",
            "Eastwood BJ, Farmen MW, Iversen PW, et al. The minimum significant ratio: a "
            "statistical parameter to characterize the reproducibility of potency estimates from "
            "concentration-response assays and estimation by replicate-experiment studies. J "
            "Biomol Screen 2006;11:253-261.",
            "10.1177/1087057105285611",
        ),
        (
            "Lee_2008",
            "Lee JA, Spidlen J, Boyce K, et al. MIFlowCyt: the minimum information about a flow "
            "cytometry experiment. Cytometry A 2008;73:926-930.",
            "10.1002/cyto.a.20623",
        ),
        (
            "Spidlen_2015",
            "Spidlen J, Moore W, Brinkman RR. ISAC's Gating-ML 2.0 data exchange standard for "
            "gating description. Cytometry A 2015;87:683-687.",
            "10.1002/cyto.a.22690",
        ),
        (
            "Moore_2012",
            "Moore WA, Parks DR. Update for the logicle data scale including operational code "
            "implementations. Cytometry A 2012;81:273-277.",
            "10.1002/cyto.a.22030",
        ),
    )
}
