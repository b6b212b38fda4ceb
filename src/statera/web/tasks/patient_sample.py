"""A made-up case, so that the screen can be tried without a patient."""

from __future__ import annotations

from statera.web.requests.patient import Case

__all__ = ["sample_case"]


def sample_case() -> Case:
    """Return an invented adolescent on baricitinib with two invented samples."""
    return Case.model_validate(
        {
            "label": "Sample case",
            "patient": "SAMPLE",
            "request": "visit-1",
            "models": ["baricitinib/Decker_2024"],
            "region": "EU",
            "indication": "JIA",
            "person": {
                "age": 15, "sex": "female", "weight_kg": 58, "height_cm": 164,
                "creatinine": "62 umol/L", "alc": "1.6 10^9/L", "anc": "4.2 10^9/L",
                "hb": "12.6 g/dL", "hepatic": "none", "risk": ["none"], "medicines": ["none"],
                "phase": "treatment", "finding": ["prior_dmard_failure"],
            },
            "covariates": [{"name": "DEGFR", "value": 0, "unit": "mL/min/1.73m2"}],
            "doses": [
                {"time": "2026-03-01T08:00", "amount": 4, "interval": 24, "additional": 6}
            ],
            "samples": [
                {"time": "2026-03-07T09:30", "value": 44, "lloq": 0.2, "assay": "LC-MS"},
                {"time": "2026-03-08T07:30", "value": 2.6, "lloq": 0.2, "assay": "LC-MS"},
            ],
            "question": {
                "time": "2026-03-08T08:00",
                "strengths": [1, 2, 4],
                "intervals": [24, 48],
                "targets": [
                    {
                        "metric": "AUC24", "low": 300, "high": 600, "unit": "ng*h/mL",
                        "basis": "example range around 483 ng*h/mL, adults with RA on 4 mg "
                        "(doi 10.1002/psp4.13131)",
                        "grade": "label-equivalent",
                    }
                ],
            },
        }
    )  # fmt: skip
