"""Networks worked by hand, bad input, and what must hold of any network."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from statera.errors import InputError, UnknownNameError
from statera.evidence.effects import effects_of
from statera.evidence.network_arms import network_from_counts, network_from_means
from statera.evidence.network_data import (
    NetworkData,
    connected_parts,
    network_from_contrasts,
    part_of_network,
    studies_by_pair,
)
from statera.evidence.network_fit import NetworkOptions, network, reduced_blocks
from statera.evidence.network_gls import fit_blocks
from statera.evidence.network_hat import comparison_hat, contrast_weights, hat_matrix
from statera.evidence.network_rank import league_table, p_scores, rank_probabilities
from statera.evidence.network_split import side_split, split_node
from statera.evidence.pairwise import PairwiseOptions, pairwise
from statera.plot.network_graph import draw_network


def triangle() -> NetworkData:
    return network_from_contrasts(
        ["s1", "s2", "s3"], ["A", "A", "B"], ["B", "C", "C"], [1.0, 1.5, 0.2], [0.5, 0.25, 0.25]
    )


def mixed() -> NetworkData:
    """Simulated: one study of three arms, five of two, more spread than chance."""
    return network_from_means(
        ["m", "m", "m", "t1", "t1", "t2", "t2", "t3", "t3", "t4", "t4", "t5", "t5"],
        ["A", "B", "C", "A", "B", "A", "B", "B", "C", "A", "C", "C", "D"],
        [0.0, 1.1, 2.0, 0.3, 2.2, 0.1, 0.6, 1.0, 1.2, 0.0, 3.1, 0.4, 0.9],
        [2.0] * 13,
        [40, 44, 38, 60, 61, 30, 28, 50, 50, 45, 41, 70, 66],
    )


def test_triangle_by_hand() -> None:
    result = network(triangle(), NetworkOptions(tau2="DL"))
    # indirect A - B: 1.5 - 0.2 with variance 0.5; direct 1.0 with variance 0.5
    assert result.common.estimate[0, 1] == pytest.approx(1.15)
    assert result.common.se[0, 1] ** 2 == pytest.approx(0.25)
    assert result.q == pytest.approx(0.3**2 / 1.0)
    assert (result.df, result.tau2) == (1, 0.0)


def test_node_split_of_the_triangle_is_the_loop() -> None:
    for reference in "ABC":
        options = NetworkOptions(tau2="DL", reference=reference)
        row = split_node(network(triangle(), options), "A", "B")
        assert (row.direct, row.indirect) == pytest.approx((1.0, 1.3))
        assert row.difference == pytest.approx(-0.3)
        assert row.difference_se == pytest.approx(1.0)


def test_side_equals_node_split_of_the_triangle() -> None:
    side = side_split(network(triangle(), NetworkOptions(tau2="DL")))[0]
    assert side.label == "A vs B"
    assert (side.direct, side.indirect) == pytest.approx((1.0, 1.3))
    assert side.share == pytest.approx(0.5)


@pytest.mark.parametrize("tau2", ["DL", "REML"])
def test_reference_changes_nothing(tau2: str) -> None:
    results = [network(mixed(), NetworkOptions(tau2=tau2, reference=r)) for r in "ABCD"]
    for other in results[1:]:
        assert other.tau2 == pytest.approx(results[0].tau2, abs=1e-10)
        np.testing.assert_allclose(other.random.estimate, results[0].random.estimate, atol=1e-9)
        np.testing.assert_allclose(other.random.se, results[0].random.se, atol=1e-9)
    splits = [split_node(result, "A", "B") for result in results]
    for split in splits[1:]:
        assert split.difference == pytest.approx(splits[0].difference, abs=1e-8)


def test_reml_is_the_maximum_of_a_dense_likelihood() -> None:
    data = mixed()
    result = network(data)
    # contrasts to the first arm of each study, written out densely
    y, rows, cov, unit = [], [], [], []
    means = {"m": (0.0, 1.1, 2.0)}
    m = np.array(means["m"])
    v = 4.0 / np.array([40, 44, 38])
    y += [m[1] - m[0], m[2] - m[0]]
    rows += [[1, 0, 0], [0, 1, 0]]
    cov.append(np.diag(v[1:]) + v[0])
    unit.append(np.array([[1, 0.5], [0.5, 1]]))
    two = [
        (1.9, 60, 61, [1, 0, 0]), (0.5, 30, 28, [1, 0, 0]), (0.2, 50, 50, [-1, 1, 0]),
        (3.1, 45, 41, [0, 1, 0]), (0.5, 70, 66, [0, -1, 1]),
    ]  # fmt: skip
    for effect, n1, n2, row in two:
        y.append(effect)
        rows.append(row)
        cov.append(np.array([[4 / n1 + 4 / n2]]))
        unit.append(np.eye(1))
    size = len(y)
    c, u = np.zeros((size, size)), np.zeros((size, size))
    at = 0
    for a, b in zip(cov, unit, strict=True):
        q = a.shape[0]
        c[at : at + q, at : at + q], u[at : at + q, at : at + q] = a, b
        at += q
    x, obs = np.array(rows, dtype=float), np.array(y)

    def loss(t: np.ndarray) -> float:
        w = np.linalg.inv(c + t[0] ** 2 * u)
        xwx = x.T @ w @ x
        rest = obs - x @ np.linalg.solve(xwx, x.T @ w @ obs)
        return float(-np.linalg.slogdet(w)[1] + np.linalg.slogdet(xwx)[1] + rest @ w @ rest)

    best = minimize(loss, [0.5], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13})
    assert result.tau2 > 0.1
    assert result.tau2 == pytest.approx(float(best.x[0]) ** 2, rel=1e-5)


def test_ml_is_the_maximum_and_pm_meets_its_equation() -> None:
    data = mixed()
    by_ml = network(data, NetworkOptions(tau2="ML"))
    blocks = reduced_blocks(data, 0)
    heights = [fit_blocks(blocks, by_ml.tau2 + h).likelihood for h in (-1e-3, 0.0, 1e-3)]
    assert heights[1] > max(heights[0], heights[2])
    assert by_ml.tau2 < network(data).tau2
    by_pm = network(data, NetworkOptions(tau2="PM"))
    assert fit_blocks(blocks, by_pm.tau2).q == pytest.approx(by_pm.df, abs=1e-9)


def test_interval_of_tau2_turns_q_into_its_quantiles() -> None:
    data = mixed()
    result = network(data)
    blocks = reduced_blocks(data, 0)
    assert result.tau2_low < result.tau2 < result.tau2_high
    for limit, tail in ((result.tau2_low, 0.025), (result.tau2_high, 0.975)):
        assert fit_blocks(blocks, limit).q == pytest.approx(chi2.isf(tail, result.df), abs=1e-8)
    common = network(data, NetworkOptions(tau2="EE"))
    assert common.tau2 == 0.0
    assert np.isnan([common.tau2_low, common.predict_low[0, 1]]).all()
    np.testing.assert_allclose(common.random.estimate, common.common.estimate)


def test_interval_of_tau2_of_two_treatments_is_the_pairwise_one() -> None:
    generator = np.random.default_rng(4)
    v = generator.uniform(0.02, 0.2, 12)
    y = 0.3 + generator.normal(size=12) * np.sqrt(v + 0.15)
    names = [f"s{i}" for i in range(12)]
    data = network_from_contrasts(names, ["A"] * 12, ["B"] * 12, y, v)
    for method in ("REML", "ML", "DL", "PM"):
        ours = network(data, NetworkOptions(tau2=method))
        other = pairwise(effects_of(y, v), PairwiseOptions(tau2=method))
        assert ours.tau2 == pytest.approx(other.tau2, abs=1e-8)
        assert ours.random.estimate[0, 1] == pytest.approx(other.estimate, abs=1e-8)
        ends = other.ci_tau2
        assert ends is not None
        assert (ours.tau2_low, ours.tau2_high) == pytest.approx((ends.low, ends.high), abs=1e-8)


def test_league_is_antisymmetric_and_labelled() -> None:
    rows = {row.label: row for row in league_table(network(mixed()))}
    assert len(rows) == 12
    for row in rows.values():
        back = rows[f"{row.second} vs {row.first}"]
        assert row.label == f"{row.first} vs {row.second}"
        assert row.estimate == pytest.approx(-back.estimate, abs=1e-12)
        assert (row.low, row.high) == pytest.approx((-back.high, -back.low))
        assert row.predict_low < row.low
    assert rows["C vs A"].estimate > 0


def test_ranks_agree_and_turn_with_the_direction() -> None:
    result = network(mixed())
    small = p_scores(result, small_good=True)
    np.testing.assert_allclose(small + p_scores(result, small_good=False), 1.0)
    ranking = rank_probabilities(result, small_good=True, seed=7, draws=40_000)
    np.testing.assert_allclose(ranking.sucra, small, atol=0.01)
    np.testing.assert_allclose(ranking.probability.sum(axis=0), 1.0)
    np.testing.assert_allclose(ranking.probability.sum(axis=1), 1.0)
    again = rank_probabilities(result, small_good=True, seed=7, draws=40_000)
    np.testing.assert_array_equal(ranking.probability, again.probability)


def test_parts_of_a_network_are_named() -> None:
    data = network_from_contrasts(
        ["s1", "s2", "s3"], ["A", "B", "X"], ["B", "C", "Y"], [1, 1, 2], [1, 1, 1]
    )
    assert connected_parts(data) == (("A", "B", "C"), ("X", "Y"))
    with pytest.raises(InputError, match="2 parts that no study joins: A, B, C; X, Y"):
        network(data)
    alone = network(part_of_network(data, ("X", "Y")))
    assert alone.random.estimate[0, 1] == pytest.approx(2.0)
    assert alone.notes == ("One study: the network repeats it, and tau2 cannot be estimated.",)
    assert np.isnan(alone.i2)
    assert np.isnan(alone.predict_low[0, 1])


@pytest.mark.parametrize(
    ("y", "v", "message"),
    [
        ([1.0, 1.0, 5.0], [1.0, 1.0, 1.0], "contradict each other"),
        ([1.0, 2.0, 1.0], [0.1, 0.1, 9.0], "variances of its 3 arms cannot belong"),
        ([1.0, 2.0, 1.0], [0.1, -0.1, 0.1], "variance -0.1"),
        ([1.0, np.nan, 1.0], [0.1, 0.1, 0.1], "effect nan"),
    ],
)
def test_studies_of_three_arms_that_cannot_be(y: list[float], v: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(network_from_contrasts(["s"] * 3, ["A", "A", "B"], ["B", "C", "C"], y, v))


def test_rows_that_do_not_belong_together() -> None:
    with pytest.raises(InputError, match="3 arms have 3 contrasts"):
        network_from_contrasts(["s", "s"], ["A", "A"], ["B", "C"], [1, 2], [1, 1])
    with pytest.raises(InputError, match="compared with itself"):
        network_from_contrasts(["s"], ["A"], ["A"], [1], [1])
    with pytest.raises(InputError, match="lengths"):
        network_from_contrasts([], [], [], [], [])
    with pytest.raises(UnknownNameError):
        network(triangle(), NetworkOptions(reference="Z"))
    with pytest.raises(InputError, match="no study compares"):
        split_node(network(mixed()), "A", "D")
    with pytest.raises(InputError, match="no indirect evidence"):
        split_node(network(mixed()), "C", "D")
    with pytest.raises(InputError, match="not known"):
        network(mixed()).estimates("fixed")


def test_empty_cells_of_counts() -> None:
    data = network_from_counts(
        ["s1", "s1", "s2", "s2"], ["A", "B", "A", "B"], [0, 3, 0, 0], [20, 20, 10, 10]
    )
    assert data.studies == ("s1",)
    assert data.y[0] == pytest.approx(np.log(0.5 / 20.5) - np.log(3.5 / 17.5))
    assert "s2 has no event in any arm and is left out" in data.notes[1]
    with pytest.raises(InputError, match="no study is left"):
        network_from_counts(["s", "s"], ["A", "B"], [0, 0], [9, 9])
    with pytest.raises(InputError, match="cannot be"):
        network_from_counts(["s", "s"], ["A", "B"], [10, 0], [9, 9])


@pytest.mark.parametrize("effects", ["common", "random"])
def test_hat_matrix_turns_contrasts_into_the_network(effects: str) -> None:
    result = network(mixed())
    pairs = result.random if effects == "random" else result.common
    hat = hat_matrix(result, effects)
    data = result.data
    np.testing.assert_allclose(hat @ data.y, pairs.estimate[data.first, data.second], atol=1e-10)
    np.testing.assert_allclose(hat @ hat, hat, atol=1e-10)
    weight = contrast_weights(result, effects)
    spread = np.diag(hat) / weight
    np.testing.assert_allclose(spread, pairs.se[data.first, data.second] ** 2, atol=1e-10)


def test_flow_of_evidence_by_comparison() -> None:
    result = network(mixed())
    flow = comparison_hat(result)
    assert flow.comparisons == ("A vs B", "A vs C", "B vs C", "C vs D")
    rows = dict(zip(flow.estimates, flow.weight.tolist(), strict=True))
    # all evidence on D runs through C, and what leaves A is 1
    assert rows["A vs D"][3] == pytest.approx(1.0)
    assert rows["A vs D"][0] + rows["A vs D"][1] == pytest.approx(1.0)
    assert rows["C vs D"] == pytest.approx([0, 0, 0, 1], abs=1e-12)
    assert 0 < rows["A vs B"][0] < 1


def test_studies_are_counted_by_pair() -> None:
    counted = studies_by_pair(mixed())
    assert counted == {("A", "B"): 3, ("A", "C"): 2, ("B", "C"): 2, ("C", "D"): 1}


def test_plot_names_treatments_and_studies() -> None:
    svg = draw_network(
        "net", ["Alpha", "Beta", "Gamma"], {("Alpha", "Beta"): 3, ("Beta", "Gamma"): 1},
        patients={"Alpha": 200, "Beta": 1400, "Gamma": 90},
    )  # fmt: skip
    assert svg.startswith("<svg")
    assert "Alpha and Beta: 3" in svg
    assert "Patients: Alpha 200; Beta 1,400; Gamma 90" in svg
