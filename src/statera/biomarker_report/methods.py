"""How the numbers of the report were obtained, and their sources."""

from __future__ import annotations

from statera.report.document import Method, Reference

__all__ = ["ADJUSTMENT", "METHODS", "REFERENCES", "SOURCES"]

_MIXED = (
    "Every analyte has the fixed effects of the formula and a random intercept by subject, fitted "
    "by restricted maximum likelihood. Terms are tested by type III tests: a main effect is the "
    "unweighted mean over the levels of the other factors. "
)

METHODS: dict[str, Method] = {
    "satterthwaite": Method(
        "satterthwaite",
        "Mixed models, Satterthwaite",
        _MIXED + "Degrees of freedom match the variance of the estimated error.",
    ),
    "kenward-roger": Method(
        "kenward-roger",
        "Mixed models, Kenward and Roger",
        _MIXED + "The covariance of the effects is corrected for small samples, and the degrees of "
        "freedom match two moments of the statistic.",
    ),
    "limma": Method(
        "limma",
        "Linear models with moderated variances",
        "One linear model by analyte; the residual variances are drawn to a prior estimated from "
        "all analytes. Samples of a subject share a correlation that is common to all analytes. "
        "Terms are tested by type III tests.",
    ),
    "paired": Method(
        "paired",
        "Paired t tests",
        "The mean change of the subjects with both visits, the second level less the first.",
    ),
    "welch": Method(
        "welch",
        "Welch's t tests",
        "The difference of the means of two groups with unequal variances, the second level less "
        "the first.",
    ),
    "means": Method(
        "means",
        "Means in figures",
        "The mean of the values present at a visit with its t interval, visit by visit; not of the "
        "model.",
    ),
}

SOURCES: dict[str, tuple[str, ...]] = {
    "satterthwaite": ("kuznetsova2017",),
    "kenward-roger": ("kenward1997",),
    "limma": ("smyth2004", "smyth2005"),
    "paired": (),
    "welch": ("welch1947",),
}

ADJUSTMENT: dict[str, str] = {
    "benjamini-hochberg": "bh1995",
    "benjamini-yekutieli": "by2001",
    "holm": "holm1979",
}

REFERENCES: dict[str, Reference] = {
    r.key: r
    for r in (
        Reference("kuznetsova2017", "Kuznetsova and others. J Stat Softw 2017;82(13).",
                  "https://doi.org/10.18637/jss.v082.i13"),
        Reference("kenward1997", "Kenward and Roger. Biometrics 1997;53:983-997.",
                  "https://doi.org/10.2307/2533558"),
        Reference("smyth2004", "Smyth. Stat Appl Genet Mol Biol 2004;3:3.",
                  "https://doi.org/10.2202/1544-6115.1027"),
        Reference("smyth2005", "Smyth, Michaud and Scott. Bioinformatics 2005;21:2067-2075.",
                  "https://doi.org/10.1093/bioinformatics/bti270"),
        Reference("welch1947", "Welch. Biometrika 1947;34:28-35.",
                  "https://doi.org/10.1093/biomet/34.1-2.28"),
        Reference("bh1995", "Benjamini and Hochberg. J R Stat Soc B 1995;57:289-300.",
                  "https://doi.org/10.1111/j.2517-6161.1995.tb02031.x"),
        Reference("by2001", "Benjamini and Yekutieli. Ann Stat 2001;29:1165-1188.",
                  "https://doi.org/10.1214/aos/1013699998"),
        Reference("holm1979", "Holm. Scand J Stat 1979;6:65-70."),
    )
}  # fmt: skip
