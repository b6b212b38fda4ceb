"""Contributions worked by hand, and by listing every path of the flow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from tests.unit.evidence.published_networks import (
    DEPRESSION,
    DEPRESSION_FLOW,
    DEPRESSION_SHARES,
    DONG,
)

from statera.evidence.network_arms import network_from_counts
from statera.evidence.network_contributions import bias_shares, contributions
from statera.evidence.network_data import network_from_contrasts
from statera.evidence.network_fit import NetworkOptions, network
from statera.evidence.network_hat import comparison_hat


def test_a_triangle_by_hand() -> None:
    data = network_from_contrasts(
        ["s1", "s2", "s3", "s4"], ["A", "A", "A", "B"], ["B", "B", "C", "C"],
        [1.0, 0.8, 1.5, 0.2], [1.0, 0.5, 0.25, 0.25],
    )  # fmt: skip
    found = contributions(network(data, NetworkOptions(tau2="EE")))
    assert found.comparisons == ("A vs B", "A vs C", "B vs C")
    # direct: weight 3; by way of C: variance 0.5, weight 2
    rows = dict(zip(found.estimates, found.by_comparison.tolist(), strict=True))
    assert rows["A vs B"] == pytest.approx([0.6, 0.2, 0.2])
    by_study = dict(zip(found.estimates, found.by_study.tolist(), strict=True))
    assert by_study["A vs B"] == pytest.approx([0.2, 0.4, 0.2, 0.2])
    shares = bias_shares(found, {"s1": "high", "s2": "low", "s3": "low"})
    assert shares[0] == pytest.approx({"high": 0.2, "low": 0.6, "not given": 0.2})


def test_treatments_of_depression_as_printed() -> None:
    result = network(network_from_contrasts(*DEPRESSION), NetworkOptions(tau2="EE"))
    assert len(result.data.studies) == 26
    assert result.common.estimate[0, 2] == pytest.approx(-0.119725, abs=5e-7)
    found, flow = contributions(result, "common"), comparison_hat(result, "common")
    row = found.estimates.index("01 vs 03")
    shares = dict(zip(found.comparisons, found.by_comparison[row].tolist(), strict=True))
    wanted = {f"{a:02d} vs {b:02d}": share for (a, b), share in DEPRESSION_SHARES.items()}
    for comparison, share in shares.items():
        assert share == pytest.approx(wanted.get(comparison, 0.0), abs=1e-6), comparison
    flows = dict(zip(flow.comparisons, flow.weight[row].tolist(), strict=True))
    for (a, b), value in DEPRESSION_FLOW.items():
        assert flows[f"{a:02d} vs {b:02d}"] == pytest.approx(value, abs=1e-6)


def test_every_path_of_a_published_network() -> None:
    result = network(network_from_counts(*DONG), NetworkOptions(tau2="DL"))
    found, flow = contributions(result), comparison_hat(result)
    np.testing.assert_allclose(found.by_comparison.sum(axis=1), 1.0, atol=1e-9)
    np.testing.assert_allclose(found.by_study.sum(axis=1), 1.0, atol=1e-9)
    edges = [tuple(label.split(" vs ")) for label in flow.comparisons]
    for row, estimate in enumerate(flow.estimates):
        source, sink = estimate.split(" vs ")
        step: dict[str, dict[str, float]] = {}
        for (a, b), value in zip(edges, flow.weight[row].tolist(), strict=True):
            if abs(value) > 1e-10:
                start, end = (a, b) if value > 0 else (b, a)
                step.setdefault(start, {})[end] = abs(value)
        shares = dict.fromkeys(flow.comparisons, 0.0)
        paths = [([source], 1.0)]
        while paths:
            path, chance = paths.pop()
            if path[-1] == sink:
                for a, b in pairwise(path):
                    label = f"{min(a, b)} vs {max(a, b)}"
                    shares[label] += chance / (len(path) - 1)
                continue
            onward = step[path[-1]]
            whole = sum(onward.values())
            paths += [([*path, name], chance * value / whole) for name, value in onward.items()]
        np.testing.assert_allclose(found.by_comparison[row], list(shares.values()), atol=1e-9)
