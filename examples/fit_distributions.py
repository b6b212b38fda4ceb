"""Fit a Box-Cox transformed rate of absorption and a logit-normal largest inhibition.

A Box-Cox transformed random effect, (exp(SHAPE*eta) - 1)/SHAPE, has a longer tail to one side: to
the right for SHAPE above 0. A logit-normal parameter stays between 0 and 1. Both are written out in
the model, here of a concentration (DVID 1) and a response (DVID 2). The data are simulated and
belong to no drug.
"""

import numpy as np

from statera.data import read_data
from statera.estimate import ProblemOptions, fit
from statera.estimate.covariance import covariance
from statera.model import build_model
from statera.simulate import simulate_events

SUBJECTS = 60
TIMES = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0, 24.0)

model = build_model(
    {
        "id": "example/distributions",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {
            "lCL": {"value": 2.0, "unit": "L/h"},
            "lV": {"value": 3.0, "unit": "L"},
            "lKA": {"value": -0.3, "unit": "1/h"},
            "SHAPE": {"value": 0.6, "unit": "", "fixed": True},
            "lgIMAX": {"value": 1.0, "unit": ""},
            "lIC50": {"value": 0.0, "unit": "mg/L"},
            "prop": {"value": 0.1, "unit": ""},
            "add": {"value": 4.0, "unit": ""},
        },
        "random_effects": {
            "eta_CL": {"variance": 0.06},
            "eta_KA": {"variance": 0.2},
            "eta_IMAX": {"variance": 0.8},
        },
        "individual": {
            "CL": "exp(lCL + eta_CL)",
            "V": "exp(lV)",
            "KA": "exp(lKA + (exp(SHAPE*eta_KA) - 1)/SHAPE)",
            "IMAX": "expit(lgIMAX + eta_IMAX)",
            "IC50": "exp(lIC50)",
        },
        "dynamics": {"depot": "-KA*depot", "central": "KA*depot - CL/V*central"},
        "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
        "outputs": {
            "C": {"expression": "central/V", "unit": "mg/L"},
            "E": {"expression": "100*(1 - IMAX*(central/V)/(IC50 + central/V))", "unit": "%"},
        },
        "residual": {"C": {"proportional": "prop"}, "E": {"additive": "add"}},
    }
)

rows = []  # subject, time, amount, EVID, DVID
for subject in range(1, SUBJECTS + 1):
    rows.append((subject, 0.0, 100.0, 1, 0))
    rows += [(subject, t, 0.0, 0, kind) for t in TIMES for kind in (1, 2)]
names = ("ID", "TIME", "AMT", "EVID", "DVID")
columns = {name: [row[k] for row in rows] for k, name in enumerate(names)}
design = read_data(columns | {"DV": [float("nan") if row[3] else 1.0 for row in rows]})
values = simulate_events(model, design.events, seed=5).outputs
noise = np.random.default_rng(5).standard_normal(design.dv.size)
concentration, response = values["C"] * (1.0 + 0.1 * noise), values["E"] + 4.0 * noise
observed = iter(np.where(design.dvid == 1, concentration, response))
data = read_data(columns | {"DV": [float("nan") if row[3] else next(observed) for row in rows]})

start = ProblemOptions(initial={"lCL": 1.7, "lV": 2.7, "lKA": 0.0, "lgIMAX": 0.5, "lIC50": 0.5})
result = fit(model, data, method="focei", options=start)
errors = covariance(result)
print(result.summary(errors))
truth = {"lCL": 2.0, "lV": 3.0, "lKA": -0.3, "lgIMAX": 1.0, "lIC50": 0.0}
for name, value in truth.items():
    row = result.table(errors)[name]
    print(f"{name}: {row.estimate:.3f} (SE {row.se:.3f}), simulated with {value:g}")
