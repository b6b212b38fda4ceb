"""CPU time of mixed models of 3 000 proteins in 300 samples, tests and permutations included.

Run ``python benchmarks/bench_mixed_models.py``. The data are simulated: 100 subjects, three
visits, two arms; the fastest of three runs is printed, all threads together. Permutations are
timed once, 10 000 of them, by the clock too; refitted ones are timed over three. Set
OPENBLAS_NUM_THREADS=1: threads that wait busily count as CPU time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from statera.biomarker.association import AssociationOptions, associate
from statera.biomarker.design import Factor, build_design
from statera.biomarker.limma import block_correlation, fit_linear_models, moderate
from statera.biomarker.permutation import PermutationOptions, permute_association


def cpu_time(work: Callable[[], object]) -> float:
    """Return the least CPU time of three runs in seconds."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(1)
    subjects = np.repeat(np.arange(100), 3)
    data = {
        "arm": [("active", "placebo")[s % 2] for s in subjects],
        "visit": ["week 0", "week 6", "week 12"] * 100,
    }
    values = rng.normal(size=(3000, 100))[:, subjects] + rng.normal(size=(3000, 300))
    missing = np.where(rng.random(values.shape) < 0.01, np.nan, values)
    assays = [f"protein {i}" for i in range(3000)]
    for name, table in (("complete", values), ("1 % missing at random", missing)):
        for df in ("satterthwaite", "kenward-roger"):
            options = AssociationOptions(degrees_of_freedom=df)
            seconds = cpu_time(
                lambda t=table, o=options: associate(  # type: ignore[misc]
                    t, assays, data, "arm * visit", list(subjects), o
                )
            )
            print(f"{df:15s} {name:22s} {seconds:6.2f} s")
    design = build_design("arm + visit", data).matrix

    def blocked() -> None:
        correlation = block_correlation(values, design, subjects)
        moderate(fit_linear_models(values, design, subjects, correlation))

    print(f"{'limma, blocks':15s} {'complete':22s} {cpu_time(blocked):6.2f} s")
    columns = {name: Factor.of(labels) for name, labels in data.items()}
    for name, table in (("complete", values), ("1 % missing at random", missing)):
        for statistic, count in (("null-model", 10_000), ("refit", 3)):
            chosen = PermutationOptions(count, statistic)
            start, clock = time.process_time(), time.perf_counter()
            permute_association(table, columns, "arm * visit", list(subjects), chosen)
            used, waited = time.process_time() - start, time.perf_counter() - clock
            print(f"{statistic:15s} {name:22s} {used:6.2f} s, {waited:.1f} s by the clock, "
                  f"{count} permutations of arm and of visit")  # fmt: skip


if __name__ == "__main__":
    main()
