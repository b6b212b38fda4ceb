"""Simulate many subjects into parquet files, part by part, in bounded memory."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera._version import __version__
from statera.data import Regimen, parse_regimen
from statera.errors import InputError
from statera.model import Model
from statera.simulate.ode_options import OdeOptions
from statera.simulate.questions import InhibitionInput
from statera.simulate.result import SimulationResult
from statera.simulate.simulate import default_windows, simulate
from statera.simulate.streamed import ENDPOINTS_FILE, MANIFEST, PROFILES_FILE, StreamedSimulation
from statera.simulate.subjects import CovariateInput, Subjects, make_subjects

if TYPE_CHECKING:
    import polars as pl

__all__ = ["simulate_to_parquet"]

Floats = NDArray[np.float64]

_VALUES_A_PART = 4_000_000
"""Output values held at once, 32 MB; tables of them take a few times as much."""

_LARGEST_PART = 50_000


def simulate_to_parquet(
    model: Model,
    dose: str | Regimen,
    path: str | Path,
    *,
    n: int | None = None,
    covariates: Mapping[str, CovariateInput] | None = None,
    etas: Floats | None = None,
    times: ArrayLike = (),
    windows: Sequence[tuple[float, float]] | None = None,
    typical: bool = False,
    seed: int = 1,
    workers: int = 1,
    ode: OdeOptions | None = None,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    inhibition: Mapping[str, InhibitionInput | Sequence[InhibitionInput]] | None = None,
    part: int | None = None,
    progress: Callable[[str, float | None], None] | None = None,
) -> StreamedSimulation:
    """Simulate subjects as `simulate` does and write them to a folder of parquet files.

    The subjects are those of one call of `simulate`, to the last bit, whatever the size of a
    part. A part is a file of endpoints and, where `times` are given, one of profiles; it appears
    under its name only when it is complete. The same call on a folder that was left unfinished
    goes on where it stopped.

    Parameters
    ----------
    path
        Folder, made where it is missing. It may hold an unfinished or finished run of the same
        request and nothing else of this function.
    times : (n_times,) float64, h
        Observation times of the profiles; without them only endpoints are written.
    part
        Subjects a file; chosen by the number of times where not given.
    progress
        Called with a sentence and the fraction done.

    Other parameters are those of `simulate`. Memory: random effects and covariates of all
    subjects (8 bytes a number), and one part.

    Raises
    ------
    InputError, DomainError
        As `simulate`; and if the folder holds another request.
    """
    regimen = parse_regimen(dose) if isinstance(dose, str) else dose
    spans = default_windows(regimen) if windows is None else np.asarray(windows, dtype=np.float64)
    if spans.size == 0:
        raise InputError("at least one window is needed", where="windows")
    grid = np.asarray(times, dtype=np.float64)
    subjects = make_subjects(model, n, covariates or {}, seed, typical, etas)
    size = _part_size(part, grid.size * len(model.outputs))
    options: dict[str, Any] = {
        "times": grid, "windows": [tuple(span) for span in spans], "seed": seed,
        "workers": workers, "ode": ode, "thresholds": thresholds, "inhibition": inhibition,
    }  # fmt: skip
    folder = Path(path)
    request = {
        "layout": 1,
        "statera": __version__,
        "model": model.id,
        "dose": regimen.text,
        "seed": seed,
        "subjects": subjects.n,
        "part": size,
        "windows": spans.tolist(),
        "profiles": bool(grid.size),
        "request": _digest(model, regimen, subjects, options),
    }
    _claim(folder, request)
    warnings = list(subjects.warnings)
    starts = range(0, subjects.n, size)
    for index, start in enumerate(starts):
        if progress:
            progress(f"subject {start + 1} of {subjects.n}", start / subjects.n)
        stop = min(start + size, subjects.n)
        expected = {ENDPOINTS_FILE: (stop - start) * len(model.outputs) * len(spans)}
        if grid.size:
            expected[PROFILES_FILE] = (stop - start) * grid.size
        if all(_holds(folder / name.format(index), rows) for name, rows in expected.items()):
            continue
        result, said = _run(model, regimen, subjects, start, stop, options)
        warnings += said
        # endpoints come last: where they stand, the part is complete
        if grid.size:
            _write(result.to_polars(), folder / PROFILES_FILE.format(index), start)
        _write(result.endpoints(), folder / ENDPOINTS_FILE.format(index), start)
    done = request | {
        "complete": True,
        "units": {o.name: o.unit for o in model.outputs},
        "warnings": list(dict.fromkeys(warnings)),
    }
    _write_json(folder / MANIFEST, done)
    if progress:
        progress(f"subject {subjects.n} of {subjects.n}", 1.0)
    return StreamedSimulation(folder)


def _part_size(part: int | None, values: int) -> int:
    """Return the number of subjects of a part."""
    if part is None:
        return max(1, min(_LARGEST_PART, _VALUES_A_PART // max(1, values)))
    if part < 1:
        raise InputError("a part needs at least one subject", where="part")
    return part


def _run(
    model: Model,
    regimen: Regimen,
    subjects: Subjects,
    start: int,
    stop: int,
    options: Mapping[str, Any],
) -> tuple[SimulationResult, list[str]]:
    """Return the result of one part, and what it warns of beyond the subjects' own ranges."""
    etas = subjects.etas[start:stop]
    covariates = {name: values[start:stop] for name, values in subjects.covariates.items()}
    result = simulate(model, regimen, n=stop - start, covariates=covariates, etas=etas, **options)
    known = make_subjects(model, stop - start, covariates, 0, False, etas).warnings
    failed = int((result.statuses != 0).sum())
    counted = f"{failed} of {stop - start} subjects"
    return result, [w for w in result.warnings if w not in known and not w.startswith(counted)]


def _digest(model: Model, regimen: Regimen, subjects: Subjects, options: Mapping[str, Any]) -> str:
    """Return a hash of everything the numbers depend on."""
    digest = hashlib.sha256()

    def add(items: Iterable[object]) -> None:
        for item in items:
            digest.update(repr(item).encode())
            digest.update(b"\0")

    add(f"{p.name} {p.value!r}" for p in model.parameters.values())
    for equations in (model.individual, model.dynamics, model.outputs):
        add(f"{e.name} = {e.expression}" for e in equations)
    add(sorted((name, str(formula)) for name, formula in model.initial.items()))
    add(sorted((name, str(processes)) for name, processes in model.inputs.items()))
    add([model.time_unit, model.amount_unit, regimen.doses])
    add(options[name] for name in ("windows", "thresholds", "inhibition"))
    add(sorted(asdict(options["ode"] or OdeOptions()).items()))
    for name, values in sorted(subjects.covariates.items()):
        add([name])
        digest.update(np.ascontiguousarray(values).tobytes())
    digest.update(np.ascontiguousarray(subjects.etas).tobytes())
    digest.update(options["times"].tobytes())
    return digest.hexdigest()


def _claim(folder: Path, request: Mapping[str, Any]) -> None:
    """Make the folder, or check that it holds the same request."""
    file = folder / MANIFEST
    if not file.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                "the folder is not empty and holds no simulation", where=str(folder),
                hint="Name a new folder.",
            )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(file, {**request, "complete": False})
        return
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or any(found.get(k) != v for k, v in request.items()):
        raise InputError(
            "the folder holds another simulation", where=str(folder),
            hint="Name a new folder, or remove this one.",
        )  # fmt: skip


def _holds(file: Path, rows: int) -> bool:
    """Return whether the file is there and whole."""
    import polars as pl  # noqa: PLC0415  heavy: only when files are written
    from polars.exceptions import PolarsError  # noqa: PLC0415

    if not file.exists():
        return False
    try:
        return int(pl.scan_parquet(file).select(pl.len()).collect().item()) == rows
    except (PolarsError, OSError):
        return False


def _write(frame: pl.DataFrame, file: Path, start: int) -> None:
    """Write a table under its name when it is complete, with subjects counted from `start`."""
    import polars as pl  # noqa: PLC0415  heavy: only when files are written

    numbered = frame.with_columns(pl.col("subject") + start)
    _replace(file, numbered.write_parquet)


def _write_json(file: Path, data: Mapping[str, Any]) -> None:
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    _replace(file, lambda name: Path(name).write_text(text, encoding="utf-8"))


def _replace(file: Path, write: Callable[[str], object]) -> None:
    """Write beside the file and put it in place in one step."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.", suffix=".part")
    os.close(handle)
    try:
        write(name)
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
