"""Read the potency of a target: named in a file of potencies, or stated in the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from statera.engagement import GivenPotencies, Ic50Uncertainty, Potency, read_potencies
from statera.engagement.stated import MATRICES, Matrix, standard_unit
from statera.errors import InputError, StateraError
from statera.library.read import Document, Table
from statera.manifest import content_hash
from statera.sources.fact import Relation
from statera.tdm.target_potency import Drawn, TargetPotency

__all__ = ["potency_tree", "read_target_potency", "state_potencies"]


def read_target_potency(table: Table, folder: Path | None) -> TargetPotency:
    """Return the potency that a target names or states.

    Parameters
    ----------
    table
        The table ``potency`` of a target.
    folder
        Where paths of files start; None where no file may be read.

    Raises
    ------
    InputError
        At its place in the request: if the file has no such potency or several, or it is known
        only as a bound. What is wrong in the file itself is placed there.
    """
    found = _named(table, folder) if "file" in table.data else _stated(table)
    table.finish()
    return found


def potency_tree(found: TargetPotency) -> dict[str, Any]:
    """Return the potency as a request states it, without the file it came from."""
    p, known = found.potency, found.potency.uncertainty
    tree: dict[str, Any] = {
        **{key: getattr(p, key) for key in ("drug", "stimulus", "readout", "cells", "target")},
        **{key: getattr(p, key) for key in ("assay", "matrix", "value", "unit")},
        "hill": None if p.hill_assumed else p.hill,
        "ln_se": None if known is None else known.ln_se,
        "ln_sd_between": None if known is None else known.ln_sd_between,
        "donors": None if known is None else known.donors,
        "drawn": str(found.drawn),
        "from_file": found.file,
        "content_hash": found.content_hash,
    }
    return {key: value for key, value in tree.items() if value is not None and value != ""}


def state_potencies(tree: dict[str, Any], document: Document, folder: Path) -> None:
    """Replace files of potencies in the targets of a request by what they say.

    A request that is kept, or sent elsewhere, then needs no other file.

    Parameters
    ----------
    tree
        A request as plain data; it is changed.
    document
        The same, for the places of mistakes.

    Raises
    ------
    InputError
        As in `read_target_potency`.
    """
    question = tree.get("question")
    targets = question.get("targets") if isinstance(question, dict) else None
    for i, target in enumerate(targets if isinstance(targets, list) else ()):
        named = target.get("potency") if isinstance(target, dict) else None
        if isinstance(named, dict) and "file" in named:
            table = Table(document, named, ("question", "targets", i, "potency"))
            target["potency"] = potency_tree(read_target_potency(table, folder))


def _named(table: Table, folder: Path | None) -> TargetPotency:
    name = table.text("file")
    if folder is None:
        table.fail(
            "file",
            "a request that is no file cannot name one",
            "the potency itself: drug, stimulus, value, hill, ln_se, ln_sd_between, matrix",
        )
    path = folder / name
    given = read_potencies(path)
    keys = ("drug", "stimulus", "target", "readout", "cells", "assay")
    asked = {key: table.text(key, "") for key in keys}
    asked = {key: value for key, value in asked.items() if value}
    drawn = table.choice("drawn", Drawn, Drawn.PERSON)
    matching = [p for p in given.potencies if _matches(p, asked)]
    if len(matching) != 1:
        _not_one(table, asked, matching, given)
    potency = matching[0]
    if not potency.ic50.is_point:
        table.fail(
            "file",
            f"the IC50 of {potency.name} is known only as {potency.text}: no probability of an "
            "inhibition follows from it",
            "a potency that is determined",
        )
    return TargetPotency(
        replace(potency, note="", source="", label=""),
        drawn,
        path.name,
        content_hash(path.read_bytes()),
    )


def _matches(potency: Potency, asked: Mapping[str, str]) -> bool:
    return all(
        getattr(potency, key).strip().lower() == value.strip().lower()
        for key, value in asked.items()
    )


def _not_one(
    table: Table, asked: Mapping[str, str], matching: list[Potency], given: GivenPotencies
) -> NoReturn:
    wanted = ", ".join(asked.values()) or "anything"
    if matching:
        names = "; ".join(", ".join(x for x in (p.name, p.assay) if x) for p in matching)
        table.fail(
            "file",
            f"{len(matching)} potencies of the file are of {wanted}: {names}",
            "stimulus, cells, readout or assay that only one of them has",
        )
    for row in given.refused:
        row_says = {"stimulus": row.stimulus, "cells": row.cells, "readout": row.readout}
        if all(row_says.get(k, v).lower() == v.lower() for k, v in asked.items()):
            table.fail(
                "file",
                f"the curve of {wanted} gave no potency ({row.reason})",
                "a potency that is determined",
            )
    names = "; ".join(p.name for p in given.potencies) or "none at all"
    table.fail("file", f"no potency of the file is of {wanted}", f"one of: {names}")


def _stated(table: Table) -> TargetPotency:
    value, hill = table.number("value"), table.number("hill")
    if value is None:
        table.fail("value", "the potency has neither a 'file' nor a 'value'", "one of them")
    try:
        factor, unit = standard_unit(table.text("unit", "nM"))
    except StateraError as error:
        table.fail("unit", error.what, "a concentration, such as nM")
    donors = table.number("donors")
    if donors is not None and donors != round(donors):
        table.fail("donors", f"'donors' is {donors:g}", "a whole number of at least 1")
    drawn, file = table.choice("drawn", Drawn, Drawn.PERSON), table.text("from_file", "")
    try:
        known = Ic50Uncertainty(
            table.number("ln_se"),
            table.number("ln_sd_between"),
            donors=None if donors is None else int(donors),
        )
        potency = Potency(
            table.text("drug", ""),
            value * factor,
            unit,
            Relation.EQUAL,
            stimulus=table.text("stimulus", ""),
            hill=1.0 if hill is None else hill,
            hill_assumed=hill is None,
            matrix=_matrix(table),
            uncertainty=None if known == Ic50Uncertainty() else known,
            readout=table.text("readout", ""),
            cells=table.text("cells", ""),
            target=table.text("target", ""),
            assay=table.text("assay", ""),
        )
    except InputError as error:
        if error.where is not None and not isinstance(error.where, str):
            raise  # a place in the file already
        place = table.document.place(*table.path)
        raise InputError(error.what, where=place, hint=error.hint) from error
    return TargetPotency(potency, drawn, file, table.text("content_hash", ""))


def _matrix(table: Table) -> Matrix:
    written = table.text("matrix", "unknown")
    for known in MATRICES:
        if known == written:
            return known
    return table.fail("matrix", f"'{written}' is not a matrix", f"one of: {', '.join(MATRICES)}")
