"""CPU time of exposure-response fits.

Run ``python benchmarks/bench_response.py``. The data are simulated: a quarter on placebo, one
covariate, an Emax effect; the fastest of three runs is printed, all threads together.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from statera.response.binary import Binary
from statera.response.bootstrap import bootstrap_band
from statera.response.cox import Cox
from statera.response.fit import FitOptions, fit_response
from statera.response.hazards import Hazard
from statera.response.ordinal import Ordinal
from statera.response.profile import profile_interval
from statera.response.time_to_event import TimeToEvent


def cpu_time(work: Callable[[], object]) -> float:
    """Return the least CPU time of three runs in ms."""
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000.0 * min(times)


def main() -> None:
    """Print the table."""
    print(f"{'outcome':28s} {'form':13s} {'n':>6s} {'ms':>8s}")
    for n in (400, 5000):
        rng = np.random.default_rng(1)
        x = np.where(rng.random(n) < 0.25, 0.0, rng.lognormal(1.0, 0.8, n))
        age = rng.normal(size=n)
        eta = -1.5 + 0.3 * age + 3.0 * x / (2.0 + x)
        response = rng.random(n) < 1.0 / (1.0 + np.exp(-eta))
        grade = (rng.logistic(size=n) + eta > np.array([[0.0], [1.0], [2.0]])).sum(axis=0)
        wait, leave = rng.exponential(np.exp(-eta)), rng.uniform(0.5, 5.0, n)
        time_, event, people = np.minimum(wait, leave), wait <= leave, np.arange(n)
        right, zero = np.where(event, time_, np.inf), np.zeros(n)
        outcomes = {
            "binary": Binary.of(response),
            "ordinal, four grades": Ordinal(grade, tuple("abcd"), people),
            "Weibull": TimeToEvent(zero, time_, right, people, Hazard("weibull")),
            "piecewise, four pieces": TimeToEvent(
                zero, time_, right, people, Hazard("piecewise", (0.2, 0.5, 1.0))
            ),
            "Cox": Cox(zero, time_, event, people),
        }
        for name, outcome in outcomes.items():
            for form in ("linear", "emax", "sigmoid-emax"):
                options = FitOptions(form)
                ms = cpu_time(
                    lambda o=outcome, k=options, x=x, a=age: fit_response(o, x, {"age": a}, k)  # type: ignore[misc]
                )
                print(f"{name:28s} {form:13s} {n:6d} {ms:8.1f}")
        draws = x[:, None] * np.exp(0.4 * rng.normal(size=(n, 100)))
        if n == 400:
            binary = outcomes["binary"]
            ms = cpu_time(lambda o=binary, d=draws, a=age: fit_response(o, d, {"age": a}))  # type: ignore[misc]
            print(f"{'binary, 100 draws each':28s} {'emax':13s} {n:6d} {ms:8.1f}")
            fit = fit_response(binary, x, {"age": age})
            ms = cpu_time(lambda f=fit: profile_interval(f, "ln EC50"))  # type: ignore[misc]
            print(f"{'  profile interval of EC50':28s} {'emax':13s} {n:6d} {ms:8.1f}")
            grid = np.linspace(0.0, 10.0, 81)
            ms = cpu_time(lambda f=fit, g=grid: bootstrap_band(f, g, samples=500))  # type: ignore[misc]
            print(f"{'  500 bootstrap samples':28s} {'emax':13s} {n:6d} {ms:8.1f}")


if __name__ == "__main__":
    main()
