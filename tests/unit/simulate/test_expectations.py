"""Expected results of a model, its half-life, and the check of model files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.errors import UnknownNameError
from statera.library import Severity
from statera.library.paths import data_root
from statera.model import Model, build_model
from statera.simulate import check_expectations, check_models, terminal_half_life

Make = Callable[..., Model]


def _expect(**changes: Any) -> list[dict[str, Any]]:
    row = {
        "quantity": "AUC", "dose": "100 mg via iv q12h ss", "value": 20.0, "unit": "mg*h/L",
        "tolerance": 1e-9, "basis": "dose over clearance",
    }  # fmt: skip
    return [row | changes]


def test_dose_over_clearance_holds(compartments: Make) -> None:
    (result,) = check_expectations(compartments(3, expect=_expect()))
    assert result.ok
    assert result.found == pytest.approx(20.0, rel=1e-10)
    assert result.sentence.startswith("AUC = 20 mg*h/L, expected 20 (")
    assert result.sentence.endswith("0.00%; dose over clearance): holds")


def test_units_of_an_expectation_are_converted(compartments: Make) -> None:
    (result,) = check_expectations(compartments(3, expect=_expect(value=20_000.0, unit="ng*h/mL")))
    assert result.ok


def test_what_does_not_hold_says_so(compartments: Make) -> None:
    (result,) = check_expectations(compartments(3, expect=_expect(value=25.0, tolerance=0.1)))
    assert not result.ok
    assert result.difference == pytest.approx(-0.2)
    assert "does NOT hold" in result.sentence


def test_derived_quantities_and_covariates(compartments: Make) -> None:
    model = compartments(
        1,
        covariates={"WT": {"unit": "kg", "reference": 70}},
        individual={"CLI": "CL*WT/70"},
        derived={"T": {"expression": "log(2)*V/CLI", "unit": "h"}},
        expect=[
            {"quantity": "T", "value": 60 * np.log(2) * 40 / 10, "unit": "min", "tolerance": 1e-12,
             "basis": "by hand", "covariates": {"WT": 140}},
        ],
    )  # fmt: skip
    assert check_expectations(model)[0].ok


def test_unknown_quantity(compartments: Make) -> None:
    model = compartments(1, expect=_expect(quantity="Cmx"))
    with pytest.raises(UnknownNameError) as caught:
        check_expectations(model)
    assert "Cmax" in caught.value.nearest


@pytest.mark.parametrize("n", [1, 2, 3])
def test_terminal_half_life(compartments: Make, textbook: Callable[..., Any], n: int) -> None:
    slowest = textbook(n).rates.min()
    assert terminal_half_life(compartments(n)) == pytest.approx(np.log(2) / slowest, rel=1e-9)


def test_half_life_of_slow_absorption_and_of_an_output(compartments: Make) -> None:
    model = compartments(
        1, {"KA": 0.01}, outputs={"C": {"expression": "central"}, "D": {"expression": "depot"}}
    )
    assert terminal_half_life(model) == pytest.approx(np.log(2) / 0.01)
    assert terminal_half_life(compartments(1), "C") == pytest.approx(np.log(2) / 0.125)


def test_no_half_life(compartments: Make) -> None:
    assert terminal_half_life(compartments(1, {"CL": 0.0, "KA": 0.0})) is None
    assert terminal_half_life(compartments(1, {"KA": 0.125})) is None  # rates coincide
    saturable = compartments(1, dynamics={"central": "-central^2", "depot": "0"})
    assert terminal_half_life(saturable) is None


def test_half_life_of_a_model_in_days() -> None:
    model = build_model(
        {
            "id": "days",
            "units": {"time": "day", "amount": "mg"},
            "parameters": {"K": {"value": 2.4}},
            "dynamics": {"x": "-K*x"},
            "inputs": {"x": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"X": {"expression": "x"}},
        }
    )
    assert terminal_half_life(model) == pytest.approx(np.log(2) / 0.1)


def test_shipped_models_hold_their_expectations() -> None:
    assert check_models() == ()


GOOD = """
schema = "statera.model/1"
id = "mystery/Doe_2001"
source = "NOBODY"
[units]
time = "h"
amount = "mg"
[covariates.SHOE]
unit = ""
reference = 40
[parameters]
K = { value = 0.1, unit = "1/h" }
[dynamics]
x = "-K*x"
[[inputs.iv]]
kind = "bolus"
into = "x"
[outputs.X]
expression = "x"
unit = "mg"
"""


def test_defects_of_model_files_become_findings(tmp_path: Path) -> None:
    """A library with three models: one wrong in content, one in form, one in its results."""
    root = tmp_path / "data"
    shutil.copytree(str(data_root()), root)
    folder = root / "models" / "mystery"
    folder.mkdir()
    (folder / "Doe_2001.toml").write_text(GOOD)
    (folder / "Roe_2002.toml").write_text(GOOD.replace("-K*x", "-KK*x"))
    expect = '[[expect]]\nquantity = "Q"\nvalue = 1\nunit = ""\ntolerance = 1\nbasis = "b"\n'
    (folder / "Poe_2003.toml").write_text(GOOD + expect)
    findings = [f for f in check_models(root) if "mystery" in str(f.place)]
    sentences = [f"{f.place}: {f.sentence}" for f in findings]
    assert all(f.severity is Severity.ERROR for f in findings)
    text = "\n".join(sentences)
    assert "the source 'NOBODY' is not in references.json" in text
    assert "the covariate 'SHOE' is not in names.toml" in text
    assert "no [[expect]] row" in text
    assert "'KK' is not defined; nearest: K (column 2 of the formula)" in text
    assert any("Roe_2002.toml:14:1" in s for s in sentences)
    assert "no quantity is called 'Q'" in text
