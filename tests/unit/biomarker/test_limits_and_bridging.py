from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from statera.biomarker.bridging import bridge
from statera.biomarker.lod import LodPolicy, apply_lod_policy
from statera.biomarker.measurements import Measurements
from statera.biomarker.olink_lod import add_negative_control_lod
from statera.biomarker.olink_npx import NpxOptions, measurements_of_npx
from statera.errors import InputError, UsageError


def measured(values: Any, lod: Any, scale: Any = "log2", prefix: str = "S") -> Measurements:
    table = np.asarray(values, dtype=float)
    limit = np.broadcast_to(np.asarray(lod, dtype=float), table.shape).copy()
    n, m = table.shape
    none = np.zeros(table.shape, dtype=bool)
    return Measurements(
        table, table < limit, limit, pl.DataFrame({"sample": [f"{prefix}{i}" for i in range(n)]}),
        pl.DataFrame({"analyte": [f"A{j}" for j in range(m)]}), scale, none, none.copy(),
    )  # fmt: skip


VALUES = [[1.0, 5.0], [3.0, 6.0], [0.5, 7.0], [4.0, 1.0]]


def test_keep_and_flag_change_nothing_but_say_so() -> None:
    data = measured(VALUES, 2.0)
    for name, share, flagged in (("keep", 0.5, ()), ("flag", 0.5, ()), ("flag", 0.49, ("A0",))):
        found = apply_lod_policy(data, LodPolicy(name, largest_share=share))  # type: ignore[arg-type]
        np.testing.assert_array_equal(found.measurements.values, data.values)
        assert found.share_below.tolist() == [0.5, 0.25]
        assert found.flagged_analytes == flagged
        assert len(found.measurements.notes) == 1
        assert not found.censored.any()


@pytest.mark.parametrize(
    ("replacement", "log2", "linear"),
    [("limit", 2.0, 2.0), ("half", 1.0, 1.0), ("over-sqrt-2", 1.5, 2.0 / np.sqrt(2.0))],
)
def test_substitution_is_on_the_right_scale(replacement: Any, log2: float, linear: float) -> None:
    policy = LodPolicy("substitute", replacement)
    for scale, wanted in (("log2", log2), ("linear", linear)):
        found = apply_lod_policy(measured(VALUES, 2.0, scale), policy).measurements.values
        assert found[0, 0] == pytest.approx(wanted, rel=1e-15)
        assert found[1, 0] == 3.0


def test_censored_values_are_handed_on_with_their_limit() -> None:
    found = apply_lod_policy(measured(VALUES, 2.0), LodPolicy("censored"))
    assert found.censored.tolist() == [[True, False], [False, False], [True, False], [False, True]]
    np.testing.assert_array_equal(np.isnan(found.measurements.values), found.censored)
    assert (found.measurements.lod == 2.0).all()


def test_exclusion_names_what_left() -> None:
    found = apply_lod_policy(measured(VALUES, 2.0), LodPolicy("exclude", largest_share=0.49))
    assert found.measurements.analyte_ids == ("A1",)
    assert found.flagged_analytes == ("A0",)
    assert "A0" in found.measurements.notes[0]
    kept = apply_lod_policy(measured(VALUES, 2.0), LodPolicy("exclude", largest_share=0.5))
    assert kept.measurements.analyte_ids == ("A0", "A1")


def test_policies_refuse_what_they_cannot_do() -> None:
    with pytest.raises(UsageError, match="Known: keep"):
        LodPolicy("drop")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="share"):
        LodPolicy("flag", largest_share=50)
    with pytest.raises(InputError, match="not positive"):
        apply_lod_policy(measured([[-3.0]], -2.0, "linear"), LodPolicy("substitute"))
    data = measured(VALUES, 2.0)
    data.lod[0, 0] = np.nan
    for name in ("substitute", "censored"):
        with pytest.raises(InputError, match="unknown limit of detection in 1 analytes: A0"):
            apply_lod_policy(data, LodPolicy(name))  # type: ignore[arg-type]


def test_a_shift_between_projects_is_taken_off() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(5, 1, (12, 3))
    shift = np.array([0.7, -1.2, 0.0])
    found = bridge(measured(truth, 4.0), measured(truth - shift, 4.0 - shift))
    np.testing.assert_allclose(found.adjustment, shift, atol=1e-12)
    np.testing.assert_allclose(found.measurements.values, truth, atol=1e-12)
    np.testing.assert_allclose(found.measurements.lod, 4.0, atol=1e-12)
    assert found.pairs.tolist() == [12, 12, 12]
    assert found.status == ("ok",) * 3


def test_bridging_uses_the_median_and_names_what_it_cannot_bridge() -> None:
    first, second = np.zeros((9, 2)), np.zeros((9, 2))
    first[:, 0] = [1, 1, 1, 1, 1, 1, 1, 1, 50]
    first[0:2, 1] = np.nan
    found = bridge(measured(first, -9.0), measured(second, -9.0))
    assert found.adjustment[0] == 1.0
    assert found.status == ("ok", "too few bridge samples")
    assert np.isnan(found.measurements.values[:, 1]).all()
    with pytest.raises(InputError, match="there are 3 bridge samples, and 8"):
        bridge(measured(first, 0), measured(second, 0), ["S1", "S2", "S3"])
    with pytest.raises(InputError, match="not in both projects: T1"):
        bridge(measured(first, 0), measured(second, 0), ["T1"])
    with pytest.raises(InputError, match="log2"):
        bridge(measured(first, 0, "linear"), measured(second, 0))


def explore(controls: int = 10, counts: int = 200) -> pl.DataFrame:
    """Two plates, one assay: controls at NPX 0, 0.1, ..., samples far above."""
    rows = []
    for i in range(controls):
        rows.append((f"NC{i}", "NEGATIVE_CONTROL", f"P{i % 2}", counts, 0.1 * i, 0.1 * i))
    for i in range(6):
        rows.append((f"S{i}", "SAMPLE", f"P{i % 2}", 2**i * 100, 1.0 * i, 1.0 * i))
    names = ("SampleID", "SampleType", "PlateID", "Count", "NPX", "PCNormalizedNPX")
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(OlinkID=pl.lit("OID1"))


def test_limit_from_negative_controls() -> None:
    found = add_negative_control_lod(explore())["NCLOD"].to_numpy()
    wanted = 0.45 + 3 * np.std(0.1 * np.arange(10), ddof=1)
    np.testing.assert_allclose(found, wanted)
    # controls that hardly vary: the rise is 0.2
    flat = explore().with_columns(
        PCNormalizedNPX=pl.when(pl.col("SampleType") == "SAMPLE").then("PCNormalizedNPX")
        .otherwise(0.3)
    )  # fmt: skip
    np.testing.assert_allclose(add_negative_control_lod(flat)["NCLOD"].to_numpy(), 0.5)


@pytest.mark.parametrize(("counts", "least"), [(150, 300.0), (75, 150.0), (76, 152.0), (1, 150.0)])
def test_limit_of_few_counts(counts: int, least: float) -> None:
    frame = add_negative_control_lod(explore(counts=counts))
    samples = frame.filter(pl.col("SampleType") == "SAMPLE")
    own = samples["PCNormalizedNPX"].to_numpy() + np.log2(least / samples["Count"].to_numpy())
    np.testing.assert_allclose(samples["NCLOD"].to_numpy(), own)
    # counts and NPX are in step here, so that all rows have one limit
    np.testing.assert_allclose(samples["NCLOD"].to_numpy(), np.log2(least / 100.0))


def test_151_counts_are_enough_for_a_limit_of_npx() -> None:
    found = add_negative_control_lod(explore(counts=151))["NCLOD"].to_numpy()
    np.testing.assert_allclose(found, 0.45 + 3 * np.std(0.1 * np.arange(10), ddof=1))


def test_intensity_normalised_limits_lose_the_median_of_their_plate() -> None:
    plain = add_negative_control_lod(explore())["NCLOD"].to_numpy()
    frame = explore().with_columns(Normalization=pl.lit("Intensity"))
    found = add_negative_control_lod(frame)
    medians = np.where(found["PlateID"].to_numpy() == "P0", 2.0, 3.0)  # of 0, 2, 4 and 1, 3, 5
    np.testing.assert_allclose(found["NCLOD"].to_numpy(), plain - medians)
    used = measurements_of_npx(found, NpxOptions(lod_column="NCLOD"))
    assert used.sample_ids == tuple(f"S{i}" for i in range(6))
    assert np.isfinite(used.lod).all()


def test_too_few_negative_controls() -> None:
    with pytest.raises(InputError, match="there are 9 negative controls"):
        add_negative_control_lod(explore(9))
    with pytest.raises(InputError, match="no column Count"):
        add_negative_control_lod(explore().drop("Count"))
