"""CPU time of population fits on the published data sets, set-up and cold start excluded.

Run ``python benchmarks/bench_fit.py`` where the reference data are (``STATERA_REFERENCE`` or
``../shared/reference`` beside the repository). Every case is run once to warm up, then timed; the
table holds the minimum of the CPU time of all threads over the repeats, and that of building the
problem.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.reference.nonmem_cases import (  # noqa: E402
    CASES,
    ONE_ORAL,
    THEOPHYLLINE,
    model_of,
    spec,
)
from tests.reference.turnover_case import TURNOVER  # noqa: E402

from statera.data import read_data  # noqa: E402
from statera.estimate import ProblemOptions, fit_problem, make_problem  # noqa: E402
from statera.estimate.outer import OuterOptions  # noqa: E402
from statera.model import build_model  # noqa: E402

REFERENCE = Path(os.environ.get("STATERA_REFERENCE", ROOT.parent / "shared" / "reference"))
REPEATS = 3

TRANSIT = spec(
    {"lKTR": 0.5, "lKA": 0.0, "lCL": -2.0, "lV": 2.0, "lLAG": -1.0, "prop": 0.1, "add": 0.3},
    {"eta_KTR": 0.5, "eta_CL": 0.1, "eta_V": 0.1},
    {
        "KTR": "exp(lKTR + eta_KTR)",
        "CL": "exp(lCL + eta_CL)",
        "V": "exp(lV + eta_V)",
        "LAG": "exp(lLAG)",
    },
    {"transit": "-KTR*transit", **ONE_ORAL, "depot": "KTR*transit - exp(lKA)*depot",
     "central": "exp(lKA)*depot - CL/V*central"},
    {"oral": [{"kind": "bolus", "into": "transit", "lag": "LAG"}]},
    "central/V",
    {"additive": "add", "proportional": "prop"},
)  # fmt: skip

Case = tuple[str, str, Callable[[], Any], dict[str, Any], str, float]


def cases() -> list[Case]:
    """Name, data set, model, options of reading, method, limit in CPU seconds."""
    return [
        ("theophylline, 1 compartment", "theo_sd", lambda: build_model(THEOPHYLLINE),
         {"drop": ["EVID"]}, "focei", 0.3),
        ("warfarin with transit and lag", "warfarin_pk", lambda: build_model(TRANSIT), {},
         "focei", 2.0),
        ("oral, 1 compartment, 120 subjects", "oral_1cpt", lambda: model_of("oral_1cpt"),
         CASES["oral_1cpt"][1], "focei", 4.0),
        ("oral, 2 compartments, 120 subjects", "oral_2cpt_ode_all",
         lambda: model_of("oral_2cpt_ode_all"), {"drop": ["SS", "II"], "accept": "SD.EQ.1"},
         "focei", 15.0),
        ("warfarin turnover, integrated", "warfarin_pkpd", lambda: build_model(TURNOVER),
         {"dvid": {"cp": 1, "pca": 2}}, "focei", 12.0),
    ]  # fmt: skip


def measure(case: Case, repeats: int = REPEATS) -> dict[str, Any]:
    """Return the figures of a case."""
    name, data_set, model, options, method, limit = case
    data = read_data(REFERENCE / "nlme" / "data" / f"{data_set}.csv.gz", **options)
    built = model()
    best, setup, result = float("inf"), float("inf"), None
    for number in range(repeats + 1):
        started = time.process_time()
        problem = make_problem(built, data, ProblemOptions())
        ready = time.process_time()
        result = fit_problem(problem, method, OuterOptions())  # type: ignore[arg-type]
        done = time.process_time()
        if number > 0:
            best, setup = min(best, done - ready), min(setup, ready - started)
    assert result is not None
    return {
        "case": name, "method": method, "seconds": best, "setup": setup, "limit": limit,
        "ofv": result.ofv, "iterations": len(result.iterations), "status": result.status,
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    if not (REFERENCE / "nlme").is_dir():
        sys.exit(f"no reference data at {REFERENCE}")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print("| case | method | CPU s | with set-up | limit | OFV | iterations | status |")
    print("|---|---|---|---|---|---|---|---|")
    wanted = sys.argv[1:]
    for case in cases():
        if wanted and not any(w in case[0] for w in wanted):
            continue
        got = measure(case, repeats=1 if "integrated" in case[0] else REPEATS)
        print(
            f"| {got['case']} | {got['method']} | {got['seconds']:.3f} | "
            f"{got['seconds'] + got['setup']:.3f} | {got['limit']:g} | {got['ofv']:.3f} | "
            f"{got['iterations']} | {got['status']} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
