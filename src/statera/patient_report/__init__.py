"""The page of one patient: advice, course, candidates, questions, warnings and model card."""

from statera.patient_report.build import patient_report

__all__ = ["patient_report"]
