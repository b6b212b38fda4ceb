"""Loops compiled for a number of columns, and sensitivities that need not meet the tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.model import Model, build_model
from statera.simulate import OdeOptions, gradient_ode, gradients

NAMES = ("KA", "VM", "KM", "KIN", "KOUT")
TIMES = np.linspace(0.5, 30.0, 8)


def response() -> Model:
    values = dict(zip(NAMES, (1.0, 20.0, 15.0, 2.0, 0.4), strict=True))
    return build_model(
        {
            "id": "test/columns",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in values.items()},
            "dynamics": {
                "depot": "-KA*depot",
                "central": "KA*depot - VM*central/(KM + central)",
                "r": "KIN - KOUT*r*(1 + central^1.5/50)",
            },
            "initial": {"r": "KIN/KOUT"},
            "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
            "outputs": {"C": {"expression": "central"}, "R": {"expression": "r"}},
        }
    )


@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
@pytest.mark.parametrize("second", [(), ("VM", "KOUT")])
def test_loops_of_a_known_length_give_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, method: Any, second: tuple[str, ...]
) -> None:
    found: list[list[NDArray[np.float64]]] = []
    for known in (False, True):
        monkeypatch.setattr(gradient_ode.Compiled, "pays", lambda *_, now=known: now)
        result = gradients(
            response(), "60 mg q12h x2", wrt=NAMES, second=second, times=TIMES,
            ode=OdeOptions(rtol=1e-8, method=method),
        )  # fmt: skip
        assert result.statuses.tolist() == [0]
        found.append([*result.outputs.values(), *result.derivatives.values()])
        found[-1] += list(result.curvatures.values())
    for one, other in zip(*found, strict=True):
        assert one.tobytes() == other.tobytes()


def test_states_alone_may_decide_the_steps() -> None:
    """Sensitivities stay near the exact ones, and are no longer those of controlled steps."""
    options = (
        OdeOptions(rtol=1e-11), OdeOptions(rtol=1e-6),
        OdeOptions(rtol=1e-6, control_sensitivities=False),
    )  # fmt: skip
    exact, kept, free = (
        gradients(response(), "60 mg q12h x2", wrt=NAMES, times=TIMES, ode=o) for o in options
    )
    for name in NAMES:
        largest = np.abs(exact.of(name, "C")).max()
        for result, tolerance in ((kept, 1e-5), (free, 1e-3)):
            off = np.abs(result.of(name, "C") - exact.of(name, "C")).max()
            assert off <= tolerance * largest + 1e-12
    assert not np.array_equal(kept.of("VM", "C"), free.of("VM", "C"))
    with pytest.raises(UsageError, match="atol above 0"):
        OdeOptions(atol=0.0, control_sensitivities=False)
