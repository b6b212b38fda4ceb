"""``statera pathway simulate``: a network from SBML, alone or with a drug of the library."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands.pathway_notes import say_notes, sentences
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.pairs import read_numbers
from statera.cli.terminal import note, print_table, warn
from statera.errors import InputError, UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.mechanism.scenario import PathwayRun, Scenario
    from statera.model import Model
    from statera.pathway.jak_inhibition import JakMarks
    from statera.pathway.network import Network

__all__ = ["HELP", "SCHEMA", "simulate_command"]

SCHEMA = "statera.pathway-simulate/1"
HELP = """
\b
Examples:
  statera pathway simulate model.xml --until 120 --output pSTAT3 --output SOCS3
  statera pathway simulate il6.xml --marks sobotta_2017 --drug baricitinib --time-unit min \\
    --dose "1 mg q24h ss" --dose "4 mg q24h ss" --before 2 --until 480 --output tpSTAT3
  statera pathway simulate il6.xml --marks il6.toml --drug baricitinib --dose "2 mg" \\
    --by EGFR=30,60,90 --output tpSTAT3 --out page.html

Solve a reaction network. With --drug and --dose its course without drug is set beside that under
each dose: the concentration comes from a population model of the library (typical subject) and
drives the pathway in the same integration. --marks says what the kinases catalyse.
"""
_FIGURES = (".svg", ".pdf")
_SHOWN = 7


def simulate_command(
    network: Annotated[Path, typer.Argument(metavar="SBML", help="The network, an SBML file.")],
    *,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", metavar="NAME", help="Species or assigned name; repeatable."),
    ] = None,
    until: Annotated[
        float, typer.Option("--until", help="End, in the network's time unit.")
    ] = 60.0,
    points: Annotated[int, typer.Option("--points", min=2, help="Number of times.")] = 121,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="In place of the file's value."),
    ] = None,
    time_unit: Annotated[
        str | None, typer.Option("--time-unit", help="Where the file gives none, or a wrong one.")
    ] = None,
    marks: Annotated[
        str | None,
        typer.Option("--marks", metavar="FILE", help="What kinases catalyse (.toml), or a name."),
    ] = None,
    drug: Annotated[str | None, typer.Option("--drug", help="A drug of the library.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Its population model; the first one otherwise.")
    ] = None,
    dose: Annotated[
        list[str] | None, typer.Option("--dose", metavar="'4 mg q24h ss'", help="Repeatable.")
    ] = None,
    covariate: Annotated[
        list[str] | None, typer.Option("--covariate", metavar="NAME=VALUE", help="Of the person.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME=A,B,C", help="A covariate in several scenarios."),
    ] = None,
    before: Annotated[
        float, typer.Option("--before", min=0.0, help="Hours from the first dose to time 0.")
    ] = 0.0,
    ic50: Annotated[
        list[str] | None,
        typer.Option("--ic50", metavar="JAK1=5.9", help="nM, in place of the library's."),
    ] = None,
    basis: Annotated[
        str,
        typer.Option(
            "--basis", help="What --ic50 is compared with: unbound drug, or total (whole blood)."
        ),
    ] = "unbound",
    unbound: Annotated[
        float | None, typer.Option("--unbound", help="Unbound fraction, for the library's.")
    ] = None,
    molar_mass: Annotated[
        float | None, typer.Option("--molar-mass", help="g/mol, where the library has none.")
    ] = None,
    rule: Annotated[
        str,
        typer.Option("--rule", help="limiting_kinase, independent or least_inhibited."),
    ] = "limiting_kinase",
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", "-o", metavar="FILE", help="page.html or table.csv; repeatable."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Simulate a network."""
    import numpy as np  # heavy: only when run

    for path in out or []:
        check_target(path, (".html", ".csv"))
    _check_asked(marks, drug, dose)
    _check_end(until)
    from statera.pathway.sbml_read import read_sbml

    read = read_sbml(network)
    numbers = read_numbers(parameter, "--parameter", "--parameter k1=0.5")
    names = _outputs(read, output)
    times = np.linspace(0.0, until, points)
    files = {network.name: network.read_bytes()}
    found_marks = None
    if drug is None or dose is None or marks is None:
        run = _alone(read, times, names, numbers)
    else:
        found_marks = _marks(marks)
        run = _with_drug(
            read, found_marks, drug, model, dose,
            read_numbers(covariate, "--covariate", "--covariate EGFR=60"), by, before,
            read_numbers(ic50, "--ic50", "--ic50 JAK1=5.9"), basis, unbound, molar_mass, rule,
            times, names, numbers, time_unit,
        )  # fmt: skip
    warnings = sentences(run.notes)
    made = manifest(files, drug=drug, model=model, dose=dose, parameters=numbers, rule=rule)
    for path in out or []:
        content = (
            _csv(run) if path.suffix.lower() == ".csv" else _page(run, found_marks, drug, made)
        )
        write_bytes_atomically(path, content)
    failed = [f"{r.scenario.label}: {r.status}" for r in run.runs if r.status != "ok"]
    if as_json:
        result = _result(run)
        typer.echo(Envelope(SCHEMA, result, (*warnings, *failed), made).to_json(), nl=False)
        return
    print_table(*_table(run))
    warn(failed)
    say_notes(warnings, quiet=quiet)
    for path in out or []:
        note(f"written to {path}", quiet=quiet)


def _check_asked(marks: str | None, drug: str | None, dose: Sequence[str] | None) -> None:
    given = {"--marks": marks, "--drug": drug, "--dose": dose}
    missing = [name for name, value in given.items() if not value]
    if 0 < len(missing) < len(given):
        raise UsageError(
            f"a drug on a pathway needs {', '.join(missing)} as well",
            hint="Give --marks, --drug and --dose, or none of them.",
        )


def _check_end(until: float) -> None:
    if not 0.0 < until < float("inf"):
        raise UsageError(
            f"a course cannot end at {until:g}",
            where="--until",
            hint="Give a time above 0, in the network's unit.",
        )


def _outputs(network: Network, asked: Sequence[str] | None) -> tuple[str, ...]:
    if asked:
        return tuple(dict.fromkeys(asked))
    return network.states[:_SHOWN]


def _marks(text: str) -> JakMarks:
    """Read marks from a file, or those that come with the program by their name."""
    from statera.mechanism.shipped_marks import load_marks, marks_names
    from statera.pathway.jak_inhibition import read_jak_marks

    if text in marks_names():
        return load_marks(text)
    path = Path(text)
    if not path.is_file():
        raise InputError(
            f"there is no file '{text}', and no marks of that name come with the program",
            where="--marks",
            hint=f"Give a .toml file, or one of: {', '.join(marks_names())}.",
        )
    return read_jak_marks(path)


def _alone(
    network: Network, times: Any, names: tuple[str, ...], numbers: Mapping[str, float]
) -> PathwayRun:
    from statera.mechanism.scenario import run_alone

    return run_alone(network, times, names, parameters=numbers)


def _with_drug(
    network: Network, marks: JakMarks, drug: str, model: str | None, doses: Sequence[str],
    covariates: Mapping[str, float], by: str | None, before: float, ic50: Mapping[str, float],
    basis: str, unbound: float | None, molar_mass: float | None, rule: Any, times: Any,
    names: tuple[str, ...], numbers: Mapping[str, float], time_unit: str | None,
) -> PathwayRun:  # fmt: skip
    from statera.mechanism.drug_potencies import potencies_of_drug
    from statera.mechanism.scenario import run_scenarios

    used = _model(drug, model)
    with concerning("--drug, --basis, --ic50"):
        potencies = potencies_of_drug(
            drug, marks.kinases, ic50=ic50, basis=basis, unbound=unbound, molar_mass=molar_mass
        )
    return run_scenarios(
        network, marks, used, potencies, _scenarios(doses, covariates, by, before), times, names,
        time_unit=time_unit, parameters=numbers, unbound=unbound, molar_mass=molar_mass, rule=rule,
    )  # fmt: skip


def _model(drug: str, name: str | None) -> Model:
    from statera.library import load_model
    from statera.mechanism.drug_potencies import model_of_drug

    if name is not None:
        return load_model(name)
    with concerning("--drug"):
        return model_of_drug(drug)


def _scenarios(
    doses: Sequence[str], covariates: Mapping[str, float], by: str | None, before: float
) -> list[Scenario]:
    from statera.mechanism.scenario import Scenario

    if by is None:
        return [Scenario(d, d, covariates, before) for d in doses]
    name, sign, rest = by.partition("=")
    try:
        values = [float(v) for v in rest.split(",")] if sign else []
    except ValueError:
        values = []
    if not values:
        raise UsageError(f"'{by}' gives no values", where="--by", hint="Write EGFR=30,60,90.")
    return [
        Scenario(f"{d}, {name} {v:g}", d, {**covariates, name: v}, before)
        for d in doses
        for v in values
    ]


def _table(run: PathwayRun) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return outputs at a few times, scenario by scenario."""
    import numpy as np

    at = np.linspace(0, run.times.size - 1, _SHOWN).round().astype(int)
    heading = ("scenario", "output", *(f"{run.times[i]:g}" for i in at))
    rows = [
        [r.scenario.label, name, *(f"{values[i]:.4g}" for i in at)]
        for r in run.runs
        for name, values in r.outputs.items()
    ]
    return heading, rows


def _result(run: PathwayRun) -> dict[str, Any]:
    return {
        "network": run.network.id,
        "time_unit": run.time_unit,
        "times": run.times.tolist(),
        "notes": list(run.notes),
        "scenarios": [
            {
                "label": r.scenario.label,
                "status": r.status,
                "outputs": {n: v.tolist() for n, v in r.outputs.items()},
                "inhibition": {n: v.tolist() for n, v in r.inhibition.items()},
                "area_inhibition": dict(r.area_inhibition),
                "concentration_nM": r.concentration.tolist(),
            }
            for r in run.runs
        ],
    }


def _csv(run: PathwayRun) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("scenario", "time", "output", "value", "inhibition", "concentration_nM"))
    for r in run.runs:
        for name, values in r.outputs.items():
            for k, time in enumerate(run.times):
                writer.writerow(
                    (r.scenario.label, repr(float(time)), name, _text(values[k]),
                     _text(r.inhibition[name][k]), _text(r.concentration[k]))
                )  # fmt: skip
    return stream.getvalue().encode()


def _text(value: float) -> str:
    return "" if value != value else repr(float(value))  # noqa: PLR0124  NaN


def _page(run: PathwayRun, marks: JakMarks | None, drug: str | None, made: dict[str, Any]) -> bytes:
    from statera.pathway_report.drug_report import build_drug_report, build_network_report
    from statera.report import render_html

    if marks is None or drug is None:
        return render_html(build_network_report(run, made=made)).encode()
    return render_html(build_drug_report(run, marks, drug, made=made)).encode()
