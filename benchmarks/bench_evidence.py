"""Time of pairwise evidence synthesis, warm, in CPU time of one process.

    python benchmarks/bench_evidence.py

Studies are simulated. Pooling includes coefficients, tests, interval of tau2 (Q-profile),
prediction interval and fit statistics. For comparison, metafor 5.1 on the same kind of machine
takes 7.5 ms for 20 studies and 1 354 ms for 1 000.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from statera.evidence.bias import trim_and_fill
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import Effects, effects_of
from statera.evidence.influence import influence, leave_one_out
from statera.evidence.pairwise import PairwiseOptions, pairwise
from statera.evidence.resampling import bootstrap, permutation_test


def median(work: Callable[[], object], repeats: int) -> float:
    """Return the median CPU time of several runs after one, ms."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000.0 * float(np.median(times))


def studies(k: int) -> Effects:
    """Return simulated effects with sampling variances."""
    generator = np.random.default_rng(7)
    v = generator.uniform(0.01, 0.1, k)
    y = 0.2 + generator.standard_normal(k) * np.sqrt(v + 0.05)
    return effects_of(y, v)


def counts(k: int) -> Effects:
    """Return odds ratios from simulated counts."""
    generator = np.random.default_rng(8)
    total = generator.integers(50, 500, (2, k))
    events = generator.binomial(total, 0.1)
    return effect_sizes(
        "OR", events_1=events[0], total_1=total[0], events_2=events[1], total_2=total[1]
    )


def main() -> None:
    """Print a table of times."""
    few, many, very_many = studies(20), studies(1_000), studies(100_000)
    knha = PairwiseOptions(test="knha")
    latitude = {"x": np.random.default_rng(9).normal(size=20).tolist()}
    fit = pairwise(few)
    rows: tuple[tuple[str, Callable[[], object], int, str], ...] = (
        ("REML, 20 studies", lambda: pairwise(few), 500, "0.3"),
        ("REML and Hartung-Knapp, 20 studies", lambda: pairwise(few, knha), 500, ""),
        ("REML, 1 000 studies", lambda: pairwise(many), 200, "1"),
        ("REML, 100 000 studies", lambda: pairwise(very_many), 5, ""),
        ("meta-regression, 20 studies", lambda: pairwise(few, None, latitude), 100, ""),
        ("leave-one-out, 20 studies", lambda: leave_one_out(fit), 50, ""),
        ("influence, 20 studies", lambda: influence(fit), 50, ""),
        ("trim and fill, 20 studies", lambda: trim_and_fill(fit), 50, ""),
        ("10 000 bootstraps, 20 studies, REML", lambda: bootstrap(few), 7, "300"),
        ("10 000 permutations, 20 studies, REML", lambda: permutation_test(few), 7, ""),
        ("odds ratios of 1 000 studies from counts", lambda: counts(1_000), 20, ""),
    )
    print(f"{'':42s}{'ms':>10s}{'aim':>8s}")
    for name, work, repeats, aim in rows:
        print(f"{name:42s}{median(work, repeats):10.2f}{aim:>8s}")


if __name__ == "__main__":
    main()
