"""Time of a whole monograph, from the command line's point of view: a process of its own.

Run ``python benchmarks/bench_monograph.py [DRUG ...]``: one process to fill the cache of compiled
code, then the median of five. The limit is 15 s for baricitinib on two cores with a warm cache.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 5


def run(drug: str, folder: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of one process that writes the page."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "statera", "monograph", drug, "--quiet"]
    subprocess.run(
        [*command, "--out", str(folder / f"{drug}.html")], check=True, capture_output=True
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(drugs: list[str]) -> None:
    """Print a table."""
    print(f"{os.cpu_count()} processors; median of {REPEATS} processes, warm cache")
    with tempfile.TemporaryDirectory() as name:
        for drug in drugs:
            run(drug, Path(name))
            times = [run(drug, Path(name)) for _ in range(REPEATS)]
            wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
            size = (Path(name) / f"{drug}.html").stat().st_size / 1e6
            print(f"{drug:15s} {wall:6.2f} s wall {cpu:6.2f} s CPU {size:5.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:] or ["baricitinib", "tofacitinib", "ruxolitinib"])
