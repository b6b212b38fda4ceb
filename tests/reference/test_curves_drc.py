"""Dose-response fits and least squares against outside results; skipped where absent."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

from statera.assay.fit_curves import Curves, FitOptions, fit_curves, make_curves
from statera.assay.ic50 import Ic50Options, estimate_ic50
from statera.assay.logistic import NAMES, ln_e
from statera.numerics.least_squares import LeastSquaresStatus, least_squares

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "doseresponse"
)

GAUSS = "b1*exp(-b2*x)+b3*exp(-(x-b4)**2/b5**2)+b6*exp(-(x-b7)**2/b8**2)"
CUBIC = "(b1+b2*x+b3*x**2+b4*x**3)/(1+b5*x+b6*x**2+b7*x**3)"
# models whose printed form spans several lines
WRITTEN = {
    "Gauss1": GAUSS,
    "Gauss2": GAUSS,
    "Gauss3": GAUSS,
    "Hahn1": CUBIC,
    "Thurber": CUBIC,
    "Kirby2": "(b1+b2*x+b3*x**2)/(1+b4*x+b5*x**2)",
    "Roszman1": "b1-b2*x-atan(b3/(x-b4))/pi",
    "ENSO": "b1+b2*cos(2*pi*x/12)+b3*sin(2*pi*x/12)+b5*cos(2*pi*x/b4)+b6*sin(2*pi*x/b4)"
    "+b8*cos(2*pi*x/b7)+b9*sin(2*pi*x/b7)",
}


def there(name: str) -> Any:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    return json.loads(path.read_text(encoding="utf-8"))


def digits(problem: dict[str, Any], name: str, start: str) -> float:
    """Return the certified digits that the worst parameter has."""
    printed = problem["model"]
    text = WRITTEN.get(name, re.sub(r"\+\s*e\s*$", "", printed.split("=", 1)[1]))
    text = text.replace("[", "(").replace("]", ")").replace("arctan", "atan")
    parameters, columns = list(problem["params"]), list(problem["columns"])
    data = np.array(problem["data"], dtype=np.float64)
    inputs = [c for c in columns if c != "y"]
    table = {c: data[:, columns.index(c)] for c in columns}
    y = np.log(table["y"]) if name == "Nelson" else table["y"]
    names = {s: sp.Symbol(s) for s in parameters + inputs}
    formula = sp.sympify(text, locals=names)
    arguments = [names[s] for s in parameters + inputs]
    functions: list[Any] = [{"atan": np.arctan, "exp": np.exp, "log": np.log}, "numpy"]
    value = sp.lambdify(arguments, formula, functions)
    slopes = [sp.lambdify(arguments, sp.diff(formula, names[s]), functions) for s in parameters]

    def residuals(p: Any) -> Any:
        return value(*p, *(table[c].astype(p.dtype) for c in inputs)) - y.astype(p.dtype)

    def jacobian(p: Any) -> Any:
        found = [np.broadcast_to(s(*p, *(table[c] for c in inputs)), y.shape) for s in slopes]
        return np.column_stack(found).astype(np.float64)

    begin = np.array([problem["params"][s][start] for s in parameters])
    found = least_squares(residuals, jacobian, begin)
    if found.status is not LeastSquaresStatus.CONVERGED:
        return 0.0
    certified = np.array([problem["params"][s]["certified"] for s in parameters])
    error = np.abs(found.parameters - certified) / np.abs(certified)
    return float(-np.log10(np.maximum(error, 1e-11)).max(initial=-20, where=error == error.max()))


def test_certified_digits_of_nonlinear_problems() -> None:
    problems = there("strd_nonlinear.json")
    found = {name: digits(problem, name, "start2") for name, problem in problems.items()}
    good = [name for name, count in found.items() if count >= 9]
    assert len(found) == 27
    assert len(good) >= 26, {n: c for n, c in found.items() if c < 9}


def ryegrass() -> Curves:
    path = FOLDER / "data" / "ryegrass.csv"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return make_curves([[r["conc"] for r in rows]], [[r["rootl"] for r in rows]])


@pytest.mark.parametrize(
    ("case", "fixed"),
    [
        ("ryegrass_LL4", {"f": 1.0}),
        ("ryegrass_LL3", {"f": 1.0, "c": 0.0}),
        ("ryegrass_LL4_bottom0", {"f": 1.0, "c": 0.0}),
    ],
)
def test_estimates(case: str, fixed: dict[str, float]) -> None:
    expected = there("drc.json")[case]
    fitted = fit_curves(ryegrass(), FitOptions(fixed=fixed))
    values = dict(zip(NAMES, fitted.parameters[0], strict=True))
    values["e"] = float(np.exp(ln_e(fitted.parameters)[0]))
    for key, number in expected["coef"].items():
        assert values[key.split(":")[0]] == pytest.approx(number, rel=1e-4)
    assert fitted.residual_sd[0] == pytest.approx(expected["residual_se"], rel=1e-7)


def test_five_parameters_are_never_worse_than_the_reference() -> None:
    expected = there("drc.json")["ryegrass_LL5"]
    fitted = fit_curves(ryegrass(), FitOptions(fixed={}))
    rss = expected["residual_se"] ** 2 * expected["df_residual"]
    assert fitted.rss[0] <= rss * (1 + 1e-10)
    # its search stopped where the RSS is 1e-7 higher, 4e-4 away in b
    assert fitted.parameters[0, 0] == pytest.approx(expected["coef"]["b:(Intercept)"], rel=1e-3)


def curves_of_pstat5(keys: list[str]) -> Curves:
    path = FOLDER / "data" / "meyer_pstat5_il2_il15_long.csv"
    with path.open(encoding="utf-8") as stream:
        rows = [r for r in csv.DictReader(stream) if r["mfi"] != "NA"]
    doses: dict[str, list[float]] = {key: [] for key in keys}
    responses: dict[str, list[float]] = {key: [] for key in keys}
    for row in rows:
        key = "|".join(("meyer", row["cell"], row["replicate"], row["ligand"], row["time"]))
        if key in doses:
            doses[key].append(float(row["conc_nM"]))
            responses[key].append(float(row["mfi"]))
    return make_curves(list(doses.values()), list(responses.values()), names=keys)


def test_gauss_newton_errors() -> None:
    cases = there("drc.json")
    keys = [k for k, case in cases.items() if k.startswith("meyer") and "se_gauss_newton" in case]
    fitted = fit_curves(curves_of_pstat5(keys))
    errors = fitted.standard_errors
    assert len(keys) == 10
    for i, key in enumerate(keys):
        case = cases[key]
        assert fitted.rss[i] <= case["rss"] * (1 + 1e-9)
        for name, number in case["coef"].items():
            column = {"b": 0, "c": 1, "d": 2, "e": 3}[name.split(":")[0]]
            found = fitted.parameters[i, column]
            found = np.exp(found) if column == 3 else found
            assert found == pytest.approx(number, rel=1e-4), key
            error = errors[i, column] * (found if column == 3 else 1.0)
            assert error == pytest.approx(case["se_gauss_newton"][name], rel=1e-3), key


def test_absolute_dose_by_the_whole_gradient() -> None:
    expected = there("drc.json")["ryegrass_LL4"]["ED_absolute"]["y=4"]
    (found,) = estimate_ic50(fit_curves(ryegrass()), Ic50Options(absolute=4.0))
    assert found.estimate == pytest.approx(expected["estimate"], rel=1e-5)
    # the reference takes the observed Hessian's covariance, this the Gauss-Newton one: 0.1570
    error = found.ln_se * found.estimate
    assert error == pytest.approx(expected["se_correct_delta"], rel=2e-3)
    assert error == pytest.approx(0.1570, abs=5e-5)
