"""A posterior as files: text, JSON, draws for ArviZ (NetCDF) and as a table (Parquet)."""

from __future__ import annotations

import io
import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from statera.estimate.fingerprint import data_hash, model_hash
from statera.estimate.nuts import NutsOptions
from statera.estimate.posterior import Posterior
from statera.estimate.posterior_text import posterior_text
from statera.manifest import manifest

__all__ = ["netcdf_bytes", "posterior_files", "posterior_manifest", "posterior_to_dict"]


def posterior_to_dict(posterior: Posterior) -> dict[str, Any]:
    """Return a posterior as plain data without NaN: what is not known is None."""
    people = posterior.problem.individuals
    return {
        "model": posterior.problem.model.id,
        "method": "bayes",
        "status": posterior.status,
        "subjects": people.n_subjects,
        "observations": int(people.y.size),
        "observations_left_out": posterior.problem.omitted,
        "chains": posterior.chains,
        "draws": posterior.draws,
        "divergences": posterior.divergences,
        "largest_depth": posterior.deepest,
        "seconds": posterior.seconds,
        "parameters": [
            {key: _plain(value) for key, value in row.items()} for row in posterior.rows()
        ],
    }


def posterior_manifest(posterior: Posterior, options: NutsOptions) -> dict[str, Any]:
    """Return how a posterior was sampled: versions, seed, lengths, and hashes of the inputs."""
    problem = posterior.problem
    hashes = {"model": model_hash(problem.model), "data": data_hash(problem)}
    return manifest(
        hashes, options.seed, method="bayes", draws=options.draws, tune=options.tune,
        chains=options.chains,
    )  # fmt: skip


def posterior_files(posterior: Posterior, options: NutsOptions) -> dict[str, bytes]:
    """Return the content of each file of a posterior by its name.

    ``summary.txt``, ``posterior.json``, ``parameters.parquet``, ``draws.parquet`` (parameters and
    free entries of Omega), and ``posterior.nc`` (ArviZ, with the random effects of every subject).
    """
    content = {
        "result": posterior_to_dict(posterior),
        "warnings": list(posterior.warnings),
        "manifest": posterior_manifest(posterior, options),
    }
    files = {
        "summary.txt": (posterior_text(posterior) + "\n").encode(),
        "posterior.json": (json.dumps(content, allow_nan=False, indent=1) + "\n").encode(),
    }
    tables = {"parameters": posterior.to_polars(), "draws": posterior.draws_table()}
    for name, frame in tables.items():
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        files[f"{name}.parquet"] = buffer.getvalue()
    files["posterior.nc"] = netcdf_bytes(posterior)
    return files


def netcdf_bytes(posterior: Posterior) -> bytes:
    """Return the draws as NetCDF, which ``arviz.from_netcdf`` reads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "posterior.nc"
        posterior.data.to_netcdf(str(path))
        return path.read_bytes()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value
