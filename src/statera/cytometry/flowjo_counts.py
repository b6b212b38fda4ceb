"""Counts of a workspace's populations: exact, on bins, and those that FlowJo stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.flowjo import FlowJoSample
from statera.cytometry.flowjo_bins import BinOptions, binned_strategy
from statera.cytometry.gates import BooleanGate, Gate
from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.strategy import GatingStrategy, apply_gates, populations_of
from statera.errors import StateraError

__all__ = ["CountComparison", "CountOptions", "CountRow", "compare_counts", "sample_masks"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CountOptions:
    """How events are told to lie in polygons and ellipses.

    Attributes
    ----------
    method
        ``exact`` tests each event, ``binned`` each bin of the plot, as FlowJo does.
    bins
        The grid for ``binned``.
    """

    method: Literal["exact", "binned"] = "exact"
    bins: BinOptions = field(default_factory=BinOptions)


@dataclass(frozen=True)
class CountRow:
    """Counts of one population.

    Attributes
    ----------
    population
        Its path.
    exact, binned
        Events counted here; None where the gates could not be applied.
    stored
        Events that FlowJo counted; None where it had not.
    reason
        Why there is no count.
    """

    population: str
    exact: int | None
    binned: int | None
    stored: int | None
    reason: str = ""

    @property
    def exact_difference(self) -> int | None:
        """Exact count less the stored one."""
        return None if None in (self.exact, self.stored) else _less(self.exact, self.stored)

    @property
    def binned_difference(self) -> int | None:
        """Binned count less the stored one."""
        return None if None in (self.binned, self.stored) else _less(self.binned, self.stored)


def _less(count: int | None, stored: int | None) -> int:
    return (count or 0) - (stored or 0)


@dataclass(frozen=True)
class CountComparison:
    """Counts of a sample.

    Attributes
    ----------
    sample
    events, stored_events
        Of the file, and of the sample by FlowJo.
    rows
    """

    sample: str
    events: int
    stored_events: int | None
    rows: tuple[CountRow, ...]

    def __str__(self) -> str:
        """Return a table."""
        heads = ("exact", "binned", "stored", "exact - stored", "binned - stored")
        width = max([len(row.population) for row in self.rows], default=0) + 2
        lines = [f"{self.sample}: {self.events} events, {_shown(self.stored_events)} stored"]
        lines.append(" " * width + "".join(f"{head:>17}" for head in heads))
        for row in self.rows:
            numbers = (
                row.exact,
                row.binned,
                row.stored,
                row.exact_difference,
                row.binned_difference,
            )
            cells = "".join(f"{_shown(n):>17}" for n in numbers)
            lines.append(f"{row.population:<{width}}{cells}  {row.reason}".rstrip())
        return "\n".join(lines)


def _shown(count: int | None) -> str:
    return "none" if count is None else str(count)


def sample_masks(
    sample: FlowJoSample, file: FcsFile, options: CountOptions | None = None
) -> dict[str, Mask]:
    """Return which events of a file lie in each population, by path.

    Parameters
    ----------
    sample
        Of a workspace.
    file
        With values as read, not compensated.
    options
        Exact by default.

    Returns
    -------
    dict
        (n_events,) bool by path.

    Raises
    ------
    UnknownNameError
        If a channel is not in the file.
    """
    return apply_gates(_chosen(sample, options or CountOptions()), file)


def _chosen(sample: FlowJoSample, options: CountOptions) -> GatingStrategy:
    if options.method == "binned":
        return binned_strategy(sample.strategy, options.bins)
    return sample.strategy


def compare_counts(
    sample: FlowJoSample, file: FcsFile, bins: BinOptions | None = None
) -> CountComparison:
    """Return exact, binned and stored counts of all populations of a sample.

    A population that cannot be counted has its reason on its row; those that were not taken over
    from the workspace are rows too.
    """
    exact, reasons = _counts(sample.strategy, file)
    options = CountOptions("binned", bins or BinOptions())
    binned, _ = _counts(_chosen(sample, options), file)
    made = set(sample.strategy.populations)
    rows = []
    for path, stored in sample.counts.items():
        reason = reasons.get(path, "") if path in made else "not taken over from the workspace"
        rows.append(CountRow(path, exact.get(path), binned.get(path), stored, reason))
    return CountComparison(sample.name, file.n_events, sample.total, tuple(rows))


def _counts(strategy: GatingStrategy, file: FcsFile) -> tuple[dict[str, int], dict[str, str]]:
    try:
        return {name: int(mask.sum()) for name, mask in apply_gates(strategy, file).items()}, {}
    except StateraError:
        found: dict[str, int] = {}
        reasons: dict[str, str] = {}
        home = {name: gate for gate in strategy.gates for name in populations_of(gate)}
        for name in strategy.populations:
            part = GatingStrategy(_needed(name, home), strategy.spillovers)
            try:
                found[name] = int(apply_gates(part, file)[name].sum())
            except StateraError as error:
                reasons[name] = error.what
        return found, reasons


def _needed(name: str, home: dict[str, Gate]) -> tuple[Gate, ...]:
    """Return the gate of a population and all that it depends on."""
    found: dict[str, Gate] = {}
    open_names = [name]
    while open_names:
        gate = home[open_names.pop()]
        if gate.name in found:
            continue
        found[gate.name] = gate
        if gate.parent:
            open_names.append(gate.parent)
        if isinstance(gate, BooleanGate):
            open_names += [reference.name for reference in gate.references]
    return tuple(found.values())
