"""Times above levels and mean inhibition do not depend on the method that took the steps."""

from __future__ import annotations

from typing import Any

import pytest

from statera.model import build_model
from statera.simulate import OdeOptions, simulate

SATURABLE: dict[str, Any] = {
    "id": "test/saturable",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {"VM": {"value": 8.0}, "KM": {"value": 20.0}, "KA": {"value": 1.1}},
    "dynamics": {"depot": "-KA*depot", "central": "KA*depot - VM*central/(KM + central)"},
    "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
    "outputs": {"A": {"expression": "central"}},
}


def test_both_methods_answer_the_same() -> None:
    found = {}
    for method in ("tsit5", "rodas5p"):
        result = simulate(
            build_model(SATURABLE),
            "100 mg q24h x2",
            thresholds={"A": [20.0]},
            inhibition={"A": (15.0, 1.2)},
            ode=OdeOptions(rtol=1e-9, atol=1e-12, method=method),  # type: ignore[arg-type]
        )
        assert not result.failures
        found[method] = {name: values[0] for name, values in result.extra_values["A"].items()}
    assert len(found["tsit5"]) == 2
    for name, values in found["tsit5"].items():
        assert found["rodas5p"][name] == pytest.approx(values, rel=1e-6)
        assert (values > 0.01).all()
