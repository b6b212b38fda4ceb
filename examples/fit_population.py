"""Simulate a small trial, write it as a data file, fit it, and read the result."""

import csv
import tempfile
from pathlib import Path

import numpy as np

import statera as st
from statera.estimate import ProblemOptions
from statera.estimate.covariance import covariance
from statera.estimate.shrinkage import shrinkage

HERE = Path(__file__).parent
TIMES = np.array([0.5, 1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 24.0])
SUBJECTS, DOSE = 40, 100.0

# what is true here: the values of the model file
model = st.load_model(str(HERE / "oral_one_compartment.toml"))
profiles = st.simulate(model, f"{DOSE:g} mg", n=SUBJECTS, times=TIMES, seed=3).outputs["C"]
spread = np.sqrt(0.1**2 + (0.2 * profiles) ** 2)
observed = profiles + spread * np.random.default_rng(3).standard_normal(profiles.shape)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "data.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["ID", "TIME", "EVID", "AMT", "DV"])
        for subject in range(SUBJECTS):
            table.writerow([subject + 1, 0, 1, DOSE, "."])
            for time, value in zip(TIMES, observed[subject], strict=True):
                table.writerow([subject + 1, time, 0, ".", f"{value:.5g}"])

    # the same from the command line:
    #   statera fit examples/oral_one_compartment.toml data.csv --out report.html
    data = st.read_data(path)

print(data.report)
print()

options = ProblemOptions(initial={"lCL": 1.5, "lV": 2.5})  # a start that is not the truth
result = st.fit(model, data, method="focei", options=options)
errors, shrunk = covariance(result), shrinkage(result)
print(result.summary(errors, shrunk))

clearance = result.table(errors, shrunk)["lCL"]
print()
print(
    f"CL/F: {clearance.value:.3g} {clearance.unit} "
    f"({clearance.value_low:.3g} to {clearance.value_high:.3g}); simulated with {np.e:.3g}"
)
