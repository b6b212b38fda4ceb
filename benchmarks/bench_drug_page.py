"""Time of what the drug page of the web app asks, in a warm process.

Run ``python benchmarks/bench_drug_page.py [DRUG]``: median of 40 requests that differ, so that
nothing but the library is kept between them. The limit is 100 ms from a slider to new numbers for
a closed-form population of 1000; the browser's part is measured in tests/web.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from statera.web.requests.drug import (
    DrugExposureRequest,
    DrugInhibitionRequest,
    DrugOverviewRequest,
)
from statera.web.tasks import drug_exposure, drug_inhibition, drug_overview
from statera.web.tasks.drug_warm_up import NoWork

REPEATS = 40


def timed(ask: Callable[[int], bytes]) -> tuple[float, float, int]:
    """Return median wall and CPU milliseconds of a request, and the size of its answer."""
    ask(0)
    wall, cpu = [], []
    for number in range(1, REPEATS + 1):
        start, spent = time.perf_counter(), time.process_time()
        answer = ask(number)
        wall.append(1000.0 * (time.perf_counter() - start))
        cpu.append(1000.0 * (time.process_time() - spent))
    return statistics.median(wall), statistics.median(cpu), len(answer)


def cases(drug: str) -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Yield what the page asks, by name."""
    work: Any = NoWork()
    yield (
        "overview",
        lambda _: drug_overview.run(DrugOverviewRequest(drug=drug), work).to_json(),
    )
    yield (
        "inhibition over the grid",
        lambda _: drug_inhibition.run(DrugInhibitionRequest(drug=drug), work).to_json(),
    )
    for n in (200, 1000, 5000):
        yield (
            f"exposure, {n} subjects",
            lambda k, n=n: drug_exposure.run(  # type: ignore[misc]
                DrugExposureRequest(
                    drug=drug, dose_mg=4.0, interval_h=24.0, covariates={"EGFR": 55.0 + k}, n=n
                ),
                work,
            ).to_json(),
        )


def main(drug: str) -> None:
    """Print a table."""
    print(f"{drug}: median of {REPEATS}, one process, one thread")
    for name, ask in cases(drug):
        wall, cpu, size = timed(ask)
        print(f"{name:26s} {wall:7.1f} ms wall {cpu:7.1f} ms CPU {size / 1000:7.1f} kB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "baricitinib")
