"""The library: cited facts, label rules and registers, as data in the package.

>>> from statera.library import load_drug
>>> load_drug("Olumiant").fact("pk-bioavailability-smpc").value
0.79
"""

from typing import TYPE_CHECKING, Any

from statera.library.check import CheckReport, Finding, Severity, check_library
from statera.library.conflicts import Conflict, load_conflicts
from statera.library.cytokines import Cytokine, find_cytokine, load_cytokines
from statera.library.drug import Drug, class_facts, drugs, load_class, load_drug
from statera.library.facts import FactFile, Identity, read_facts
from statera.library.gaps import Gap, load_gaps
from statera.library.label_rule import (
    FINDINGS,
    Authority,
    Effect,
    HepaticClass,
    LabelDose,
    LabelRule,
    LabelStep,
    Population,
    RenalMetric,
    RenalStage,
    Response,
    RuleKind,
    Threshold,
    TreatmentPart,
)
from statera.library.labels import LabelFile, read_labels
from statera.library.names import Name, NameKind, find_name, load_names, resolve
from statera.library.references import find_source, format_citation, load_references
from statera.library.schema import SECTIONS

if TYPE_CHECKING:
    from statera.library.models import load_model, model_ids, models_of, read_model

__all__ = [
    "FINDINGS",
    "SECTIONS",
    "Authority",
    "CheckReport",
    "Conflict",
    "Cytokine",
    "Drug",
    "Effect",
    "FactFile",
    "Finding",
    "Gap",
    "HepaticClass",
    "Identity",
    "LabelDose",
    "LabelFile",
    "LabelRule",
    "LabelStep",
    "Name",
    "NameKind",
    "Population",
    "RenalMetric",
    "RenalStage",
    "Response",
    "RuleKind",
    "Severity",
    "Threshold",
    "TreatmentPart",
    "check_library",
    "class_facts",
    "drugs",
    "find_cytokine",
    "find_name",
    "find_source",
    "format_citation",
    "load_class",
    "load_conflicts",
    "load_cytokines",
    "load_drug",
    "load_gaps",
    "load_model",
    "load_names",
    "load_references",
    "model_ids",
    "models_of",
    "read_facts",
    "read_labels",
    "read_model",
    "resolve",
]

_OF_MODELS = frozenset({"load_model", "model_ids", "models_of", "read_model"})


def __getattr__(name: str) -> Any:
    """Load what concerns models on first use: it needs numpy and sympy, facts do not."""
    if name in _OF_MODELS:
        from statera.library import models  # noqa: PLC0415

        return getattr(models, name)
    raise AttributeError(f"module 'statera.library' has no attribute '{name}'")
