"""A phospho-flow plate from FCS files to IC50s.

Simulates a plate of two donors and two cytokines (no experiment, no drug: the answers are chosen),
analyses it as if it came from a cytometer, and compares.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from statera.plate.analyse import analyse_plate
from statera.plate.simulated_plate import SimulationOptions, simulate_plate

with tempfile.TemporaryDirectory() as folder:
    plate = simulate_plate(Path(folder), SimulationOptions(events=2500))
    result = analyse_plate(plate.settings)

for curve in result.curves:
    truth = plate.ic50.get((curve.donor, curve.cytokine, curve.population))
    simulated = "does not respond" if truth is None else f"{truth:.1f} nM"
    print(f"{curve.name}: {curve.ic50.sentence}; simulated: {simulated}")
for donor in result.donors:
    print(f"over donors, {donor.name}: {donor.sentence}")
for problem in result.problems:
    print(f"{problem.where}: {problem.sentence}")
