"""How the numbers of a pathway's page were obtained, and their sources."""

from __future__ import annotations

from statera.report.document import Method, Reference

__all__ = ["METHODS", "NOTICE", "REFERENCES"]

NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)

METHODS: dict[str, Method] = {
    "joint": Method(
        "joint",
        "Drug and pathway as one system",
        "The states of the pharmacokinetic model and of the pathway are integrated together by "
        "Rodas5P; doses are jumps of states. The rate of each marked reaction is multiplied by "
        "1 / (1 + (C / K)^h), C being the total or the unbound concentration.",
    ),
    "solved": Method(
        "solved",
        "Solution",
        "The states are integrated by Rodas5P at a relative tolerance of 1e-8.",
    ),
    "inhibition": Method(
        "inhibition",
        "Inhibition",
        "1 - output with drug / output without drug, at the same time; that of areas takes the "
        "areas under both curves by the trapezoidal rule. Below 0 where the drug raises the "
        "output, which happens where less of an inhibitor of the pathway was made.",
    ),
    "objective": Method(
        "objective",
        "Objective",
        "Negative log-likelihood of the measurements, with all constants, plus the negative "
        "logarithm of the priors that the problem states. Derivatives are exact: the sensitivities "
        "of the states are solved with them.",
    ),
    "search": Method(
        "search",
        "Search",
        "Many searches from points spread over the bounds, by an interior trust region with "
        "reflections at the bounds.",
    ),
    "fisher": Method(
        "fisher",
        "Standard errors",
        "Square roots of the diagonal of the inverse Fisher matrix at the optimum, on the scales "
        "on which parameters are searched; none where the matrix cannot be inverted.",
    ),
    "profile": Method(
        "profile",
        "Profile likelihood",
        "One parameter is moved and all others are searched anew; the interval ends where the "
        "objective has risen by half the chi-squared quantile with one degree of freedom.",
    ),
    "bands": Method(
        "bands",
        "Bands",
        "Quantiles of the simulated course over draws of the parameters from their posterior.",
    ),
}

REFERENCES: dict[str, Reference] = {
    "rodas5p": Reference(
        "rodas5p",
        "Steinebach G. Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks "
        "within the Julia Differential Equations package. BIT Numer Math 2023;63:27.",
        "https://doi.org/10.1007/s10543-023-00967-x",
    ),
    "fides": Reference(
        "fides",
        "Froehlich F, Sorger PK. Fides: reliable trust-region optimization for parameter "
        "estimation of ordinary differential equation models. PLoS Comput Biol 2022;18:e1010322.",
        "https://doi.org/10.1371/journal.pcbi.1010322",
    ),
    "raue": Reference(
        "raue",
        "Raue A and others. Structural and practical identifiability analysis of partially "
        "observed dynamical models by exploiting the profile likelihood. Bioinformatics "
        "2009;25:1923-1929.",
        "https://doi.org/10.1093/bioinformatics/btp358",
    ),
    "terbraak": Reference(
        "terbraak",
        "ter Braak CJF, Vrugt JA. Differential Evolution Markov Chain with snooker updater and "
        "fewer chains. Stat Comput 2008;18:435-446.",
        "https://doi.org/10.1007/s11222-008-9104-9",
    ),
}
