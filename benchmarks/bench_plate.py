"""CPU time and memory of a whole analysis of a plate, and of many dose-response fits.

Run ``python benchmarks/bench_plate.py``. A plate of 96 wells with 50 000 events of 10 channels is
simulated and analysed from its files to IC50s over donors: automatic gates, quality control,
statistics, drawings, curves. The second figure is that of 1 000 four-parameter curves of 24 points
with profile intervals (limit 2 s).
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_simulate import machine, median_cpu

from statera.assay.fit_curves import fit_curves, make_curves
from statera.assay.ic50 import estimate_ic50
from statera.plate.analyse import analyse_plate
from statera.plate.simulated_plate import SimulationOptions, simulate_plate

EVENTS = 50_000
DOSES = (1, 10, 30, 100, 300, 1000)
DONORS = ("D1", "D2", "D3", "D4")


def curves() -> float:
    """Return the CPU time of 1 000 fits with profile intervals."""
    rng = np.random.default_rng(1)
    dose = np.repeat([0.0, 0.3, 1, 3, 10, 30, 100, 300], 3)
    half = np.exp(rng.normal(3.0, 0.7, 1000))
    responses = [
        5.0 + 95.0 / (1.0 + (dose / h) ** 1.1) + rng.normal(0.0, 4.0, dose.size) for h in half
    ]
    made = make_curves([dose] * 1000, responses)

    def work() -> None:
        estimate_ic50(fit_curves(made))

    return median_cpu(work, 3)


def plate() -> tuple[float, float]:
    """Return the CPU time of one analysis and the peak memory, GiB."""
    with tempfile.TemporaryDirectory() as folder:
        options = SimulationOptions(donors=DONORS, doses=DOSES, events=EVENTS)
        made = simulate_plate(Path(folder), options)
        small = SimulationOptions(donors=("D1",), cytokines=("IL-6",), events=1000)
        warm = simulate_plate(Path(folder) / "warm", small)
        analyse_plate(warm.settings, workers=1)  # compiles
        started = time.process_time()
        analyse_plate(made.settings, workers=1)
        taken = time.process_time() - started
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Print both figures."""
    print(machine())
    print(f"1 000 curves with profile intervals: {curves():.2f} CPU s (limit 2)")
    taken, peak = plate()
    print(f"96 wells x {EVENTS} events, files to IC50s: {taken:.1f} CPU s, peak {peak:.2f} GiB")


if __name__ == "__main__":
    main()
