"""Which systems are taken for linear."""

from __future__ import annotations

import pytest

from statera.model import Model, build_model
from statera.simulate import structure_of


def _model(x: str, y: str = "x - y", output: str = "x") -> Model:
    return build_model(
        {
            "id": "s",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"a": {"value": 1}, "b": {"value": 2}},
            "dynamics": {"x": x, "y": y},
            "inputs": {"r": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"o": {"expression": output}},
        }
    )


@pytest.mark.parametrize(
    "x",
    [
        "-a*x", "-a*x + b", "a*(y - x)", "-x/(a + b)", "-where(a > b, a, b)*x", "-max(a, b)*x + 3",
        "(x^2 - x*y)/x", "(x + y)^2 - x^2 - 2*x*y - y^2 - a*x", "0", "exp(a)*x - log(b)*y", "0*x",
    ],
)  # fmt: skip
def test_linear(x: str) -> None:
    assert structure_of(_model(x)).linear is not None


@pytest.mark.parametrize(
    "x",
    [
        "-a*x^2", "-a*x*y", "-a*x/(b + x)", "exp(-x)", "x^0.5", "-a*x*t", "t", "sqrt(x)",
        "where(x > 1, 0, a)", "where(x > 1, a, b)*x", "where(y > 1, a, b)", "max(x, 0)",
        "min(a, y)", "abs(x)", "-a*x + 1/y", "where(t > 1, a, b)",
    ],
)  # fmt: skip
def test_not_linear(x: str) -> None:
    assert structure_of(_model(x)).linear is None


@pytest.mark.parametrize(
    ("output", "linear"),
    [
        ("x/a", True), ("x + 2*y - 1", True), ("a", True), ("x*y", False), ("log(x)", False),
        ("max(x, 0)", False), ("where(x > 1, 1, 0)", False), ("x/(x + y)", False),
    ],
)  # fmt: skip
def test_outputs(output: str, linear: bool) -> None:
    assert structure_of(_model("-a*x", output=output)).outputs.linear is linear


def test_entries_of_the_matrix() -> None:
    linear = structure_of(_model("-(a + b)*x + b*y + 3", "b*x - b*y")).linear
    assert linear is not None
    found = {k: str(v) for k, v in linear.matrix.items()}
    assert found == {(0, 0): "-a - b", (0, 1): "b", (1, 0): "b", (1, 1): "-b"}
    assert {k: str(v) for k, v in linear.constant.items()} == {0: "3"}


def test_reason_is_a_sentence_about_the_equation() -> None:
    assert structure_of(_model("-a*x*y")).reason == "d/dt(x) is not linear in the states"
    assert structure_of(_model("-a*x", "t")).reason == "d/dt(y) depends on time"
