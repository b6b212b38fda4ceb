"""How response is predicted from markers: model, splits, resamples."""

from __future__ import annotations

from dataclasses import dataclass, field

from statera.biomarker.preprocessing import PreprocessingOptions
from statera.errors import UnknownNameError, UsageError

__all__ = ["MODELS", "TUNING", "PredictionOptions"]

MODELS = ("elastic-net", "boosting")
TUNING = ("minimum", "one-standard-error")


@dataclass(frozen=True)
class PredictionOptions:
    """Options of a prediction.

    Attributes
    ----------
    model
        ``elastic-net`` (logistic regression) or ``boosting`` (of trees).
    preprocessing
        What becomes of values before the model; learned within each training set.
    outer_folds, repeats
        Splits that the performance is measured on.
    inner_folds
        Splits of each training set on which the model is tuned, by the log loss.
    tuning
        ``minimum`` of the log loss, or the simplest model within ``one-standard-error`` of it.
    bootstraps
        Resamples of subjects for the optimism and the stability of selection; 0 for none.
    permutations
        Labels permuted for a test of the area; 0 for none.
    l1_ratios
        Mixtures of the elastic net that are tried.
    penalties, smallest_penalty
        Number of penalties on the path, and the last as a share of the first.
    depths, trees
        Depths and numbers of trees that are tried.
    learning_rate, subsample, features
        Shrinkage, share of samples drawn for each tree, and predictors drawn for each split.
    seed
        Of all random draws.
    level
        Of the intervals.
    """

    model: str = "elastic-net"
    preprocessing: PreprocessingOptions = field(default_factory=PreprocessingOptions)
    outer_folds: int = 5
    repeats: int = 10
    inner_folds: int = 5
    tuning: str = "minimum"
    bootstraps: int = 100
    permutations: int = 0
    l1_ratios: tuple[float, ...] = (0.5, 1.0)
    penalties: int = 25
    smallest_penalty: float = 0.05
    depths: tuple[int, ...] = (1, 2)
    trees: tuple[int, ...] = (0, 5, 10, 20, 40, 70, 100)
    learning_rate: float = 0.1
    subsample: float = 0.7
    features: int = 30
    seed: int = 1
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise UnknownNameError("model", self.model, MODELS)
        if self.tuning not in TUNING:
            raise UnknownNameError("tuning", self.tuning, TUNING)
        for name, least in (
            ("outer_folds", 2), ("inner_folds", 2), ("repeats", 1), ("bootstraps", 0),
            ("permutations", 0), ("penalties", 2), ("features", 1), ("seed", 0),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise UsageError(f"{name} is at least {least}", where=name)
        for name in ("smallest_penalty", "learning_rate", "level"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise UsageError(f"{name} lies between 0 and 1", where=name)
        if not self.l1_ratios or not all(0.0 < x <= 1.0 for x in self.l1_ratios):
            raise UsageError("an l1 ratio is above 0 and at most 1", where="l1_ratios")
        if not 0.0 < self.subsample <= 1.0:
            raise UsageError("a share of samples is above 0 and at most 1", where="subsample")
        if not self.depths or min(self.depths) < 1:
            raise UsageError("trees have a depth of at least 1", where="depths")
        if list(self.trees) != sorted(set(self.trees)) or not self.trees or self.trees[-1] < 1:
            raise UsageError("numbers of trees increase and end above 0", where="trees")
