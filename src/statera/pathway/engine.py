"""What solves a network, as the objective asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from statera.pathway.network import Network

__all__ = ["Engine", "Seeds"]

Floats = NDArray[np.float64]
Seeds = tuple[Floats, Floats]
"""Derivatives of parameters (n, n_parameters, n_columns) and of starts (n, n_states, n_columns)."""


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
