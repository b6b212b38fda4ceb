"""One patient's renal function and body size, and what labels say of the dose."""

from statera.dosing.compare_regions import compare_regions
from statera.dosing.decide import decide
from statera.dosing.decision import Alternative, Decision, Disagreement, Outcome
from statera.dosing.decision_data import decision_data
from statera.dosing.decision_text import DISCLAIMER, decision_text
from statera.dosing.dose import Dose, parse_dose
from statera.dosing.indications import INDICATIONS
from statera.dosing.judge import Judgement, Verdict
from statera.dosing.label_coverage import LabelCoverage, label_coverage
from statera.dosing.label_limits import (
    LabelMaximum,
    TabletStrengths,
    label_maximum,
    tablet_strengths,
)
from statera.dosing.label_scope import REGIONS
from statera.dosing.near_cut import NearCut
from statera.dosing.not_executable import NotExecutable, not_executable
from statera.dosing.patient import Patient, Phase
from statera.dosing.preference import PREFERENCE
from statera.dosing.read_patient import patient_from, read_patient

__all__ = [
    "DISCLAIMER",
    "INDICATIONS",
    "PREFERENCE",
    "REGIONS",
    "Alternative",
    "Decision",
    "Disagreement",
    "Dose",
    "Judgement",
    "LabelCoverage",
    "LabelMaximum",
    "NearCut",
    "NotExecutable",
    "Outcome",
    "Patient",
    "Phase",
    "TabletStrengths",
    "Verdict",
    "compare_regions",
    "decide",
    "decision_data",
    "decision_text",
    "label_coverage",
    "label_maximum",
    "not_executable",
    "parse_dose",
    "patient_from",
    "read_patient",
    "tablet_strengths",
]
