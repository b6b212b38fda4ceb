"""States and assigned names of a network along its solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from statera.errors import UnknownNameError
from statera.numerics.expression import symbol
from statera.numerics.vectorised import vectorise
from statera.pathway.network import TIME, Network

__all__ = ["Outputs"]

Floats = NDArray[np.float64]


class Outputs:
    """Chosen names of a network as a function of its states.

    Parameters
    ----------
    network
        The network.
    names
        States or assigned names.

    Raises
    ------
    UnknownNameError
        If the network has no such state or assigned name.
    """

    def __init__(self, network: Network, names: Sequence[str]) -> None:
        known = (*network.states, *network.assigned)
        for name in names:
            if name not in known:
                raise UnknownNameError("output", name, known, where="outputs")
        self.names = tuple(dict.fromkeys(names))
        self._states = network.states
        formulas = [network.flat(symbol(name)) for name in self.names]
        self._read = vectorise(formulas, [TIME.name, *network.states, *network.parameters])

    def __call__(
        self, times: Floats, states: Floats, parameters: Mapping[str, float]
    ) -> dict[str, Floats]:
        """Return each name along a course, (n_times,) float64.

        Parameters
        ----------
        times : (n_times,) float64
        states : (n_times, n_states) float64
            In the order of the network's states.
        """
        values: dict[str, Floats | float] = {TIME.name: times, **parameters}
        values |= dict(zip(self._states, states.T, strict=True))
        rows = self._read(values, times.size)
        return dict(zip(self.names, rows, strict=True))
