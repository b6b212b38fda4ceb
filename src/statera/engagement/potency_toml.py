"""Potency files, schema ``statera.potency/1``: fitted potencies as TOML, read and written.

Every mistake in a file is placed by line and column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from statera.engagement.potency_record import (
    HASH,
    PotencyFile,
    PotencyProvenance,
    PotencyRecord,
    PotencyStatus,
    RefusedPotency,
    first_problem,
)
from statera.engagement.stated import parse_relation
from statera.errors import InputError, Place
from statera.library.read import Document, Table, read_document
from statera.manifest import content_hash
from statera.units import convert, same_dimension

__all__ = ["MAX_BYTES", "SCHEMA", "potency_toml", "read_potency_toml", "write_potency_toml"]

SCHEMA = "statera.potency/1"
#: Larger files are refused: the hashes of a plate of 384 wells take some 40 kB.
MAX_BYTES = 2_000_000


def read_potency_toml(path: str | Path) -> PotencyFile:
    """Read fitted potencies.

    Raises
    ------
    InputError
        With file, line and column: for a file that cannot be read, an unknown key, a missing or
        impossible value, a relation that contradicts the status, or a potency given twice.
    """
    place = Path(path)
    if place.is_file() and place.stat().st_size > MAX_BYTES:
        raise InputError(
            f"the file is larger than {MAX_BYTES // 1_000_000} MB",
            where=Place(str(path)),
            hint="A potency file has one row a potency; is this the right file?",
        )
    document = read_document(place, SCHEMA)
    top = document.table()
    found = PotencyFile(
        top.text("name", ""),
        _potencies(document, top),
        tuple(_refused(table) for table in top.tables("refused")),
        _provenance(top.sub("provenance")),
        content_hash(document.text),
    )
    top.finish("schema")
    return found


def _potencies(document: Document, top: Table) -> tuple[PotencyRecord, ...]:
    found: list[PotencyRecord] = []
    seen: dict[tuple[str, ...], int] = {}
    for i, table in enumerate(top.tables("potency")):
        record = _potency(table)
        parts = (record.drug, record.stimulus, record.readout, record.cells, record.assay)
        key = tuple(part.strip().lower() for part in parts)
        place = document.place("potency", i)
        if key in seen:
            raise InputError(
                f"{record.name} stands at line {seen[key]} already",
                where=place,
                hint="Keep one row for each drug, stimulus, readout, cells and assay.",
            )
        seen[key] = place.line or 0
        found.append(record)
    return tuple(found)


def _potency(table: Table) -> PotencyRecord:
    status = table.choice("status", PotencyStatus, PotencyStatus.DETERMINED)
    relation = table.text("relation", status.relation.value)
    if relation.strip() not in ("=", "<=", ">=", "≤", "≥"):
        table.fail("relation", f"'relation' is '{relation}'", '"=", "<=" or ">="')
    if parse_relation(relation) is not status.relation:
        table.fail(
            "relation",
            f"the relation '{relation}' does not fit the status '{status}'",
            f'relation = "{status.relation.value}"',
        )
    factor = _to_nM(table)

    def scaled(key: str) -> float | None:
        value = table.number(key)
        return None if value is None else value * factor

    value, hill, donors = scaled("value"), table.number("hill"), table.number("donors")
    if value is None:
        table.fail("value", "'value' is missing", "value = an IC50")
    if hill is None:
        table.fail("hill", "'hill' is missing", "hill = the fitted Hill coefficient")
    if donors is not None and donors != round(donors):
        table.fail("donors", f"'donors' is {donors:g}", "a whole number of at least 1")
    level = table.number("level")
    fields: dict[str, Any] = {
        **{key: table.text(key) for key in ("drug", "stimulus", "readout", "cells")},
        **{key: table.text(key, "") for key in ("assay", "source", "note")},
        "value": value,
        "hill": hill,
        "status": status,
        "matrix": table.text("matrix", "unknown"),
        "low": scaled("low"),
        "high": scaled("high"),
        "level": 0.95 if level is None else level,
        "ln_se": table.number("ln_se"),
        "ln_sd_between": table.number("ln_sd_between"),
        "donors": 1 if donors is None else int(donors),
        "flags": table.texts("flags"),
    }
    problem = first_problem(fields)
    if problem is not None:
        table.fail(*problem)
    table.finish()
    return PotencyRecord(**fields)


def _to_nM(table: Table) -> float:
    unit = table.text("unit", "nM")
    if unit == "nM":
        return 1.0
    try:
        molar = same_dimension(unit, "nM")
    except InputError:
        molar = False
    if not molar:
        table.fail("unit", f"'unit' is '{unit}'", 'a molar unit, such as "nM"')
    return convert(1.0, unit, "nM")


def _refused(table: Table) -> RefusedPotency:
    found = RefusedPotency(
        table.text("stimulus", ""),
        table.text("cells", ""),
        table.text("readout", ""),
        table.text("donor", ""),
        table.text("reason"),
    )
    table.finish()
    return found


def _provenance(table: Table) -> PotencyProvenance:
    files: dict[str, str] = {}
    if "files" in table.data:
        listed = table.sub("files")
        for name in listed.data:
            files[name] = _hash(listed, name)
    found = PotencyProvenance(
        table.text("statera"),
        table.text("created"),
        _hash(table, "settings"),
        _hash(table, "plate_map"),
        table.text("gates", ""),
        table.text("statistics", ""),
        table.text("fit", ""),
        MappingProxyType(files),
    )
    table.finish("files")
    return found


def _hash(table: Table, key: str) -> str:
    text = table.text(key)
    if not HASH.fullmatch(text):
        table.fail(key, f"'{key}' is no content hash", '"sha256:" and 64 hexadecimal digits')
    return text


def potency_toml(file: PotencyFile) -> str:
    """Return fitted potencies as the text of a potency file; numbers are written in full."""
    made = file.provenance
    top = [*_lines({"schema": SCHEMA, "name": file.name}), "", "[provenance]"]
    known = {
        "statera": made.statera,
        "created": made.created,
        "settings": made.settings,
        "plate_map": made.plate_map,
        "gates": made.gates,
        "statistics": made.statistics,
        "fit": made.fit,
    }
    top += _lines(known)
    if made.files:
        top += ["", "[provenance.files]"]
        top += [f"{_text(name)} = {_text(value)}" for name, value in made.files.items()]
    for record in file.potencies:
        top += ["", "[[potency]]", *_lines(_row(record))]
    for row in file.refused:
        top += ["", "[[refused]]", *_lines(vars(row))]
    return "\n".join(top) + "\n"


def write_potency_toml(file: PotencyFile, path: str | Path) -> None:
    """Write fitted potencies to a file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    try:
        Path(path).write_text(potency_toml(file), encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            f"the file cannot be written: {error.strerror or error}",
            where=Place(str(path)),
            hint="Check that the folder exists and that you may write there.",
        ) from error


def _row(record: PotencyRecord) -> dict[str, Any]:
    names = (
        *("drug", "stimulus", "readout", "cells", "assay", "matrix", "relation", "value", "unit"),
        *("hill", "low", "high", "level", "ln_se", "ln_sd_between", "donors", "status", "flags"),
        *("source", "note"),
    )
    known: dict[str, Any] = {
        **vars(record),
        "relation": record.relation.value,
        "unit": "nM",
        "donors": int(record.donors),
    }
    return {name: known[name] for name in names}


def _lines(fields: Mapping[str, Any]) -> list[str]:
    """Return keys with their values; what is None or empty is left out."""
    return [
        f"{key} = {_value(value)}"
        for key, value in fields.items()
        if not (value is None or (isinstance(value, str | tuple) and not value))
    ]


def _value(value: str | float | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_text(part) for part in value)}]"
    return str(value) if isinstance(value, int) else repr(float(value))


def _text(text: str) -> str:
    """Return a basic string of TOML: its escapes are those of JSON, and DEL is one more."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")
