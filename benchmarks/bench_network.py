"""Time of network meta-analysis, warm, in CPU time of one process.

    python benchmarks/bench_network.py

The networks of diabetes (Senn 2013) and of certolizumab in rheumatoid arthritis are read from the
reference data ($STATERA_REFERENCE, or ../shared/reference) and left out where these are not there;
the network of 100 studies is simulated. A fit includes the reading of the contrasts, both models,
Q, I2, the interval of tau2 and prediction intervals. For comparison, netmeta takes seconds with its
splits and rankings.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from statera.evidence.network_arms import network_from_counts
from statera.evidence.network_components import component_network
from statera.evidence.network_data import NetworkData, network_from_contrasts
from statera.evidence.network_design import decompose_designs
from statera.evidence.network_fit import NetworkOptions, network
from statera.evidence.network_glm import glm_network
from statera.evidence.network_glmm import glmm_network
from statera.evidence.network_hypergeometric import hypergeometric_network
from statera.evidence.network_mantel_haenszel import mantel_haenszel_network
from statera.evidence.network_rank import league_table, p_scores, rank_probabilities
from statera.evidence.network_rare import RareNetworkOptions
from statera.evidence.network_split import side_split, split_node

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
Arms = tuple[list[str], list[str], list[float], list[float]]
Row = tuple[str, Callable[[], object], int, str]


def median(work: Callable[[], object], repeats: int) -> float:
    """Return the median CPU time of several runs after one, ms."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000.0 * float(np.median(times))


def published(name: str) -> Callable[[], NetworkData] | None:
    """Return how the contrasts of a published network become one; None where not there."""
    path = FOLDER / "evidence" / f"{name}.json"
    if not path.exists():
        return None
    rows: dict[str, Any] = json.loads(path.read_text())["results"]["DL"]["pairwise_input"]

    def build() -> NetworkData:
        return network_from_contrasts(
            rows["studlab"], rows["treat1"], rows["treat2"], rows["TE"], np.square(rows["seTE"])
        )

    return build


def simulated(studies: int = 100, treatments: int = 12) -> Arms:
    """Return arms of studies of two, three and four arms with tau 0.3."""
    generator = np.random.default_rng(3)
    names = [f"T{i:02d}" for i in range(treatments)]
    effect = generator.normal(0.0, 0.4, treatments)
    study, treatment, events, sizes = [], [], [], []
    for s in range(studies):
        m = int(generator.choice([2, 3, 4], p=[0.7, 0.2, 0.1]))
        base = generator.normal(-2.0, 0.4)
        for t in generator.choice(treatments, m, replace=False):
            n = int(generator.integers(40, 400))
            eta = base + effect[t] + generator.normal(0.0, 0.3 / 2**0.5)
            study.append(f"s{s}")
            treatment.append(names[t])
            events.append(float(generator.binomial(n, 1 / (1 + np.exp(-eta)))))
            sizes.append(float(n))
    return study, treatment, events, sizes


def everything(data: NetworkData) -> object:
    """Return a fit with splits, designs, league table and ranks."""
    fit = network(data)
    return (
        fit, side_split(fit), decompose_designs(fit), league_table(fit),
        p_scores(fit, small_good=True),
    )  # fmt: skip


def published_rows() -> list[Row]:
    """Return the rows of the published networks."""
    rows: list[Row] = []
    for name, label, aim in (
        ("nma_senn2013", "Senn (26 studies, 10 treatments)", "10"),
        ("nma_certolizumab_RA_ACR50", "certolizumab (12 studies, 7 treatments)", ""),
    ):
        build = published(name)
        if build is None:
            print(f"{label}: reference data are not there")
            continue
        for method in ("DL", "REML"):
            options = NetworkOptions(tau2=method)
            rows.append(
                (f"{label}, {method}", lambda b=build, o=options: network(b(), o), 50, aim)  # type: ignore[misc]
            )
        rows.append((f"{label}, with all tables", lambda b=build: everything(b()), 20, ""))  # type: ignore[misc]
    return rows


def main() -> None:
    """Print a table of times."""
    arms = simulated()
    data = network_from_counts(*arms)
    fit = network(data)
    pair = next(r for r in side_split(fit) if 0 < r.share < 0.9 and r.studies)
    first, _, second = pair.label.partition(" vs ")
    firth = RareNetworkOptions(penalised=True)
    size = f"100 studies ({len(data.treatments)} treatments, {data.y.size} comparisons)"
    rows: list[Row] = [
        *published_rows(),
        (f"{size}, DL", lambda: network(data, NetworkOptions(tau2="DL")), 20, ""),
        (f"{size}, REML", lambda: network(data), 20, ""),
        (f"{size}, with all tables", lambda: everything(data), 5, ""),
        ("  node-splitting of one pair", lambda: split_node(fit, first, second), 10, ""),
        (
            "  10 000 draws of ranks",
            lambda: rank_probabilities(fit, small_good=True, seed=1),
            10,
            "",
        ),
        ("  components (none shared)", lambda: component_network(data, inactive="T00"), 10, ""),
        ("  Mantel-Haenszel", lambda: mantel_haenszel_network(*arms), 10, ""),
        ("  binomial, common effects", lambda: glm_network(*arms), 10, ""),
        ("  binomial, penalised", lambda: glm_network(*arms, options=firth), 10, ""),
        ("  noncentral hypergeometric", lambda: hypergeometric_network(*arms), 5, ""),
        ("  binomial-normal", lambda: glmm_network(*arms), 3, ""),
        ("  Poisson-normal", lambda: glmm_network(*arms, rates=True), 3, ""),
    ]
    print(f"{'':62s}{'ms':>10s}{'aim':>8s}")
    for name, work, repeats, aim in rows:
        print(f"{name:62s}{median(work, repeats):10.2f}{aim:>8s}")


if __name__ == "__main__":
    main()
