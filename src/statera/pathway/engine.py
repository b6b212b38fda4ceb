"""What solves a network, as the objective asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from statera.pathway.network import Network

__all__ = ["AdjointEngine", "Engine", "Seeds", "WayBack"]

Floats = NDArray[np.float64]
Seeds = tuple[Floats, Floats]
"""Derivatives of parameters (n, n_parameters, n_columns) and of starts (n, n_states, n_columns)."""

WayBack = Callable[[Sequence[Floats]], tuple[Floats, Floats]]
"""From the derivatives of a number by the states of each condition, (n_times, n_states), to
those by parameters (n, n_parameters) and starts (n, n_states)."""


class Engine(Protocol):
    """Solves networks; one condition that fails is a sentence at its number, never an error."""

    def compile(self, network: Network) -> Any:
        """Return the network as it is solved, with attributes ``states`` and ``parameters``."""

    def course(
        self,
        network: Any,
        values: Floats,
        initial: Floats,
        times: Sequence[Floats],
        seeds: Seeds | None,
        start: Floats,
        /,
    ) -> tuple[Sequence[Floats], Sequence[Floats] | None, Mapping[int, str]]:
        """Return states and slopes of each condition at its times, and what failed."""

    def steady(
        self, network: Any, values: Floats, initial: Floats, seeds: Seeds | None, /
    ) -> tuple[Floats, Floats | None, Mapping[int, str]]:
        """Return the steady states, their slopes, and what failed."""


@runtime_checkable
class AdjointEngine(Engine, Protocol):
    """An engine that can go back along a course, see `statera.pathway.adjoint`."""

    def no_way_back(self, network: Any, /) -> str:
        """Return why a network has no way back, as the end of a sentence; empty where it has."""

    def taped_course(
        self, network: Any, values: Floats, initial: Floats, times: Sequence[Floats],
        start: Floats, /,
    ) -> tuple[Sequence[Floats], WayBack, Mapping[int, str]]:  # fmt: skip
        """Return states of each condition at its times, the way back, and what failed."""
