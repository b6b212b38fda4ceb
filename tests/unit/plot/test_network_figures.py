"""Figures of networks: every part drawn, and what cannot be drawn."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from statera.evidence.network_data import network_from_contrasts
from statera.evidence.network_fit import NetworkOptions, network
from statera.evidence.network_funnel import comparison_adjusted
from statera.evidence.network_split import side_split
from statera.plot.network_forest import (
    NetworkForestOptions,
    TreatmentRow,
    draw_network_forest,
    network_forest_pdf,
)
from statera.plot.network_funnel import draw_network_funnel, network_funnel_pdf
from statera.plot.network_graph import network_pdf
from statera.plot.network_ranks import draw_network_ranks, network_ranks_pdf
from statera.plot.network_split_forest import network_split_forest

ROWS = [
    TreatmentRow("A", 1.4, 0.9, 2.2, (0.4, 900.0), ("3",)),
    TreatmentRow("A very long name of a treatment that needs two lines", 0.001, 1e-4, 0.02),
    TreatmentRow("C", None, columns=("0",)),
]


def test_forest_of_a_network() -> None:
    options = NetworkForestOptions("P", True, "OR (95 % CI)", ("Studies",), ("favours A", ""))
    svg = draw_network_forest(ROWS, options, key="f", title="Forest", alt="three treatments")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert network_forest_pdf(ROWS, options, title="Forest").startswith(b"%PDF")
    plain = NetworkForestOptions("P", False, "MD")
    assert "<path" in draw_network_forest(ROWS[:1], plain, key="g", title="t", alt="a")
    with pytest.raises(ValueError, match="at least one row"):
        draw_network_forest([], options, key="f", title="t", alt="a")


def triangle() -> NetworkOptions:
    return NetworkOptions(tau2="DL")


def test_split_forest_leaves_out_what_has_one_kind_of_evidence() -> None:
    data = network_from_contrasts(
        ["s1", "s2", "s3", "s4"], ["A", "A", "B", "C"], ["B", "C", "C", "D"],
        [1.0, 1.5, 0.2, 0.3], [0.5, 0.25, 0.25, 0.2],
    )  # fmt: skip
    groups, options = network_split_forest(
        side_split(network(data, triangle())), measure="OR", log=True
    )
    assert [group.heading for group in groups] == ["A vs B", "A vs C", "B vs C"]
    direct, indirect = groups[0].studies
    assert (direct.weight or 0) + (indirect.weight or 0) == pytest.approx(100)
    assert direct.estimate == pytest.approx(np.exp(1.0))
    assert options.scale == "ratio"
    linear, other = network_split_forest(
        side_split(network(data, triangle())), measure="MD", log=False
    )
    assert linear[0].studies[0].estimate == pytest.approx(1.0)
    assert other.reference == 0.0
    star = network_from_contrasts(["s1", "s2"], ["A", "B"], ["P", "P"], [1, 2], [1, 1])
    with pytest.raises(ValueError, match="no comparison has direct and indirect"):
        network_split_forest(side_split(network(star)), measure="MD", log=False)


def test_funnel_of_many_comparisons() -> None:
    generator = np.random.default_rng(1)
    names = [f"T{i:02d}" for i in range(15)]
    first = [name for name in names[1:] for _ in range(2)]
    data = network_from_contrasts(
        [f"s{i}" for i in range(29)], [*first, "T01"], ["T00"] * 28 + ["T02"],
        generator.normal(size=29), generator.uniform(0.05, 0.5, 29),
    )  # fmt: skip
    funnel = comparison_adjusted(network(data), names)
    svg = draw_network_funnel(funnel, effect="log odds ratio", key="f", title="t", alt="a")
    assert "<path" in svg
    assert network_funnel_pdf(funnel, effect="effect", title="t").startswith(b"%PDF")


def test_ranks_and_network_as_pdf() -> None:
    chance = np.array([[0.7, 0.3], [0.3, 0.7]])
    svg = draw_network_ranks(["A", "B"], chance, [0.3, 0.7], key="r", title="t", alt="a")
    assert "<path" in svg
    assert network_ranks_pdf(["A", "B"], chance, [0.3, 0.7], title="t").startswith(b"%PDF")
    assert network_pdf(["A", "B"], {("A", "B"): 2}).startswith(b"%PDF")
