"""Memory and time of a million subjects streamed to parquet.

Run ``python benchmarks/bench_stream.py``: 28 daily doses, endpoints of the first and the last
interval, written and summarised; with ``--profiles`` also 29 rows a subject. The peak of resident
memory is that of the whole process.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from bench_simulate import DOSE, TROUGHS, closed_form, machine

from statera.simulate import simulate_to_parquet

SUBJECTS = 1_000_000
LIMIT = 2.0


def main() -> int:
    """Print times, size and memory; the exit code is 1 above the limit."""
    times = TROUGHS if "--profiles" in sys.argv else ()
    print(f"machine: {machine()}")
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        found = simulate_to_parquet(
            closed_form(), DOSE, Path(folder) / "out", n=SUBJECTS, times=times, seed=1, workers=2
        )
        found.summary()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(f.stat().st_size for f in found.path.iterdir()) / 2**20
    unit = 2**30 if sys.platform == "darwin" else 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(f"{SUBJECTS} subjects: {wall:.1f} s, {cpu:.1f} CPU s, {size:.0f} MiB, {peak:.2f} GiB")
    return int(peak > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
