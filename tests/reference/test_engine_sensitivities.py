"""Robertson's reactions and the JAK-STAT pathway of Boehm: sensitivities of two outside solvers.

The references were made at 1e-12 and hold ``dy/dlog p``. Both systems are stiff: Rodas5P takes over
by itself and follows the whole course; Tsit5 is compared over the first part of each, where its
steps stay affordable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.model import Model, build_model
from statera.simulate import GradientResult, OdeOptions, gradients

pytestmark = pytest.mark.reference

TIGHT = OdeOptions(rtol=1e-10, atol=1e-18)
EXPLICIT = OdeOptions(rtol=1e-10, atol=1e-18, max_steps=10_000_000, method="tsit5")


def _load(reference: Path, name: str) -> Any:
    path = reference / "engine" / f"ref_{name}.npz"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}")
    return np.load(path, allow_pickle=False)


def _model(
    name: str, values: dict[str, float], dynamics: dict[str, str], initial: dict[str, str]
) -> Model:
    first = next(iter(dynamics))
    return build_model(
        {
            "id": name,
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in values.items()},
            "dynamics": dynamics,
            "initial": initial,
            "inputs": {"none": [{"kind": "bolus", "into": first, "bioavailability": "0"}]},
            "outputs": {f"y_{s}": {"expression": s} for s in dynamics},
        }
    )


def _check(found: GradientResult, wanted: Any, rows: int, values: dict[str, float]) -> int:
    """Compare states and sensitivities, each relative to its largest value; count them."""
    assert not found.statuses.any()
    assert ("Rodas5P" in found.solver) == (rows == wanted["ts"].size)
    compared = 0
    for i, (output, slopes) in enumerate(found.derivatives.items()):
        y = wanted["y"][:rows, i]
        np.testing.assert_allclose(found.outputs[output][0], y, atol=1e-8 * np.abs(y).max())
        for j, value in enumerate(values.values()):
            s = wanted["s"][:rows, i, j]
            np.testing.assert_allclose(
                value * slopes[0, :, j], s, atol=1e-7 * np.abs(s).max(), err_msg=f"{output} {j}"
            )
            compared += rows
    return compared


@pytest.mark.parametrize(("ode", "rows"), [(TIGHT, 9), (EXPLICIT, 5)])
def test_robertson(reference: Path, ode: OdeOptions, rows: int) -> None:
    wanted = _load(reference, "robertson")
    values = {str(k): float(v) for k, v in zip(wanted["pn"], wanted["p"], strict=True)}
    model = _model(
        "robertson",
        values,
        {
            "a": "-k1*a + k2*b*c",
            "b": "k1*a - k2*b*c - k3*b^2",
            "c": "k3*b^2",
        },
        {"a": "1"},
    )
    found = gradients(model, "1 mg via none", wrt=list(values), times=wanted["ts"][:rows], ode=ode)
    assert _check(found, wanted, rows, values) == 9 * rows


@pytest.mark.parametrize(("ode", "rows"), [(TIGHT, 16), (EXPLICIT, 4)])
def test_boehm(reference: Path, ode: OdeOptions, rows: int) -> None:
    wanted = _load(reference, "boehm")
    values = {str(k): float(v) for k, v in zip(wanted["pn"], wanted["p"], strict=True)}
    stimulus = "k_phos*1.25e-7*exp(-Epo_degradation_BaF3*t)"
    aa, ab, bb = (f"{stimulus}*{pair}" for pair in ("A*A", "A*B", "B*B"))
    nucleus, cytosol = 0.45, 1.4
    out, into = nucleus / cytosol, cytosol / nucleus
    model = _model(
        "boehm",
        values,
        {
            "A": f"-2*{aa} - {ab} + {out}*(2*k_exp_homo*nAA + k_exp_hetero*nAB)",
            "B": f"-2*{bb} - {ab} + {out}*(2*k_exp_homo*nBB + k_exp_hetero*nAB)",
            "AB": f"{ab} - k_imp_hetero*AB",
            "AA": f"{aa} - k_imp_homo*AA",
            "BB": f"{bb} - k_imp_homo*BB",
            "nAA": f"{into}*k_imp_homo*AA - k_exp_homo*nAA",
            "nAB": f"{into}*k_imp_hetero*AB - k_exp_hetero*nAB",
            "nBB": f"{into}*k_imp_homo*BB - k_exp_homo*nBB",
        },
        {"A": "207.6*0.693", "B": "207.6 - 207.6*0.693"},
    )
    found = gradients(model, "1 mg via none", wrt=list(values), times=wanted["ts"][:rows], ode=ode)
    assert _check(found, wanted, rows, values) == 48 * rows
