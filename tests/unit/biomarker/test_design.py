"""Formulas to designs, and hypotheses that do not depend on the coding."""

from __future__ import annotations

import numpy as np
import pytest

from statera.biomarker.association import AssociationOptions, associate
from statera.biomarker.design import Factor, build_design, parse_formula, type_three
from statera.errors import InputError, UnknownNameError
from statera.numerics.kenward_roger import kenward_roger_f
from statera.numerics.mixed_model import fit_random_intercept

ARM = ["b", "a", "a", "b", "a", "b", "b", "a", "a", "b", "b", "b"]
TIME = ["w1", "w0", "w2", "w0", "w1", "w2", "w0", "w0", "w1", "w1", "w2", "w0"]


def test_formula_terms() -> None:
    assert parse_formula("a * b + c") == (True, (("a",), ("b",), ("c",), ("a", "b")))
    assert parse_formula("0 + a") == (False, (("a",),))
    assert parse_formula("a*b*c")[1][-1] == ("a", "b", "c")
    with pytest.raises(InputError, match="empty"):
        parse_formula("a + ")


def test_treatment_coding_has_the_first_level_as_baseline() -> None:
    design = build_design("arm * time", {"arm": ARM, "time": TIME})
    assert design.columns == (
        "(Intercept)",
        "arm[b]",
        "time[w1]",
        "time[w2]",
        "arm[b]:time[w1]",
        "arm[b]:time[w2]",
    )
    assert design.term_columns == ((1,), (2, 3), (4, 5))
    assert design.matrix[0] == pytest.approx([1, 1, 1, 0, 1, 0])
    assert build_design("0 + arm", {"arm": ARM}).columns == ("arm[a]", "arm[b]")


def test_cell_means_and_numbers() -> None:
    age = np.arange(12.0)
    design = build_design("arm + age + arm:age", {"arm": ARM, "age": age})
    assert design.columns[-1] == "arm[b]:age"
    assert design.matrix[3] == pytest.approx([1, 1, 3, 3])
    with pytest.raises(UnknownNameError, match="no column"):
        design.contrast({"agee": 1.0})


@pytest.mark.parametrize("levels", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("coding", ["treatment", "sum"])
def test_type_three_does_not_depend_on_the_coding(levels: tuple[str, str], coding: str) -> None:
    rng = np.random.default_rng(3)
    groups = np.array([0, 1, 1, 0, 1, 2, 2, 3, 3, 2, 0, 4])
    y = rng.normal(size=(1, 12))
    base = {"arm": Factor.of(ARM), "time": Factor.of(TIME)}
    other = {"arm": Factor.of(ARM, levels), "time": Factor.of(TIME, ("w2", "w0", "w1"))}
    found = []
    for data, code in ((base, "treatment"), (other, coding)):
        design = build_design("arm * time", data, code)
        fit = fit_random_intercept(design.matrix, groups, y)
        tests = type_three("arm * time", data, design)
        found.append([kenward_roger_f(fit, rows).p_value[0] for rows in tests.values()])
    assert found[1] == pytest.approx(found[0], rel=1e-6)


def test_type_three_main_effect_is_the_unweighted_mean_of_the_cells() -> None:
    data = {"arm": ARM, "time": TIME}
    design = build_design("arm * time", data)
    hypothesis = type_three("arm * time", data, design)["arm"][0]
    # b - a averaged over three visits, up to a factor
    assert hypothesis / hypothesis[1] == pytest.approx([0, 1, 0, 0, 1 / 3, 1 / 3], abs=1e-12)


def test_designs_that_cannot_be_estimated() -> None:
    with pytest.raises(InputError, match="depend on each other"):
        build_design("arm * time", {"arm": ["a", "a", "b", "b"], "time": ["0", "1", "0", "0"]})
    with pytest.raises(InputError, match="one level"):
        build_design("arm", {"arm": ["a", "a"]})
    with pytest.raises(UnknownNameError):
        build_design("arn", {"arm": ARM})
    with pytest.raises(InputError, match="not finite"):
        build_design("age", {"age": np.array([1.0, np.nan])})


def test_association_table_goes_on_past_bad_assays() -> None:
    rng = np.random.default_rng(7)
    subject = [f"S{i}" for i in np.repeat(np.arange(12), 3)]
    data = {"arm": list(np.repeat(["a", "b"], 18)), "time": ["0", "6", "12"] * 12}
    values = rng.normal(size=(4, 36))
    values[1], values[2] = 5.0, np.nan
    values[3, 18:] = np.nan
    for df in ("satterthwaite", "kenward-roger"):
        options = AssociationOptions(degrees_of_freedom=df)
        table = associate(values, list("wxyz"), data, "arm * time", subject, options)
        assert [row.status == "ok" for row in table.rows[::3]][1:] == [False] * 3
        assert "cannot be estimated" in table.rows[-1].status
        assert all(np.isnan(row.adjusted_p) for row in table.rows[3:])
        assert table.rows[0].p_value <= table.rows[0].adjusted_p <= 1
        assert len(table.coefficients()) == 6 * 4
    with pytest.raises(InputError, match="twice"):
        associate(values, list("wwyz"), data, "arm", subject)
    with pytest.raises(InputError, match="4 by 36"):
        associate(values, list("wx"), data, "arm", subject)
    with pytest.raises(UnknownNameError):
        AssociationOptions(degrees_of_freedom="residual")
