"""Quality control: clean wells keep their events, injected faults are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from statera.cytometry.channel_limits import at_limit, channel_limits
from statera.cytometry.fcs_layout import Channel
from statera.cytometry.panel import Panel
from statera.cytometry.quality import QualityOptions, check_quality, few_events
from statera.cytometry.read_fcs import FcsFile

NAMES = ("FSC-A", "SSC-A", "FITC-A", "APC-A", "Time")
PANEL = Panel("FSC-A", "", "SSC-A", "", "Time", {"CD3": "FITC-A"}, {"pSTAT3": "APC-A"}, {})


def events(n: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    stained = rng.random(n) < 0.6
    out = np.empty((5, n))
    out[0] = 90_000.0 * (1.0 + 0.1 * rng.normal(size=n))
    out[1] = 30_000.0 * (1.0 + 0.14 * rng.normal(size=n))
    out[2] = np.where(stained, 8000.0, 120.0) * np.exp(0.4 * rng.normal(size=n))
    out[3] = 250.0 * np.exp(0.4 * rng.normal(size=n))
    out[4] = np.sort(rng.uniform(0.0, 60.0, n))
    return out


def file(values: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> FcsFile:
    channels = tuple(
        Channel(i, name, "", "float", 32, 262_144.0) for i, name in enumerate(NAMES, start=1)
    )
    order = np.argsort(values[4], kind="stable")
    return FcsFile(Path("A01.fcs"), "FCS3.1", {}, channels, values[:, order], ())


def test_clean_wells_lose_nearly_nothing() -> None:
    removed = wells = 0
    for seed in range(60):
        report = check_quality(file(events(5000, seed)), PANEL)
        removed += report.counts["total"]
        wells += bool(report.flags)
    assert removed < 0.0005 * 60 * 5000
    assert wells <= 1


def _bubble(x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, tuple[float, float]]:
    x = x[:, (x[4] < 20) | (x[4] > 22)]
    burst = x[:, rng.integers(0, x.shape[1], x.shape[1] // 20)].copy()
    burst[4] = rng.uniform(22.0, 22.7, burst.shape[1])
    burst[2:4] *= 0.5
    return np.concatenate([x, burst], axis=1), (22.0, 22.7)


def _clog(x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, tuple[float, float]]:
    slow = (x[4] > 30) & (x[4] < 36) & (rng.random(x.shape[1]) < 0.7)
    return x[:, ~slow], (30.0, 36.0)


def _drift(x: np.ndarray, _: np.random.Generator) -> tuple[np.ndarray, tuple[float, float]]:
    x[2:4] *= 1.0 + 0.4 * np.clip((x[4] - 40) / 20, 0, 1)
    return x, (50.0, 60.0)


def _step(x: np.ndarray, _: np.random.Generator) -> tuple[np.ndarray, tuple[float, float]]:
    x[3] *= np.where(x[4] > 45, 1.4, 1.0)
    return x, (45.0, 60.0)


@pytest.mark.parametrize("fault", [_bubble, _clog, _drift, _step])
@pytest.mark.parametrize("n", [5000, 30_000])
def test_faults_are_found(fault, n) -> None:  # type: ignore[no-untyped-def]
    hit, lost = [], []
    for seed in range(5):
        values, (start, end) = fault(events(n, seed), np.random.default_rng(seed))
        well = file(values)
        report = check_quality(well, PANEL)
        bad = (well.channel("Time") > start) & (well.channel("Time") < end)
        hit.append((~report.keep & bad).sum() / bad.sum())
        lost.append((~report.keep & ~bad).sum() / (~bad).sum())
        assert any(f.rule in ("flow_rate", "drift") for f in report.flags)
    assert np.mean(hit) > 0.75
    assert np.mean(lost) < 0.13


def test_a_drift_through_the_whole_file_is_said_and_nothing_left_out() -> None:
    values = events(20_000, 1)
    values[3] *= np.exp(values[4] / 60.0)
    report = check_quality(file(values), PANEL)
    assert report.counts["drift"] == 0
    assert any("nothing is left out" in f.sentence for f in report.flags)


def test_margins_are_those_declared_and_never_the_observed_extreme() -> None:
    values = events(2000, 2)
    assert check_quality(file(values), PANEL).counts["margin"] == 0
    values[0, :7] = 262_144.0
    values[2, 7:9] = 300_000.0
    report = check_quality(file(values), PANEL)
    assert report.counts["margin"] == 9
    assert (~report.keep).sum() == 9
    said = [f.sentence for f in report.flags if f.rule == "margin"]
    assert any(s.startswith("7 events (0.35 %) at the limits of FSC-A") for s in said)
    cut = check_quality(file(values), PANEL, QualityOptions(negative_floor=60.0))
    assert cut.counts["margin"] > 9


def test_limits_of_integers_and_floats() -> None:
    linear = Channel(1, "FSC-H", "", "integer", 16, 1024.0)
    log = Channel(2, "FL1-H", "", "integer", 16, 1024.0, 4.0, 1.0)
    assert channel_limits(linear) == (0.0, 1023.0)
    assert channel_limits(log)[0] == 1.0
    assert channel_limits(log)[1] == pytest.approx(10 ** (4 * 1023 / 1024))
    assert channel_limits(Channel(3, "Time", "", "float", 32, 262_144.0)) == (-np.inf, np.inf)
    below, above = at_limit(np.array([1.0, 5.0, 10 ** (4 * 1023 / 1024)]), log)
    assert below.tolist() == [True, False, False]
    assert above.tolist() == [False, False, True]


def test_a_saturated_readout_is_flagged_and_kept() -> None:
    values = events(2000, 3)
    values[3, :100] = 262_144.0
    report = check_quality(file(values), PANEL)
    (flag,) = [f for f in report.flags if f.rule == "saturated"]
    assert "5.0 % of events lie at the top of pSTAT3" in flag.sentence
    assert report.counts["margin"] == 0


def test_missing_time_and_few_events_are_said() -> None:
    values = events(150, 4)
    whole = file(values)
    without = replace(whole, channels=whole.channels[:4], events=whole.events[:4])
    report = check_quality(without, PANEL)
    rules = {f.rule for f in report.flags}
    assert rules == {"time", "few_events"}
    still = values.copy()
    still[4] = 3.0
    assert any(
        "does not tell the time" in f.sentence for f in check_quality(file(still), PANEL).flags
    )
    assert any("too few to check" in f.sentence for f in check_quality(whole, PANEL).flags)
    none = check_quality(replace(whole, events=whole.events[:, :0]), PANEL)
    assert none.keep.size == 0


def test_time_that_goes_back_is_put_in_order() -> None:
    values = events(5000, 5)
    turned = np.roll(values, 2000, axis=1)
    whole = file(values)
    report = check_quality(replace(whole, events=turned), PANEL)
    assert report.counts["total"] == 0
    assert any("goes back 1 times" in f.sentence for f in report.flags)


def test_few_events_by_population() -> None:
    (flag,) = few_events({"CD4": 500, "CD8": 12})
    assert flag.sentence.startswith("CD8: 12 events, fewer than 200")


def test_an_unreadable_matrix_is_said_and_the_rest_checked() -> None:
    whole = replace(file(events(5000, 6)), keywords={"$SPILLOVER": "1,nothing,1"})
    report = check_quality(whole, PANEL)
    assert report.counts["total"] == 0
    assert any("drift is sought in signals as read" in f.sentence for f in report.flags)
