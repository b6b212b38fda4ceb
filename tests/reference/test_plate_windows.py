"""Windows and IC50s of the synthetic pSTAT3 plate from its medians; skipped where absent."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from statera.assay.fit_curves import fit_curves, make_curves
from statera.assay.ic50 import Determination, Ic50Options, estimate_relative_and_absolute
from statera.assay.percent_inhibition import percent_inhibition
from statera.assay.plate_quality import plate_quality, z_prime
from statera.assay.window import judge_window

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "flow"
    / "synthetic_pstat3_plate"
)


def rows() -> list[dict[str, str]]:
    path = FOLDER / "expected_mfi_with_true_labels.csv"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_responders_are_within_their_intervals_and_the_others_refused() -> None:
    table = rows()
    truth = json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))["ic50_nM_donor"]
    signal = np.array([float(r["mfi"]) for r in table])
    group = np.array(["|".join((r["donor"], r["cyt"], r["pop"])) for r in table])
    low = np.array([r["cond"] == "unstim" for r in table])
    high = np.array([r["cond"] == "stim_DMSO" for r in table])
    dose = np.array([float(r["dose"]) for r in table])
    inhibition = percent_inhibition(signal, group, low, high)
    names = sorted(truth)
    assert len(names) == 12
    points = [(group == n) & ~low for n in names]
    curves = make_curves(
        [dose[k] for k in points], [100.0 - inhibition.value[k] for k in points], names=names
    )
    verdicts = [
        judge_window(signal[(group == n) & low], signal[(group == n) & high]) for n in names
    ]
    found = estimate_relative_and_absolute(fit_curves(curves), Ic50Options(absolute=50.0), verdicts)
    held = 0
    for name, pair, verdict in zip(names, found, verdicts, strict=True):
        if truth[name] is None:
            assert not verdict.accepted
            assert pair.relative.determination is Determination.REFUSED
            assert pair.absolute.determination is Determination.REFUSED
            assert "does not raise the signal" in pair.relative.sentence
            continue
        assert pair.relative.determination is Determination.DETERMINED, name
        assert pair.relative.profile is not None
        held += pair.relative.profile[0] <= truth[name] <= pair.relative.profile[1]
    assert held >= 9  # of ten, at 95 %


def test_spreads_are_blind_to_a_signal_that_falls() -> None:
    table = [r for r in rows() if r["donor"] == "D2" and r["cyt"] == "IL-15"]
    own = [r for r in table if r["pop"] == "CD11b"]
    u = [float(r["mfi"]) for r in own if r["cond"] == "unstim"]
    s = [float(r["mfi"]) for r in own if r["cond"] == "stim_DMSO"]
    assert z_prime(u, s, direction="either") > 0.3
    quality = plate_quality(u, s)
    assert not quality.upward
    assert np.isnan(quality.z_prime)
