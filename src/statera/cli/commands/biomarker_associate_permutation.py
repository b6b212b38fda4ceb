"""Permutation of labels on the command line: how far it is, and Ctrl-C to stop it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer

from statera.cli.progress import progress_bar
from statera.cli.stopping import asked_to_stop
from statera.cli.terminal import is_lively

if TYPE_CHECKING:
    from statera.biomarker.analysis import AnalysisOptions
    from statera.biomarker.permutation import PermutationOptions, PermutationTests
    from statera.biomarker.sample_table import SampleColumns

__all__ = ["permute"]

_STOPPING = "stopping after these permutations; press Ctrl-C again to leave at once"
_PAUSE = 30.0
"""Seconds after which a line is written in any case."""


def permute(
    samples: SampleColumns,
    options: AnalysisOptions,
    permutation: PermutationOptions,
    block: str | None,
    *,
    quiet: bool,
) -> PermutationTests:
    """Return the tests of all permutations, or of those done when Ctrl-C was pressed.

    A terminal shows one moving line: how many are done, how long the others will take, and the
    smallest p-value so far that holds the family-wise error. Anything else gets a line at the
    beginning, at each tenth and after each half minute.
    """
    from statera.biomarker.permuted_analysis import stream_permuted_analysis  # heavy

    stream = stream_permuted_analysis(samples, options, permutation, block)
    plain = not quiet and not is_lively(sys.stderr)
    with asked_to_stop(_STOPPING) as asked, progress_bar(quiet=quiet) as moving:
        moving("fitting the models without the labels", None)
        found = next(stream)
        start, first = time.perf_counter(), found.permutations
        told, since = -1, start
        while not asked():
            tenth, now = 10 * found.permutations // found.requested, time.perf_counter()
            if plain and (tenth > told or now - since > _PAUSE):
                typer.echo(_said(found, start, first), err=True)
                told, since = tenth, now
            moving(_said(found, start, first), found.permutations / found.requested)
            following = next(stream, None)
            if following is None:
                break
            found = following
    return found


def _said(found: PermutationTests, start: float, first: int) -> str:
    import numpy as np  # heavy: only when run

    least = min(
        (float(np.nanmin(t.adjusted_p)) for t in found.terms if np.isfinite(t.adjusted_p).any()),
        default=float("nan"),
    )
    done = found.permutations - first
    left = ""
    if done:
        seconds = (time.perf_counter() - start) / done * (found.requested - found.permutations)
        left = f", {_duration(seconds)} left"
    return (
        f"permutations: {found.permutations} of {found.requested}{left}; smallest family-wise p "
        f"so far {least:.2g}"
    )


def _duration(seconds: float) -> str:
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
