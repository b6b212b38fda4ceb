"""Read a request from TOML, JSON or a plain dictionary; the tree of keys is the same in all."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from statera.errors import InputError, Place
from statera.library.read import Document, Table, read_document, read_json
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.read_potency import read_target_potency, state_potencies
from statera.tdm.request import (
    CovariateValue,
    DoseTaken,
    Grade,
    Metric,
    Options,
    Patient,
    Question,
    Request,
    Sample,
    Target,
)
from statera.units import convert

__all__ = ["SCHEMA", "read_request", "read_tree", "request_from"]

SCHEMA = "statera.request/1"

T = TypeVar("T")


def read_request(path: str | Path) -> Request:
    """Return the request in a file, JSON where its name ends so and TOML otherwise.

    Raises
    ------
    InputError
        With file and, for TOML, line and column, where something is not understood.
    """
    folder = Path(path).parent
    if str(path).endswith(".json"):
        _, data = read_json(path)
        if not isinstance(data, dict):
            raise InputError("the file holds no object", where=Place(str(path)))
        return _request(Document(str(path), "", data), folder)
    document = read_document(path, SCHEMA)
    return _request(document, folder)


def read_tree(path: str | Path) -> dict[str, Any]:
    """Return the tree of a request as plain data, dates as texts, to be kept and read again.

    Potencies that the request names in other files are stated in it.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if str(path).endswith(".json"):
        document = Document(str(path), "", read_json(path)[1])
    else:
        document = read_document(path, SCHEMA)
    tree: dict[str, Any] = json.loads(json.dumps(document.data, default=_as_text))
    state_potencies(tree, document, Path(path).parent)
    return tree


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no counterpart in JSON")


def request_from(
    data: Mapping[str, Any], name: str = "request", folder: str | Path | None = None
) -> Request:
    """Return the request in a dictionary laid out as the files are.

    Parameters
    ----------
    name
        For the places of mistakes.
    folder
        Where paths of files of potencies start; None lets the request read no file.

    Raises
    ------
    InputError
        Where something is not understood.
    """
    document = Document(name, "", json.loads(json.dumps(data)))
    return _request(document, None if folder is None else Path(folder))


def _request(document: Document, folder: Path | None) -> Request:
    data, origin = _in_hours(document)
    top = Table(Document(document.file, document.text, data), data, ())
    found = top.text("schema", "")
    if not found:
        top.fail("schema", "the request does not say what it is", f'schema = "{SCHEMA}"')
    if found != SCHEMA:
        top.fail("schema", f"the request says schema '{found}'", f'schema = "{SCHEMA}"')
    request = Request(
        id=top.text("id", "request"),
        models=top.texts("models", required=True),
        patient=_patient(top),
        question=_each(top, "question", partial(_question, folder), Question()),
        options=_each(top, "options", _options, Options()),
        origin=origin,
    )
    top.finish("schema")
    return request


def _patient(top: Table) -> Patient:
    person = top.sub("patient")
    name = person.text("id")
    person.finish()
    return Patient(
        name,
        tuple(sorted((_dose(t) for t in top.tables("doses")), key=lambda d: d.time)),
        tuple(sorted((_sample(t) for t in top.tables("samples")), key=lambda s: s.time)),
        tuple(_covariate(t) for t in top.tables("covariates")),
    )


def _each(top: Table, key: str, read: Callable[[Table], T], otherwise: T) -> T:
    return read(top.sub(key)) if key in top.data else otherwise


def _needed(table: Table, key: str) -> float:
    value = table.number(key)
    if value is None:
        table.fail(key, f"'{key}' is missing", f"{key} = a number")
    return value


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _whole(table: Table, key: str, otherwise: int) -> int:
    value = table.number(key)
    if value is None:
        return otherwise
    if value != round(value) or value < 0:
        table.fail(key, f"'{key}' is {value:g}", "a whole number, not negative")
    return int(value)


def _dose(table: Table) -> DoseTaken:
    amount, unit = _needed(table, "amount"), table.text("unit", "mg")
    occasion = table.scalar("occasion")
    dose = DoseTaken(
        time=_needed(table, "time"),
        amount=convert(amount, unit, "mg"),
        route=table.text("route", ""),
        interval=_or(table.number("interval"), 0.0),
        additional=_whole(table, "additional", 0),
        duration=_or(table.number("duration"), 0.0),
        steady_state=table.flag("steady_state", default=False),
        taken=table.flag("taken", default=True),
        occasion=None if occasion is None else str(occasion),
    )
    table.finish()
    return dose


def _sample(table: Table) -> Sample:
    raw = table.scalar("value")
    censored = table.text("censored", "")
    if isinstance(raw, str):
        mark, number = raw.strip()[:1], raw.strip()[1:].strip()
        try:
            value = float(number)
        except ValueError:
            table.fail("value", f"'value' is '{raw}'", "a number, or a text such as '<0.2'")
        if mark not in "<>" or censored:
            table.fail("value", f"'value' is '{raw}'", "a number, or a text such as '<0.2'")
        censored = "below" if mark == "<" else "above"
    else:
        value = _needed(table, "value")
    if censored not in ("", "below", "above"):
        table.fail("censored", f"'censored' is '{censored}'", '"below" or "above"')
    sample = Sample(
        time=_needed(table, "time"),
        value=value,
        unit=table.text("unit", ""),
        analyte=table.text("analyte", ""),
        assay=table.text("assay", ""),
        lloq=table.number("lloq"),
        censored=censored,
        time_sd=_or(table.number("time_sd"), 0.0),
        weight=_or(table.number("weight"), 1.0),
    )
    table.finish()
    return sample


def _covariate(table: Table) -> CovariateValue:
    found = CovariateValue(
        name=table.text("name"),
        value=_needed(table, "value"),
        unit=table.text("unit", ""),
        time=table.number("time"),
    )
    table.finish()
    return found


def _target(folder: Path | None, table: Table) -> Target:
    target = Target(
        metric=table.choice("metric", Metric),
        low=table.number("low"),
        high=table.number("high"),
        unit=table.text("unit", ""),
        threshold=table.number("threshold"),
        analyte=table.text("analyte", ""),
        basis=table.text("basis", ""),
        grade=table.choice("grade", Grade, Grade.USER),
        potency=None
        if "potency" not in table.data
        else read_target_potency(table.sub("potency"), folder),
    )
    table.finish()
    return target


def _question(folder: Path | None, table: Table) -> Question:
    default = Question()
    question = Question(
        time=table.number("time"),
        targets=tuple(_target(folder, t) for t in table.tables("targets")),
        strengths=_numbers(table, "strengths", ()),
        split=_whole(table, "split", default.split),
        most_tablets=_whole(table, "most_tablets", default.most_tablets),
        intervals=_numbers(table, "intervals", default.intervals),
        maximum_daily=table.number("maximum_daily"),
        probability=_or(table.number("probability"), default.probability),
        sample_times=_numbers(table, "sample_times", ()),
    )
    table.finish()
    return question


def _numbers(table: Table, key: str, otherwise: tuple[float, ...]) -> tuple[float, ...]:
    found = table.numbers(key)
    return otherwise if found is None else found


def _options(table: Table) -> Options:
    default = Options()
    options = Options(
        draws=_whole(table, "draws", default.draws),
        seed=_whole(table, "seed", default.seed),
        prior_weight=_or(table.number("prior_weight"), default.prior_weight),
        averaging=table.text("averaging", default.averaging),
        blq=table.text("blq", default.blq),
        covariate_interpolation=_interpolation(table),
        course_draws=_whole(table, "course_draws", default.course_draws),
    )
    table.finish()
    return options


def _interpolation(table: Table) -> Literal["locf", "nocb"]:
    found = table.text("covariate_interpolation", "locf")
    if found == "locf":
        return "locf"
    if found != "nocb":
        table.fail(
            "covariate_interpolation", f"'covariate_interpolation' is '{found}'", '"locf" or "nocb"'
        )
    return "nocb"


def _in_hours(document: Document) -> tuple[dict[str, Any], datetime | None]:
    """Return the tree with dates as h after the first, and the first."""
    data = copy.deepcopy(dict(document.data))
    rows = list(_rows(data))
    for path, row in rows:
        if isinstance(row["time"], str):
            try:
                row["time"] = datetime.fromisoformat(row["time"])
            except ValueError:
                raise InputError(
                    f"'time' is '{row['time']}', which is not a date",
                    where=document.place(*path, "time"),
                    hint="Write hours as a number, or a date such as 2026-03-01T08:00.",
                ) from None
    dated = [(path, row) for path, row in rows if isinstance(row["time"], datetime)]
    if not dated:
        return data, None
    if len(dated) < len(rows):
        path = next(p for p, row in rows if not isinstance(row["time"], datetime))
        raise RequestError(
            Outcome.CONTRADICTORY_DATES,
            "this time is no date, and others are",
            where=document.place(*path, "time"),
            hint="Write all times as dates, or all as hours.",
        )
    zoned = [row["time"].tzinfo is not None for _, row in dated]
    if any(zoned) and not all(zoned):
        path = dated[zoned.index(False)][0]
        raise RequestError(
            Outcome.CONTRADICTORY_DATES,
            "this date names no time zone, and others do",
            where=document.place(*path, "time"),
            hint="Give all dates an offset, such as 2026-03-01T08:00+01:00, or none.",
        )
    origin: datetime = min(row["time"] for _, row in dated)
    for _, row in dated:
        row["time"] = (row["time"] - origin).total_seconds() / 3600.0
    return data, origin


def _rows(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Yield every table that has a time."""
    for key in ("doses", "samples", "covariates"):
        rows = data.get(key)
        for i, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, dict) and "time" in row:
                yield (key, i), row
    question = data.get("question")
    if isinstance(question, dict) and "time" in question:
        yield ("question",), question
