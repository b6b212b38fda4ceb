"""Component networks worked by hand, with interactions, in parts, and against a printed result."""

from __future__ import annotations

import numpy as np
import pytest

from statera.errors import InputError, UnknownNameError
from statera.evidence.network_components import (
    component_difference,
    component_network,
    possible_interactions,
)
from statera.evidence.network_data import NetworkData, connected_parts, network_from_contrasts
from statera.evidence.network_fit import NetworkOptions, network
from statera.evidence.network_rank import league_table, p_scores

DL = NetworkOptions(tau2="DL")


def against(base: str, effects: dict[str, float], variance: float = 1.0) -> NetworkData:
    k = len(effects)
    return network_from_contrasts(
        [f"s{i}" for i in range(k)], list(effects), [base] * k, list(effects.values()),
        [variance] * k,
    )  # fmt: skip


def test_components_add_up_by_hand() -> None:
    result = component_network(
        against("none", {"A": 1.0, "B": 2.0, "A+B": 3.9}), inactive="none", options=DL
    )
    # misfit 0.9 is shared by three equations of variance 1
    assert result.components == ("A", "B")
    np.testing.assert_allclose(result.random.estimate, [1.3, 2.3])
    np.testing.assert_allclose(result.random.se**2, 2 / 3)
    assert (result.additive.q, result.additive.df) == pytest.approx((0.27, 1))
    assert (result.difference.q, result.difference.df) == pytest.approx((0.27, 1))
    together, error = result.combination("A", "B")
    assert together == pytest.approx(3.6)
    assert error == pytest.approx((2 / 3) ** 0.5)
    with pytest.raises(UnknownNameError):
        result.combination("Z")


def test_an_interaction_takes_up_the_misfit() -> None:
    data = against("none", {"A": 1.0, "B": 2.0, "A+B": 3.9, "C": 0.5, "A+C": 1.6})
    simple = component_network(data, inactive="none", options=DL)
    larger = component_network(data, inactive="none", interactions=[("B", "A")], options=DL)
    assert possible_interactions(data, inactive="none") == (("A", "B"), ("A", "C"))
    assert larger.components == ("A", "B", "C", "A*B")
    at = larger.components.index
    # A is told by A alone (1.0) and by A+C less C (1.1, variance 2)
    assert larger.common.estimate[at("A")] == pytest.approx((1.0 + 1.1 / 2) / 1.5)
    assert larger.combination("A", "B", effects="common")[0] == pytest.approx(3.9)
    test = component_difference(simple, larger)
    assert test.df == 1
    assert test.q == pytest.approx(simple.additive.q - larger.additive.q)
    assert test.q > 0.2
    with pytest.raises(InputError, match="one within the other"):
        component_difference(larger, simple)
    with pytest.raises(InputError, match="together"):
        component_network(data, inactive="none", interactions=[("B", "C")])
    with pytest.raises(UnknownNameError):
        component_network(data, inactive="none", interactions=[("A", "Q")])


def test_full_interactions_are_the_standard_network() -> None:
    data = against("none", {"A": 1.0, "B": 2.0, "A+B": 3.9}, 0.3)
    result = component_network(data, inactive="none", interactions=[("A", "B")], options=DL)
    standard = network(data, NetworkOptions(tau2="DL", reference="none"))
    np.testing.assert_allclose(
        result.estimates().pairs.estimate, standard.random.estimate, atol=1e-12
    )
    np.testing.assert_allclose(result.estimates().pairs.se, standard.random.se, atol=1e-12)
    assert (result.difference.df, result.difference.p) == (0, None)


def test_components_join_parts() -> None:
    # A - none = 1; A - C = 3, so C = -2; B is given on both sides and needs a study of its own
    first, second, y = ["A", "A+B", "B"], ["none", "B+C", "none"], [1.0, 3.0, 0.5]
    data = network_from_contrasts(["s1", "s2", "s3"], first, second, y, [1.0] * 3)
    assert len(connected_parts(data)) == 2
    result = component_network(data, inactive="none")
    np.testing.assert_allclose(result.random.estimate, [1.0, 0.5, -2.0])
    assert "assumption that components act alike" in result.notes[-1]
    rows = {row.label: row for row in league_table(result)}
    assert rows["A+B vs none"].estimate == pytest.approx(1.5)
    assert rows["B+C vs A"].estimate == pytest.approx(-2.5)
    assert np.isfinite(p_scores(result, small_good=True)).all()


def test_additivity_is_tested_in_parts_too() -> None:
    # the second part closes a loop of its own and repeats A against none within it
    first = ["A", "B", "A+B", "A+C", "C"]
    second = ["none", "none", "none", "C", "X"]
    data = network_from_contrasts(list("12345"), first, second, [1, 2, 3.3, 1.4, 1.0], [0.5] * 5)
    assert len(connected_parts(data)) == 2
    result = component_network(data, inactive="none", options=DL)
    # standard: 7 treatments in two parts take 5 parameters; components: A, B, and C less X
    assert (result.standard.df, result.additive.df, result.difference.df) == (0, 2, 2)
    assert result.difference.q == pytest.approx(result.additive.q)


def test_what_is_not_determined_is_named_and_not_ranked() -> None:
    first, second, y = ["A", "A+B"], ["none", "B+C"], [1.0, 3.0]
    data = network_from_contrasts(["s1", "s2"], first, second, y, [1.0] * 2)
    result = component_network(data, inactive="none")
    known = dict(zip(result.components, result.random.estimate.tolist(), strict=True))
    assert (known["A"], known["C"]) == pytest.approx((1.0, -2.0))
    assert np.isnan(known["B"])
    assert "other than in sums: B." in result.notes[0]
    assert result.combination("A")[0] == pytest.approx(1.0)
    with pytest.raises(InputError, match=r"do not determine the effect of A\+B"):
        result.combination("A", "B")
    table = result.estimates()
    at = table.treatments.index
    assert table.pairs.estimate[at("A+B"), at("B+C")] == pytest.approx(3.0)
    assert np.isnan(table.pairs.estimate[at("A+B"), at("none")])
    with pytest.raises(InputError, match="cannot be ranked"):
        p_scores(result, small_good=True)
    with pytest.raises(UnknownNameError):
        component_network(data, inactive="nothing")


def test_without_an_inactive_treatment_only_differences_are_known() -> None:
    result = component_network(against("C", {"A": 1.0, "B": 2.0}))
    assert np.isnan(result.random.estimate).all()
    assert "No inactive treatment was named." in result.notes[0]
    assert result.estimates().pairs.estimate[0, 1] == pytest.approx(-1.0)


def test_as_netmeta_prints_it() -> None:
    # discomb() of netmeta on these seven simulated contrasts, printed to eight decimals
    data = network_from_contrasts(
        [f"S{i}" for i in range(1, 8)], ["a", "b", "a+b", "a+c", "c", "b+c", "a+b+c"],
        ["control"] * 7, [-0.40, -0.30, -0.65, -0.55, -0.20, -0.45, -0.80],
        np.square([0.12, 0.15, 0.13, 0.16, 0.18, 0.14, 0.20]),
    )  # fmt: skip
    result = component_network(data, inactive="control", options=DL)
    np.testing.assert_allclose(
        result.common.estimate, [-0.38114604, -0.27569631, -0.17294405], atol=5e-9
    )
    np.testing.assert_allclose(result.common.se, [0.08272416, 0.0896743, 0.09600438], atol=5e-9)
    assert result.additive.q == pytest.approx(0.09922967, abs=5e-9)
    assert (result.additive.df, result.tau2) == (4, 0.0)
