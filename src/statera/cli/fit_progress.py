"""How far a fit is, on standard error, and how it is stopped."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from statera.cli.progress import progress_bar
from statera.cli.stopping import asked_to_stop
from statera.cli.terminal import is_lively

if TYPE_CHECKING:
    from statera.estimate import Iteration

__all__ = ["Watch", "watched"]

_STOPPING = "stopping after this iteration; press Ctrl-C again to leave at once"

_RARE = 10  # sampling takes many short iterations

Watch = Callable[["Iteration"], None]


@contextmanager
def watched(*, quiet: bool = False) -> Iterator[Watch]:
    """Yield what a fit calls after each iteration: it shows the iteration, and stops when asked.

    A terminal gets one moving line, anything else a line for each iteration; `quiet` shows none.
    The first Ctrl-C lets the running iteration end, so that its result is not lost: the callback
    then raises KeyboardInterrupt, which `statera.estimate.fit` takes as the wish to stop. The
    second one interrupts at once.
    """
    with asked_to_stop(_STOPPING) as asked, progress_bar(quiet=quiet) as moving:
        plain = not quiet and not is_lively(sys.stderr)
        if plain:
            typer.echo(_row("iteration", "objective", "gradient"), err=True)

        def show(at: Iteration) -> None:
            number = str(at.number)
            if math.isfinite(at.objective):
                value, slope = f"{at.objective:.4f}", f"{at.gradient:.3g}"
                told, line = f"objective {value}, gradient {slope}", _row(number, value, slope)
            else:  # a method that samples has neither while it runs
                told = f"fixed effects {', '.join(f'{x:.4g}' for x in at.theta)}"
                line = f"{number:>9}  {told}" if at.number % _RARE == 0 else ""
            if plain and line:
                typer.echo(line, err=True)
            moving(f"iteration {number}, {told}", None)
            if asked():
                raise KeyboardInterrupt

        yield show


def _row(number: str, value: str, slope: str) -> str:
    return f"{number:>9}  {value:>14}  {slope:>9}"
