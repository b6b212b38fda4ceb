"""What a worker does before its first request, so that the first is as fast as the next."""

from __future__ import annotations

from statera.data import parse_regimen
from statera.library import load_model
from statera.simulate import simulate
from statera.tdm.forecast import forecast
from statera.web.tasks import drug_warm_up
from statera.web.tasks.patient_case import limited_tree, request_of
from statera.web.tasks.patient_sample import sample_case

__all__ = ["warm_up"]


def warm_up() -> None:
    """Simulate a population, forecast a patient, answer what the drug page asks first."""
    model = load_model("baricitinib/Decker_2024")
    found = simulate(model, parse_regimen("4 mg q24h x2"), n=10, seed=1)
    found.summary((5.0, 50.0, 95.0))
    forecast(request_of(limited_tree(sample_case())[0]))
    drug_warm_up.warm_up()
