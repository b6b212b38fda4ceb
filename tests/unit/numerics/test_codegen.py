"""Generated functions give what the formulas give, and are written once."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from statera.numerics import codegen
from statera.numerics.codegen import compile_system
from statera.numerics.expression import evaluate, parse

FORMULAS = [
    "a + b*x - t",
    "x^2 + x^3 + x^4 + x^7 + x^-1 + x^0.5",
    "exp(-a*x)/(1 + exp(-a*x)) + log(b) + sqrt(b)",
    "min(a, x, 2) + max(a, b) + abs(a - b)",
    "where(x < a, 1, where(x <= b, 2, 3))",
    "where(a > b, where(x >= 2, 1, 2), where(x == 1.5, 3, 4))",
    "1/3*x + 0.1 + 1e-30",
    "expit(x) - logit(0.25*x/4)",
]
NAMES = {"a", "b", "x", "t"}


@pytest.mark.parametrize(("x", "a", "b"), [(1.5, 0.7, 2.5), (3.0, 4.0, 0.1), (0.2, 0.2, 0.3)])
def test_agrees_with_evaluation(x: float, a: float, b: float) -> None:
    parsed = [parse(f, NAMES) for f in FORMULAS]
    function = compile_system([parsed[0]], parsed, ["x"], ["a", "b"]).outputs
    out = np.zeros(len(parsed))
    function(0.3, np.array([x]), np.array([a, b]), out, 0)
    expected = [float(evaluate(p, {"x": x, "a": a, "b": b, "t": 0.3})) for p in parsed]
    np.testing.assert_allclose(out, expected, rtol=1e-14)


def test_invalid_operations_do_not_raise() -> None:
    parsed = [parse(f, NAMES) for f in ("log(x)", "1/(x + 1)", "sqrt(x)", "x^0.5", "exp(-1000*x)")]
    function = compile_system([parsed[0]], parsed, ["x"], []).outputs
    out = np.zeros(5)
    function(0.0, np.array([-1.0]), np.zeros(1), out, 0)
    assert not np.isfinite(out).any()


def test_names_of_generated_code_do_not_collide_with_those_of_a_model() -> None:
    names = {"_c0", "out", "p", "x0", "math"}
    parsed = [parse("exp(_c0*out) + exp(_c0*out)^2*math + p*x0", names)] * 2
    function = compile_system(parsed, parsed, ["p", "out"], ["_c0", "math", "x0"]).outputs
    out = np.zeros(2)
    function(0.0, np.array([2.0, 3.0]), np.array([0.1, 5.0, 7.0]), out, 0)
    expected = math.exp(0.3) + math.exp(0.6) * 5 + 14
    np.testing.assert_allclose(out, expected, rtol=1e-14)


def test_source_is_written_once_and_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codegen, "cache_directory", lambda: tmp_path)
    codegen.generated_module.cache_clear()
    formula = [parse("x*12.125", {"x"})]
    compile_system(formula, formula, ["x"], [])
    (file,) = tmp_path.glob("statera_generated_*.py")
    text = file.read_text(encoding="utf-8")
    file.write_text("half a file", encoding="utf-8")
    codegen.generated_module.cache_clear()
    out = np.zeros(1)
    compile_system(formula, formula, ["x"], []).outputs(0.0, np.array([2.0]), np.zeros(1), out, 0)
    assert out[0] == 24.25
    assert file.read_text(encoding="utf-8") == text
    assert [f.name for f in tmp_path.glob("*.py")] == [file.name]
    codegen.generated_module.cache_clear()
