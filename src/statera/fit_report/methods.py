"""How the figures and numbers of a fit's report were obtained, and their sources."""

from __future__ import annotations

from statera.report.document import Method, Reference

__all__ = ["METHODS", "REFERENCES"]

METHODS: dict[str, Method] = {
    m.key: m
    for m in (
        Method(
            "diagnostic_residuals",
            "Weighted residuals",
            "CWRES of a subject are V^(-1/2) (y - f(e) + G e), with f(e) the predictions at its "
            "random effects e, G their exact derivatives by the random effects, and V = G Omega G' "
            "plus the residual variances, at e where the fit had interaction and at 0 where it had "
            "not. The square root is the symmetric one. IWRES are (y - f(e)) over the residual "
            "standard deviation. Log-normal residual error is weighted on the logarithmic scale. "
            "Censored observations have no residuals and take no part in those of the others.",
        ),
        Method(
            "diagnostic_npde",
            "Prediction distribution errors",
            "The data are simulated many times from the estimates under their own design. NPD is "
            "the normal quantile of the share of simulated values below the observed one; NPDE is "
            "the same after mean and covariance (by its Cholesky root) of the subject's simulated "
            "vectors have been taken out of both. A censored value is replaced by one drawn below "
            "(above) the limit. Tests: Wilcoxon signed rank of mean 0, chi-square of variance 1, "
            "Shapiro-Wilk; the global p value is three times the least of them. Observations of a "
            "subject stand for themselves in the tests, and parameters were estimated from the "
            "same data: p values are a guide.",
        ),
        Method(
            "diagnostic_vpc",
            "Visual predictive check",
            "Percentiles of the observations in each bin over the interval of the same percentiles "
            "of simulated data. Random effects and residual errors are drawn anew in every "
            "replicate; the uncertainty of the estimates is not in it. Bins are the grouping of "
            "the independent variable with the least sum of squares. With prediction correction "
            "every value is multiplied by the median typical prediction of its bin over its own. "
            "Censored values rank lowest: a percentile among them is not drawn, and their share is "
            "compared instead.",
        ),
        Method(
            "diagnostic_npc",
            "Numerical predictive check",
            "Prediction intervals of every observation are quantiles of the simulations of its own "
            "record. Shares of observations below and above them are compared with the shares of "
            "simulated data, each replicate taken in turn for the data. Censored values rank "
            "lowest and tie with each other, observed and simulated alike. The uncertainty of the "
            "estimates is not in it.",
        ),
        Method(
            "diagnostic_saem",
            "Course of SAEM",
            "Drift is the difference between the means of the first and the second half of the "
            "last 60 iterations of the burn-in over the spread within the halves: a straight trend "
            "has 3.5, independent noise about 0.15. The burn-in ends when all drifts are below 1. "
            "Acceptance is the share of proposed moves of the chains that were taken after it.",
        ),
        Method(
            "diagnostic_influence",
            "Influence",
            "Leaving a subject out moves the estimates by about one Newton step of the objective "
            "of the others, with its exact gradient and a Hessian by differences of gradients. "
            "Cook's score is the length of that step in the metric of the inverse covariance of "
            "the estimates.",
        ),
        Method(
            "diagnostic_effects",
            "Random effects",
            "Modes of the random effects of each subject. With sparse data they shrink towards 0: "
            "their spread is then narrower than the estimated distribution, and their "
            "correlations with covariates mean little. Smooth lines are locally weighted straight "
            "lines; correlations are rank correlations.",
        ),
        Method(
            "diagnostic_counts",
            "Counts and percentiles of the data",
            "Counted from the observations that the fit used.",
        ),
    )
}

REFERENCES: dict[str, Reference] = {
    key: Reference(key, text, f"https://doi.org/{doi}")
    for key, text, doi in (
        (
            "Kuhn_2005",
            "Kuhn E, Lavielle M. Maximum likelihood estimation in nonlinear mixed effects models. "
            "Comput Stat Data Anal 2005;49:1020-1038.",
            "10.1016/j.csda.2004.07.002",
        ),
        (
            "Hooker_2007",
            "Hooker AC, Staatz CE, Karlsson MO. Conditional weighted residuals (CWRES): a model "
            "diagnostic for the FOCE method. Pharm Res 2007;24:2187-2197.",
            "10.1007/s11095-007-9361-x",
        ),
        (
            "Brendel_2006",
            "Brendel K, Comets E, Laffont C, Laveille C, Mentré F. Metrics for external model "
            "evaluation with an application to the population pharmacokinetics of gliclazide. "
            "Pharm Res 2006;23:2036-2049.",
            "10.1007/s11095-006-9067-5",
        ),
        (
            "Comets_2008",
            "Comets E, Brendel K, Mentré F. Computing normalised prediction distribution errors to "
            "evaluate nonlinear mixed-effect models: the npde add-on package for R. Comput Methods "
            "Programs Biomed 2008;90:154-166.",
            "10.1016/j.cmpb.2007.12.002",
        ),
        (
            "Nguyen_2012",
            "Nguyen THT, Comets E, Mentré F. Extension of NPDE for evaluation of nonlinear mixed "
            "effect models in presence of data below the quantification limit with applications to "
            "HIV dynamic model. J Pharmacokinet Pharmacodyn 2012;39:499-518.",
            "10.1007/s10928-012-9264-2",
        ),
        (
            "Bergstrand_2011",
            "Bergstrand M, Hooker AC, Wallin JE, Karlsson MO. Prediction-corrected visual "
            "predictive checks for diagnosing nonlinear mixed-effects models. AAPS J "
            "2011;13:143-151.",
            "10.1208/s12248-011-9255-z",
        ),
        (
            "Cleveland_1979",
            "Cleveland WS. Robust locally weighted regression and smoothing scatterplots. J Am "
            "Stat Assoc 1979;74:829-836.",
            "10.1080/01621459.1979.10481038",
        ),
        (
            "Cook_1986",
            "Cook RD. Assessment of local influence. J R Stat Soc B 1986;48:133-155.",
            "10.1111/j.2517-6161.1986.tb01398.x",
        ),
        (
            "Fisher_1958",
            "Fisher WD. On grouping for maximum homogeneity. J Am Stat Assoc 1958;53:789-798.",
            "10.1080/01621459.1958.10501479",
        ),
    )
}
