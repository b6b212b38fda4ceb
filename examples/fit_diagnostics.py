"""Simulate a small trial with a limit of quantification, fit it, and write the fit's report."""

import sys
import tomllib
from pathlib import Path

import numpy as np

from statera.data import parse_regimen, read_data
from statera.estimate import (
    NpcOptions,
    ProblemOptions,
    VpcOptions,
    diagnose,
    fit,
    npde,
    npde_tests,
)
from statera.estimate.covariance import covariance
from statera.estimate.shrinkage import shrinkage
from statera.fit_report import FitReportOptions, fit_report
from statera.model import build_model
from statera.report import render_html, write_text_atomically
from statera.simulate import simulate

HERE = Path(__file__).parent
LLOQ = 0.1  # mg/L
TIMES = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0])
SUBJECTS = 24  # of each dose

model = build_model(tomllib.loads((HERE / "oral_one_compartment.toml").read_text(encoding="utf-8")))

# The trial: two doses, the model's own residual error, values under the limit censored.
rng = np.random.default_rng(12)
rows = []
for group, dose in enumerate((30.0, 120.0)):
    found = simulate(model, parse_regimen(f"{dose:g} mg"), n=SUBJECTS, times=TIMES, seed=int(dose))
    c = found.outputs["C"]
    y = c + np.sqrt(0.1**2 + (0.2 * c) ** 2) * rng.standard_normal(c.shape)
    for i in range(SUBJECTS):
        subject, weight = group * SUBJECTS + i + 1, rng.normal(75.0, 12.0)
        rows.append((subject, 0.0, dose, 1, float("nan"), 0, weight, dose))
        for t, value in zip(TIMES, y[i], strict=True):
            low = int(value < LLOQ)
            rows.append((subject, t, 0.0, 0, LLOQ if low else value, low, weight, dose))
names = ("ID", "TIME", "AMT", "EVID", "DV", "CENS", "WT", "DOSE")
data = read_data({name: [row[k] for row in rows] for k, name in enumerate(names)}, lloq=LLOQ)
print(data.report)

# Censored values by their probability (M3), which asks for exact second derivatives.
start = {"lCL": 1.2, "lV": 2.8}
result = fit(model, data, method="laplace", options=ProblemOptions(initial=start))
uncertainty, shrunk = covariance(result), shrinkage(result)
print(result.summary(uncertainty, shrunk))

table = diagnose(result).observations
print(table.select("ID", "TIME", "DV", "STATUS", "PRED", "IPRED", "CWRES", "IWRES").head())
print(npde_tests(npde(result).npde))

options = FitReportOptions(
    logarithmic=True,
    pages=1,
    vpc=(VpcOptions(n=300, stratify="DOSE"), VpcOptions(prediction_corrected=True)),
    npc=NpcOptions(stratify="DOSE"),
)
document = fit_report(result, uncertainty, shrunk, options, data_report=str(data.report))
where = sys.argv[1] if len(sys.argv) > 1 else "fit-report.html"
print(write_text_atomically(where, render_html(document)))
