"""Tables, texts, files and checkpoints of a fit to simulated data."""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from statera.data import EventTable, read_events
from statera.errors import InputError, UsageError
from statera.estimate import (
    FitResult,
    Iteration,
    OuterOptions,
    ProblemOptions,
    fit,
    fit_files,
    fit_tables,
    fit_to_dict,
    load_checkpoint,
    make_checkpoint,
    make_problem,
    save_checkpoint,
    save_fit,
)
from statera.estimate.checks import check_doses, fit_warnings
from statera.estimate.covariance import covariance
from statera.estimate.ending import sentence
from statera.estimate.fingerprint import data_hash, model_hash
from statera.estimate.meaning import meanings
from statera.estimate.nonmem_text import ERRORS, FINAL, FIXED, SPREADS, ext_text, phi_text
from statera.estimate.row_intervals import correlation_interval
from statera.model import Model, build_model
from statera.simulate import simulate

SUBJECTS = 24
TIMES = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0])


@dataclass(frozen=True)
class Data:
    """What estimation needs of a data set."""

    events: EventTable
    dv: Any
    row: Any
    dvid: Any
    cens: Any
    limit: Any
    occasion: Any = None


@dataclass(frozen=True)
class Errors:
    """A covariance with the given standard errors and no correlation."""

    by_name: dict[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.by_name)

    description = "given"

    @property
    def standard_errors(self) -> Any:
        return np.array(list(self.by_name.values()))

    @property
    def matrix(self) -> Any:
        return np.diag(self.standard_errors**2)


@dataclass(frozen=True)
class Shrunk:
    by_name: dict[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.by_name)

    @property
    def sd(self) -> Any:
        return np.array(list(self.by_name.values()))


@pytest.fixture(scope="module")
def spec(project: Path) -> dict[str, Any]:
    text = (project / "examples" / "oral_one_compartment.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@pytest.fixture(scope="module")
def model(spec: dict[str, Any]) -> Model:
    return build_model(spec)


def simulated(model: Model) -> Data:
    from statera.data import parse_regimen

    found = simulate(model, parse_regimen("100 mg"), n=SUBJECTS, times=TIMES, seed=11)
    c = found.outputs["C"]
    noise = np.random.default_rng(11).standard_normal(c.shape)
    y = c + np.sqrt(0.1**2 + (0.2 * c) ** 2) * noise
    rows = [
        (f"S{i + 1}", t, a, e, v)
        for i in range(SUBJECTS)
        for t, a, e, v in [
            (0.0, 100.0, 1, math.nan),
            *((t, 0.0, 0, v) for t, v in zip(TIMES, y[i], strict=True)),
        ]
    ]
    names = ("ID", "TIME", "AMT", "EVID", "DV")
    read = read_events({n: [row[k] for row in rows] for k, n in enumerate(names)})
    n = read.observed.size
    return Data(
        read.events, read.observed, np.arange(n), np.ones(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64), np.full(n, np.nan),
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(model: Model) -> Data:
    return simulated(model)


@pytest.fixture(scope="module")
def result(model: Model, data: Data) -> FitResult:
    return fit(model, data, options=ProblemOptions(initial={"lCL": 1.3, "lV": 2.6}))


@pytest.fixture(scope="module")
def errors(result: FitResult) -> Errors:
    found = dict.fromkeys(result.problem.free_names, 0.05)
    return Errors(found | {"lV": math.nan, "omega(eta_KA)": 0.9 * result.omega[0, 0]})


# what parameters stand for


def described(individual: dict[str, str], **more: Any) -> Model:
    return build_model(
        {
            "id": "test/described",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {n: {"value": 0.5, "unit": ""} for n in ("A", "B", "C", "D", "s")},
            "random_effects": {"e": {"variance": 0.1}, "g": {"variance": 0.1}},
            "covariates": {"WT": {"unit": "kg", "reference": 70}},
            "individual": individual,
            "dynamics": {"x": "-K*x"},
            "inputs": {"iv": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"Y": {"expression": "x", "unit": "mg"}},
            "residual": {"Y": {"additive": "s"}},
            **more,
        }
    )


@pytest.mark.parametrize(
    ("formula", "name", "scale"),
    [
        ("exp(A + e)", "A", "exp"),
        ("exp(A + e)", "e", "exp"),
        ("A*exp(e)", "A", "natural"),
        ("A*exp(e)", "e", "exp"),
        ("(WT/70)^B*exp(A + e)", "A", "exp"),
        ("(WT/70)^B*exp(A + e)", "B", "natural"),
        ("exp(A + B*log(WT/70) + e)", "B", "natural"),
        ("exp(A)*(1 + e)", "A", "exp"),
        ("exp(A)*(1 + e)", "e", "natural"),
        ("A + e", "e", "natural"),
        ("1/(1 + exp(-(A + e)))", "A", "expit"),
        ("1/(1 + exp(-(A + e)))", "e", "expit"),
        ("exp(A + e)/(1 + exp(A + e))", "A", "expit"),
        ("A*exp((exp(e)^B - 1)/B)", "e", "natural"),
        ("exp(2*A + e)", "A", "natural"),
        ("where(WT > 50, exp(A + e), exp(A + e)*B)", "A", "exp"),
    ],
)
def test_what_a_parameter_stands_for(formula: str, name: str, scale: str) -> None:
    found = meanings(described({"K": formula}))[name]
    assert (found.scale, found.of) == (scale, ("K",))


def test_an_auxiliary_formula_is_looked_through() -> None:
    found = meanings(described({"phi": "A + e", "K": "exp(phi)"}))
    assert found["A"].scale == "exp"
    assert found["A"].of == ("K",)


def test_two_places_that_differ_leave_the_natural_scale() -> None:
    model = described({"K": "exp(A + e)", "F": "A*exp(e)"},
                      outputs={"Y": {"expression": "x*F", "unit": "mg"}})  # fmt: skip
    found = meanings(model)
    assert found["A"].scale == "natural"
    assert found["e"].scale == "exp"
    assert found["A"].of == ("K", "F")


# the table


def test_estimates_stand_beside_what_they_mean(result: FitResult) -> None:
    table = result.table()
    clearance = table["lCL"]
    assert (clearance.of, clearance.shown_as, clearance.unit) == ("CL", "exp", "L/h")
    assert clearance.value == pytest.approx(math.exp(result.theta[1]), rel=1e-12)
    assert clearance.value == pytest.approx(math.exp(1.0), rel=0.25)  # what was simulated
    spread = table["omega(eta_CL)"]
    assert spread.shown_as == "CV %"
    assert spread.value == pytest.approx(100 * math.sqrt(math.exp(result.omega[1, 1]) - 1))
    tie = table["omega(eta_V,eta_CL)"]
    expected = result.omega[2, 1] / math.sqrt(result.omega[1, 1] * result.omega[2, 2])
    assert (tie.kind, tie.value) == ("covariance", pytest.approx(expected))
    assert [row.kind for row in table] == (
        ["fixed effect"] * 3 + ["residual error"] * 2 + ["variance"] * 3 + ["covariance"]
    )
    assert all(row.se is None and row.low is None for row in table)
    with pytest.raises(KeyError):
        table["nothing"]


def test_errors_and_intervals(result: FitResult, errors: Errors) -> None:
    table = result.table(errors, Shrunk({"eta_KA": 35.0, "eta_CL": 10.0}))
    clearance = table["lCL"]
    assert clearance.se == 0.05
    assert clearance.rse == pytest.approx(5.0)  # of exp(lCL), not of its logarithm
    assert clearance.low == pytest.approx(clearance.estimate - 1.959964 * 0.05, abs=1e-6)
    assert clearance.value_low == pytest.approx(math.exp(clearance.low))
    assert clearance.value_high == pytest.approx(math.exp(clearance.high or 0.0))
    size = table["proportional"]
    assert size.rse == pytest.approx(100 * 0.05 / size.estimate)
    assert size.low is not None
    assert size.high is not None
    assert size.low * size.high == pytest.approx(size.estimate**2)  # symmetric as a logarithm
    wide = table["omega(eta_KA)"]
    assert wide.low is not None
    assert wide.low > 0.0
    assert wide.flags == ("RSE > 50 %", "shrinkage > 30 %")
    assert table["omega(eta_CL)"].shrinkage == 10.0


def test_the_interval_of_a_correlation(result: FitResult, errors: Errors) -> None:
    row = result.table(errors)["omega(eta_V,eta_CL)"]
    assert row.value_low is not None
    assert row.value_high is not None
    assert -1.0 <= row.value_low < row.value < row.value_high <= 1.0
    # at correlation 0 the variances drop out: z has the error of the covariance, scaled
    low, high = correlation_interval(0.0, 0.04, 0.09, np.diag([0.006**2, 1.0, 1.0]))
    assert high == pytest.approx(math.tanh(1.959964 * 0.006 / 0.06), rel=1e-6)
    assert low == pytest.approx(-(high or 0.0))
    assert correlation_interval(0.1, 0.04, 0.09, np.full((3, 3), np.nan)) == (None, None)
    assert correlation_interval(1.0, 0.04, 0.09, np.eye(3)) == (None, None)


def test_an_error_that_is_not_known_is_not_shown(result: FitResult, errors: Errors) -> None:
    row = result.table(errors)["lV"]
    assert (row.se, row.rse, row.low, row.value_low) == (None, None, None, None)
    assert "no standard error could be given for lV" in str(result.table(errors))


def test_a_fixed_value_is_marked(model: Model, data: Data) -> None:
    options = ProblemOptions(fixed=("lKA", "eta_V", "eta_CL"))
    found = fit(model, data, options=options)
    everything = dict.fromkeys((*model.parameters, "omega(eta_V)"), 0.1)
    table = found.table(Errors(everything))
    assert [row.name for row in table if row.fixed] == [
        "lKA", "omega(eta_CL)", "omega(eta_V)", "omega(eta_V,eta_CL)"
    ]  # fmt: skip
    assert table["lKA"].se is None
    assert table["lKA"].estimate == 0.0
    line = next(text for text in str(table).splitlines() if text.startswith("lKA"))
    assert line.endswith("fixed")


def test_the_text_is_of_fixed_width_and_says_how_to_read_it(
    result: FitResult, errors: Errors
) -> None:
    text = str(result.table(errors))
    heading, rule, *rows = text.splitlines()
    assert len(rule) >= len(heading.rstrip())
    assert heading.split()[:3] == ["parameter", "of", "estimate"]
    place = heading.index("estimate") + len("estimate")
    for row in rows:
        if row.startswith(("l", "omega(eta_K")):
            assert row[place - 1] != " "
            assert row[place] == " "
    assert "exp: the typical value of a log-normal parameter" in text
    assert "CV %: 100 sqrt(exp(variance) - 1)" in text
    assert "*" not in text
    assert "SE" not in str(result.table())  # columns that hold nothing are left out


def test_html_is_escaped(result: FitResult) -> None:
    html = result.table()._repr_html_()
    assert html.count("<tr>") == html.count("</tr>")
    assert "omega(eta_CL)" in html
    named = replace(result.problem, warnings=("<b>",))
    assert "&lt;b&gt;" in replace(result, problem=named, warnings=("<b>",))._repr_html_()


def test_rows_as_data(result: FitResult, errors: Errors) -> None:
    rows = result.table(errors).to_dict()
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    frame = result.table(errors).to_polars()
    assert frame["name"].to_list() == [row["name"] for row in rows]
    assert frame["se"].dtype == pl.Float64
    assert result.table().to_polars()["se"].dtype == pl.Float64  # also where all are missing


# the summary and the files


def test_the_summary_says_how_it_ended(result: FitResult) -> None:
    text = result.summary()
    assert text == str(result)
    for part in ("example/oral_one_compartment", "FOCEI", f"{result.ofv:.3f}", "168 used"):
        assert part in text
    assert f"converged. {sentence('converged')}" in text
    assert result.converged
    stopped = replace(result, status="stopped", warnings=("look here",))
    assert not stopped.converged
    assert "- look here" in stopped.summary()
    assert "Resume it from a checkpoint" in stopped.sentence


def numbers(line: str) -> list[float]:
    return [float(word) for word in line.split()]


def test_ext_has_the_rows_that_tools_look_for(result: FitResult, errors: Errors) -> None:
    title, heading, *lines = ext_text(result, errors.by_name).splitlines()
    assert "First Order Conditional Estimation with Interaction" in title
    names = heading.split()
    assert names[:7] == ["ITERATION", *(f"THETA{i}" for i in range(1, 6)), "SIGMA(1,1)"]
    assert names[7:] == [
        "OMEGA(1,1)", "OMEGA(2,1)", "OMEGA(2,2)", "OMEGA(3,1)", "OMEGA(3,2)", "OMEGA(3,3)", "OBJ"
    ]  # fmt: skip
    assert {len(line) for line in lines} == {len(heading)}
    rows = {int(values[0]): values[1:] for values in map(numbers, lines)}
    final = dict(zip(names[1:], rows[FINAL], strict=True))
    assert final["THETA2"] == pytest.approx(result.theta[1], rel=1e-5)
    assert final["OMEGA(3,2)"] == pytest.approx(result.omega[2, 1], rel=1e-5)
    assert final["OBJ"] == pytest.approx(result.ofv, rel=1e-5)
    error = dict(zip(names[1:], rows[ERRORS], strict=True))
    assert (error["THETA2"], error["THETA3"], error["OMEGA(2,1)"]) == (0.05, 1e10, 1e10)
    spread = dict(zip(names[1:], rows[SPREADS], strict=True))
    assert spread["OMEGA(1,1)"] == pytest.approx(math.sqrt(result.omega[0, 0]), rel=1e-5)
    assert -1.0 <= spread["OMEGA(3,2)"] <= 1.0
    fixed = dict(zip(names[1:], rows[FIXED], strict=True))
    assert (fixed["SIGMA(1,1)"], fixed["OMEGA(2,1)"], fixed["OMEGA(3,2)"]) == (1.0, 1.0, 0.0)
    assert ERRORS not in {int(line.split()[0]) for line in ext_text(result).splitlines()[2:]}


def test_phi_has_a_row_for_each_subject(result: FitResult) -> None:
    _, heading, *lines = phi_text(result).splitlines()
    names = heading.split()
    assert names[:5] == ["SUBJECT_NO", "ID", "ETA(1)", "ETA(2)", "ETA(3)"]
    assert names[5] == "ETC(1,1)"
    assert len(lines) == SUBJECTS
    first = lines[0].split()
    assert first[:2] == ["1", "S1"]
    assert float(first[2]) == pytest.approx(result.etas[0, 0], rel=1e-5)
    parts = [float(line.split()[-1]) for line in lines]
    assert sum(parts) == pytest.approx(result.ofv, abs=1e-3)


def test_tables_and_data(result: FitResult) -> None:
    tables = fit_tables(result)
    assert tables["individuals"].columns == ["id", "objective", "eta_KA", "eta_CL", "eta_V"]
    assert tables["individuals"]["objective"].sum() == pytest.approx(result.ofv)
    assert tables["iterations"]["objective"].to_list()[-1] == pytest.approx(result.ofv, abs=1e-6)
    found = fit_to_dict(replace(result, ofv=math.nan))
    assert found["ofv"] is None
    assert found["status_sentence"] == sentence("converged")
    assert len(found["individuals"]) == SUBJECTS
    json.dumps(found, allow_nan=False)


def test_effects_of_occasions_have_a_column_each(spec: dict[str, Any], data: Data) -> None:
    varying = {
        **spec,
        "random_effects": {
            **spec["random_effects"], "iov_CL": {"variance": 0.02, "level": "occasion"}
        },
        "individual": {**spec["individual"], "CL": "exp(lCL + eta_CL + iov_CL)"},
    }  # fmt: skip
    records = 1 + TIMES.size
    occasion = np.tile((np.arange(records) >= 5).astype(np.int64), SUBJECTS)
    found = fit(
        build_model(varying), replace(data, occasion=occasion), outer=OuterOptions(max_iterations=3)
    )
    frame = fit_tables(found)["individuals"]
    assert frame.columns[-2:] == ["iov_CL_1", "iov_CL_2"]
    row = found.table()["omega(iov_CL)"]
    assert (row.of, row.shown_as) == ("CL (occasion)", "CV %")
    names = phi_text(found).splitlines()[1].split()
    assert names[2:7] == [f"ETA({i})" for i in range(1, 6)]
    final = next(line for line in ext_text(found).splitlines() if str(FINAL) in line)
    assert len(final.split()) == 1 + 5 + 1 + 10 + 1  # one variance for all occasions


def test_files_are_written(result: FitResult, errors: Errors, tmp_path: Path) -> None:
    written = save_fit(result, tmp_path / "new" / "folder", errors)
    assert {path.name for path in written} == set(fit_files(result)) == {
        "summary.txt", "fit.json", "fit.ext", "fit.phi",
        "parameters.parquet", "individuals.parquet", "iterations.parquet",
    }  # fmt: skip
    content = json.loads((tmp_path / "new" / "folder" / "fit.json").read_text(encoding="utf-8"))
    assert content["manifest"]["inputs"] == {
        "model": model_hash(result.problem.model), "data": data_hash(result.problem)
    }  # fmt: skip
    frame = pl.read_parquet(tmp_path / "new" / "folder" / "parameters.parquet")
    assert frame["estimate"].to_list()[0] == result.theta[0]
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        save_fit(result, tmp_path / "taken")


# checkpoints


def test_a_fit_goes_on_from_its_checkpoint(
    model: Model, data: Data, result: FitResult, tmp_path: Path
) -> None:
    file = tmp_path / "fit.ckpt"
    seen: list[Iteration] = []

    def stop(at: Iteration) -> None:
        seen.append(at)
        if at.number == 3:
            raise KeyboardInterrupt

    options = ProblemOptions(initial={"lCL": 1.3, "lV": 2.6})
    stopped = fit(model, data, options=options, progress=stop, checkpoint=file)
    assert (stopped.status, len(stopped.iterations)) == ("stopped", 3)
    assert seen[-1].etas is not None
    assert all(it.etas is None for it in stopped.iterations)
    checkpoint = load_checkpoint(file)
    assert checkpoint.iteration == 3
    np.testing.assert_array_equal(checkpoint.theta, stopped.theta)
    # other initial values do not matter: a checkpoint holds parameters on their own scale
    ended = fit(model, data, resume=checkpoint)
    assert ended.status == "converged"
    assert ended.iterations[0].number == 4
    assert ended.iterations[0].objective < stopped.ofv
    assert ended.ofv == pytest.approx(result.ofv, abs=2e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["fit.ckpt"]


def test_a_checkpoint_survives_the_file(result: FitResult, tmp_path: Path) -> None:
    made = make_checkpoint(result.problem, "focei", result)
    save_checkpoint(made, tmp_path / "c.json")
    read = load_checkpoint(tmp_path / "c.json")
    for name in ("free", "theta", "omega", "etas"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    assert (read.model, read.data, read.objective) == (made.model, made.data, result.ofv)


def test_a_checkpoint_of_something_else_is_refused(
    spec: dict[str, Any], model: Model, data: Data, result: FitResult
) -> None:
    made = make_checkpoint(result.problem, "focei", result)
    other = build_model({**spec, "individual": {**spec["individual"], "KA": "exp(lKA + eta_KA/2)"}})
    with pytest.raises(InputError, match="another model"):
        fit(other, data, resume=made)
    with pytest.raises(InputError, match="other data"):
        fit(model, replace(data, dv=data.dv * 1.001), resume=made)


def test_words_do_not_change_a_model(spec: dict[str, Any], model: Model) -> None:
    assert model_hash(build_model({**spec, "title": "Something else"})) == model_hash(model)
    changed = {**spec["parameters"], "lKA": {"value": 0.1, "unit": "1/h"}}
    assert model_hash(build_model({**spec, "parameters": changed})) != model_hash(model)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "not JSON"),
        ("[]", "schema"),
        ('{"schema": "statera.checkpoint/1"}', "missing or wrong"),
        ('{"schema": "statera.fit/1"}', "schema"),
    ],
)
def test_a_broken_checkpoint_is_refused(content: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=why):
        load_checkpoint(file)


def test_a_checkpoint_that_is_not_there(result: FitResult, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_checkpoint(tmp_path / "none")
    made = make_checkpoint(result.problem, "focei", result)
    with pytest.raises(InputError, match="cannot be written"):
        save_checkpoint(made, tmp_path / "no" / "folder")


# what may be wrong with a fit


def test_parameters_that_cannot_be_told_apart_are_named(spec: dict[str, Any], data: Data) -> None:
    doubled = {
        **spec,
        "parameters": {**spec["parameters"], "lX": {"value": 0.1, "unit": ""}},
        "individual": {**spec["individual"], "CL": "exp(lCL + lX + eta_CL)"},
    }
    found = fit(build_model(doubled), data)
    assert any("cannot tell lCL, lX apart" in warning for warning in found.warnings)


def test_notices_become_warnings(result: FitResult) -> None:
    omega = result.omega.copy()
    omega[0, 0] = 1e-13
    found = fit_warnings(replace(result, omega=omega, status="iterations"))
    assert any("these variances" in text and "omega(eta_KA)" in text for text in found)
    assert not any("iterations" in text for text in found)  # the status says it


def test_a_parameter_without_effect_is_named(spec: dict[str, Any], data: Data) -> None:
    idle = {
        **spec,
        "parameters": {**spec["parameters"], "lX": {"value": 0.1, "unit": ""}},
        "individual": {**spec["individual"], "CL": "exp(lCL + where(lKA > 50, lX, 0) + eta_CL)"},
    }
    found = fit(build_model(idle), data)
    assert [w for w in found.warnings if "does not depend on lX" in w]
    errors = covariance(found)
    place = list(errors.names).index("lX")
    assert np.isnan(errors.standard_errors[place])
    assert np.isfinite(np.delete(errors.standard_errors, place)).all()


def test_a_good_fit_has_no_warnings(result: FitResult) -> None:
    assert result.status == "converged"
    assert result.warnings == ()


def test_a_value_at_its_bound_is_named(spec: dict[str, Any], data: Data) -> None:
    held = {**spec["parameters"], "lCL": {"value": 0.3, "unit": "L/h", "bounds": [0.0, 0.5]}}
    found = fit(build_model({**spec, "parameters": held}), data)
    assert any("lie at a bound: lCL" in warning for warning in found.warnings)


def test_data_without_doses_are_refused(spec: dict[str, Any], model: Model, data: Data) -> None:
    none = replace(data.events, evid=np.where(data.events.evid == 1, 2, data.events.evid))
    with pytest.raises(InputError, match="the data hold no dose"):
        fit(model, replace(data, events=none))
    check_doses(build_model({**spec, "initial": {"central": 5}}), none)  # it needs no dose


def test_an_objective_that_cannot_be_computed_is_said(spec: dict[str, Any], data: Data) -> None:
    only = {**spec, "residual": {"C": {"proportional": "proportional"}}}
    late = {**only, "inputs": {"oral": [{"kind": "bolus", "into": "depot", "lag": 48}]}}
    found = fit(build_model(late), data)
    assert found.status == "no start"
    assert "cannot be computed at the initial values" in found.summary()


def test_an_unknown_method_is_refused(model: Model, data: Data) -> None:
    with pytest.raises(UsageError, match="'fossil' is not a method"):
        fit(model, data, method="fossil")  # type: ignore[arg-type]


def test_the_data_hash_ignores_what_is_not_used(model: Model, data: Data) -> None:
    plain = make_problem(model, data, ProblemOptions())
    more = replace(data.events, covariates={"AGE": np.ones(data.events.time.size)})
    other = make_problem(model, replace(data, events=more), ProblemOptions())
    assert data_hash(other) == data_hash(plain)
