"""The verb itself: units of the model, grids, windows, and what the result says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.data import Dose, Regimen, parse_regimen
from statera.errors import UnknownNameError
from statera.model import Model, build_model
from statera.simulate import default_times, default_windows, simulate, structure_of

Make = Callable[..., Model]


def _per_unit(time: str, amount: str, hours: float, mg: float) -> Model:
    """One-compartment model with an indirect response, written in other units."""
    return build_model(
        {
            "id": "units",
            "units": {"time": time, "amount": amount},
            "parameters": {"K": {"value": 0.1 * hours}, "V": {"value": 20.0},
                           "KA": {"value": 0.9 * hours}, "LAG": {"value": 0.5 / hours}},
            "dynamics": {"depot": "-KA*depot", "central": "KA*depot - K*central"},
            "inputs": {
                "oral": [{"kind": "bolus", "into": "depot", "lag": "LAG"}],
                "zero": [{"kind": "zero_order", "into": "central", "duration": "4*LAG",
                          "bioavailability": f"{100 / mg}/({100 / mg} + AMT)"}],
            },
            "outputs": {"C": {"expression": f"central*{mg}/V", "unit": "mg/L"}},
            "dose": {"soft": {"max": 500 / mg}},
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("time", "amount", "hours", "mg"),
    [("day", "ug", 24.0, 1e-3), ("min", "g", 1 / 60, 1e3), ("week", "mg", 168.0, 1.0)],
)
@pytest.mark.parametrize(
    "dose",
    ["100 mg q12h x3", "100 mg via zero q8h x3", "60 mg over 3 h via central q8h x2",
     "100 mg q12h ss"],
)  # fmt: skip
def test_a_model_in_other_units_gives_the_same(
    time: str, amount: str, hours: float, mg: float, dose: str
) -> None:
    times = np.linspace(0.1, 30, 50)
    a = simulate(_per_unit("h", "mg", 1.0, 1.0), dose, times=times)
    b = simulate(_per_unit(time, amount, hours, mg), dose, times=times)
    np.testing.assert_allclose(b.outputs["C"], a.outputs["C"], rtol=1e-10)
    np.testing.assert_allclose(b.window_values["C"], a.window_values["C"], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(b.windows, a.windows)
    np.testing.assert_array_equal(b.times, times)


def test_range_of_doses_is_in_the_unit_of_the_model() -> None:
    result = simulate(_per_unit("h", "ug", 1.0, 1e-3), "600 mg")
    assert result.warnings == (
        "dose 600000 ug: outside the doses behind units (at most 500000 ug)",
    )


def test_default_windows() -> None:
    def spans(text: str) -> Any:
        return default_windows(parse_regimen(text)).tolist()

    assert spans("4 mg") == [[0, 24]]
    assert spans("4 mg q12h ss") == [[0, 12]]
    assert spans("4 mg q12h x5") == [[0, 12], [48, 60]]
    assert spans("8 mg q24h then 4 mg q12h x4") == [[0, 24], [60, 72]]


def test_default_times_cover_the_regimen_and_are_fine_after_doses() -> None:
    times = default_times(parse_regimen("4 mg q24h x14"))
    assert times[0] == 0
    assert times[-1] == 336
    assert (np.diff(times) > 0).all()
    assert np.diff(times).max() <= 1.0 + 1e-9
    after = times[(times >= 312) & (times <= 314)]
    assert np.diff(after).max() <= 0.1 + 1e-9
    assert default_times(parse_regimen("4 mg q24h x3000")).size < 5000


def test_regimen_that_starts_late(compartments: Make) -> None:
    """The initial state holds at time 0, whenever the first dose is."""
    model = compartments(1, initial={"central": "40"})
    regimen = Regimen((Dose(10.0, 40.0, "iv"),))
    result = simulate(model, regimen, times=[10.0, 20.0], windows=[(0.0, 20.0)])
    decay = np.exp(-0.125 * 10)
    np.testing.assert_allclose(result.outputs["C"][0], [1 + decay, (1 + decay) * decay])
    area = (1 - decay) / 0.125 + (1 + decay) * (1 - decay) / 0.125
    assert result.endpoint("AUC")[0] == pytest.approx(area)
    assert result.endpoint("Cmin")[0] == pytest.approx(decay)


def test_result_as_tables(compartments: Make) -> None:
    result = simulate(compartments(2), "100 mg q12h x3", n=2, times=[0.0, 1.0, 2.0])
    table = result.to_polars()
    assert table.columns == ["subject", "time", "C"]
    assert table["subject"].to_list() == [1, 1, 1, 2, 2, 2]
    assert table["C"].to_list() == result.outputs["C"].ravel().tolist()
    ends = result.endpoints()
    assert ends.shape == (4, 11)
    assert ends["status"].unique().to_list() == ["ok"]
    assert ends.filter(ends["window_start"] == 24)["Cmax"].to_list() == (
        result.endpoint("Cmax").tolist()
    )


def test_summary_of_endpoints(compartments: Make) -> None:
    model = compartments(
        1, random_effects={"eta": {"variance": 0.2}}, individual={"CLI": "CL*exp(eta)"},
        dynamics={"central": "-CLI/V*central"},
        inputs={"iv": [{"kind": "bolus", "into": "central"}]},
    )  # fmt: skip
    result = simulate(model, "100 mg q12h x3", n=50, times=[])
    row = result.summary((10, 90))["C.1.AUC"]
    auc = result.endpoint("AUC")
    assert row["n"] == 50
    assert row["unit"] == "mg*h/L"
    assert row["p10"] == pytest.approx(np.percentile(auc, 10))
    assert row["geometric_mean"] == pytest.approx(np.exp(np.log(auc).mean()))
    assert result.summary()["C.1.tmax"]["geometric_mean"] is None
    assert result.unit_of("tmax", "C") == "h"
    assert result.unit_of("Cmax", "C") == "mg/L"


def test_units_of_areas(compartments: Make) -> None:
    model = compartments(
        1, outputs={"A": {"expression": "central", "unit": "mg"}, "B": {"expression": "central"}}
    )
    result = simulate(model, "1 mg", times=[])
    assert result.unit_of("AUC", "A") == "mg*h"
    assert result.unit_of("AUC", "B") == "h"


def test_unknown_endpoint_and_output(compartments: Make) -> None:
    result = simulate(compartments(1), "1 mg", times=[])
    with pytest.raises(UnknownNameError, match="no endpoint is called 'cmx'"):
        result.endpoint("cmx")
    with pytest.raises(UnknownNameError, match="no output is called 'D'"):
        result.endpoint("Cmax", "D")
    with pytest.raises(UnknownNameError, match="no output is called 'D'"):
        result.percentiles("D")


def test_structure_is_analysed_once(compartments: Make) -> None:
    model = compartments(1)
    assert structure_of(model) is structure_of(model)
    assert structure_of(compartments(1)) is not structure_of(model)


def test_percentiles_bracket_the_median(compartments: Make) -> None:
    model = compartments(
        1, random_effects={"eta": {"variance": 0.2}}, individual={"VI": "V*exp(eta)"},
        outputs={"C": {"expression": "central/VI"}},
    )  # fmt: skip
    result = simulate(model, "100 mg", n=200, times=[1.0, 5.0])
    low, middle, high = result.percentiles("C")
    assert (low < middle).all()
    assert (middle < high).all()
