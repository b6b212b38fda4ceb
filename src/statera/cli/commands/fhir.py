"""``statera fhir``: records in and results out, as FHIR R4."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.terminal import note, print_table, warn
from statera.errors import UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.fhir.collected import ImportResult

__all__ = ["fhir_app"]

_IMPORT_HELP = """
\b
Examples:
  statera fhir import bundle.json --out request.json
  statera fhir import bundle.json --model baricitinib/Decker_2024 --out request.json
  statera fhir import bundle.json --question question.toml --out request.json
  statera fhir import bundle.json --renal schwartz-bedside --level-code 12345 --json

Make a request of a FHIR R4 bundle: doses taken, samples, covariates.

A prescription (MedicationRequest) is never taken as intake. Everything that is left out is listed
with the reason.
"""

_EXPORT_HELP = """
\b
Examples:
  statera fhir export forecast.json --out bundle.json
  statera fhir export forecast.json --json

Write the result of a forecast as a FHIR R4 bundle: GuidanceResponse, DiagnosticReport and
Provenance. No order is made of it.
"""

fhir_app = typer.Typer(
    help="Read records and write results as FHIR R4.",
    rich_markup_mode=None,
)


@fhir_app.callback(invoke_without_command=True)
def _fhir(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@fhir_app.command("import", help=_IMPORT_HELP, short_help="Make a request of a FHIR bundle.")
def import_(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A FHIR R4 bundle in JSON.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Request to write; ends in .json.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="Model of the request; all of the drug unless given."),
    ] = None,
    drug: Annotated[
        str, typer.Option("--drug", help="The drug, where neither model nor bundle says one.")
    ] = "",
    patient: Annotated[
        str, typer.Option("--patient", help="Id of the patient, where there are several.")
    ] = "",
    level_code: Annotated[
        list[str] | None,
        typer.Option(
            "--level-code",
            help="Your laboratory's code of the concentration: CODE or SYSTEM|CODE.",
        ),
    ] = None,
    renal: Annotated[
        str,
        typer.Option("--renal", help="Equation to compute renal function by, as 'ckd-epi-2021'."),
    ] = "",
    race_coefficient: Annotated[
        bool | None,
        typer.Option(
            "--race-coefficient/--no-race-coefficient",
            help="With --renal: whether MDRD or CKD-EPI 2009 apply their factor for Black people.",
        ),
    ] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Of times without one: '+01:00', 'Europe/Berlin'.")
    ] = "",
    question: Annotated[
        Path | None,
        typer.Option("--question", help="TOML or JSON with [question] and [options] of a request."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Make a request of a FHIR bundle."""
    from statera.fhir.import_request import import_bundle  # heavy: only when run
    from statera.fhir.question import with_question
    from statera.fhir.read_bundle import read_bundle
    from statera.fhir.times import read_zone

    if out is not None:
        check_target(out, (".json",))
    elif not as_json:
        raise UsageError(
            "nothing says where the request goes",
            where="--out",
            hint="Give --out request.json, or --json to print it.",
        )
    result = import_bundle(
        read_bundle(bundle),
        models=tuple(model or ()),
        drug=drug,
        patient=patient,
        level_codes=dict(_level_code(text) for text in level_code or ()),
        renal=renal,
        race_coefficient=race_coefficient,
        zone=read_zone(time_zone) if time_zone else None,
    )
    with concerning("--question"):
        request = with_question(result.request, question)
    if out is not None:
        text = json.dumps(request, indent=2, ensure_ascii=False) + "\n"
        write_bytes_atomically(out, text.encode())
    if as_json:
        envelope = Envelope(
            "statera.fhir.import/1",
            _data(result, request),
            result.remarks,
            manifest({bundle.name: bundle.read_bytes()}),
        )
        typer.echo(envelope.to_json(), nl=False)
        return
    print_table(("resource", "became", "why"), _rows(result))
    warn(result.remarks)
    note(_summary(result, out), quiet=quiet)


@fhir_app.command("export", help=_EXPORT_HELP, short_help="Write a result as a FHIR bundle.")
def export(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="The result of a forecast, in JSON.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Bundle to write; ends in .json.")
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Write the result of a forecast as a FHIR bundle."""
    from statera.fhir.export_result import export_result  # heavy: only when run
    from statera.fhir.result_document import read_result

    if out is not None:
        check_target(out, (".json",))
    found = export_result(read_result(result))
    if out is not None:
        text = json.dumps(found.bundle, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_bytes_atomically(out, text.encode())
    if as_json:
        data = {"bundle": found.bundle, "written": found.written, "left_out": found.left_out}
        used = manifest({result.name: result.read_bytes()})
        envelope = Envelope("statera.fhir.export/1", data, found.remarks, used)
        typer.echo(envelope.to_json(), nl=False)
        return
    if out is None:
        typer.echo(json.dumps(found.bundle, indent=2, allow_nan=False))
        for part, why in found.left_out.items():
            note(f"Left out, {part}: {why}", quiet=quiet)
    else:
        rows = [(kind, str(number), "") for kind, number in found.written.items()]
        rows += [(part, "", f"left out: {why}") for part, why in found.left_out.items()]
        print_table(("part", "resources", "remark"), rows)
    warn(found.remarks)
    if out is not None:
        note(f"Written to {out}.", quiet=quiet)


def _level_code(text: str) -> tuple[str, str]:
    """Return code and system of ``SYSTEM|CODE`` or ``CODE``."""
    system, bar, code = text.rpartition("|")
    return (code if bar else text), system


def _rows(result: ImportResult) -> list[tuple[str, str, str]]:
    rows = [(resource, became, "") for resource, became in result.used.items()]
    rows += [
        (v.resource, "laboratory value", f"{v.name} = {v.value:.4g} {v.unit}; no model uses it.")
        for v in result.laboratory
        if v.resource not in result.used
    ]
    rows += [(p.resource, "plan, not intake", p.reason) for p in result.plans]
    rows += [(c.resource, "other medication", c.reason) for c in result.comedication]
    return rows + [(d.resource, "left out", d.reason) for d in result.dropped]


def _summary(result: ImportResult, out: Path | None) -> str:
    request = result.request
    counts = ", ".join(
        f"{len(request[key])} {word if len(request[key]) == 1 else word + 's'}"
        for key, word in (
            ("doses", "row of dose"),
            ("samples", "sample"),
            ("covariates", "covariate"),
        )
    ).replace("row of doses", "rows of doses")
    target = f" Written to {out}." if out is not None else ""
    return f"{result.drug}: {counts}; {len(result.dropped)} left out.{target}"


def _data(result: ImportResult, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "request": request,
        "drug": result.drug,
        "used": result.used,
        "left_out": result.dropped,
        "plans": result.plans,
        "other_medications": result.comedication,
        "laboratory": [
            {
                "resource": v.resource,
                "name": v.name,
                "value": v.value,
                "unit": v.unit,
                "day": v.moment.day.isoformat(),
                "time": v.moment.at.isoformat() if v.moment.at is not None else None,
                "equation": v.equation,
            }
            for v in result.laboratory
        ],
    }
