"""Samples: found by their id, made once, the same bytes each time."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from statera.errors import UnknownNameError
from statera.web import samples


def test_a_made_sample_is_kept_and_made_alike(tmp_path: Path) -> None:
    first = samples.path("sample-plate-files", tmp_path / "one")
    changed = first.path.stat().st_mtime_ns
    assert samples.path("sample-plate-files", tmp_path / "one").path.stat().st_mtime_ns == changed
    second = samples.path("sample-plate-files", tmp_path / "two")
    assert first.sha256 == second.sha256
    assert first.size == first.path.stat().st_size
    with zipfile.ZipFile(first.path) as archive:
        assert len(archive.namelist()) == 48
    assert not [f for f in (tmp_path / "one").iterdir() if f.name.startswith(".")]


def test_every_sample_can_be_had(tmp_path: Path) -> None:
    for upload_id, sample in samples.SAMPLES.items():
        found = samples.path(upload_id, tmp_path)
        assert (found.id, found.name) == (upload_id, sample.name)
        assert found.size > 0


def test_an_unknown_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="sample-nothing"):
        samples.path("sample-nothing", tmp_path)
