"""A case of the screen as the library reads it: a request, and a person as labels see one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from statera.dosing.dose import PER_DAY
from statera.dosing.label_limits import LabelMaximum, label_maximum
from statera.dosing.patient import Patient
from statera.dosing.read_patient import patient_from
from statera.errors import StateraError
from statera.library.models import library_model
from statera.model import Model
from statera.tdm.advice import ScoredCandidate
from statera.tdm.read_request import SCHEMA, request_from
from statera.tdm.request import Request
from statera.tdm.write_request import request_toml
from statera.web.answer import Copies
from statera.web.requests.patient import Case, Dose, Person, Sample
from statera.web.tasks.concerning import concerning
from statera.web.tasks.patient_covariates import KnownCovariate, known_covariates

__all__ = [
    "answered_elsewhere",
    "beside_label",
    "drug_of",
    "label_limit",
    "label_person",
    "limited_tree",
    "models_of_case",
    "request_of",
    "request_tree",
]

_Row = TypeVar("_Row", Dose, Sample)
_ONLY_RENAL = {"cystatin"}
"""Keys of a person that renal equations use and labels do not."""


def drug_of(case: Case) -> str:
    """Return the drug of the first model; empty where none is chosen."""
    return case.models[0].partition("/")[0] if case.models else ""


def models_of_case(case: Case) -> tuple[Model, ...]:
    """Return the models of the library that a case names.

    Raises
    ------
    UnknownNameError
        If the library has no such model; files are never opened.
    """
    found = []
    for k, name in enumerate(case.models):
        with concerning(f"models[{k}]"):
            found.append(library_model(name))
    return tuple(found)


def label_person(case: Case) -> Patient:
    """Return the person as labels see one.

    Raises
    ------
    InputError
        If a value cannot be that of a person.
    """
    return _seen_by_labels(case.person)


def _seen_by_labels(person: Person) -> Patient:
    known = person.model_dump(exclude_none=True, exclude=_ONLY_RENAL)
    if not known["confirmed"]:
        del known["confirmed"]
    return patient_from({key: value for key, value in known.items() if value != ""})


def label_limit(case: Case) -> LabelMaximum | None:
    """Return the highest dose of the label; None where no region and indication are chosen.

    Raises
    ------
    StateraError
        If the label says nothing of this person, region or indication.
    """
    drug = drug_of(case)
    if not (drug and case.region and case.indication):
        return None
    return _label_maximum(drug, case.region, case.indication, case.person.model_dump_json())


@lru_cache(maxsize=256)
def _label_maximum(drug: str, region: str, indication: str, person: str) -> LabelMaximum:
    """Return the same for the same person: samples change more often than persons do."""
    seen = _seen_by_labels(Person.model_validate_json(person))
    return label_maximum(drug, region, seen, indication=indication)


def beside_label(case: Case, chosen: ScoredCandidate | None) -> dict[str, str] | None:
    """Return whether the advice is what the label says; None where no label was chosen."""
    try:
        found = label_limit(case)
    except StateraError as error:
        return {"status": "missing", "sentence": f"Not compared with a label: {error.what}."}
    if found is None:
        return None
    doses = found.decision.doses
    if not found.is_final:
        return {"status": "missing", "sentence": "The label's answer is not final: compare again."}
    if not doses:
        return {"status": "warning", "sentence": "The label gives no dose to this person."}
    if chosen is None:
        return {"status": "warning", "sentence": f"The label gives {doses[0]}; no dose is advised."}
    given = chosen.candidate
    for dose in doses:
        if dose.mg == given.amount and 24.0 / PER_DAY[dose.frequency] == given.interval:
            return {"status": "complete", "sentence": "The label gives the same dose."}
    words = " or ".join(str(d) for d in doses)
    return {"status": "warning", "sentence": f"The label gives another dose: {words}."}


def request_tree(case: Case, covariates: Sequence[KnownCovariate]) -> dict[str, Any]:
    """Return a case as a request is written, without the limit of a label."""
    question = case.question.model_dump(exclude_defaults=True)
    if "targets" in question:
        question["targets"] = [t.model_dump(exclude_defaults=True) for t in case.question.targets]
    options = case.options.model_dump(exclude_defaults=True)
    options |= {"draws": case.options.draws, "seed": case.options.seed}
    doses, samples = _in_time(case.doses), _in_time(case.samples)
    tree: dict[str, Any] = {
        "schema": SCHEMA,
        "id": case.request or "request",
        "models": list(case.models),
        "patient": {"id": case.patient},
        "covariates": [c.row() for c in covariates if c.value is not None],
        "doses": [d.model_dump(exclude_defaults=True) | {"unit": d.unit} for d in doses],
        "samples": [s.model_dump(exclude_defaults=True) | {"unit": s.unit} for s in samples],
        "question": question,
        "options": options | {"course_draws": case.options.course_draws},
    }
    return {key: value for key, value in tree.items() if value != []}


def _in_time(rows: Sequence[_Row]) -> list[_Row]:
    """Return rows in the order of their times, as the library counts them in its places.

    So ``samples[1]`` means the same in every answer. Times that cannot be compared stay as they
    are: reading them says what is wrong.
    """
    try:
        keys = [
            t if isinstance(t, float) else datetime.fromisoformat(t) for t in (r.time for r in rows)
        ]
        order = sorted(range(len(rows)), key=keys.__getitem__)
    except (TypeError, ValueError):
        return list(rows)
    return [rows[k] for k in order]


def limited_tree(case: Case) -> tuple[dict[str, Any], list[str]]:
    """Return a case as a request with the label's highest daily amount, and what to know of it."""
    tree = request_tree(case, known_covariates(case, models_of_case(case)))
    if not case.limit_by_label or case.question.maximum_daily is not None:
        return tree, []
    try:
        found = label_limit(case)
    except StateraError as error:
        return tree, [f"The search is not limited by a label: {error.what}."]
    if found is None:
        return tree, []
    if found.daily_mg is None:
        return tree, [f"The search is not limited by the label: {found.reason}"]
    tree["question"]["maximum_daily"] = found.daily_mg
    if found.is_final:
        return tree, []
    said = f"The search is limited to {found.daily_mg:g} mg a day by what is known for the label"
    return tree, [f"{said}; its answer is not final."]


def request_of(tree: dict[str, Any]) -> Request:
    """Return the request that a tree describes; it may read no file.

    Raises
    ------
    InputError
        Where something is not understood.
    """
    return request_from(tree)


def answered_elsewhere(tree: dict[str, Any], program: str) -> Copies:
    """Return how the numbers are made by a program, and by a command with its file."""
    text = request_toml(tree)
    python = f"import tomllib\n\nrequest_text = '''\n{_quoted(text)}'''\n\n{program}"
    command = f"cat > visit.toml <<'END'\n{text}END\nstatera forecast visit.toml"
    return Copies(python, command)


def _quoted(text: str) -> str:
    """Return a text as it stands between three quotes of a program."""
    return text.replace("\\", "\\\\").replace("'''", "\\'\\'\\'")
