"""What is known of a person: covariates, renal function by every equation, what labels say."""

from __future__ import annotations

import shlex
from typing import Any

from statera.dosing.creatinine_rise import on_and_before_treatment
from statera.dosing.decide import decide
from statera.dosing.decision_data import decision_data
from statera.dosing.label_coverage import label_coverage
from statera.dosing.patient import Phase
from statera.dosing.read_patient import PATIENT_SCHEMA
from statera.dosing.renal_equations import RenalInputs
from statera.dosing.renal_estimates import RenalEstimate, estimate_renal_function
from statera.errors import StateraError
from statera.manifest import manifest
from statera.model import Model
from statera.tdm.advice import check_targets
from statera.tdm.check_request import check_request
from statera.tdm.write_request import request_toml
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.patient import Case, CaseRequest
from statera.web.tasks.patient_case import (
    drug_of,
    label_person,
    models_of_case,
    request_of,
    request_tree,
)
from statera.web.tasks.patient_covariates import known_covariates, renal_inputs, usual_equations
from statera.web.tasks.patient_steps import problem_of, steps_of
from statera.web.work import Work

__all__ = ["run"]

SCHEMA = "statera.web.patient-facts/1"

_CUTS = (30.0, 60.0)


def run(request: CaseRequest, work: Work) -> Answer:
    """Say what is known; what is missing or wrong is a part of the answer."""
    case = request.case
    models: tuple[Model, ...] = ()
    remarks: list[dict[str, Any]] = []
    problem = None
    try:
        models = models_of_case(case)
        renal_inputs(case)
        label_person(case)
    except StateraError as error:
        problem = problem_of(error) | {"step": "patient"}
    covariates = known_covariates(case, models)
    if models and problem is None:
        try:
            asked = request_of(request_tree(case, covariates))
            remarks = [
                {"outcome": str(r.outcome), "sentence": r.sentence, "where": r.where}
                for r in check_request(asked, models)
            ]
            for model in models:
                check_targets(model, asked.question.targets)
        except StateraError as error:
            problem = problem_of(error)
    renal, table = _renal(case)
    result = {
        "covariates": covariates,
        "renal": renal,
        "label": _label(case),
        "regions": _regions(case),
        "steps": steps_of(case, covariates, remarks, problem),
        "problem": problem,
    }
    return Answer(SCHEMA, result, {"renal function": table}, _copies(case), (), manifest())


def _renal(case: Case) -> tuple[dict[str, Any], Table]:
    """Return estimates by every equation; those without a value say why."""
    indexed, absolute = usual_equations(case.person.age)
    columns = [
        Column("equation"), Column("gives"), Column("indexed", "mL/min/1.73 m2"),
        Column("absolute", "mL/min"), Column("remark"), Column("source"),
    ]  # fmt: skip
    found: dict[str, Any] = {
        "rows": [],
        "problem": "",
        "indexed": case.indexed or indexed,
        "absolute": case.absolute or absolute,
        "treatment": [],
    }
    try:
        inputs = renal_inputs(case)
        estimates = estimate_renal_function(inputs)
    except StateraError as error:
        found["problem"] = _said(error)
        return found, Table(columns, [])
    found["rows"] = [_estimate(e) for e in estimates]
    found["treatment"] = _treatment(case, inputs, estimates)
    rows = [
        [r["name"], r["gives"], r["indexed"], r["absolute"], r["sentence"], r["source"]]
        for r in found["rows"]
    ]
    return found, Table(columns, rows)


def _estimate(e: RenalEstimate) -> dict[str, Any]:
    return {
        "id": e.equation.id,
        "name": e.equation.name,
        "gives": "indexed" if e.equation.indexed else "absolute",
        "indexed": None if e.indexed is None else e.indexed.value,
        "absolute": None if e.absolute is None else e.absolute.value,
        "sentence": e.sentence,
        "source": e.equation.source,
        "doi": e.equation.doi,
    }


def _treatment(
    case: Case, inputs: RenalInputs, estimates: tuple[RenalEstimate, ...]
) -> list[dict[str, Any]]:
    """Return estimates on and before treatment, where the drug raises creatinine by itself."""
    drug, phase = drug_of(case), case.person.phase
    if not drug or phase not in (Phase.START.value, Phase.TREATMENT.value):
        return []
    found = []
    for e in estimates:
        if e.own is None or e.equation.id not in ("ckd-epi-2021", "cockcroft-gault"):
            continue
        try:
            shift = on_and_before_treatment(
                inputs, drug=drug, measured_on_treatment=phase == Phase.TREATMENT.value,
                equation=e.equation.id, cuts=_CUTS,
            )  # fmt: skip
        except StateraError:  # a creatinine too low to be shifted: nothing to compare
            continue
        if shift is not None:
            found.append(
                {
                    "name": e.equation.name, "unit": shift.on_treatment.unit,
                    "on_treatment": shift.on_treatment.value,
                    "before_treatment": shift.before_treatment.value,
                    "rise_umol_l": shift.rise.umol_l, "source": shift.rise.source,
                    "near": list(shift.near),
                }
            )  # fmt: skip
    return found


def _label(case: Case) -> dict[str, Any] | None:
    """Return the decision of the chosen region; None where none is chosen."""
    drug = drug_of(case)
    if not (drug and case.region and case.indication):
        return None
    try:
        decision = decide(drug, case.region, label_person(case), indication=case.indication)
    except StateraError as error:
        return {"problem": _said(error), "drug": drug, "region": case.region}
    data = decision_data(decision)
    doses = decision.doses or decision.so_far
    highest = max((d.daily_mg for d in doses), default=None)
    return {**data, "problem": "", "highest_daily_mg": highest}


def _regions(case: Case) -> list[dict[str, str]]:
    """Return what every region says of the same person, a line each."""
    drug = drug_of(case)
    if not (drug and case.indication):
        return []
    found = []
    for row in label_coverage():
        if row.drug != drug or row.region == case.region:
            continue
        if row.indications and case.indication not in row.indications:
            continue
        try:
            said = decide(drug, row.region, label_person(case), indication=case.indication)
        except StateraError as error:
            found.append({"region": row.region, "outcome": "", "sentence": _said(error)})
            continue
        found.append(
            {"region": row.region, "outcome": said.outcome.value, "sentence": said.sentence}
        )
    return found


def _said(error: StateraError) -> str:
    return f"{error.what[:1].upper()}{error.what[1:]}. {error.hint}".strip()


def _copies(case: Case) -> Copies:
    """Return how renal function and the label's answer are made elsewhere."""
    python, commands = _renal_copies(case)
    drug = drug_of(case)
    if drug and case.region and case.indication:
        known = case.person.model_dump(exclude_defaults=True, exclude={"cystatin"})
        known = {key: value for key, value in known.items() if value != ""}
        python += (
            "\nfrom statera.dosing import decide\n"
            "from statera.dosing.read_patient import patient_from\n\n"
            f"person = patient_from({known!r})\n"
            f"decision = decide({drug!r}, {case.region!r}, person, "
            f"indication={case.indication!r})\n"
            "print(decision.outcome, decision.sentence)\n"
        )
        text = request_toml({"schema": PATIENT_SCHEMA, **known})
        commands.append(
            f"cat > person.toml <<'END'\n{text}END\n"
            f"statera dose {drug} --region {shlex.quote(case.region)} "
            f"--indication {shlex.quote(case.indication)} --patient person.toml"
        )
    why = "" if commands else "Give creatinine, or choose a region and an indication, first."
    return Copies(python.lstrip(), "\n".join(commands), why)


def _renal_copies(case: Case) -> tuple[str, list[str]]:
    p = case.person
    if not (p.creatinine or p.cystatin):
        return "", []
    given = {
        "age": p.age, "sex": p.sex, "creatinine": p.creatinine, "cystatin": p.cystatin,
        "weight": p.weight_kg, "height": p.height_cm,
    }  # fmt: skip
    options = [f"--{k} {shlex.quote(f'{v:g}' if isinstance(v, float) else v)}"
               for k, v in given.items() if v]  # fmt: skip
    parts = []
    if p.age is not None:
        parts.append(f"age={p.age!r}")
    if p.sex:
        parts.append(f"sex=read_sex({p.sex!r})")
    if p.creatinine:
        parts.append(f"creatinine=read_creatinine({p.creatinine!r})")
    if p.cystatin:
        parts.append(f"cystatin=read_cystatin({p.cystatin!r})")
    parts += [f"{k}={v!r}" for k, v in (("weight_kg", p.weight_kg), ("height_cm", p.height_cm))
              if v is not None]  # fmt: skip
    python = (
        "from statera.dosing.creatinine import read_creatinine, read_cystatin\n"
        "from statera.dosing.person import read_sex\n"
        "from statera.dosing.renal_equations import RenalInputs\n"
        "from statera.dosing.renal_estimates import estimate_renal_function\n\n"
        f"person = RenalInputs({', '.join(parts)})\n"
        "for found in estimate_renal_function(person):\n"
        "    print(found.equation.id, found.indexed, found.absolute, found.sentence)\n"
    )
    return python, [f"statera renal {' '.join(options)}"]
