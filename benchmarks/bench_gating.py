"""CPU time and memory of gating whole plates.

Run ``python benchmarks/bench_gating.py``. A well has 50 000 events of 18 channels, 11 of them
compensated; it is read from its file, compensated, put on logicle scales, gated by ten gates (13
populations), and three medians are taken in each population. 33 wells are written; larger plates
read them again, so that all files lie in the memory of the operating system. Every plate is
analysed by a process of its own, in which one well was analysed before; the table holds the CPU
time of all its threads (user and system) and the peak of its resident memory.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from bench_simulate import machine, median_cpu
from gated_plate import READOUTS, strategy, write_plate

from statera.cytometry.median import median
from statera.cytometry.needed_channels import read_needed
from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.strategy import apply_gates, gate_values
from statera.cytometry.subsample import subsample

FILES = 33
REPEATS = 5
CASES: tuple[tuple[int, int, float | None, float | None], ...] = (
    (33, 1, 1.3, None),
    (96, 1, 4.0, 1.0),
    (384, 1, None, None),
    (96, 2, None, None),
    (384, 2, None, None),
)
"""Wells, threads, limits of CPU s and of GiB."""
GATES = strategy()


def analyse(path: Path) -> dict[str, tuple[int, list[float]]]:
    """Return count and medians of every population of a well."""
    file = read_needed(path, GATES, READOUTS)
    masks = apply_gates(GATES, file)
    signals = gate_values(GATES, file, READOUTS)
    found = {}
    for name, mask in masks.items():
        events = np.flatnonzero(mask)
        found[name] = (events.size, [median(x, events) for x in signals])
    return found


def one_plate(folder: str, wells: int, threads: int) -> None:
    """Analyse a plate and print what it took."""
    files = sorted(Path(folder).glob("*.fcs"))
    plate = [files[i % len(files)] for i in range(wells)]
    start = time.process_time()
    analyse(plate[0])
    first = time.process_time() - start
    cpu, wall = time.process_time(), time.perf_counter()
    if threads == 1:
        counted = sum(analyse(path)["cells"][0] for path in plate)
    else:
        with ThreadPoolExecutor(threads) as pool:
            counted = sum(found["cells"][0] for found in pool.map(analyse, plate))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert counted > 0
    print(json.dumps({"cpu": cpu, "wall": wall, "peak": peak_gib(), "first": first}))


def peak_gib() -> float:
    """Return the peak of resident memory of this process, of this program alone where known."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    except (OSError, StopIteration):
        unit = 2**30 if sys.platform == "darwin" else 2**20
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def apart(*arguments: str) -> str:
    """Run this program in a process of its own."""
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def steps(path: Path) -> dict[str, Callable[[], Any]]:
    """The parts of one well, and other ways to read it."""
    file = read_needed(path, GATES, READOUTS)
    masks = apply_gates(GATES, file)
    signals = gate_values(GATES, file, READOUTS)
    events = [np.flatnonzero(mask) for mask in masks.values()]
    return {
        "read the 14 channels that are needed": lambda: read_needed(path, GATES, READOUTS),
        "ten gates, compensated and scaled": lambda: apply_gates(GATES, file),
        "three compensated channels": lambda: gate_values(GATES, file, READOUTS),
        "medians": lambda: [median(x, chosen) for chosen in events for x in signals],
        "(read all channels)": lambda: read_fcs(path),
        "(hash of the file)": lambda: read_fcs(path, []).content_hash,
        "(5 000 events of those read)": lambda: subsample(file, 5000, 1),
    }


def main() -> int:
    """Print the table; the exit code is 1 where a limit is missed."""
    print(f"machine: {machine()}")
    if hasattr(os, "getloadavg"):
        print(f"load average: {os.getloadavg()[0]:.1f}")
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        apart("--write", folder)
        apart("--plate", folder, "1", "1")  # compiles
        print(f"\n{'wells':>6} {'threads':>8} {'limit':>7} {'CPU s':>7} {'wall s':>7} {'GiB':>6}")
        for wells, threads, limit, largest in CASES:
            runs = [
                json.loads(apart("--plate", folder, str(wells), str(threads)))
                for _ in range(REPEATS if wells < 384 else 1)
            ]
            run = sorted(runs, key=lambda r: float(r["cpu"]))[len(runs) // 2]
            peak = max(r["peak"] for r in runs)
            late = limit is not None and run["cpu"] > limit
            late |= largest is not None and peak > largest
            missed += late
            shown = "-" if limit is None else f"{limit:.1f}"
            print(
                f"{wells:6} {threads:8} {shown:>7} {run['cpu']:7.2f} {run['wall']:7.2f} "
                f"{peak:6.2f}{'  MISSED' if late else ''}",
                flush=True,
            )
        print(f"\nfirst well of a process: {run['first']:.2f} CPU s")
        print(f"\n{'one well':40} {'CPU ms':>8}")
        for name, work in steps(Path(folder) / "well_000.fcs").items():
            print(f"{name:40} {1e3 * median_cpu(work, 21):8.2f}")
    return int(missed > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_plate(Path(sys.argv[2]), FILES)
    elif sys.argv[1:2] == ["--plate"]:
        one_plate(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        sys.exit(main())
