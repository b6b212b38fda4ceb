"""What a data file holds, and its observations over time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from statera.data import FitData, check_data, read_data
from statera.data.fit_data import DataReport
from statera.errors import InputError
from statera.estimate.model_and_data import ModelFile, data_options
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.fit import FitDataRequest
from statera.web.tasks.fit_copies import reading_arguments
from statera.web.tasks.fit_inputs import asked_of, data_of, file_name, load_fit_model, named
from statera.web.work import Work

__all__ = ["run"]

_DRAWN = 20_000
_LISTED = 200
_STATUS = {0: "quantified", 1: "below limit", -1: "above limit"}


def run(request: FitDataRequest, work: Work) -> Answer:
    """Read the data and say what they hold; problems are told, not raised."""
    upload = data_of(request.data, work)
    model: ModelFile | None = None
    stream = False
    if request.model is not None:
        loaded = load_fit_model(request.model, request.reading, work)
        model, stream = loaded.file, loaded.stream
    name = file_name(upload.name, "data.csv")
    asked = asked_of(request.reading)
    options = data_options(model, upload.path, asked)
    with named(upload.path, upload.name):
        checked = {k: v for k, v in options.items() if k not in ("time_unit", "amount_unit")}
        report = check_data(**checked)
        table = None if report.problems else read_data(**options)
    report = replace(report, source=upload.name)
    columns = _columns(upload.path, upload.name, options.get("names"))
    result = {
        "name": upload.name,
        "columns": columns,
        **_limited(report),
        "kinds": {} if table is None else table.dvid_labels,
        "time_unit": request.reading.time_unit,
        "usable": table is not None,
        "text": str(report),
    }
    warnings: list[str] = []
    tables = {}
    if table is not None:
        if table.n_obs > _DRAWN:
            warnings.append(f"only the first {_DRAWN:,} of {table.n_obs:,} observations are drawn")
        tables["observations"] = _observations(table, request.reading.time_unit)
    return Answer(
        "statera.web.fit-data/1", result, tables, _copies(request, name, stream=stream), warnings
    )


def _columns(path: Path, name: str, names: list[str] | None) -> list[str]:
    """Return the columns of a file: those given, or those of its header line."""
    if names:
        return [n for n in names if n]
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        for line in stream:
            text = line.strip()
            if text and not text.startswith("#"):
                delimiter = next((d for d in ",;\t" if d in text), None)
                return [part.strip().strip('"') for part in text.split(delimiter)]
    raise InputError("the file is empty", where=name)


def _limited(report: DataReport) -> dict[str, Any]:
    """Return the report as plain data, of problems and findings no more than can be read."""
    found = report.to_dict()
    for kind in ("problems", "findings"):
        found[f"{kind}_count"] = len(found[kind])
        found[kind] = found[kind][:_LISTED]
    return found


def _observations(table: FitData, time_unit: str) -> Table:
    place = slice(0, _DRAWN)
    ids = np.array(table.events.subject_ids, dtype=object)[table.subject[place]]
    hours = table.events.time[table.record[place]]
    from statera.units import convert  # noqa: PLC0415  pint: only where there is something to show

    times = hours * convert(1.0, "h", time_unit)
    rows = [
        [i, round(float(t), 9), float(y), table.dvid_labels[int(k)], _STATUS[int(c)], int(line)]
        for i, t, y, k, c, line in zip(
            ids, times, table.dv[place], table.dvid[place], table.cens[place], table.line[place],
            strict=True,
        )
    ]  # fmt: skip
    columns = (
        Column("ID"), Column("TIME", time_unit), Column("DV"), Column("DVID"), Column("STATUS"),
        Column("LINE"),
    )  # fmt: skip
    return Table(columns, rows)


def _copies(request: FitDataRequest, name: str, *, stream: bool) -> Copies:
    why = "Checking alone has no command: 'statera fit' says the same before it fits."
    if stream:
        return Copies("", "", f"{why} The control stream says how the data are read.")
    arguments = reading_arguments(request.reading)
    text = "".join(f",\n    {key}={value!r}" for key, value in arguments.items())
    checked = "".join(
        f",\n    {key}={value!r}"
        for key, value in arguments.items()
        if key not in ("time_unit", "amount_unit")
    )
    python = (
        "import statera as st\n"
        "from statera.data import check_data\n\n"
        f"print(check_data({name!r}{checked}))\n"
        f"data = st.read_data({name!r}{text})\n"
        "print(data.dv)\n"
    )
    return Copies(python, "", why)
