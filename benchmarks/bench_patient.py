"""CPU time of one patient: records laid out, and the most likely random effects found.

Run ``python benchmarks/bench_patient.py``. Models are warm: each case is run once before. The
CPU time of all threads of a patient is the minimum over the repeats; the table holds the median and
the largest over twelve patients simulated from the model. The estimate holds exact second
derivatives, predictions and individual parameters.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from statera.library.models import load_model
from statera.model import Model, build_model
from statera.tdm.map_estimate import map_estimate
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.request import CovariateValue, DoseTaken, Patient, Sample

REPEATS = 20
PATIENTS = 12

METABOLITE: dict[str, Any] = {
    "id": "metabolite",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {"Km": {"value": 1.0}},
    "random_effects": {f"e{i}": {"variance": 0.2} for i in range(1, 6)},
    "individual": {
        "VM": "6*exp(e1)", "V": "70*exp(e2)", "KA": "exp(e3)", "CLM": "2.5*exp(e4)",
        "VMET": "60*exp(e5)",
    },
    "dynamics": {
        "gut": "-KA*gut",
        "body": "KA*gut - VM*(body/V)/(Km + body/V)",
        "made": "0.7*VM*(body/V)/(Km + body/V) - CLM/VMET*made",
    },
    "inputs": {"oral": [{"kind": "bolus", "into": "gut"}]},
    "outputs": {
        "C": {"expression": "body/V", "unit": "mg/L"},
        "M": {"expression": "made/VMET", "unit": "mg/L"},
    },
    "residual": {"C": {"proportional": 0.2}, "M": {"proportional": 0.2}},
}  # fmt: skip
"""Parent with saturable elimination and its metabolite, which must be integrated."""


def with_simulated(model: Model, patient: Patient, seed: int) -> Patient:
    """Return the patient with samples drawn from the model."""
    problem = prepare_patient(model, patient)
    source = np.random.default_rng(seed)
    etas = problem.prior.draw(source, 1)
    f = problem.natural(problem.individuals.values(problem.theta, etas)[1])
    values = f * np.exp(0.1 * source.standard_normal(f.size))
    samples = tuple(
        replace(s, value=float(v)) if not s.censored else s
        for s, v in zip(patient.samples, values, strict=True)
    )
    return replace(patient, samples=samples)


def patients() -> list[tuple[str, Model, Patient, float]]:
    """Name, model, patient, and limit of the estimate in ms."""
    week = DoseTaken(0.0, 4.0, interval=24.0, additional=6)
    oral = Patient(
        "P1", (week,),
        (Sample(143.0, 0.2, "ng/mL", censored="below"), Sample(146.0, 50.0, "ng/mL"),
         Sample(150.0, 30.0, "ng/mL")),
        (CovariateValue("WT", 70.0),),
    )  # fmt: skip
    times = (73.5, 76.4, 79.0, 95.0)
    both = Patient(
        "P2", (DoseTaken(0.0, 100.0, interval=24.0, additional=3),),
        tuple(Sample(t, 1.0, analyte=a) for a in ("C", "M") for t in times),
    )  # fmt: skip
    baricitinib, metabolite = load_model("baricitinib/Decker_2024"), build_model(METABOLITE)
    return [
        ("closed form: 2 compartments, 6 random effects, 3 samples, one below its limit",
         baricitinib, oral, 2.0),
        ("integrated: saturable parent and metabolite, 5 random effects, 8 samples",
         metabolite, both, 15.0),
    ]  # fmt: skip


def timed(work: Callable[[], Any]) -> float:
    """Return the minimum of the CPU time, ms."""
    work()
    found = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        found.append(1e3 * (time.process_time() - started))
    return min(found)


def main() -> None:
    """Print the table."""
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print("| case | lay out, ms | estimate, ms: median | largest | limit |")
    print("|---|---|---|---|---|")
    for name, model, design, limit in patients():
        laid, estimated = [], []
        for seed in range(PATIENTS):
            patient = with_simulated(model, design, seed)
            laid.append(timed(partial(prepare_patient, model, patient)))
            estimated.append(timed(partial(map_estimate, prepare_patient(model, patient))))
        print(
            f"| {name} | {statistics.median(laid):.2f} | {statistics.median(estimated):.2f} | "
            f"{max(estimated):.2f} | {limit:g} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
