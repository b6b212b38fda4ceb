"""The solver of networks as the objective of a problem asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from statera.pathway.adjoint import adjoint
from statera.pathway.compiled_network import CompiledNetwork, compile_network
from statera.pathway.engine import WayBack
from statera.pathway.network import Network
from statera.pathway.solve import PathwayOptions, Seeds, solve
from statera.pathway.steady_state import steady_states

__all__ = ["NetworkEngine"]

Floats = NDArray[np.float64]


class NetworkEngine:
    """Solves networks by `statera.pathway.solve`; see `statera.pathway.engine`.

    Parameters
    ----------
    options
        Tolerances and threads.
    """

    def __init__(self, options: PathwayOptions | None = None) -> None:
        self.options = options or PathwayOptions()

    def compile(self, network: Network) -> CompiledNetwork:
        """Return the network compiled."""
        return compile_network(network)

    def course(
        self,
        compiled: CompiledNetwork,
        values: Floats,
        initial: Floats,
        times: Sequence[Floats],
        seeds: tuple[Floats, Floats] | None,
        start: Floats,
    ) -> tuple[Sequence[Floats], Sequence[Floats] | None, Mapping[int, str]]:
        """Return states and slopes of each condition at its times, and what failed."""
        found = solve(
            compiled, values, initial, times, start=start,
            seeds=None if seeds is None else Seeds(*seeds), options=self.options,
        )  # fmt: skip
        failed = {c: found.message[c] for c, code in enumerate(found.status) if code}
        return list(found.states), None if found.slopes is None else list(found.slopes), failed

    def no_way_back(self, compiled: CompiledNetwork) -> str:
        """Return why a network has no way back, as the end of a sentence; empty where it has."""
        if not compiled.fixed_instants:
            return "the model has events, or switches at instants that states or parameters move"
        if self.options.control_slopes:
            return "control_slopes asks for forward sensitivities that meet the tolerance"
        return ""

    def taped_course(
        self,
        compiled: CompiledNetwork,
        values: Floats,
        initial: Floats,
        times: Sequence[Floats],
        start: Floats,
    ) -> tuple[Sequence[Floats], WayBack, Mapping[int, str]]:
        """Return states of each condition at its times, the way back, and what failed."""
        found = solve(
            compiled, values, initial, times, start=start, options=self.options, tape=True
        )
        failed = {c: found.message[c] for c, code in enumerate(found.status) if code}
        return found.states, partial(adjoint, found, workers=self.options.workers), failed

    def steady(
        self,
        compiled: CompiledNetwork,
        values: Floats,
        initial: Floats,
        seeds: tuple[Floats, Floats] | None,
    ) -> tuple[Floats, Floats | None, Mapping[int, str]]:
        """Return the steady states, their slopes, and what failed."""
        found = steady_states(
            compiled, values, initial, seeds=None if seeds is None else Seeds(*seeds),
            options=self.options,
        )  # fmt: skip
        failed = {c: found.message[c] for c, code in enumerate(found.status) if code}
        return found.states, found.slopes, failed
