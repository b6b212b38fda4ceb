"""A fit as files: tables, JSON, and the layout of NONMEM's raw output."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from statera.errors import InputError
from statera.estimate.ending import sentence
from statera.estimate.membership import membership_of
from statera.estimate.nonmem_text import ext_text, phi_text, phm_text
from statera.estimate.result import FitResult
from statera.estimate.summary import fit_manifest, summary
from statera.estimate.table import Shrinkage, Uncertainty, parameter_table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["eta_names", "fit_files", "fit_tables", "fit_to_dict", "save_fit"]


def fit_tables(
    result: FitResult,
    uncertainty: Uncertainty | None = None,
    shrinkage: Shrinkage | None = None,
) -> dict[str, pl.DataFrame]:
    """Return ``parameters``, ``individuals`` and ``iterations`` as data frames.

    One row of ``individuals`` is a subject: its objective and random effects; those of occasions
    carry the number of the occasion, counted from 1.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when tables are asked for

    people = result.problem.individuals
    individuals: dict[str, Any] = {
        "id": list(people.prepared.events.subject_ids),
        "objective": result.by_subject,
    }
    individuals |= {name: result.etas[:, i] for i, name in enumerate(eta_names(result))}
    members = membership_of(result.extra)
    if members is not None:
        individuals[members.variable] = members.most_probable
        individuals |= {
            f"P({name})": members.posterior[:, k] for k, name in enumerate(members.names)
        }
    model = result.problem.model
    effects = list(model.random_effects)
    steps: dict[str, Any] = {
        "iteration": [it.number for it in result.iterations],
        "objective": [it.objective for it in result.iterations],
        "gradient": [it.gradient for it in result.iterations],
    }
    for i, name in enumerate(model.parameters):
        steps[name] = [float(it.theta[i]) for it in result.iterations]
    for i, one in enumerate(effects):
        for j, other in enumerate(effects[: i + 1]):
            name = f"omega({one})" if i == j else f"omega({one},{other})"
            steps[name] = [float(it.omega[i, j]) for it in result.iterations]
    return {
        "parameters": parameter_table(result, uncertainty, shrinkage).to_polars(),
        "individuals": pl.DataFrame(individuals),
        "iterations": pl.DataFrame(steps),
    }


def eta_names(result: FitResult) -> tuple[str, ...]:
    """Return the names of the columns of `FitResult.etas`."""
    columns = result.problem.individuals.prepared.columns
    found = list(columns.subject_etas)
    for k in range(columns.n_occasions):
        found += [f"{name}_{k + 1}" for name in columns.occasion_etas]
    return tuple(found)


def fit_to_dict(
    result: FitResult,
    uncertainty: Uncertainty | None = None,
    shrinkage: Shrinkage | None = None,
) -> dict[str, Any]:
    """Return a fit as plain data without NaN: what is not known is None."""
    people = result.problem.individuals
    names = eta_names(result)
    found = {
        "model": result.problem.model.id,
        "method": result.method,
        "status": result.status,
        "status_sentence": sentence(result.status, result.method),
        "ofv": result.ofv,
        "subjects": people.n_subjects,
        "observations": int(people.y.size),
        "observations_left_out": result.problem.omitted,
        "standard_errors": None if uncertainty is None else uncertainty.description,
        "seconds": result.seconds,
        "parameters": parameter_table(result, uncertainty, shrinkage).to_dict(),
        "random_effects": list(result.problem.model.random_effects),
        "omega": result.omega,
        "individuals": [
            {
                "id": name,
                "objective": result.by_subject[k],
                "etas": dict(zip(names, result.etas[k].tolist(), strict=True)),
            }
            for k, name in enumerate(people.prepared.events.subject_ids)
        ],
        "iterations": [
            {"number": it.number, "objective": it.objective, "gradient": it.gradient}
            for it in result.iterations
        ],
    }
    members = membership_of(result.extra)
    if members is not None:
        found["mixture"] = members.to_dict() | {
            "individuals": [
                {
                    "id": name,
                    "subpopulation": int(members.most_probable[k]),
                    "posterior": dict(zip(members.names, members.posterior[k], strict=True)),
                }
                for k, name in enumerate(people.prepared.events.subject_ids)
            ]
        }
    plain: dict[str, Any] = _plain(found)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def fit_files(
    result: FitResult,
    uncertainty: Uncertainty | None = None,
    shrinkage: Shrinkage | None = None,
    *,
    seed: int | None = None,
) -> dict[str, bytes]:
    """Return the content of each file of a fit by its name.

    ``summary.txt``, ``fit.json``, ``fit.ext``, ``fit.phi``, ``fit.phm`` of a mixture, and
    ``parameters``, ``individuals`` and ``iterations`` as ``.parquet``.
    """
    errors = None
    if uncertainty is not None:
        pairs = zip(uncertainty.names, uncertainty.standard_errors.tolist(), strict=True)
        errors = {name: value for name, value in pairs if math.isfinite(value)}
    content = {
        "result": fit_to_dict(result, uncertainty, shrinkage),
        "warnings": list(result.warnings),
        "manifest": fit_manifest(result, seed),
    }
    texts = {
        "summary.txt": summary(result, uncertainty, shrinkage) + "\n",
        "fit.json": json.dumps(content, allow_nan=False, indent=1) + "\n",
        "fit.ext": ext_text(result, errors),
        "fit.phi": phi_text(result),
    }
    if membership_of(result.extra) is not None:
        texts["fit.phm"] = phm_text(result)
    files = {name: text.encode() for name, text in texts.items()}
    for name, frame in fit_tables(result, uncertainty, shrinkage).items():
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        files[f"{name}.parquet"] = buffer.getvalue()
    return files


def save_fit(
    result: FitResult,
    folder: str | Path,
    uncertainty: Uncertainty | None = None,
    shrinkage: Shrinkage | None = None,
) -> tuple[Path, ...]:
    """Write the files of a fit into a folder, which is made where it is not there.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    InputError
        If the folder or a file cannot be written.
    """
    target = Path(folder)
    written = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, content in fit_files(result, uncertainty, shrinkage).items():
            (target / name).write_bytes(content)
            written.append(target / name)
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be written: {error.strerror or error}",
            where="folder",
            hint="Choose a place that you may write to and that has room.",
        ) from error
    return tuple(written)
