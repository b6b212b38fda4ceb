"""Judgements of certainty from a TOML file or from the columns of a table of studies.

In TOML one ``[[outcome]]`` each, with ``name``, ``design`` (randomised or observational), and per
domain ``{ concern = "serious", reason = "..." }``; ``certainty`` states the level, ``start``
another one to start from. For tables of findings: ``comparator_risk`` (a share) or
``comparator_rate`` (per 100 person-years), with ``comparator_source``, and ``label``.

In a table: ``certainty``, ``grade_design`` and ``grade_<domain>``, ``grade_<domain>_reason``. They
belong to the outcome, so that all rows of it say the same.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from statera.errors import InputError, Place
from statera.evidence.certainty import (
    Certainty,
    Design,
    Domain,
    Grading,
    Judgement,
    certainty_of,
    judgement_of,
)
from statera.evidence.read_table import StudyTable

__all__ = ["OutcomeJudgement", "judgement_of_columns", "read_certainty"]

LARGEST = 5_000_000
_KEYS = {re.sub(r"[^a-z]", "_", domain.value): domain for domain in Domain}
_OTHERS = (
    "name", "label", "design", "start", "certainty", "comparator_risk", "comparator_rate",
    "comparator_source",
)  # fmt: skip


@dataclass(frozen=True)
class OutcomeJudgement:
    """What people said of one outcome.

    Attributes
    ----------
    grading
    label
        How a table of findings calls it.
    comparator_risk
        Share of people with the event in the comparator, for absolute effects; None: taken from
        the counts.
    comparator_rate
        The same over time: events per 100 person-years.
    comparator_source
        Where that number is from.
    """

    grading: Grading
    label: str = ""
    comparator_risk: float | None = None
    comparator_rate: float | None = None
    comparator_source: str = ""


def read_certainty(path: str | Path) -> tuple[OutcomeJudgement, ...]:
    """Read judgements from a TOML file.

    Raises
    ------
    InputError
        If the file cannot be read, a key or a judgement is not known, or an outcome stands twice.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST:
            raise InputError("the file is too large", where=Place(str(file)))
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the file is no TOML: {error}", where=Place(str(file))) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the file cannot be read: {error}", where=Place(str(file))) from error
    rows = found.get("outcome")
    if not isinstance(rows, list) or not rows or set(found) - {"outcome"}:
        raise InputError(
            "the file has no outcomes, or more than outcomes",
            where=Place(str(file)),
            hint="Write one [[outcome]] for each, with its name and judgements.",
        )
    read = tuple(_outcome(row, str(file)) for row in rows)
    names = [r.grading.outcome.lower() for r in read]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise InputError(f"outcome '{twice}' stands twice", where=Place(str(file)))
    return read


def _outcome(row: Any, source: str) -> OutcomeJudgement:
    if not isinstance(row, Mapping):
        raise InputError("an outcome is no table", where=Place(source), hint="Write [[outcome]].")
    name = str(row.get("name", ""))
    where = f"{source}, outcome '{name}'"
    unknown = sorted(set(row) - {*_OTHERS, *_KEYS})
    if unknown:
        raise InputError(
            f"'{unknown[0]}' is not known of an outcome",
            where=where,
            hint=f"Known: {', '.join((*_OTHERS, *_KEYS))}.",
        )
    judgements = [_judgement(_KEYS[key], row[key], where) for key in _KEYS if key in row]
    risk, rate = (_positive(row.get(key), key, where) for key in _OTHERS[5:7])
    if risk is not None and risk >= 1.0:
        raise InputError(
            f"a 'comparator_risk' of {risk:g} is no share",
            where=where,
            hint="Give 0.012 for 1.2 %.",
        )
    return OutcomeJudgement(
        _grading(
            name, row.get("design"), judgements, row.get("certainty"), row.get("start"), where
        ),
        str(row.get("label", "")),
        risk,
        rate,
        str(row.get("comparator_source", "")),
    )


def _positive(given: Any, key: str, where: str) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0.0 < given < math.inf:
        raise InputError(f"'{key}' is not a number above 0", where=where)
    return float(given)


def _judgement(domain: Domain, given: Any, where: str) -> Judgement:
    if isinstance(given, str):
        return judgement_of(domain, given, "", where)
    if not isinstance(given, Mapping) or not isinstance(given.get("concern"), str):
        raise InputError(
            f"the judgement of {domain} has no concern",
            where=where,
            hint='Write { concern = "serious", reason = "..." }.',
        )
    unknown = sorted(set(given) - {"concern", "reason"})
    if unknown:
        raise InputError(f"'{unknown[0]}' is not known of a judgement", where=where)
    return judgement_of(domain, given["concern"], str(given.get("reason", "")), where)


def _grading(
    name: str, design: Any, judgements: Sequence[Judgement], level: Any, start: Any, where: str
) -> Grading:
    kind = None
    if design is not None and str(design).strip():
        plain = str(design).strip().lower().replace("randomized", "randomised")
        if plain not in list(Design):
            raise InputError(
                f"'{design}' is no design", where=where, hint=f"Known: {', '.join(Design)}."
            )
        kind = Design(plain)
    return Grading(
        name, kind, tuple(judgements), _level(level, where), _level(start, where)
    )  # fmt: skip


def _level(given: Any, where: str) -> Certainty | None:
    if given is None or not str(given).strip():
        return None
    return certainty_of(str(given), where)


def judgement_of_columns(table: StudyTable, name: str = "") -> tuple[Grading, tuple[str, ...]]:
    """Return what the columns of a table say of its outcome, and what is wrong with them.

    Parameters
    ----------
    table
        Rows of one outcome.
    name
        Of the outcome.

    Returns
    -------
    tuple
        The grading, empty where the table has no such columns, and sentences: where rows differ,
        the column is not used.
    """
    problems: list[str] = []

    def one(key: str) -> str:
        for column, values in table.carried.items():
            if re.sub(r"[^a-z]+", "_", column.strip().lower()).strip("_") != key:
                continue
            said = {v.strip() for v in values if v.strip()}
            if len(said) > 1:
                problems.append(
                    f"column '{column}' says {' and '.join(sorted(said))}: certainty is that of "
                    "the outcome, so that all its rows must say the same; it is not used."
                )
                return ""
            return next(iter(said), "")
        return ""

    where = f"{table.source}, columns of certainty"
    judgements = []
    for key, domain in _KEYS.items():
        said = one(f"grade_{key}")
        if said:
            reason = one(f"grade_{key}_reason")
            judgements.append(judgement_of(domain, said, reason, where))
    level = one("certainty") or one("grade")
    return (
        _grading(name, one("grade_design"), judgements, level, one("grade_start"), where),
        tuple(problems),
    )
