"""Checkpoints: a fit that was stopped goes on from its best values.

A checkpoint is a JSON file with the parameters on their own scale, the modes of the random effects
as starts of the inner problem, and content hashes of model and data, so that it cannot be used
with others.
"""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.estimate.fingerprint import data_hash, model_hash
from statera.estimate.problem import Problem
from statera.estimate.result import FitResult, Iteration

__all__ = [
    "Checkpoint",
    "CheckpointFile",
    "load_checkpoint",
    "make_checkpoint",
    "resume_problem",
    "save_checkpoint",
]

Floats = NDArray[np.float64]

SCHEMA = "statera.checkpoint/1"


@dataclass(frozen=True)
class Checkpoint:
    """Where a fit stood.

    Attributes
    ----------
    method
        Method that wrote it. Another may go on from it.
    iteration, objective
        Number of the iteration, and the objective there.
    free : (n_free,) float64
        Free numbers, for the record: their scale depends on initial values and bounds.
    theta : (n_theta,) float64
    omega : (n_effects, n_effects) float64
        Parameters on their own scale: what a fit goes on from.
    etas : (n_subjects, n_etas) float64
        Random effects.
    model, data
        Content hashes.
    """

    method: str
    iteration: int
    objective: float
    free: Floats
    theta: Floats
    omega: Floats
    etas: Floats
    model: str
    data: str

    def to_json(self) -> str:
        """Return the checkpoint as JSON."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "method": self.method,
                "iteration": self.iteration,
                "objective": self.objective if math.isfinite(self.objective) else None,
                "free": self.free.tolist(),
                "theta": self.theta.tolist(),
                "omega": self.omega.tolist(),
                "etas": self.etas.tolist(),
                "model": self.model,
                "data": self.data,
            },
            allow_nan=False,
        )


def make_checkpoint(
    problem: Problem, method: str, at: Iteration | FitResult, etas: Floats | None = None
) -> Checkpoint:
    """Return the checkpoint of an iteration, or of the end of a fit.

    Parameters
    ----------
    problem, method
        What is fitted, and how.
    at
        An iteration that holds its random effects, or a result.
    etas : (n_subjects, n_etas) float64, optional
        Random effects other than those of `at`; 0 where there are none.
    """
    if isinstance(at, FitResult):
        number = at.iterations[-1].number if at.iterations else 0
        objective = at.ofv
    else:
        number, objective = at.number, at.objective
    people = problem.individuals
    found = at.etas if etas is None else etas
    if found is None or not np.isfinite(found).all():
        found = np.zeros((people.n_subjects, people.n_etas))
    return Checkpoint(
        method, number, float(objective), problem.pack(at.theta, at.omega), at.theta, at.omega,
        found, model_hash(problem.model), data_hash(problem),
    )  # fmt: skip


def save_checkpoint(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write a checkpoint so that the file holds all of it or what it held before.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(checkpoint.to_json() + "\n", encoding="utf-8")
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"the checkpoint '{path}' cannot be written: {error.strerror or error}",
            where="checkpoint",
            hint="Choose a place that you may write to and that has room.",
        ) from error


class CheckpointFile:
    """A file that always holds the latest checkpoint of a running fit.

    Parameters
    ----------
    path
        The file. It is replaced as a whole.
    problem, method
        What is fitted, and how.
    every
        Least time between two writings, s, so that quick iterations are not slowed.
    """

    def __init__(self, path: str | Path, problem: Problem, method: str, every: float = 1.0) -> None:
        self.path, self.problem, self.method, self.every = Path(path), problem, method, every
        self._last = -math.inf

    def __call__(self, at: Iteration) -> None:
        """Write an iteration, unless the last writing was just before."""
        if time.monotonic() - self._last >= self.every:
            save_checkpoint(make_checkpoint(self.problem, self.method, at), self.path)
            self._last = time.monotonic()

    def close(self, result: FitResult) -> None:
        """Write the end of a fit; a fit that could not start leaves the file as it is."""
        if result.status != "no start":
            save_checkpoint(make_checkpoint(self.problem, self.method, result), self.path)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    InputError
        If the file cannot be read or is not a whole checkpoint.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"the checkpoint '{path}' cannot be read: {error.strerror or error}",
            where="checkpoint",
            hint="Give the file that --checkpoint wrote.",
        ) from error
    except ValueError as error:
        raise _broken(path, f"it is not JSON ({error})") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise _broken(path, f"its schema is not '{SCHEMA}'")
    try:
        return Checkpoint(
            method=str(content["method"]),
            iteration=int(content["iteration"]),
            objective=math.nan if content["objective"] is None else float(content["objective"]),
            free=_numbers(content["free"], 1),
            theta=_numbers(content["theta"], 1),
            omega=_numbers(content["omega"], 2),
            etas=_numbers(content["etas"], 2),
            model=str(content["model"]),
            data=str(content["data"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, f"an entry is missing or wrong ({error})") from error


def _numbers(value: Any, dimensions: int) -> Floats:
    found = np.asarray(value, dtype=np.float64)
    if found.size == 0 and dimensions == 2:  # no random effects: JSON keeps no second length
        found = found.reshape(len(value), 0)
    if found.ndim != dimensions or not np.isfinite(found).all():
        raise ValueError(f"expected {dimensions}-dimensional finite numbers")
    return found


def _broken(path: str | Path, why: str) -> InputError:
    return InputError(
        f"'{path}' is not a checkpoint of Statera: {why}",
        where="checkpoint",
        hint="Start the fit anew, without resuming.",
    )


def resume_problem(problem: Problem, checkpoint: Checkpoint) -> Problem:
    """Return the problem with the checkpoint's parameters as start.

    Raises
    ------
    InputError
        If the checkpoint belongs to another model or to other data.
    """
    hint = "Give the same model and data as before, or start the fit anew without resuming."
    if checkpoint.model != model_hash(problem.model):
        raise InputError(
            "the checkpoint belongs to another model, or the model was changed since",
            where="checkpoint",
            hint=hint,
        )
    if checkpoint.data != data_hash(problem):
        raise InputError(
            "the checkpoint belongs to other data, or the data were changed since",
            where="checkpoint",
            hint=hint,
        )
    return replace(problem, start=problem.pack(checkpoint.theta, checkpoint.omega))
