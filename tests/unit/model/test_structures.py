"""Ready-made structures as descriptions; their solutions are tested in ``tests/unit/simulate``."""

from __future__ import annotations

from pathlib import Path

import pytest

from statera.errors import UnknownNameError
from statera.model import (
    SpecError,
    build_model,
    structure,
    structure_names,
    structure_parameters,
)


def _ones(name: str, **options: str) -> dict[str, float]:
    return dict.fromkeys(structure_parameters(name, **options), 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", structure_names())
@pytest.mark.parametrize("elimination", ["linear", "mixed"])
def test_every_structure_builds(name: str, elimination: str) -> None:
    options = {"pk": "3cmt_parallel", "elimination": elimination}
    if name.startswith("tmdd"):
        options["elimination"] = "linear"
    model = build_model(structure(name, _ones(name, **options), **options))  # type: ignore[arg-type]
    assert set(model.parameters) == set(structure_parameters(name, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("1cmt_iv", {"CL", "V"}),
        ("2cmt_oral", {"CL", "V1", "Q", "V2", "KA"}),
        ("3cmt_zero_order", {"CL", "V1", "Q2", "V2", "Q3", "V3", "D"}),
        ("1cmt_parallel", {"CL", "V", "KA", "D", "FR"}),
        ("1cmt_transit", {"CL", "V", "KA", "NTR", "MTT"}),
        ("friberg", {"CL", "V", "MTT", "CIRC0", "GAMMA", "SLOPE"}),
        ("tmdd_full", {"CL", "V", "KON", "KOFF", "KINT", "KSYN", "KDEG"}),
        ("indirect_response_2", {"CL", "V", "KIN", "KOUT", "IMAX", "IC50"}),
    ],
)
def test_parameters_have_their_usual_names(name: str, needs: set[str]) -> None:
    assert set(structure_parameters(name)) == needs


def test_units_follow_those_asked_for() -> None:
    units = {"time": "day", "amount": "nmol", "volume": "mL"}
    needs = structure_parameters("tmdd_full", units=units)
    assert needs["CL"] == "mL/day"
    assert needs["KON"] == "1/(nmol/mL*day)"
    assert needs["KSYN"] == "nmol/mL/day"


def test_a_value_may_be_a_table_and_absorption_may_have_f_and_lag() -> None:
    values = {
        "CL": {"value": 5.0, "status": "measured"},
        "V": 40.0,
        "KA": 1.0,
        "F": 0.5,
        "LAG": 0.3,
    }
    model = build_model(structure("1cmt_oral", values))  # type: ignore[arg-type]
    assert model.parameters["CL"].status == "measured"
    assert model.parameters["CL"].unit == "L/h"
    assert str(model.inputs["oral"][0].lag) == "LAG"
    assert str(model.inputs["oral"][0].bioavailability) == "F"


def test_missing_values_are_all_named() -> None:
    with pytest.raises(SpecError, match="needs values for Q, V2"):
        structure("2cmt_iv", {"CL": 1.0, "V1": 1.0})


@pytest.mark.parametrize(
    ("name", "values", "options"),
    [
        ("2cmt_orla", {}, {}),
        ("1cmt_iv", {"CL": 1.0, "V": 1.0, "KA": 1.0}, {}),
        ("1cmt_iv", {}, {"elimination": "first order"}),
        ("turnover", {}, {"pk": "friberg"}),
        ("1cmt_iv", {}, {"units": {"length": "m"}}),
    ],
)
def test_names_that_are_not_known(
    name: str, values: dict[str, float], options: dict[str, str]
) -> None:
    with pytest.raises(UnknownNameError):
        structure(name, values, **options)  # type: ignore[arg-type]


def test_a_metabolite_needs_a_clearance() -> None:
    with pytest.raises(SpecError, match="formed by CL"):
        structure("parent_metabolite", {}, elimination="mm")


def test_a_target_saturates_already() -> None:
    with pytest.raises(SpecError, match="use linear"):
        structure("tmdd_mm", {}, elimination="mixed")


def test_every_structure_stands_on_its_page(project: Path) -> None:
    text = (project / "docs" / "structures.md").read_text(encoding="utf-8")
    for name in structure_names():
        shown = name.replace(name[0], "n", 1) if name[1:4] == "cmt" else name
        assert f"`{shown}`" in text
