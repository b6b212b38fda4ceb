"""Event tables: DVID, occasions, endpoints of windows, and results as tables and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns, read_events
from statera.errors import InputError, UnknownNameError
from statera.model import Model, build_model
from statera.simulate import EventsResult, OdeOptions, simulate, simulate_events

Make = Callable[..., Model]
Floats = NDArray[np.float64]

OUTPUTS = {
    "C": {"expression": "central/V", "unit": "mg/L"},
    "D": {"expression": "depot", "unit": "mg"},
}


def _table(subjects: int = 2, dvid: list[float] | None = None, **covariates: Any) -> EventTable:
    """Two doses 12 h apart; five observations a subject, the second subject one hour later."""
    ids, time, evid, amount = [], [], [], []
    for s in range(subjects):
        ids += [str(s + 1)] * 7
        time += [s + t for t in (0.0, 1.0, 5.0, 12.0, 12.5, 20.0, 30.0)]
        evid += [1, 0, 0, 1, 0, 0, 0]
        amount += [100.0, 0.0, 0.0, 50.0, 0.0, 0.0, 0.0]
    if dvid is not None:
        covariates["DVID"] = dvid * subjects
    return events_from_columns(
        ids, time, evid, amount, route=["oral"] * len(ids), covariates=covariates
    )


def _run(model: Model, table: EventTable, **options: Any) -> EventsResult:
    result = simulate_events(model, table, **options)
    assert result.failures == ()
    return result


# --- DVID


def test_a_dvid_names_its_output(compartments: Make) -> None:
    dvid = [np.nan, 1.0, 2.0, np.nan, 1.0, 1.0, 2.0]  # of doses it may be missing
    result = _run(compartments(1, outputs=OUTPUTS), _table(dvid=dvid))
    c, d = result.outputs["C"], result.outputs["D"]
    np.testing.assert_array_equal(result.values[:5], [c[0], d[1], c[2], c[3], d[4]])
    frame = result.to_polars()
    assert frame.columns == ["subject", "time", "C", "D", "DVID", "value", "status"]
    assert frame["DVID"].to_list()[:5] == [1, 2, 1, 1, 2]
    assert not any("DVID" in w for w in result.warnings)


def test_a_stated_mapping(compartments: Make) -> None:
    table = _table(dvid=[0.0, 7.0, 3.0, 0.0, 3.0, 3.0, 7.0])
    result = _run(compartments(1, outputs=OUTPUTS), table, dvid={3: "C", 7: "D"})
    assert result.values[0] == result.outputs["D"][0]
    assert result.values[1] == result.outputs["C"][1]


def test_without_the_column_every_output_is_given(compartments: Make) -> None:
    result = _run(compartments(1, outputs=OUTPUTS), _table())
    np.testing.assert_array_equal(result.values, result.outputs["C"])
    assert "value" not in result.to_polars().columns


def test_an_unknown_dvid_is_refused_with_its_line(compartments: Make, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("ID,TIME,AMT,EVID,DVID\n1,0,100,1,.\n1,1,.,0,1\n1,2,.,0,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="DVID 3 has no output") as caught:
        simulate_events(compartments(1, outputs=OUTPUTS), read_events(file))
    assert "line 4" in str(caught.value.where)
    assert "1 = C, 2 = D" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("dvid", "column", "error"),
    [
        ({1: "X"}, [1.0] * 7, UnknownNameError),
        ({1: "C"}, None, InputError),
        (None, [np.nan] * 7, InputError),
        (None, [1.5] * 7, InputError),
    ],
)
def test_dvids_are_checked(compartments: Make, dvid: Any, column: Any, error: Any) -> None:
    with pytest.raises(error):
        simulate_events(compartments(1, outputs=OUTPUTS), _table(dvid=column), dvid=dvid)


# --- occasions


def _two_levels(**tables: Any) -> Model:
    return build_model(
        {
            "id": "test/occasions",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"TVK": {"value": 0.1}, "KA": {"value": 1.0}},
            "random_effects": {
                "eta_KA": {"variance": 0.04},
                "kappa_K": {"variance": 0.09, "level": "occasion"},
            },
            "individual": {"K": "TVK*exp(kappa_K)", "KAI": "KA*exp(eta_KA)"},
            "dynamics": {"depot": "-KAI*depot", "central": "KAI*depot - K*central"},
            "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
            "outputs": {"C": {"expression": "central"}, "R": {"expression": "K*central"}},
        }
        | tables
    )


OCC = [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]


def _k(result: EventsResult) -> Floats:
    """Return the rate constant at every observation."""
    return np.asarray(result.outputs["R"] / result.outputs["C"])


def test_effects_of_an_occasion_change_with_it() -> None:
    result = _run(_two_levels(), _table(3, OCC=OCC * 3), seed=4)
    assert result.occasion_etas is not None
    assert result.occasion_etas.shape == (3, 2, 2)
    kappa = result.occasion_etas[:, :, 1]
    expected = 0.1 * np.exp(np.repeat(kappa, [2, 3], axis=1)).ravel()
    np.testing.assert_allclose(_k(result), expected, rtol=1e-12)
    np.testing.assert_array_equal(result.occasion_etas[:, 0, 0], result.occasion_etas[:, 1, 0])
    assert np.unique(kappa).size == kappa.size
    assert not any("OCC" in w or "occasion" in w for w in result.warnings)


def test_draws_do_not_depend_on_threads_subjects_or_later_occasions() -> None:
    model = _two_levels()
    many = _run(model, _table(40, OCC=OCC * 40), seed=9, workers=2)
    again = _run(model, _table(40, OCC=OCC * 40), seed=9, workers=1)
    np.testing.assert_array_equal(many.outputs["C"], again.outputs["C"])
    few = _run(model, _table(3, OCC=OCC * 3), seed=9)
    np.testing.assert_array_equal(many.outputs["C"][:15], few.outputs["C"])
    one = _run(model, _table(3, OCC=[5.0] * 21), seed=9)
    np.testing.assert_array_equal(one.etas, few.etas)


def test_variance_of_an_occasion_is_that_of_the_model() -> None:
    result = _run(_two_levels(), _table(4000, OCC=OCC * 4000), seed=2)
    assert result.occasion_etas is not None
    kappa = result.occasion_etas[:, :, 1]
    np.testing.assert_allclose(kappa.var(axis=0), 0.09, rtol=0.1)
    assert abs(np.corrcoef(kappa.T)[0, 1]) < 0.05


def test_an_occasion_that_comes_back_is_the_same() -> None:
    result = _run(_two_levels(), _table(1, OCC=[2.0, 2.0, 1.0, 1.0, 1.0, 2.0, 2.0]))
    k = _k(result)
    np.testing.assert_allclose([k[0], k[1]], [k[3], k[2]], rtol=1e-12)
    assert k[0] != pytest.approx(k[1])


def test_given_effects_by_occasion() -> None:
    etas = np.zeros((2, 2, 2))
    etas[:, 1, 1] = [0.5, -0.5]
    result = _run(_two_levels(), _table(2, OCC=OCC * 2), etas=etas)
    expected = 0.1 * np.exp(np.repeat([0.0, 0.5, 0.0, -0.5], [2, 3, 2, 3]))
    np.testing.assert_allclose(_k(result), expected, rtol=1e-12)
    with pytest.raises(InputError, match="2 occasions"):
        simulate_events(_two_levels(), _table(2, OCC=OCC * 2), etas=etas[:, :1])


def test_typical_and_another_name_of_the_column() -> None:
    table = _table(2, PERIOD=OCC * 2)
    np.testing.assert_allclose(
        _k(_run(_two_levels(), table, typical=True, occasion="period")), 0.1, rtol=1e-12
    )
    assert np.unique(_k(_run(_two_levels(), table, occasion="period")).round(9)).size == 4
    one = _run(_two_levels(), table)  # no column OCC: one occasion, and it is said
    assert any("one occasion" in w for w in one.warnings)


def test_occasions_are_checked() -> None:
    with pytest.raises(InputError, match="occasion is missing"):
        simulate_events(_two_levels(), _table(1, OCC=[1.0, np.nan, *OCC[2:]]))
    correlated = _two_levels(covariances=[{"between": ["eta_KA", "kappa_K"], "correlation": 0.5}])
    with pytest.raises(InputError, match="are correlated"):
        simulate_events(correlated, _table(1, OCC=OCC))


# --- endpoints


@pytest.mark.parametrize("hidden", [False, True])
def test_endpoints_of_windows_are_those_of_a_regimen(compartments: Make, hidden: bool) -> None:
    outputs = {"C": OUTPUTS["C"]}
    if hidden:  # an output that is not linear sends the model to the solver
        outputs["Q"] = {"expression": "central^2/V", "unit": ""}
    model = compartments(2, outputs=outputs)
    asked: dict[str, Any] = {
        "thresholds": {"C": [0.4]}, "inhibition": {"C": (0.5, 1.2)}, "ode": OdeOptions(rtol=1e-10)
    }  # fmt: skip
    events = events_from_columns(
        ["a"] * 2 + ["b"] * 1, [0.0, 3.0, 0.0], [1, 0, 1], [80.0, 0, 40.0],
        route=["oral"] * 3, interval=[12.0, 0, 8.0], additional=[3, 0, 1],
    )  # fmt: skip
    result = _run(model, events, windows="doses", **asked)
    frame = result.endpoints().filter(pl.col("output") == "C")
    first = frame.filter(pl.col("subject") == "a")
    assert first["window_start"].to_list() == [0, 12, 24, 36]
    assert first["window_end"].to_list() == [12, 24, 36, 48]
    assert frame.filter(pl.col("subject") == "b")["window_end"].to_list() == [8, 16]
    spans = list(zip(first["window_start"], first["window_end"], strict=True))
    book = simulate(model, "80 mg via oral q12h x4", windows=spans, times=[0.0], **asked)
    wanted = book.endpoints().filter(pl.col("output") == "C")
    names = ["Cmax", "tmax", "AUC", "Cavg", "Ctrough", "Cmin", "time above 0.4",
             "mean inhibition (IC50 0.5, Hill 1.2)"]  # fmt: skip
    for name in names:
        np.testing.assert_allclose(first[name], wanted[name], rtol=1e-7, err_msg=name)
    np.testing.assert_array_equal(result.endpoint("AUC")[:4], first["AUC"])
    np.testing.assert_array_equal(result.endpoint("time above 0.4")[:4], first["time above 0.4"])


def test_the_same_windows_for_all(compartments: Make) -> None:
    result = _run(compartments(1), _table(), windows=[(1.0, 11.0), (12.0, 48.0)])
    frame = result.endpoints()
    assert frame["subject"].to_list() == ["1", "1", "2", "2"]
    assert frame["window_end"].to_list() == [11, 48, 11, 48]  # after the last record as well
    dense = np.linspace(12.0, 48.0, 3601)
    fine = simulate(
        compartments(1), "100 mg via oral q12h x1", times=dense, windows=[(12.0, 48.0)]
    ).outputs["C"][0]
    later = simulate(compartments(1), "50 mg via oral", times=dense - 12.0).outputs["C"][0]
    total = fine + later
    assert frame["Cmax"][1] == pytest.approx(total.max(), rel=1e-5)
    area = float(((total[1:] + total[:-1]) / 2 * np.diff(dense)).sum())
    assert frame["AUC"][1] == pytest.approx(area, rel=1e-5)


def test_windows_do_not_change_rows_and_other_units_give_the_same(compartments: Make) -> None:
    plain = _run(compartments(2), _table())
    with_windows = _run(compartments(2), _table(), windows="doses")
    np.testing.assert_allclose(plain.outputs["C"], with_windows.outputs["C"], rtol=1e-12)
    per_day = {k: v * 24 for k, v in
               {"CL": 5.0, "KA": 1.3, "Q2": 8.0, "Q3": 1.5}.items()}  # fmt: skip
    per_day |= {"LAG": 0.7 / 24, "D": 2.5 / 24, "R": 30.0 * 24}
    days = compartments(2, per_day, units={"time": "day", "amount": "mg"})
    other = _run(days, _table(), windows="doses")
    for name in ("Cmax", "tmax", "AUC", "Ctrough"):
        np.testing.assert_allclose(other.endpoint(name), with_windows.endpoint(name), rtol=1e-9)


def test_intervals_end_at_resets_and_start_at_every_dose(compartments: Make) -> None:
    events = events_from_columns(
        ["a"] * 4, [0.0, 20.0, 20.0, 40.0], [1, 3, 1, 0], [80.0, 0, 40.0, 0], route=["oral"] * 4,
        interval=[12.0, 0, 0, 0], additional=[3, 0, 0, 0],
    )  # fmt: skip
    frame = _run(compartments(1), events, windows="doses").endpoints()
    assert frame["window_start"].to_list() == [0, 12, 20]
    assert frame["window_end"].to_list() == [12, 20, 40]


def test_one_failure_is_a_status_in_the_endpoints(compartments: Make) -> None:
    values = {"W": {"unit": "", "reference": 1.0}}
    process = [{"kind": "bolus", "into": "depot", "lag": "log(W)"}]
    model = compartments(1, covariates=values, inputs={"oral": process})
    table = _table(2, W=[1.0] * 7 + [-1.0] * 7)
    result = simulate_events(model, table, windows=[(1.0, 9.0)])
    frame = result.endpoints()
    assert frame["status"][0] == "ok"
    assert "lag" in frame["status"][1]
    assert np.isfinite(frame["AUC"][0])
    assert np.isnan(frame["AUC"][1])


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ("days", "are no windows"),
        ([(0.0, 12.0)], "before the first record of subject 2"),
        ([(5.0, 5.0)], "a start and a later end"),
        ([(1.0, np.inf)], "a start and a later end"),
    ],
)
def test_windows_are_checked(compartments: Make, windows: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate_events(compartments(1), _table(), windows=windows)


def test_windows_and_a_clock_that_goes_back(compartments: Make) -> None:
    events = events_from_columns(["a"] * 3, [0.0, 20.0, 5.0], [1, 0, 4], [80.0, 0, 40.0])
    with pytest.raises(InputError, match="goes back at a reset"):
        simulate_events(compartments(1), events, windows="doses")


def test_endpoints_need_windows(compartments: Make) -> None:
    result = _run(compartments(1), _table())
    with pytest.raises(InputError, match="no windows were asked for"):
        result.endpoints()
    with pytest.raises(UnknownNameError):
        result.endpoint("AUC")


def test_order_of_subjects_does_not_matter(compartments: Make) -> None:
    table = _table()
    turned = np.concatenate([np.arange(7, 14), np.arange(7)])
    ids = np.repeat(["1", "2"], 7)[turned].tolist()
    other = events_from_columns(
        ids, table.time[turned], table.evid[turned], table.amount[turned], route=["oral"] * 14
    )
    one = _run(compartments(2), table, windows="doses")
    two = _run(compartments(2), other, windows="doses")
    np.testing.assert_array_equal(one.outputs["C"], np.roll(two.outputs["C"], 5))
    np.testing.assert_array_equal(one.endpoint("AUC"), np.roll(two.endpoint("AUC"), 2))


# --- what solutions show, and files


def test_values_below_zero_are_said(compartments: Make) -> None:
    """A concentration that oscillates through zero: the equations allow it, and it is said."""
    model = build_model(
        {
            "id": "test/below",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"K": {"value": 1.0}},
            "dynamics": {"x": "-K*y", "y": "K*x + 0*x*y", "z": "-z*z/(1 + z)"},
            "inputs": {"iv": [{"kind": "bolus", "into": "x"}]},
            "outputs": {
                "CP": {"expression": "x", "unit": "mg/L"},
                "L": {"expression": "log(x + z)"},
            },
        }
    )
    result = simulate(model, "1 mg", times=np.linspace(0, 5, 11), windows=[])
    assert any("CP falls to" in w and "below zero" in w for w in result.warnings)
    assert any("L is not a finite number in" in w for w in result.warnings)
    events = events_from_columns(["1"] * 2, [0.0, 3.0], [1, 0], [1.0, 0.0])
    assert any("below zero" in w for w in simulate_events(model, events).warnings)


def test_results_show_themselves_and_are_written(compartments: Make, tmp_path: Path) -> None:
    result = _run(compartments(1), _table(), windows="doses")
    html = result._repr_html_()
    assert "<table>" in html
    assert "solved in closed form" in html
    result.to_parquet(tmp_path / "rows.parquet")
    assert pl.read_parquet(tmp_path / "rows.parquet").equals(result.to_polars())
    profiles = simulate(compartments(1), "100 mg", n=3)
    assert "AUC" in profiles._repr_html_()
    profiles.to_parquet(tmp_path / "p.parquet")
    assert pl.read_parquet(tmp_path / "p.parquet").height == profiles.times.size * 3
    with pytest.raises(InputError, match="cannot be written"):
        result.to_parquet(tmp_path / "missing" / "p.parquet")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["p.parquet", "rows.parquet"]


def test_markup_in_names_is_escaped(compartments: Make) -> None:
    result = _run(compartments(1, id="<b>x"), _table())
    assert "&lt;b&gt;x" in result._repr_html_()
