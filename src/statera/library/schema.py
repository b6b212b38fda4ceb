"""What a facts file may say: its sections, the further keys of each, and units that are words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["CLASS_NAME", "CONTEXT_KEYS", "NEEDED_KEYS", "SECTIONS", "TEXTUAL_UNITS"]

CLASS_NAME = "class"
"""Name of the file with facts about several drugs or about all of them."""

_EVERY = ("drugs",)
_OUTCOME = ("definition", "subgroup", "subgroup_n")

CONTEXT_KEYS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        section: frozenset((*keys, *_EVERY))
        for section, keys in {
            "pharmacokinetics": (
                *("quantity", "dose_mg", "cv_percent", "ci_level", "interactant", "analyte"),
            ),
            "exposure_by_group": ("quantity", "group", "dose_mg", "cv_percent", "caution"),
            "pharmacodynamics": ("model", "symbol", "analyte"),
            "potency": ("assay", "target", "stimulus", "readout", "quantity", "hill", "analyte"),
            "inhibition_qualitative": ("study",),
            "efficacy": (
                *("trial", "indication", "endpoint", "timepoint", "arm", "role", "dose_mg"),
                *("arm_n", "total_n", "comparator", "comparator_n", "events", "measure"),
                *("ratio_kind", "allocation", "background", "subgroup", "ci_preprint"),
                *("odds_ratio", "odds_ratio_low", "odds_ratio_high"),
            ),
            "biomarkers": ("study", "marker"),
            "safety_incidence": (
                *("event", "event_as_printed", "measure", "py", "arm", "group", "period"),
                *_OUTCOME,
            ),
            "safety_comparison": (
                *("outcome", "outcome_as_printed", "study", "comparator", "measure", "design"),
                *("direction", "events_drug", "events_comparator", "py_drug", "py_comparator"),
                *("n_drug", "n_comparator", "total_n", "total_events", "analysis", "overlaps"),
                *_OUTCOME,
            ),
            "safety_pool": (
                *("outcome", "outcome_as_printed", "measure", "comparator", "direction"),
                *("ir_jaki", "ir_tnfi", "ir_unit", "studies", "patients", "primary_source"),
            ),
            "monitoring": ("quantity", "cv_percent"),
        }.items()
    }
)
"""Keys that a fact of a section may have beyond those of every fact; they land in its context."""

SECTIONS: tuple[str, ...] = tuple(CONTEXT_KEYS)
"""The sections of the library, in the order of a drug page."""

NEEDED_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "exposure_by_group": ("quantity", "group", "dose_mg"),
        "potency": ("target", "quantity"),
        "efficacy": ("trial", "indication", "endpoint", "arm", "measure"),
        "safety_incidence": ("event", "measure"),
        "safety_comparison": ("outcome", "study", "comparator", "measure", "design", "direction"),
        "safety_pool": ("outcome", "measure"),
    }
)
"""Keys without which a fact of the section cannot be used."""

TEXTUAL_UNITS = frozenset(
    {
        "10^9 cells/L",
        "10^9/L",
        "fold",
        "pg/cell",
        "per 100 PY",
        "per conc^0.586",
        "percentage points",
        "points",
    }
)
"""Units that are kept as words: counts, scores, and what the registry cannot express."""
