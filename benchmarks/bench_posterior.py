"""Time of one patient's posterior, dose search and forecast, warm, in CPU time of one process.

    python benchmarks/bench_posterior.py [--patients 1000] [--workers 2]

The batch is timed by the wall clock, since it uses several threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from statera.model import Model, build_model
from statera.tdm.advice import advise
from statera.tdm.averaging import Member, average
from statera.tdm.batch import forecast_many
from statera.tdm.candidates import make_candidates
from statera.tdm.forecast import Parts, forecast
from statera.tdm.map_estimate import map_estimate
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.posterior import posterior
from statera.tdm.request import (
    CovariateValue,
    DoseTaken,
    Metric,
    Patient,
    Question,
    Request,
    Sample,
    Target,
)

REPEATS = 7


def model_of(kind: str) -> Model:
    """One compartment with absorption, or saturable elimination."""
    out = "CL/V*body" if kind == "linear" else "VM*body/V/(KM + body/V)"
    return build_model(
        {
            "id": kind,
            "units": {"time": "h", "amount": "mg"},
            "parameters": {
                n: {"value": v}
                for n, v in (
                    ("TVCL", 10.0), ("TVV", 80.0), ("TVKA", 1.2), ("TVVM", 20.0), ("KM", 2.0)
                )
            },
            "random_effects": {n: {"variance": 0.1} for n in ("e_CL", "e_V", "e_KA")},
            "covariates": {"WT": {"unit": "kg", "reference": 70.0}},
            "individual": {
                "CL": "TVCL*(WT/70)^0.75*exp(e_CL)", "VM": "TVVM*exp(e_CL)", "V": "TVV*exp(e_V)",
                "KA": "TVKA*exp(e_KA)",
            },
            "dynamics": {"gut": "-KA*gut", "body": f"KA*gut - {out}"},
            "inputs": {"oral": [{"kind": "bolus", "into": "gut"}]},
            "outputs": {"C": {"expression": "body/V", "unit": "mg/L"}},
            "residual": {"C": {"proportional": 0.15, "additive": 0.01}},
        }
    )  # fmt: skip


PATIENT = Patient(
    "P",
    (DoseTaken(0.0, 100.0, interval=24.0, additional=6),),
    (Sample(145.0, 1.2), Sample(148.0, 0.9), Sample(152.0, 0.6), Sample(167.0, 0.12)),
    (CovariateValue("WT", 80.0, "kg"),),
)
QUESTION = Question(
    time=168.0, targets=(Target(Metric.AUC24, 8.0, 14.0),), strengths=(25.0, 50.0, 100.0),
    intervals=(12.0, 24.0, 48.0),
)  # fmt: skip


def best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the least CPU time of several runs after one, ms."""
    work()
    found = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return 1000.0 * min(found)


def one_patient(kind: str) -> None:
    """Print the rows of one model."""
    model = model_of(kind)
    problem = prepare_patient(model, PATIENT)
    found = map_estimate(problem)
    post = posterior(problem, found)
    members = average([Member(problem, found, post)])

    def search(question: Question) -> Callable[[], object]:
        return lambda: advise(members, PATIENT, question, 168.0)

    def full() -> None:
        laid = prepare_patient(model, PATIENT)
        at = map_estimate(laid)
        drawn = average([Member(laid, at, posterior(laid, at))])
        advise(drawn, PATIENT, QUESTION, 168.0)

    peak = replace(QUESTION, targets=(Target(Metric.CMAX, 0.5, 2.0),))
    inhibition = replace(QUESTION, targets=(Target(Metric.INHIBITION, 0.3, threshold=0.5),))
    rows = [("posterior, 20 000 draws", lambda: posterior(problem, found))]
    rows.append(("search, AUC24, tablets x 3 intervals", search(QUESTION)))
    if kind == "linear":
        rows.append(("search, Cmax", search(peak)))
        rows.append(("search, average inhibition", search(inhibition)))
        rows.append(("records to posterior and search, AUC24", full))
    repeats = REPEATS if kind == "linear" else 1
    for label, work in rows:
        print(f"{kind:10s} {label:45s} {best(work, repeats):9.1f} ms", flush=True)
    print(f"{kind:10s} effective draws {post.ess:.0f}, {len(make_candidates(QUESTION))} candidates")


def batch(patients: int, workers: int) -> None:
    """Print the time of many patients, one of whom fails."""
    models = {"m": model_of("linear")}
    rng = np.random.default_rng(1)
    requests = []
    for k in range(patients):
        factor = np.exp(0.3 * rng.standard_normal(4))
        samples = tuple(
            replace(s, value=s.value * float(f))
            for s, f in zip(PATIENT.samples, factor, strict=True)
        )
        patient = replace(PATIENT, id=str(k), samples=samples)
        requests.append(Request(str(k), ("m",), patient, QUESTION))
    wrong = replace(requests[0].patient, samples=(Sample(-3.0, 1.0),))
    requests[patients // 2] = replace(requests[0], patient=wrong)
    parts = Parts(plausibility=False, courses=False, sampling=False)
    forecast_many(requests[:2], models, parts=parts)
    wall, cpu = time.perf_counter(), time.process_time()
    rows = forecast_many(requests, models, parts=parts, workers=workers)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    answered = sum(r.outcome == "answered" for r in rows)
    print(
        f"batch      {patients} patients, {workers} threads: {wall:.1f} s wall, {cpu:.1f} s CPU; "
        f"{answered} answered"
    )


def whole() -> None:
    """Print the time of a whole forecast with courses and sampling advice."""
    models = {"m": model_of("linear")}
    request = Request("r", ("m",), PATIENT, QUESTION)
    print(f"linear     whole forecast {best(lambda: forecast(request, models)):36.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    one_patient("linear")
    whole()
    batch(chosen.patients, chosen.workers)
    one_patient("saturable")
