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
    "linear": Method(
        "linear",
        "Linear models",
        "One linear model by analyte, by least squares; samples are independent. Terms are tested "
        "by type III tests.",
    ),
    "ancova": Method(
        "ancova",
        "Analysis of covariance",
        "The value at the second visit is regressed on the formula and on the analyte's own value "
        "at the first visit; a difference is that of the change at equal baseline.",
    ),
    "censored": Method(
        "censored",
        "Left-censored linear models",
        "Values below their limit of detection enter the normal likelihood as known only to lie "
        "there. Errors are scaled by n/(n - p) and compared with t and F of n - p degrees of "
        "freedom.",
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
    "mann-whitney": Method(
        "mann-whitney",
        "Rank sum tests",
        "Mann and Whitney's U of the second group. The estimate is the median of all differences "
        "between the groups, after Hodges and Lehmann.",
    ),
    "signed-rank": Method(
        "signed-rank",
        "Signed rank tests",
        "Wilcoxon's signed ranks of the changes; changes of zero leave the test. The estimate is "
        "the median of the means of all pairs of changes.",
    ),
    "kruskal-wallis": Method(
        "kruskal-wallis",
        "Rank tests of several groups",
        "Kruskal and Wallis's H, corrected for ties, compared with chi-squared.",
    ),
    "pearson": Method(
        "pearson",
        "Correlation",
        "Pearson's correlation, of residuals where other columns are held; p by t, intervals by "
        "Fisher's transformation.",
    ),
    "spearman": Method(
        "spearman",
        "Rank correlation",
        "Spearman's correlation, of residuals of ranks where other columns are held; p by t, "
        "intervals by Fisher's transformation with variance 1.06/(n - 3 - k).",
    ),
    "permutation": Method(
        "permutation",
        "Permutation of labels",
        "Labels of one column are exchanged between the units named in the table. Family-wise "
        "p-values are step-down by the largest statistic over the analytes of a term, whatever "
        "their correlation. They are exact where labels were randomised between the units (within "
        "blocks), else approximate. With the statistic null-model the correlation within subjects "
        "and the residual variance are estimated once, without the labels; with refit F is that "
        "of the mixed model fitted anew to each arrangement. A term within subjects is tested "
        "conservatively where it differs between groups.",
    ),
    "pairs": Method(
        "pairs",
        "Pairs of levels",
        "Marginal means give every level of the other factors the same weight, numbers standing "
        "at their mean. Pairs are adjusted within each analyte by Tukey's studentised range, not "
        "over analytes; contrasts by name are adjusted over analytes.",
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
    "linear": (),
    "ancova": ("vickers2001",),
    "censored": ("tobin1958",),
    "paired": (),
    "welch": ("welch1947",),
    "mann-whitney": ("mann1947", "hodges1963"),
    "signed-rank": ("wilcoxon1945", "hodges1963"),
    "kruskal-wallis": ("kruskal1952",),
    "pearson": (),
    "spearman": ("fieller1957",),
    "permutation": ("westfall1993", "phipson2010"),
    "pairs": ("searle1980", "hayter1984"),
    "robust": ("phipson2016",),
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
        Reference("vickers2001", "Vickers and Altman. BMJ 2001;323:1123-1124.",
                  "https://doi.org/10.1136/bmj.323.7321.1123"),
        Reference("tobin1958", "Tobin. Econometrica 1958;26:24-36.",
                  "https://doi.org/10.2307/1907382"),
        Reference("mann1947", "Mann and Whitney. Ann Math Stat 1947;18:50-60.",
                  "https://doi.org/10.1214/aoms/1177730491"),
        Reference("wilcoxon1945", "Wilcoxon. Biometrics Bulletin 1945;1:80-83.",
                  "https://doi.org/10.2307/3001968"),
        Reference("hodges1963", "Hodges and Lehmann. Ann Math Stat 1963;34:598-611.",
                  "https://doi.org/10.1214/aoms/1177704172"),
        Reference("kruskal1952", "Kruskal and Wallis. J Am Stat Assoc 1952;47:583-621.",
                  "https://doi.org/10.1080/01621459.1952.10483441"),
        Reference("fieller1957", "Fieller, Hartley and Pearson. Biometrika 1957;44:470-481.",
                  "https://doi.org/10.1093/biomet/44.3-4.470"),
        Reference("westfall1993", "Westfall and Young. Resampling-Based Multiple Testing. 1993."),
        Reference("phipson2010", "Phipson and Smyth. Stat Appl Genet Mol Biol 2010;9:39.",
                  "https://doi.org/10.2202/1544-6115.1585"),
        Reference("phipson2016", "Phipson and others. Ann Appl Stat 2016;10:946-963.",
                  "https://doi.org/10.1214/16-AOAS920"),
        Reference("searle1980", "Searle, Speed and Milliken. Am Stat 1980;34:216-221.",
                  "https://doi.org/10.1080/00031305.1980.10483031"),
        Reference("hayter1984", "Hayter. Ann Stat 1984;12:61-75.",
                  "https://doi.org/10.1214/aos/1176346392"),
        Reference("bh1995", "Benjamini and Hochberg. J R Stat Soc B 1995;57:289-300.",
                  "https://doi.org/10.1111/j.2517-6161.1995.tb02031.x"),
        Reference("by2001", "Benjamini and Yekutieli. Ann Stat 2001;29:1165-1188.",
                  "https://doi.org/10.1214/aos/1013699998"),
        Reference("holm1979", "Holm. Scand J Stat 1979;6:65-70."),
    )
}  # fmt: skip
