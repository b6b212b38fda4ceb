"""``statera renal``: renal function of one person by every equation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.terminal import note, print_table, warn
from statera.errors import UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.dosing.body_surface_area import BodySurfaceArea
    from statera.dosing.creatinine_rise import OnAndBeforeTreatment
    from statera.dosing.renal_equations import RenalInputs
    from statera.dosing.renal_estimates import RenalEstimate

__all__ = ["HELP", "renal"]

HELP = """
\b
Examples:
  statera renal --age 60 --sex female --creatinine "93 umol/L" --weight 70 --height 165
  statera renal --age 9 --sex male --creatinine "0.6 mg/dL" --height 132
  statera renal --age 60 --sex f --creatinine "1.05 mg/dL" --drug baricitinib --on-treatment

Estimate renal function by every equation that the inputs allow.

Indexed values (mL/min/1.73 m2) and absolute ones (mL/min) are different measures: labels cut on
one of them. A value in brackets is converted from the other by body surface area.
"""

_CUTS = (30.0, 60.0)
_MEASURED = ("ckd-epi-2021", "cockcroft-gault")


def renal(
    *,
    age: Annotated[float | None, typer.Option("--age", help="Age, years.")] = None,
    sex: Annotated[str | None, typer.Option("--sex", help="female or male.")] = None,
    creatinine: Annotated[
        str | None, typer.Option("--creatinine", help="With unit: '93 umol/L' or '1.05 mg/dL'.")
    ] = None,
    cystatin: Annotated[
        str | None, typer.Option("--cystatin", help="Cystatin C with unit: '0.9 mg/L'.")
    ] = None,
    weight: Annotated[float | None, typer.Option("--weight", help="Actual weight, kg.")] = None,
    height: Annotated[float | None, typer.Option("--height", help="Height, cm.")] = None,
    bsa: Annotated[
        str,
        typer.Option(
            "--bsa",
            help="Formula of body surface area: DuBois, Mosteller, Haycock, Gehan-George, Boyd.",
        ),
    ] = "DuBois",
    race_coefficient: Annotated[
        bool | None,
        typer.Option(
            "--race-coefficient/--no-race-coefficient",
            help="Whether MDRD and CKD-EPI 2009 apply their factor for Black people; without "
            "either they are not computed.",
        ),
    ] = None,
    born_at_term: Annotated[
        bool | None,
        typer.Option("--born-at-term/--preterm", help="For infants: which k of Schwartz (1976)."),
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="An implausible creatinine or cystatin C is meant.")
    ] = False,
    drug: Annotated[
        str | None, typer.Option("--drug", help="A drug whose rise of creatinine is allowed for.")
    ] = None,
    on_treatment: Annotated[
        bool | None,
        typer.Option(
            "--on-treatment/--before-treatment",
            help="With --drug: when creatinine was measured.",
        ),
    ] = None,
    cut: Annotated[
        list[float] | None,
        typer.Option("--cut", help="With --drug: a cut of the label; 30 and 60 unless given."),
    ] = None,
    body: Annotated[
        bool, typer.Option("--body", help="Print measures of body size instead.")
    ] = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Estimate renal function by every equation that the inputs allow."""
    from statera.dosing.body_surface_area import body_surface_area
    from statera.dosing.creatinine import read_creatinine, read_cystatin
    from statera.dosing.person import read_sex
    from statera.dosing.renal_equations import RenalInputs
    from statera.dosing.renal_estimates import estimate_renal_function

    inputs = RenalInputs(
        age=age,
        sex=None if sex is None else read_sex(sex),
        creatinine=None if creatinine is None else read_creatinine(creatinine, confirmed=confirm),
        cystatin=None if cystatin is None else read_cystatin(cystatin, confirmed=confirm),
        weight_kg=weight,
        height_cm=height,
        race_coefficient=race_coefficient,
        born_at_term=born_at_term,
    )
    _check_choice(inputs, drug, on_treatment, body=body)
    area = None
    if weight is not None and height is not None:
        with concerning("--bsa"):
            area = body_surface_area(weight_kg=weight, height_cm=height, formula=bsa)
    estimates = estimate_renal_function(inputs, area=area)
    shifts: list[OnAndBeforeTreatment] = []
    warnings = list(inputs.creatinine.remarks) if inputs.creatinine is not None else []
    if drug is not None and on_treatment is not None:
        shifts = _shifts(inputs, estimates, drug, on_treatment, cut or _CUTS)
        for shift in shifts:
            warnings += [s for s in shift.sentences if s not in warnings]
        if not shifts:
            warnings.append(f"No rise of creatinine by {drug} is stated in the library, or no "
                            "equation from creatinine has a value.")  # fmt: skip
    if as_json:
        _print_json(inputs, area, estimates, shifts, warnings)
        return
    if body:
        _print_body(inputs)
    else:
        _print_estimates(estimates)
        if area is not None:
            note(f"In brackets: converted by a body surface area of {area} ({area.formula}).",
                 quiet=quiet)  # fmt: skip
    warn(warnings)


def _check_choice(
    inputs: RenalInputs, drug: str | None, on_treatment: bool | None, *, body: bool
) -> None:
    if body and (inputs.weight_kg is None or inputs.height_cm is None):
        raise UsageError(
            "--body needs weight and height", where="--body", hint="Give --weight and --height."
        )
    if not body and inputs.creatinine is None and inputs.cystatin is None:
        raise UsageError(
            "neither creatinine nor cystatin C was given",
            where="--creatinine, --cystatin",
            hint="Every equation starts from one of them: --creatinine '93 umol/L'.",
        )
    if (drug is None) != (on_treatment is None):
        raise UsageError(
            "--drug and --on-treatment or --before-treatment belong together",
            where="--drug",
            hint="Say whether creatinine was measured on the drug or before it.",
        )


def _shifts(
    inputs: RenalInputs,
    estimates: tuple[RenalEstimate, ...],
    drug: str,
    on_treatment: bool,
    cuts: Any,
) -> list[OnAndBeforeTreatment]:
    """Return estimates on and before treatment of the equations that labels use."""
    from statera.dosing.creatinine_rise import on_and_before_treatment

    found = []
    for estimate in estimates:
        if estimate.own is None or estimate.equation.id not in _MEASURED:
            continue
        shift = on_and_before_treatment(
            inputs,
            drug=drug,
            measured_on_treatment=on_treatment,
            equation=estimate.equation.id,
            cuts=cuts,
        )
        if shift is not None:
            found.append(shift)
    return found


def _print_estimates(estimates: tuple[RenalEstimate, ...]) -> None:
    rows = []
    for e in estimates:
        values = [
            ""
            if value is None
            else f"{value.value:.1f}"
            if value is e.own
            else f"({value.value:.1f})"
            for value in (e.indexed, e.absolute)
        ]
        kind = "indexed" if e.equation.indexed else "absolute"
        name = e.equation.name if e.own is None else e.own.equation
        rows.append((name, kind, *values, e.sentence, e.equation.short_source))
    print_table(("equation", "gives", "mL/min/1.73 m2", "mL/min", "remark", "source"), rows)


def _print_body(inputs: RenalInputs) -> None:
    rows = [
        (s.name, "" if s.value is None else f"{s.value:.2f}", s.unit, s.sentence, s.source)
        for s in _body(inputs)
    ]
    print_table(("measure", "value", "unit", "remark", "source"), rows)


def _body(inputs: RenalInputs) -> Any:
    from statera.dosing.body_size import body_sizes

    if inputs.weight_kg is None or inputs.height_cm is None:
        return ()
    return body_sizes(
        weight_kg=inputs.weight_kg, height_cm=inputs.height_cm, sex=inputs.sex, age=inputs.age
    )


def _print_json(
    inputs: RenalInputs,
    area: BodySurfaceArea | None,
    estimates: tuple[RenalEstimate, ...],
    shifts: list[OnAndBeforeTreatment],
    warnings: list[str],
) -> None:
    result = {
        "inputs": inputs,
        "body_surface_area": area,
        "estimates": [
            {
                "equation": e.equation.id,
                "name": e.equation.name,
                "as_computed": None if e.own is None else e.own.equation,
                "gives": "indexed" if e.equation.indexed else "absolute",
                "status": e.status,
                "indexed_ml_min_173m2": None if e.indexed is None else e.indexed.value,
                "absolute_ml_min": None if e.absolute is None else e.absolute.value,
                "sentence": e.sentence,
                "ages_years": list(e.equation.ages),
                "source": e.equation.source,
                "doi": e.equation.doi,
            }
            for e in estimates
        ],
        "on_and_before_treatment": [
            {
                "equation": s.equation.id,
                "unit": s.on_treatment.unit,
                "on_treatment": s.on_treatment.value,
                "before_treatment": s.before_treatment.value,
                "measured_on_treatment": s.measured_on_treatment,
                "rise_umol_l": s.rise.umol_l,
                "rise_fact": s.rise.fact.id,
                "rise_source": s.rise.source,
                "near_cuts": list(s.near),
            }
            for s in shifts
        ],
        "body_size": list(_body(inputs)),
    }
    envelope = Envelope("statera.renal/1", result, tuple(warnings), manifest())
    typer.echo(envelope.to_json(), nl=False)
