"""Named outcomes of a request: each is one sentence of its kind, and some stop the answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statera.errors import InputError, Place

__all__ = ["Outcome", "Remark", "RequestError"]


class Outcome(StrEnum):
    """What can be said of a request besides its answer."""

    NO_SAMPLES = "no_samples"
    NO_DOSES = "no_doses"
    DOSE_NOT_TAKEN = "dose_not_taken"
    DOSE_IN_FUTURE = "dose_in_future"
    DUPLICATE_DOSES = "duplicate_doses"
    CONTRADICTORY_DATES = "contradictory_dates"
    SAMPLE_BEFORE_FIRST_DOSE = "sample_before_first_dose"
    SAMPLE_IN_FUTURE = "sample_in_future"
    SAMPLE_LEFT_OUT = "sample_left_out"
    SAMPLE_BELOW_ITS_LIMIT = "sample_below_its_limit"
    SAMPLE_OF_ZERO = "sample_of_zero"
    DUPLICATE_SAMPLES = "duplicate_samples"
    ALL_BELOW_LIMIT = "all_below_limit"
    UNLIKELY_SAMPLE = "unlikely_sample"
    NO_LIKELY_SAMPLE = "no_likely_sample"
    ONE_OCCASION = "one_occasion"
    COVARIATE_MISSING = "covariate_missing"
    COVARIATE_NOT_USED = "covariate_not_used"
    COVARIATE_OUTSIDE_DATA = "covariate_outside_data"
    COVARIATE_IMPOSSIBLE = "covariate_impossible"
    DOSE_OUTSIDE_DATA = "dose_outside_data"
    DOSE_IMPOSSIBLE = "dose_impossible"
    OMEGA_NOT_POSITIVE = "omega_not_positive"
    UNUSUAL_PATIENT = "unusual_patient"
    SEVERAL_MODES = "several_modes"
    MODE_NOT_FOUND = "mode_not_found"
    FEW_EFFECTIVE_DRAWS = "few_effective_draws"
    NOT_SOLVED = "not_solved"
    NO_STEADY_STATE = "no_steady_state"
    NO_CANDIDATE = "no_candidate"
    NO_CANDIDATE_REACHES_TARGET = "no_candidate_reaches_target"
    NO_VALIDATED_TARGET = "no_validated_target"
    POTENCY_USED = "potency_used"
    POTENCY_BASIS_ASSUMED = "potency_basis_assumed"
    POTENCY_NOT_USABLE = "potency_not_usable"
    ABOVE_LABEL_MAXIMUM = "above_label_maximum"
    UNKNOWN_MODEL = "unknown_model"
    BAD_REQUEST = "bad_request"


@dataclass(frozen=True)
class Remark:
    """An outcome with its sentence.

    Attributes
    ----------
    outcome
    sentence
        What, and what to do.
    where
        What part of the request it concerns, such as ``samples[2]``.
    """

    outcome: Outcome
    sentence: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}" if self.where else self.sentence


class RequestError(InputError):
    """A request that has no answer, by a named outcome."""

    def __init__(
        self,
        outcome: Outcome,
        what: str,
        *,
        where: Place | str | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.outcome = outcome
