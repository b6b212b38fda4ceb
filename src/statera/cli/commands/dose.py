"""``statera dose``: what label rules say of one person's dose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope, Failure
from statera.cli.options import JsonFlag, QuietFlag
from statera.cli.terminal import note, print_table
from statera.errors import DomainError, StateraError, UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.dosing.decision import Decision
    from statera.dosing.patient import Patient

__all__ = ["HELP", "dose"]

HELP = """
\b
Examples:
  statera dose --list
  statera dose baricitinib --region EU --indication RA --age 70 --egfr 45
  statera dose baricitinib --region EU --indication RA --age 50 --sex male --weight 70
      --creatinine '131 umol/L' --alc '1.2 10^9/L' --anc '3.1 10^9/L' --hb '13 g/dL'
      --hepatic none --with none --risk none --phase start
  statera dose baricitinib --region US --indication RA --patient patient.toml --json
  statera dose baricitinib --region all --indication AA --patient patient.toml

Say what the label rules in the library give for one person, by which rule and which source.

What is not given is not taken as normal: where it could lower the dose, the answer is that it
cannot be decided, and what is missing. Exit code 5: the label as read is not for this person.
"""
SCHEMA = "statera.dose/1"


def dose(
    drug: Annotated[str | None, typer.Argument(metavar="DRUG", help="Such as baricitinib.")] = None,
    *,
    region: Annotated[
        str | None, typer.Option("--region", help="US, EU, UK, CH, Ontario, unspecified, or all.")
    ] = None,
    indication: Annotated[
        str | None, typer.Option("--indication", help="Such as RA, AD, AA, UC or COVID-19.")
    ] = None,
    patient: Annotated[
        Path | None, typer.Option("--patient", metavar="FILE", help="A patient file (.toml).")
    ] = None,
    age: Annotated[float | None, typer.Option("--age", help="Years.")] = None,
    sex: Annotated[str | None, typer.Option("--sex", help="female or male.")] = None,
    weight: Annotated[float | None, typer.Option("--weight", help="kg.")] = None,
    height: Annotated[float | None, typer.Option("--height", help="cm.")] = None,
    creatinine: Annotated[
        str | None, typer.Option("--creatinine", metavar="'85 umol/L'", help="With its unit.")
    ] = None,
    crcl: Annotated[
        float | None, typer.Option("--crcl", help="Creatinine clearance, mL/min.")
    ] = None,
    egfr: Annotated[float | None, typer.Option("--egfr", help="eGFR, mL/min/1.73 m2.")] = None,
    alc: Annotated[
        str | None, typer.Option("--alc", metavar="'1.2 10^9/L'", help="Lymphocytes.")
    ] = None,
    anc: Annotated[
        str | None, typer.Option("--anc", metavar="'3.1 10^9/L'", help="Neutrophils.")
    ] = None,
    plt: Annotated[
        str | None, typer.Option("--plt", metavar="'250 10^9/L'", help="Platelets.")
    ] = None,
    hb: Annotated[
        str | None, typer.Option("--hb", metavar="'13 g/dL'", help="Haemoglobin.")
    ] = None,
    hb_fall: Annotated[
        float | None, typer.Option("--hb-fall", help="Fall of haemoglobin on treatment, g/dL.")
    ] = None,
    hepatic: Annotated[
        str | None, typer.Option("--hepatic", help="none, mild, moderate or severe impairment.")
    ] = None,
    medicines: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="MEDICINE",
            help="Another medicine, a class such as 'strong OAT3 inhibitor', NAME=CLASS, or none; "
            "repeatable.",
        ),
    ] = None,
    risk: Annotated[
        str | None,
        typer.Option(
            "--risk",
            metavar="cv,no-vte",
            help="cv, vte, malignancy, smoking, infection; no- before what is absent; or none.",
        ),
    ] = None,
    finding: Annotated[
        str | None,
        typer.Option(
            "--finding",
            metavar="hospitalised,...",
            help="dialysis, acute_kidney_injury, hospitalised, discharged, severe_disease, "
            "prior_dmard_failure, near_complete_hair_loss; no- before what is absent.",
        ),
    ] = None,
    phase: Annotated[str | None, typer.Option("--phase", help="start or treatment.")] = None,
    part: Annotated[str | None, typer.Option("--part", help="induction or maintenance.")] = None,
    response: Annotated[
        str | None, typer.Option("--response", help="inadequate, none, adequate or sustained.")
    ] = None,
    on_dose: Annotated[
        str | None, typer.Option("--on-dose", metavar="'4 mg QD'", help="The present dose.")
    ] = None,
    week: Annotated[float | None, typer.Option("--week", help="Weeks of treatment.")] = None,
    course_day: Annotated[
        float | None, typer.Option("--day", help="Day of a treatment of limited length, from 1.")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="An implausible creatinine is meant.")
    ] = False,
    list_rules: Annotated[
        bool, typer.Option("--list", help="List drugs, regions and indications with rules.")
    ] = False,
    every_rule: Annotated[
        bool, typer.Option("--every-rule", help="Also show the rules for other indications.")
    ] = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Say what label rules give for one person."""
    if list_rules:
        _list(drug, as_json)
        return
    given: dict[str, Any] = {
        "age": age, "sex": sex, "weight_kg": weight, "height_cm": height,
        "creatinine": creatinine, "crcl": crcl, "egfr": egfr, "alc": alc, "anc": anc, "plt": plt,
        "hb": hb, "hb_fall": hb_fall, "hepatic": hepatic, "medicines": medicines or None,
        "risk": _split(risk), "finding": _split(finding), "phase": phase, "part": part,
        "response": response, "on_dose": on_dose, "week": week, "course_day": course_day,
        "confirmed": confirm or None,
    }  # fmt: skip
    given = {key: value for key, value in given.items() if value is not None}
    _require(drug, region, indication)
    person = _person(patient, given)
    from statera.dosing import compare_regions, decide  # late: only when this runs

    assert drug is not None
    assert region is not None
    assert indication is not None
    try:
        if region == _EVERYWHERE:
            decisions = compare_regions(drug, person, indication=indication)
        else:
            decision = decide(drug, region, person, indication=indication)
    except StateraError as error:
        error.where = _OPTIONS.get(str(error.where), error.where)
        raise
    if region == _EVERYWHERE:
        _print_regions(decisions, patient, as_json, quiet)
    else:
        _print(decision, patient, every_rule, as_json, quiet)


_EVERYWHERE = "all"
_OPTIONS = {"region": "--region", "indication": "--indication"}
_NAMES = {
    "weight_kg": "--weight",
    "height_cm": "--height",
    "medicines": "--with",
    "course_day": "--day",
    "confirmed": "--confirm",
}


def _split(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(w for w in (p.strip() for p in text.split(",")) if w)


def _require(drug: str | None, region: str | None, indication: str | None) -> None:
    for value, name in ((drug, "DRUG"), (region, "--region"), (indication, "--indication")):
        if value is None:
            raise UsageError(
                f"{name} is missing",
                where=name,
                hint="See 'statera dose --list' for drugs, regions and indications.",
            )


def _person(path: Path | None, given: Mapping[str, Any]) -> Patient:
    from statera.dosing.read_patient import patient_from, read_patient

    if path is not None:
        if given:
            options = ", ".join(_NAMES.get(key, f"--{key.replace('_', '-')}") for key in given)
            raise UsageError(
                f"--patient and {options} exclude each other",
                where="--patient",
                hint="Put everything about the person in the file, or in options.",
            )
        return read_patient(path)
    try:
        return patient_from(given)
    except StateraError as error:
        if isinstance(error.where, str) and error.where:
            key = error.where
            error.where = _NAMES.get(key, f"--{key.replace('_', '-')}")
        raise


def _print(
    decision: Decision, path: Path | None, every_rule: bool, as_json: bool, quiet: bool
) -> None:
    from statera.dosing.decision_data import decision_data
    from statera.dosing.decision_text import DISCLAIMER, decision_text

    failure = None
    if decision.outcome.is_outside_label:
        failure = Failure(
            decision.sentence,
            f"{decision.drug}, {decision.region}, {decision.indication}",
            "See the rules considered for what the label covers as read.",
            DomainError.exit_code,
        )
    if as_json:
        inputs = {} if path is None else {path.name: path.read_bytes()}
        envelope = Envelope(
            SCHEMA, decision_data(decision), (DISCLAIMER,), manifest(inputs), failure
        )
        typer.echo(envelope.to_json(), nl=False)
    else:
        typer.echo(decision_text(decision, every_rule=every_rule), nl=False)
    if failure is not None:
        note(f"outside the label as read: {decision.sentence}", quiet=quiet)
        raise typer.Exit(DomainError.exit_code)


def _print_regions(
    decisions: Sequence[Decision], path: Path | None, as_json: bool, quiet: bool
) -> None:
    """Print one line a region; a region in which the label is not for this person is one too."""
    from statera.dosing.decision_data import decision_data
    from statera.dosing.decision_text import DISCLAIMER

    if as_json:
        inputs = {} if path is None else {path.name: path.read_bytes()}
        data = [decision_data(d) for d in decisions]
        typer.echo(Envelope(SCHEMA, data, (DISCLAIMER,), manifest(inputs)).to_json(), nl=False)
        return
    print_table(
        ("region", "outcome", "answer"),
        ((d.region, d.outcome.value, d.sentence) for d in decisions),
    )
    note(DISCLAIMER, quiet=quiet)


def _list(drug: str | None, as_json: bool) -> None:
    from statera.dosing import label_coverage  # late: only when this runs

    rows = [row for row in label_coverage() if drug is None or row.drug == drug.lower()]
    if not rows:
        raise UsageError(
            f"the library holds no label rule of '{drug}'",
            where="DRUG",
            hint="See 'statera dose --list' without a drug.",
        )
    if as_json:
        data = [
            {"drug": r.drug, "region": r.region, "indications": list(r.indications),
             "rules": r.rules} for r in rows
        ]  # fmt: skip
        typer.echo(Envelope(SCHEMA, data, (), manifest()).to_json(), nl=False)
        return
    print_table(
        ("drug", "region", "indications", "rules"),
        ((r.drug, r.region, ", ".join(r.indications), str(r.rules)) for r in rows),
    )
