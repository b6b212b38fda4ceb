"""Limits of the stages of renal function, for rules that name a stage and no number."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from statera.library.label_rule import RenalStage

__all__ = ["STAGE_LIMITS", "STAGE_SOURCE", "stage_of"]

STAGE_SOURCE = "CKD_STAGES"
"""Source of the limits; a rule that names a stage does not state them itself."""

STAGE_LIMITS: Mapping[RenalStage, tuple[float, float]] = MappingProxyType(
    {
        RenalStage.MILD: (60.0, 90.0),
        RenalStage.MODERATE: (30.0, 60.0),
        RenalStage.SEVERE: (15.0, 30.0),
        RenalStage.FAILURE: (0.0, 15.0),
    }
)
"""Lower end included and upper end left out, GFR in mL/min/1.73 m2."""


def stage_of(gfr: float) -> RenalStage | None:
    """Return the stage of a GFR in mL/min/1.73 m2; None from 90 on."""
    for stage, (low, high) in STAGE_LIMITS.items():
        if low <= gfr < high:
            return stage
    return None
