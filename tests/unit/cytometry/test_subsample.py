"""Some events of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.subsample import subsample
from statera.errors import UsageError


def numbered(total: int) -> FcsFile:
    """A file whose events are their numbers."""
    return FcsFile(Path("x.fcs"), "FCS3.1", {}, (), np.arange(float(total))[None, :], ())


@given(total=st.integers(1, 500), n=st.integers(1, 600), seed=st.none() | st.integers(0, 2**31 - 1))
def test_events_are_distinct_in_order_and_the_same_again(
    total: int, n: int, seed: int | None
) -> None:
    file = numbered(total)
    found = subsample(file, n, seed)
    values = found.events[0]
    assert values.size == min(n, total)
    assert (np.diff(values) > 0).all()
    assert set(values) <= set(range(total))
    np.testing.assert_array_equal(subsample(numbered(total), n, seed).events, found.events)


def test_even_steps_cover_the_run() -> None:
    assert subsample(numbered(12), 4).events[0].tolist() == [1.0, 4.0, 7.0, 10.0]


def test_seeds_choose_differently_and_without_bias() -> None:
    file = numbered(100)
    chosen = [subsample(file, 10, seed).events[0] for seed in range(2000)]
    assert any((a != chosen[0]).any() for a in chosen[1:])
    counts = np.bincount(np.concatenate(chosen).astype(int), minlength=100)
    # 2 000 draws at 1 in 10: mean 200, standard deviation 13.4
    assert counts.min() > 140
    assert counts.max() < 260


def test_the_rest_is_let_go() -> None:
    found = subsample(numbered(1000), 10, 1)
    assert found.events.base is None
    assert found.events.flags.c_contiguous


def test_no_events_cannot_be_asked_for() -> None:
    with pytest.raises(UsageError, match="0 events"):
        subsample(numbered(5), 0)
