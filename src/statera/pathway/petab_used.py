"""Whether every row of the parameter table has a meaning."""

from __future__ import annotations

from collections.abc import Sequence

from statera.errors import InputError, UnknownNameError
from statera.numerics.expression import free_names
from statera.pathway.petab_parameters import PetabParameter
from statera.pathway.petab_problem import PetabPart

__all__ = ["check_used"]


def check_used(parameters: Sequence[PetabParameter], parts: Sequence[PetabPart]) -> None:
    """Raise where a parameter of the table stands nowhere else, or is not free to be set."""
    known: set[str] = set()
    for part in parts:
        known |= set(part.network.parameters)
        for condition in part.conditions.values():
            known |= {*condition.values, *map(str, condition.values.values())}
        for observable in part.observables.values():
            known |= free_names(observable.formula) | free_names(observable.noise)
        for m in part.measurements:
            known |= {*map(str, m.observable_values), *map(str, m.noise_values)}
    for parameter in parameters:
        if parameter.id not in known:
            raise UnknownNameError(
                "parameter of the model, the conditions or the measurements",
                parameter.id,
                known,
                where=parameter.place,
            )
        for part in parts:
            if parameter.id in part.network.states or parameter.id in part.network.assigned:
                raise InputError(
                    f"column parameterId: '{parameter.id}' changes with time in the model",
                    where=parameter.place,
                    hint="Estimate constants only; set a start by a column of the condition table.",
                )
