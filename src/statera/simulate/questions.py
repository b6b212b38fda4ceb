"""Questions about a window beyond its extremes and area: time above a level, mean inhibition.

They are asked beside the measures of a window, four columns each, so that every solver carries
them without knowing them: see `statera.simulate.answers`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UnknownNameError
from statera.model import Model
from statera.simulate.answers import ABOVE, INHIBITION, KIND, LEVEL, POWER, TOTAL, WIDTH
from statera.simulate.windows import N_MEASURES

__all__ = ["InhibitionInput", "Questions", "make_questions", "new_measures"]

Floats = NDArray[np.float64]

InhibitionInput = tuple[float, float] | tuple[float, float, float]
"""IC50 in the output's unit, Hill exponent and, where it is not 1, the largest inhibition."""


FLATTEST = 0.05
"""Least Hill exponent: below it nearly all of the rise lies where concentrations have all but gone,
and steps of the integral shrink without end."""


@dataclass(frozen=True)
class Questions:
    """What is asked of the windows of every output.

    Attributes
    ----------
    names
        Names of the endpoints by output.
    table : (n_outputs, n_questions, 4) float64
        Kind, level or IC50, Hill exponent, and 0 where the answer is summed; kind 0 asks nothing.
    largest
        Largest inhibition by output; 1 for times.
    """

    names: Mapping[str, tuple[str, ...]]
    table: Floats
    largest: Mapping[str, tuple[float, ...]]

    def answers(self, measures: Floats, width: Floats, hour: float) -> dict[str, dict[str, Floats]]:
        """Return ``(n_subjects, n_windows)`` by output and endpoint.

        Parameters
        ----------
        measures
            As the solvers leave them.
        width : (n_windows,) float64, h
            Length of the windows.
        hour
            An hour in the model's unit of time.
        """
        found: dict[str, dict[str, Floats]] = {}
        for o, (output, names) in enumerate(self.names.items()):
            for q, name in enumerate(names):
                total = measures[:, :, o, N_MEASURES + WIDTH * q + TOTAL] / hour
                if self.table[o, q, KIND] == INHIBITION:
                    total = self.largest[output][q] * total / width
                found.setdefault(output, {})[name] = total
        return found


def new_measures(
    n_subjects: int, n_windows: int, n_outputs: int, questions: Questions | None
) -> Floats:
    """Return empty measures with what is asked, (n_subjects, n_windows, n_outputs, 5 and more)."""
    asked = 0 if questions is None else questions.table.shape[1]
    shape = (n_subjects, n_windows, n_outputs, N_MEASURES + WIDTH * asked)
    measures = np.full(shape, np.nan)
    if questions is not None and asked:
        measures[..., N_MEASURES:] = questions.table.reshape(n_outputs, -1)
    return measures


def make_questions(
    model: Model,
    thresholds: Mapping[str, Sequence[float]],
    inhibition: Mapping[str, InhibitionInput | Sequence[InhibitionInput]],
) -> Questions:
    """Check what is asked and lay it out.

    Raises
    ------
    UnknownNameError
        If the model has no such output.
    InputError
        If a level is not a number, or an IC50, Hill exponent or largest inhibition is not above 0.
    """
    outputs = [o.name for o in model.outputs]
    for name in [*thresholds, *inhibition]:
        if name not in outputs:
            raise UnknownNameError("output", name, outputs)
    asked: dict[str, list[tuple[str, float, tuple[float, float, float, float]]]] = {}
    for name in outputs:
        found = [_above(x, name) for x in thresholds.get(name, ())]
        found += [_inhibited(x, name) for x in _several(inhibition.get(name, ()))]
        asked[name] = list({question[0]: question for question in found}.values())
    most = max((len(questions) for questions in asked.values()), default=0)
    table = np.zeros((len(outputs), most, WIDTH))
    for o, name in enumerate(outputs):
        for q, (_, _, row) in enumerate(asked[name]):
            table[o, q, [KIND, LEVEL, POWER, TOTAL]] = row
    return Questions(
        {name: tuple(label for label, _, _ in asked[name]) for name in outputs},
        table,
        {name: tuple(largest for _, largest, _ in asked[name]) for name in outputs},
    )


def _above(level: float, output: str) -> tuple[str, float, tuple[float, float, float, float]]:
    if not isinstance(level, int | float) or not math.isfinite(level):
        raise InputError(f"a threshold of {output} must be a number: {level!r}", where="thresholds")
    return f"time above {level:.12g}", 1.0, (ABOVE, float(level), 0.0, 0.0)


def _several(given: InhibitionInput | Sequence[InhibitionInput]) -> list[InhibitionInput]:
    if given and isinstance(given[0], int | float):
        return [given]  # type: ignore[list-item]
    return list(given)  # type: ignore[arg-type]


def _inhibited(
    given: InhibitionInput, output: str
) -> tuple[str, float, tuple[float, float, float, float]]:
    numbers = tuple(given)
    usable = len(numbers) in (2, 3) and all(
        isinstance(x, int | float) and math.isfinite(x) and x > 0 for x in numbers
    )
    if not usable:
        raise InputError(
            f"the inhibition by {output} needs an IC50 and a Hill exponent above 0: {given!r}",
            where="inhibition",
            hint="Write (ic50, hill), or (ic50, hill, largest inhibition).",
        )
    ic50, hill, largest = (*numbers, 1.0)[:3]
    if hill < FLATTEST:
        raise InputError(
            f"a Hill exponent of {hill:g} is too flat to be integrated",
            where="inhibition",
            hint=f"Give {FLATTEST:g} or more; measured ones lie around 1.",
        )
    shown = f"IC50 {ic50:.12g}, Hill {hill:.12g}" + (
        f", largest {largest:.12g}" if largest != 1 else ""
    )
    return f"mean inhibition ({shown})", largest, (INHIBITION, ic50, hill, 0.0)
