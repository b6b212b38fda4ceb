"""Residual error, likelihoods, and settings for fits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from statera.model import Model, Prior, SpecError
from statera.numerics.expression import evaluate, free_names

Build = Callable[..., Model]
AT = {"CP": 20.0, "SD": 0.2, "SDA": 3.0, "GAMMA": 0.7, "TAD": 4.0, "t": 28.0, "eta_CL": 0.1}


def variance(build: Build, row: dict[str, Any]) -> float:
    changes: dict[str, Any] = {
        "parameters/SDA": {"value": 3},
        "parameters/GAMMA": {"value": 0.7},
        "residual": {"CP": row},
    }
    residual = build(changes).residuals["CP"]
    return float(evaluate(residual.variance, AT))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, 0.0),
        ({"additive": "SDA"}, 9.0),
        ({"additive": 1.5}, 2.25),
        ({"proportional": "SD"}, 16.0),
        ({"additive": "SDA", "proportional": "SD"}, 25.0),
        ({"additive": "SDA", "proportional": "SD", "combine": "sd"}, 49.0),
        ({"proportional": "SD", "power": "GAMMA"}, (0.2 * 20**0.7) ** 2),
        ({"additive": 1, "proportional": 0.5, "power": 0.5, "combine": "sd"},
         (1 + 0.5 * math.sqrt(20)) ** 2),
        ({"variance": "(SD*CP*exp(eta_CL))^2"}, 16.0 * math.exp(0.2)),
        ({"variance": "where(TAD < 5, SD, SDA)^2"}, 0.04),
        ({"variance": "SD + t"}, 28.2),
    ],
)  # fmt: skip
def test_variances(build: Build, row: dict[str, Any], expected: float) -> None:
    assert variance(build, row) == pytest.approx(expected, rel=1e-12)


def test_sizes_at_the_parameters_are_kept(build: Build) -> None:
    changes: dict[str, Any] = {"residual": {"CP": {"proportional": "SD", "additive": 2}}}
    residual = build(changes).residuals["CP"]
    assert (residual.proportional, residual.additive, residual.lognormal) == (0.2, 2.0, False)
    changes = {"individual/SDI": "SD*exp(eta_V)", "residual": {"CP": {"proportional": "SDI"}}}
    residual = build(changes).residuals["CP"]
    assert math.isnan(residual.proportional)
    assert free_names(residual.variance) == {"SDI", "CP"}


def test_log_scale(build: Build) -> None:
    residual = build({"residual": {"CP": {"additive": "SD", "scale": "log"}}}).residuals["CP"]
    assert residual.lognormal
    assert float(evaluate(residual.variance, AT)) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("row", "where", "what"),
    [
        ({"power": 2}, "residual.CP.power", "needs 'proportional'"),
        ({"proportional": "SD", "scale": "log"}, "residual.CP.proportional", "has one size"),
        ({"variance": "SD", "additive": 1}, "residual.CP.additive", "exclude each other"),
        ({"variance": "SD", "combine": "sd"}, "residual.CP.combine", "exclude each other"),
        ({"variance": "SD*XX"}, "residual.CP.variance", "not defined"),
        ({"variance": "SD*central"}, "residual.CP.variance", "not defined"),
        ({"additive": -1}, "residual.CP.additive", "cannot be negative"),
        ({"additive": "central"}, "residual.CP.additive", "not a parameter"),
        ({"combine": "sum"}, "residual.CP.combine", "not allowed"),
        ({"scale": "ln"}, "residual.CP.scale", "not allowed"),
        ({"boxcox": 1}, "residual.CP.boxcox", "unknown key"),
    ],
)
def test_contradictions_are_refused(
    build: Build, row: dict[str, Any], where: str, what: str
) -> None:
    with pytest.raises(SpecError, match=what) as caught:
        build({"residual": {"CP": row}})
    assert caught.value.where == where


def test_likelihood(build: Build) -> None:
    text = "DV*log(0.1 + CP) - 0.1 - CP - lgamma(DV + 1)"
    model = build({"likelihood": {"COUNT": {"expression": text, "note": "Poisson"}}})
    found = model.likelihoods["COUNT"]
    assert (found.name, found.text, found.note) == ("COUNT", text, "Poisson")
    assert free_names(found.loglik) == {"DV", "central", "V"}
    value = float(evaluate(found.loglik, {"DV": 3.0, "central": 0.1, "V": 50.0}))
    assert value == pytest.approx(3 * math.log(2.1) - 2.1 - math.log(6), rel=1e-12)
    assert build({"likelihood": None}).likelihoods == {}


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"likelihood": {"CP": {"expression": "DV"}}}, "likelihood.CP", "residual error already"),
        ({"likelihood": {"B": {"expression": "V"}}}, "likelihood.B.expression", "does not use"),
        ({"likelihood": {"B": {"expression": "DV*XX"}}}, "likelihood.B.expression", "not defined"),
        ({"likelihood": {"B": {}}}, "likelihood.B.expression", "missing"),
        ({"likelihood": {"B": {"expression": "DV"}}, "parameters/DV": {"value": 1}},
         "likelihood.B", "rename"),
    ],
)  # fmt: skip
def test_wrong_likelihoods(build: Build, changes: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(SpecError, match=what) as caught:
        build(changes)
    assert caught.value.where == where


def test_settings_for_fits(build: Build) -> None:
    model = build(
        {
            "parameters/V/fixed": True,
            "parameters/KA/bounds": [0, None],
            "parameters/TVCL/bounds": [-math.inf, 9.5],
            "parameters/TVCL/prior": {"mean": 4, "sd": 0.5},
            "random_effects/eta_V/fixed": True,
        }
    )
    assert [p.fixed for p in model.parameters.values()] == [False, True, False, False]
    assert model.parameters["KA"].bounds == (0.0, None)
    assert model.parameters["TVCL"].bounds == (None, 9.5)
    assert model.parameters["V"].bounds is None
    assert model.parameters["TVCL"].prior == Prior(4.0, 0.5)
    assert model.parameters["V"].prior is None
    assert [e.fixed for e in model.random_effects.values()] == [False, True]


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("fixed", 1, "expected true or false"),
        ("bounds", [1], "a lower and an upper end"),
        ("bounds", [1, "x"], "expected a number"),
        ("bounds", [True, 3], "expected a number"),
        ("bounds", [math.inf, None], "expected a number"),
        ("bounds", [2, 2], "not below"),
        ("bounds", [None, 1], "lies outside"),
        ("prior", 3, "expected a table"),
        ("prior", {"mean": 1, "sd": 0}, "above zero"),
        ("prior", {"sd": 1}, "'mean' is missing"),
    ],
)
def test_wrong_settings(build: Build, key: str, value: Any, what: str) -> None:
    with pytest.raises(SpecError, match=what) as caught:
        build({f"parameters/KA/{key}": value})
    assert str(caught.value.where).startswith(f"parameters.KA.{key}")
