"""A PEtab problem as read: parameters once, and a part for each model with its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.pathway.network import Network
from statera.pathway.petab_conditions import Condition
from statera.pathway.petab_measurements import Measurement
from statera.pathway.petab_observables import Observable
from statera.pathway.petab_parameters import PetabParameter
from statera.pathway.petab_priors import draw
from statera.pathway.petab_scales import scaled
from statera.pathway.petab_table import PetabTable

__all__ = ["PetabPart", "PetabProblem"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PetabPart:
    """One model with its data.

    Attributes
    ----------
    network
        The model.
    conditions, observables
        By identifier.
    measurements
        In the order of the tables.
    visualisation
        Tables of figures, carried as they are.
    starts
        Time of the start by condition; 0 where absent.
    """

    network: Network
    conditions: Mapping[str, Condition]
    observables: Mapping[str, Observable]
    measurements: tuple[Measurement, ...]
    visualisation: tuple[PetabTable, ...] = ()
    starts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PetabProblem:
    """A parameter estimation problem.

    Attributes
    ----------
    name
        From the YAML file.
    version
        Of the format.
    parameters
        In the order of the table; names are shared by all parts.
    parts
        One for each model.
    """

    name: str
    version: str
    parameters: tuple[PetabParameter, ...]
    parts: tuple[PetabPart, ...]

    @property
    def estimated(self) -> tuple[PetabParameter, ...]:
        """Parameters that are estimated, in the order of theta."""
        return tuple(p for p in self.parameters if p.estimated)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the estimated parameters, in the order of theta."""
        return tuple(p.id for p in self.estimated)

    @property
    def lower(self) -> Floats:
        """Lower bounds of theta, on the parameters' scales."""
        return np.array([p.bounds[0] for p in self.estimated], dtype=np.float64)

    @property
    def upper(self) -> Floats:
        """Upper bounds of theta, on the parameters' scales."""
        return np.array([p.bounds[1] for p in self.estimated], dtype=np.float64)

    @property
    def nominal(self) -> Floats:
        """Theta at the nominal values, on the parameters' scales; NaN where none is given."""
        return np.array([scaled(p.nominal, p.scale) for p in self.estimated], dtype=np.float64)

    def starts(self, size: int, random: np.random.Generator) -> Floats:
        """Draw starts.

        From the initialisation priors, else flat on the parameter's scale between its bounds.

        Parameters
        ----------
        size
            How many.
        random
            The random stream.

        Returns
        -------
        (size, n_estimated) float64, on the parameters' scales.

        Raises
        ------
        InputError
            If a parameter without an initialisation prior has an infinite bound.
        """
        columns = []
        for parameter in self.estimated:
            low, high = parameter.bounds
            if parameter.start_prior is not None:
                columns.append(
                    draw(parameter.start_prior, parameter.scale, (low, high), size, random)
                )
                continue
            if not np.isfinite(low) or not np.isfinite(high):
                raise InputError(
                    f"no start can be drawn for '{parameter.id}': a bound is infinite",
                    where=self.name,
                    hint="Give finite bounds, or an initializationPriorType.",
                )
            columns.append(random.uniform(low, high, size))
        return np.column_stack(columns) if columns else np.empty((size, 0))
