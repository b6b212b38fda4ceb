"""CPU time of predicting response: one tuned fit, of which the defaults make 151, and a whole run.

Run ``python benchmarks/bench_prediction.py [whole]``. The data are simulated: three of the markers
carry the response, 1 % of the values is missing, two plates are adjusted for. The fastest of three
fits is printed; ``whole`` adds one run of the defaults with 150 samples and 500 markers.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from statera.biomarker.marker_table import MarkerTable
from statera.biomarker.predict import predict_response
from statera.biomarker.prediction_options import PredictionOptions
from statera.biomarker.tuned_model import fit_tuned_model


def simulated(n: int, m: int) -> tuple[MarkerTable, np.ndarray]:
    """Return a table and its outcome."""
    random = np.random.default_rng(1)
    values = random.normal(size=(n, m))
    score = values[:, 0] - values[:, 1] + 0.7 * values[:, 2]
    outcome = random.random(n) < 1.0 / (1.0 + np.exp(-1.5 * score))
    values[random.random((n, m)) < 0.01] = np.nan
    names = tuple(f"s{i}" for i in range(n))
    lod = np.full((n, m), -2.0)
    plates = tuple("AB"[i % 2] for i in range(n))
    markers = tuple(f"M{j}" for j in range(m))
    return MarkerTable(markers, values, values < lod, lod, names, names, {}, plates), outcome


def main() -> None:
    """Print the table."""
    for n, m in ((120, 60), (150, 500), (300, 3000)):
        table, outcome = simulated(n, m)
        for model in ("elastic-net", "boosting"):
            times = []
            for _ in range(3):
                start = time.process_time()
                fit_tuned_model(table, outcome, table.subjects, PredictionOptions(model), "bench")
                times.append(time.process_time() - start)
            print(f"{n} x {m:5d} {model:12s} one tuned fit {min(times):6.2f} s")
    if "whole" in sys.argv:
        table, outcome = simulated(150, 500)
        start = time.process_time()
        predict_response(table, outcome, PredictionOptions())
        print(f"150 x 500 elastic-net, whole: {time.process_time() - start:.1f} s")


if __name__ == "__main__":
    main()
