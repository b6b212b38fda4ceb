"""Progress of long work: shown on a terminal, silent anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from statera.cli.terminal import is_lively

__all__ = ["Progress", "progress_bar", "silent"]


class Progress(Protocol):
    """What long work calls to say how far it is."""

    def __call__(self, stage: str, fraction: float | None) -> None:
        """Report the stage and the share done, 0 to 1; None where the share is not known."""


def silent(stage: str, fraction: float | None) -> None:
    """Show nothing."""


@contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Progress]:
    """Yield a `Progress` that draws one line on standard error, and removes it at the end.

    Nothing is drawn where `quiet` is set, standard error is not a terminal, or NO_COLOR is set.
    """
    if quiet or not is_lively(sys.stderr):
        yield silent
        return
    from rich.console import Console  # not needed where nothing is drawn
    from rich.progress import (
        BarColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(stage: str, fraction: float | None) -> None:
            if fraction is None:
                bar.update(task, description=stage, total=None)
            else:
                share = min(max(fraction, 0.0), 1.0)
                bar.update(task, description=stage, total=1.0, completed=share)

        yield show
