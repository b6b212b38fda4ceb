"""The solver of networks as the objective asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from statera.pathway.compiled_network import CompiledNetwork, compile_network
from statera.pathway.engine import Seeds
from statera.pathway.network import Network
from statera.pathway.solve import PathwayOptions, solve
from statera.pathway.solve import Seeds as SolverSeeds

__all__ = ["NetworkEngine"]

Floats = NDArray[np.float64]
_HORIZONS = 10.0 ** np.arange(1, 11)


class NetworkEngine:
    """Solves networks, see `statera.pathway.solve`.

    Parameters
    ----------
    options
        Tolerances and threads.
    """

    def __init__(self, options: PathwayOptions | None = None) -> None:
        self.options = PathwayOptions() if options is None else options

    def compile(self, network: Network) -> CompiledNetwork:
        """Return the network as it is solved."""
        return compile_network(network)

    def course(
        self,
        network: CompiledNetwork,
        values: Floats,
        initial: Floats,
        times: Sequence[Floats],
        seeds: Seeds | None,
        start: Floats,
    ) -> tuple[Sequence[Floats], Sequence[Floats] | None, Mapping[int, str]]:
        """Return states and slopes of each condition at its times, and what failed."""
        found = solve(
            network,
            values,
            initial,
            times,
            start=start,
            seeds=None if seeds is None else SolverSeeds(*seeds),
            options=self.options,
        )
        failed = {i: found.message[i] for i, code in enumerate(found.status) if code}
        return found.states, found.slopes, failed

    def steady(
        self, network: CompiledNetwork, values: Floats, initial: Floats, seeds: Seeds | None
    ) -> tuple[Floats, Floats | None, Mapping[int, str]]:
        """Return the steady states, their slopes, and what failed.

        Each condition is solved until states and slopes no longer change over tenfold time.
        """
        n = len(values)
        times = [_HORIZONS] * n
        states, slopes, failed = self.course(network, values, initial, times, seeds, np.zeros(n))
        found = np.full(initial.shape, np.nan)
        by = None if seeds is None else np.full(seeds[1].shape, np.nan)
        missing = dict(failed)
        for row in range(n):
            one = None if slopes is None else slopes[row]
            at = _settled(states[row], one, self.options)
            if at is None:
                missing.setdefault(row, f"no steady state was reached by t = {_HORIZONS[-1]:g}")
                continue
            missing.pop(row, None)
            found[row] = states[row][at]
            if by is not None and one is not None:
                by[row] = one[at]
        return found, by, missing


def _settled(states: Floats, slopes: Floats | None, options: PathwayOptions) -> int | None:
    """Return the first time from which nothing changes any more."""
    for at in range(1, len(states)):
        moved = np.abs(states[at] - states[at - 1])
        still = (moved <= 10.0 * (options.atol + options.rtol * np.abs(states[at]))).all()
        if still and slopes is not None:
            size = np.abs(slopes[at])
            turned = np.abs(slopes[at] - slopes[at - 1])
            still = (turned <= 1e3 * options.rtol * max(1.0, float(size.max(initial=0.0)))).all()
        if still:
            return at
    return None
