"""How the numbers of a prediction were obtained, and their sources."""

from __future__ import annotations

from statera.report.document import Method, Reference

__all__ = ["PREDICTION_METHODS", "PREDICTION_REFERENCES", "SOURCES_OF"]

PREDICTION_METHODS: dict[str, Method] = {
    "elastic-net": Method(
        "elastic-net",
        "Logistic regression with an elastic net",
        "Markers are standardised; the mixture of the two penalties and their size are those of "
        "the least log loss over inner folds. Covariates are penalised like markers.",
    ),
    "boosting": Method(
        "boosting",
        "Gradient boosting of shallow trees",
        "The depth and the number of trees are those of the least log loss over inner folds; each "
        "tree sees a random part of the samples, each split a random part of the predictors.",
    ),
    "nested": Method(
        "nested",
        "Nested cross-validation",
        "Subjects (or sites) are split into outer folds, classes balanced, again and again. Every "
        "step that learns (limits of detection, gaps, batches, filter, scale, tuning) is done "
        "within the training part of each outer fold, and the tuning on folds inside that. All "
        "performance is of samples that the model never saw.",
    ),
    "auc": Method(
        "auc",
        "Area under the ROC curve",
        "The share of pairs of a responder and another in which the responder has the higher "
        "prediction, over pairs left out together, as only those are scored by one model; the "
        "mean over repeats. The interval comes from each subject's influence in a repeat, on the "
        "logit scale. It speaks of other subjects scored by these models.",
    ),
    "roc": Method(
        "roc",
        "ROC curve",
        "Left-out samples are ranked within their fold and taken together; the mean of the curves "
        "over repeats, with a pointwise band from resampled subjects.",
    ),
    "brier": Method(
        "brier",
        "Brier score",
        "The mean squared distance of probability and outcome, beside that of predicting the share "
        "of responders for everyone.",
    ),
    "calibration": Method(
        "calibration",
        "Calibration",
        "Outcomes of left-out samples by logistic regression on the log odds predicted: the "
        "intercept with the slope held at 1, the slope, and a curve by a restricted cubic spline "
        "with three knots. The predictions of all repeats enter, and variances take those of one "
        "subject together.",
    ),
    "decision": Method(
        "decision",
        "Decision curve",
        "Net benefit: the share of true positives less that of false positives times the odds of "
        "the threshold. Bands are pointwise, over subjects.",
    ),
    "optimism": Method(
        "optimism",
        "Optimism by the bootstrap",
        "Subjects are drawn with replacement and the whole making of the model is repeated; the "
        "mean loss from a resample to all subjects is taken off the area that the final model has "
        "in its own subjects. The .632+ estimate weighs subjects left out of the resamples. The "
        "intervals are the spread of the apparent areas of the resamples, moved to the corrected "
        "area.",
    ),
    "stability": Method(
        "stability",
        "Stability of selection",
        "How often each marker has a weight over the resamples, and an index of agreement that is "
        "1 where all selections agree and 0 where they agree as chance would.",
    ),
    "permutation": Method(
        "permutation",
        "Permutation of labels",
        "Outcomes are permuted over subjects and one repeat of the nested cross-validation is done "
        "again on each; the observed labels count as one permutation.",
    ),
    "rank": Method(
        "rank",
        "Rank correlation with the uncut outcome",
        "Spearman's correlation of the mean prediction with what the rule's first condition looked "
        "at, by subject; negative where low values are a response.",
    ),
}

PREDICTION_REFERENCES: dict[str, Reference] = {
    r.key: r
    for r in (
        Reference("zou2005", "Zou and Hastie. J R Stat Soc B 2005;67:301-320.",
                  "https://doi.org/10.1111/j.1467-9868.2005.00503.x"),
        Reference("friedman2001", "Friedman. Ann Stat 2001;29:1189-1232.",
                  "https://doi.org/10.1214/aos/1013203451"),
        Reference("varma2006", "Varma and Simon. BMC Bioinformatics 2006;7:91.",
                  "https://doi.org/10.1186/1471-2105-7-91"),
        Reference("ledell2015", "LeDell, Petersen and van der Laan. Electron J Stat "
                  "2015;9:1583-1607.", "https://doi.org/10.1214/15-EJS1035"),
        Reference("cox1958", "Cox. Biometrika 1958;45:562-565.",
                  "https://doi.org/10.1093/biomet/45.3-4.562"),
        Reference("vancalster2016", "Van Calster and others. J Clin Epidemiol 2016;74:167-176.",
                  "https://doi.org/10.1016/j.jclinepi.2015.12.005"),
        Reference("vickers2006", "Vickers and Elkin. Med Decis Making 2006;26:565-574.",
                  "https://doi.org/10.1177/0272989X06295361"),
        Reference("harrell1996", "Harrell, Lee and Mark. Stat Med 1996;15:361-387."),
        Reference("efron1997", "Efron and Tibshirani. J Am Stat Assoc 1997;92:548-560.",
                  "https://doi.org/10.1080/01621459.1997.10474007"),
        Reference("nogueira2018", "Nogueira, Sechidis and Brown. J Mach Learn Res "
                  "2018;18(174):1-54."),
        Reference("riley2020", "Riley and others. BMJ 2020;368:m441.",
                  "https://doi.org/10.1136/bmj.m441"),
        Reference("oldham1962", "Oldham. J Chronic Dis 1962;15:969-977.",
                  "https://doi.org/10.1016/0021-9681(62)90116-9"),
        Reference("altman2006", "Altman and Royston. BMJ 2006;332:1080.",
                  "https://doi.org/10.1136/bmj.332.7549.1080"),
    )
}  # fmt: skip

#: Sources of each method.
SOURCES_OF: dict[str, tuple[str, ...]] = {
    "elastic-net": ("zou2005",),
    "boosting": ("friedman2001",),
    "nested": ("varma2006",),
    "auc": ("ledell2015",),
    "calibration": ("cox1958", "vancalster2016"),
    "decision": ("vickers2006",),
    "optimism": ("harrell1996", "efron1997"),
    "stability": ("nogueira2018",),
    "guards": ("oldham1962", "altman2006"),
    "size": ("riley2020",),
}
