"""A result of a forecast, made up for the tests in the layout that the program writes."""

from __future__ import annotations

from typing import Any


def candidate(rank: int, amount: float, interval: float, probability: float) -> dict[str, Any]:
    return {
        "rank": rank,
        "amount": amount,
        "interval": interval,
        "daily": amount * 24.0 / interval,
        "pieces": [{"strength": amount, "parts": 1, "count": 1}],
        "above_label_maximum": False,
        "probability": probability,
        "probability_error": 0.005,
        "reaches": probability >= 0.5,
        "expected": [
            {
                "metric": "AUC24",
                "unit": "ng*h/mL",
                "mean": 410.0,
                "p5": 250.0,
                "p50": 400.0,
                "p95": 620.0,
                "probability": probability,
            }
        ],
    }


def result(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "statera.forecast/1",
        "request": {
            "id": "visit-3",
            "patient": "p1",
            "models": ["baricitinib/Decker_2024"],
            "origin": "2026-03-01T08:00:00+01:00",
            "draws": 4000,
            "seed": 1,
            "averaging": "evidence",
        },
        "time": 168.0,
        "models": [{"id": "baricitinib/Decker_2024", "title": "made up", "weight": 1.0}],
        "doses": [],
        "later": {"basis": "advised", "doses": []},
        "samples": [{"time": 146.0, "value": 55.0}],
        "covariates": [],
        "course": {"output": "CP", "unit": "ng/mL", "time": [0.0], "bands": []},
        "targets": [
            {
                "metric": "AUC24",
                "low": 300.0,
                "high": 600.0,
                "unit": "ng*h/mL",
                "threshold": None,
                "analyte": "",
                "basis": "exposure of the label dose in adults",
                "grade": "label-equivalent",
            }
        ],
        "advice": {
            "sentence": "4 mg every 24 h reaches the target with a probability of 74 %.",
            "reached": True,
            "chosen_rank": 1,
            "draws": 4000,
            "candidates": [candidate(1, 4.0, 24.0, 0.74), candidate(2, 2.0, 24.0, 0.11)],
        },
        "sampling": None,
        "remarks": [
            {
                "outcome": "no_validated_target",
                "sentence": "No validated target exists <for> this drug.",
                "where": "",
            }
        ],
        **changes,
    }


def envelope(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "statera.forecast/1",
        "ok": True,
        "result": result(),
        "warnings": [],
        "manifest": {
            "statera": "0.1.0",
            "created": "2026-03-08T08:00:00Z",
            "inputs": {"request": "sha256:" + "a" * 64},
        },
        **changes,
    }
