"""CPU time of a population simulation by subjects, doses and rows, as a figure.

Run ``python benchmarks/cost_curve.py`` to measure, print the table and write
``docs/images/cost_curve.svg``. Closed form, two compartments, first-order absorption; each point is
the minimum of several runs of a warm process.
"""

from __future__ import annotations

import time
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

try:
    from benchmarks.bench_simulate import closed_form
except ModuleNotFoundError:  # run as a script
    from bench_simulate import closed_form  # type: ignore[no-redef]

from statera.simulate import simulate

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images" / "cost_curve.svg"
BY_SUBJECTS = (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
BY_DOSES = (1, 3, 10, 30, 100, 300, 1_000)
BY_ROWS = (10, 30, 100, 300, 1_000, 3_000, 10_000)


def cpu_time(subjects: int, doses: int, rows: int) -> float:
    """Return CPU seconds of one simulation."""
    times = np.linspace(0.0, 24.0 * doses, rows)
    best = float("inf")
    for _ in range(3 if subjects * (rows + doses) > 3e6 else 7):
        started = time.process_time()
        simulate(closed_form(), f"100 mg q24h x{doses}", n=subjects, times=times, windows=())
        best = min(best, time.process_time() - started)
    return best


def main() -> None:
    """Measure, print and draw."""
    series = {
        "subjects": (BY_SUBJECTS, [cpu_time(n, 28, 29) for n in BY_SUBJECTS]),
        "doses": (BY_DOSES, [cpu_time(1_000, n, 29) for n in BY_DOSES]),
        "rows": (BY_ROWS, [cpu_time(1_000, 28, n) for n in BY_ROWS]),
    }
    held = {
        "subjects": "28 doses, 29 rows",
        "doses": "1 000 subjects, 29 rows",
        "rows": "1 000 subjects, 28 doses",
    }
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
    for axis, (name, (counts, seconds)) in zip(axes, series.items(), strict=True):
        print(f"| {name} | CPU s | us each |\n|---|---|---|")
        for count, second in zip(counts, seconds, strict=True):
            print(f"| {count} | {second:.4f} | {1e6 * second / count:.2f} |")
        axis.loglog(counts, seconds, "o-", color="#1b6ca8", label="measured")
        last = seconds[-1] / counts[-1]
        axis.loglog(counts, [last * c for c in counts], "--", color="#888888", label="proportional")
        axis.set_xlabel(f"{name} ({held[name]})")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("CPU time, s")
    axes[0].legend(frameon=False)
    figure.savefig(TARGET, metadata={"Date": None})


if __name__ == "__main__":
    main()
