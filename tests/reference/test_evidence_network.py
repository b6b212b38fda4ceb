"""Networks against netmeta: every table it prints for two networks, by DL and REML."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.evidence.network_arms import network_from_counts
from statera.evidence.network_data import NetworkData, network_from_contrasts
from statera.evidence.network_design import decompose_designs
from statera.evidence.network_fit import NetworkOptions, NetworkResult, network
from statera.evidence.network_hat import hat_matrix
from statera.evidence.network_rank import p_scores, rank_probabilities
from statera.evidence.network_split import reduced_weights, side_split

CASES = [
    ("nma_senn2013", "DL", "DL"),
    ("nma_senn2013", "REML", "REML-approximate"),
    ("nma_certolizumab_RA_ACR50", "DL", "DL"),
    ("nma_certolizumab_RA_ACR50", "REML", "REML"),
]
SIGNED = ("estimate", "direct", "indirect", "difference", "z")
TABLES: dict[str, Callable[[NetworkResult], NDArray[np.float64]]] = {
    "TE_common": lambda r: r.common.estimate,
    "seTE_common": lambda r: r.common.se,
    "TE_random": lambda r: r.random.estimate,
    "seTE_random": lambda r: r.random.se,
    "lower_random": lambda r: r.random.low,
    "upper_random": lambda r: r.random.high,
    "lower_predict": lambda r: r.predict_low,
    "upper_predict": lambda r: r.predict_high,
}


def expected_of(reference: Path, name: str, method: str) -> dict[str, Any]:
    path = reference / "evidence" / f"{name}.json"
    expected: dict[str, Any] = json.loads(path.read_text())["results"][method]
    return expected


def data_of(expected: dict[str, Any]) -> NetworkData:
    rows = expected["pairwise_input"]
    return network_from_contrasts(
        rows["studlab"], rows["treat1"], rows["treat2"], rows["TE"], np.square(rows["seTE"])
    )


def fit_of(expected: dict[str, Any], tau2: str) -> NetworkResult:
    options = NetworkOptions(tau2=tau2, reference=expected["reference"])
    return network(data_of(expected), options)


@pytest.mark.parametrize(("name", "method", "ours"), CASES)
def test_estimates_intervals_and_heterogeneity(
    reference: Path, name: str, method: str, ours: str
) -> None:
    expected = expected_of(reference, name, method)
    result = fit_of(expected, ours)
    assert result.tau2 == pytest.approx(expected["tau2"], abs=1e-8)
    assert result.df == expected["df_Q"]
    for key, value in (
        ("Q", result.q),
        ("pval_Q", result.p_q),
        ("I2", result.i2),
        ("lower_I2", result.i2_low),
        ("upper_I2", result.i2_high),
    ):
        assert value == pytest.approx(expected[key], rel=1e-6, abs=1e-9), key
    order = [result.data.treatments.index(name) for name in expected["trts"]]
    for key, table in TABLES.items():
        wanted = np.array(expected[key]["values"], dtype=float)
        np.testing.assert_allclose(
            table(result)[np.ix_(order, order)], wanted, atol=1e-7, err_msg=key
        )


@pytest.mark.parametrize(("name", "method", "ours"), CASES)
def test_ranks(reference: Path, name: str, method: str, ours: str) -> None:
    expected = expected_of(reference, name, method)
    result, ranking = fit_of(expected, ours), expected["ranking"]
    small = ranking["small_values"] == "desirable"
    for effects in ("random", "common"):
        scores = dict(
            zip(
                result.data.treatments,
                p_scores(result, small_good=small, effects=effects).tolist(),
                strict=True,
            )
        )
        assert scores == pytest.approx(ranking[f"pscore_{effects}"], abs=1e-7)
    sucra = rank_probabilities(result, small_good=small, seed=1909).sucra
    for treatment, value in ranking["sucra_random_mc_nsim1000_seed1909"].items():
        assert sucra[result.data.treatments.index(treatment)] == pytest.approx(value, abs=0.02)


@pytest.mark.parametrize(("name", "method", "ours"), CASES)
def test_direct_and_indirect(reference: Path, name: str, method: str, ours: str) -> None:
    expected = expected_of(reference, name, method)["netsplit_SIDE"]
    rows = {
        row.label: row for row in side_split(fit_of(expected_of(reference, name, method), ours))
    }
    columns = {
        "k": "studies", "prop_random": "share", "nma_TE": "estimate", "nma_se": "se",
        "direct_TE": "direct", "direct_se": "direct_se", "indirect_TE": "indirect",
        "indirect_se": "indirect_se", "diff_TE": "difference", "diff_se": "difference_se",
        "z": "z", "p": "p",
    }  # fmt: skip
    for key, attribute in columns.items():
        for pair, value in zip(expected["comparison"], expected[key], strict=True):
            first, second = pair.split(":")
            turned = f"{first} vs {second}" not in rows
            label = f"{second} vs {first}" if turned else f"{first} vs {second}"
            sign = -1 if turned and attribute in SIGNED else 1
            ours_value = sign * getattr(rows[label], attribute)
            wanted = float("nan") if value is None else value
            assert ours_value == pytest.approx(wanted, abs=1e-7, nan_ok=True), (key, pair)


@pytest.mark.parametrize("name", ["nma_senn2013", "nma_certolizumab_RA_ACR50"])
def test_designs(reference: Path, name: str) -> None:
    expected = expected_of(reference, name, "DL")
    parts = decompose_designs(fit_of(expected, "DL"))
    rows = [*expected["decomp_design"]["Q_decomp"], *expected["decomp_design"]["Q_inc_random"]]
    ours = {
        "Total": parts.total,
        "Within designs": parts.within,
    }
    for row in rows[:2]:
        part = ours[row["_row"]]
        assert (part.q, part.df) == pytest.approx((row["Q"], row["df"]), abs=1e-7)
        assert part.p == pytest.approx(row["pval"], rel=1e-6)
    for row, part in zip(rows[2:], (parts.between, parts.between_random), strict=True):
        assert (part.q, part.df) == pytest.approx((row["Q"], row["df"]), abs=1e-7)
        assert part.p == (None if row["pval"] is None else pytest.approx(row["pval"], rel=1e-6))
    assert parts.tau2_within**0.5 == pytest.approx(rows[3]["tau.within"], abs=1e-8)
    labels = {frozenset(part.label.split(":")): part for part in parts.designs}
    for row in expected["decomp_design"]["Q_het_design"]:
        assert labels[frozenset(row["design"].split(":"))].q == pytest.approx(row["Q"], abs=1e-7)


def test_reml_over_the_full_covariance(reference: Path) -> None:
    result = fit_of(expected_of(reference, "nma_senn2013", "REML"), "REML")
    assert result.tau2 == pytest.approx(0.099917, abs=1e-6)


def test_counts_of_the_certolizumab_network_give_its_contrasts(reference: Path) -> None:
    expected = expected_of(reference, "nma_certolizumab_RA_ACR50", "DL")
    table = (reference / "evidence" / "nma_certolizumab_RA_ACR50.csv").read_text().splitlines()
    cells = [line.replace('"', "").split(",") for line in table[1:]]
    data = network_from_counts(
        [row[0] for row in cells],
        [row[1] for row in cells],
        [float(row[2]) for row in cells],
        [float(row[3]) for row in cells],
    )
    assert data.notes == ("Study Abe2006 has an empty cell: 0.5 added to its cells.",)
    result = network(data, NetworkOptions(tau2="DL", reference="Placebo"))
    assert result.tau2 == pytest.approx(expected["tau2"], abs=1e-9)


def test_reduced_weights_of_the_study_of_three_arms(reference: Path) -> None:
    rows = expected_of(reference, "nma_senn2013", "DL")["pairwise_input"]
    three = [i for i, name in enumerate(rows["studlab"]) if rows["studlab"].count(name) == 3]
    names = sorted({rows[key][i] for i in three for key in ("treat1", "treat2")})
    variance = np.zeros((3, 3))
    for i in three:
        a, b = names.index(rows["treat1"][i]), names.index(rows["treat2"][i])
        variance[a, b] = variance[b, a] = rows["seTE"][i] ** 2
    weights = reduced_weights(variance)
    for i in three:
        a, b = names.index(rows["treat1"][i]), names.index(rows["treat2"][i])
        assert weights[a, b] ** -0.5 == pytest.approx(rows["seTE_adj_common"][i], abs=1e-9)


#: Tables of the reference that no test reads, and why.
NOT_READ = {
    "tau", "k", "n", "m", "d",  # follow from what is read
    "Q_het", "df_Q_het", "Q_inc", "df_Q_inc", "pval_Q_inc",  # read from decomp_design
    "method_predict", "method_tau", "sm",  # names
    "TE_direct_common",  # direct estimates are pooled with the tau2 of the network
    "league_random",  # TE_random, rounded
}  # fmt: skip
DIRECT = {
    "TE_direct_random": "direct",
    "seTE_direct_random": "direct_se",
    "TE_indirect_random": "indirect",
}
READ = {
    "trts", "tau2", "Q", "df_Q", "pval_Q", "I2", "lower_I2", "upper_I2", *TABLES, *DIRECT,
    "prop_direct_random", "pairwise_input", "reference", "ranking", "netsplit_SIDE",
}  # fmt: skip


@pytest.mark.parametrize(("name", "method", "ours"), CASES)
def test_tables_of_direct_evidence(reference: Path, name: str, method: str, ours: str) -> None:
    expected = expected_of(reference, name, method)
    rows = {row.label: row for row in side_split(fit_of(expected, ours))}
    seen = 0
    for key, attribute in DIRECT.items():
        table = expected[key]
        for i, first in enumerate(table["rows"]):
            for j, second in enumerate(table["cols"]):
                if f"{first} vs {second}" not in rows:
                    continue
                wanted = table["values"][i][j]
                value = getattr(rows[f"{first} vs {second}"], attribute)
                wanted = float("nan") if wanted is None else wanted
                assert value == pytest.approx(wanted, abs=1e-7, nan_ok=True), (key, first, second)
                seen += 1
    assert seen == 3 * len(rows)


@pytest.mark.parametrize("name", ["nma_senn2013", "nma_certolizumab_RA_ACR50"])
def test_first_row_of_the_hat_matrix(reference: Path, name: str) -> None:
    expected = expected_of(reference, name, "DL")
    row = hat_matrix(fit_of(expected, "DL"), "common")[0]
    np.testing.assert_allclose(row, expected["hatmatrix_common_row1"], atol=1e-9)


def test_the_grid_of_cases_does_not_shrink(reference: Path) -> None:
    folder = reference / "evidence"
    assert {path.stem for path in folder.glob("nma_*.json")} == {name for name, _, _ in CASES}
    numbers = 0
    for name, method, _ in CASES:
        results = json.loads((folder / f"{name}.json").read_text())["results"]
        assert set(results) == {"DL", "REML"}
        expected = results[method]
        more = {"decomp_design", "hatmatrix_common_row1"} if method == "DL" else set()
        assert set(expected) - NOT_READ == READ | more
        n = len(expected["trts"])
        for key in (*TABLES, *DIRECT):
            assert np.array(expected[key]["values"], dtype=object).shape == (n, n)
            numbers += n * n
        split = expected["netsplit_SIDE"]
        assert len(split["comparison"]) == n * (n - 1) // 2
        numbers += sum(len(split[key]) for key in split if key != "comparison")
        numbers += len(expected.get("hatmatrix_common_row1", ()))
        numbers += sum(len(expected["ranking"][key]) for key in expected["ranking"]
                       if key != "small_values")  # fmt: skip
    assert numbers == 5004
