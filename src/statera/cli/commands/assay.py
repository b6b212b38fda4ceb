"""``statera assay``: plan a dose-response assay, and analyse its plates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from statera.cli.commands import assay_fit, assay_run
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.output import check_folder, write_bytes_atomically
from statera.cli.terminal import note, print_table, warn
from statera.errors import InputError, UsageError
from statera.manifest import manifest
from statera.plain import plain

if TYPE_CHECKING:
    from statera.assay.protocol import Protocol
    from statera.engagement import Potency
    from statera.plan.build import BenchPlan

__all__ = ["assay_app"]

_PLAN_HELP = """
\b
Examples:
  statera assay plan --out bench/
  statera assay plan --protocol pstat3 --plan plan.toml --out bench/ --pdf
  statera assay plan --plan plan.toml --json

Turn a protocol into a bench sheet: dilutions that can be pipetted, plate maps, reagent totals,
the inhibition to be expected, and how many doses and donors give a wanted precision.

Without --plan everything that the protocol does not state is assumed and marked so. Written into
the folder: bench-sheet.html, platemap.csv, dilutions.csv, plan.json, and plate.toml, the start of
the settings of the analysis (an existing plate.toml is kept).
"""
_PAGE, _SETTINGS = "bench-sheet", "plate.toml"

assay_app = typer.Typer(
    help="Plan dose-response assays, and analyse their plates.",
    rich_markup_mode=None,
)


@assay_app.callback(invoke_without_command=True)
def _assay(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@assay_app.command("plan", help=_PLAN_HELP, short_help="Plan wells, dilutions and reagents.")
def plan(
    *,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", help="Name of a protocol, or a file (.toml). Default: pstat3."),
    ] = None,
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan", metavar="FILE", help="Doses, plate, panel, reagents (.toml)."),
    ] = None,
    potency: Annotated[
        Path | None,
        typer.Option("--potency", metavar="TABLE.csv", help="Your own potencies besides."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Where the files go; made if absent."),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write the bench sheet as PDF too.")] = False,
    precision: Annotated[
        bool, typer.Option("--precision/--no-precision", help="Simulate the precision of designs.")
    ] = True,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Plan a dose-response assay."""
    if out is None and not as_json:
        raise UsageError(
            "nothing says where the bench sheet goes",
            where="--out",
            hint="Give --out FOLDER, or --json to print the plan.",
        )
    if pdf and out is None:
        raise UsageError("--pdf needs a folder", where="--pdf", hint="Give --out FOLDER.")
    if out is not None:
        check_folder(out)
    from statera.assay.plan_read import options_from_protocol, read_plan  # heavy: only when run
    from statera.engagement import read_potency_csv
    from statera.plan.build import plan_bench
    from statera.plan.files import SCHEMA, plan_data

    steps = _protocol(protocol, plan_file)
    options = read_plan(plan_file, steps) if plan_file else options_from_protocol(steps)
    own: tuple[Potency, ...] = ()
    if potency is not None:
        with concerning("--potency"):
            own = read_potency_csv(potency, options.drug)
    found = plan_bench(steps, options, own, precision=precision)
    inputs = {p.name: p.read_bytes() for p in (plan_file, potency) if p is not None}
    made = manifest(inputs, seed=options.layout.seed, protocol=steps.name)
    result = plain(plan_data(found))
    kept: list[str] = []
    if out is not None:
        kept = _write(found, result, made, out, pdf=pdf)
    if as_json:
        typer.echo(Envelope(SCHEMA, result, found.warnings, made).to_json(), nl=False)
        return
    _print(found)
    warn(found.warnings)
    if found.assay.missing:
        note(f"Not stated yet: {'; '.join(found.assay.missing)}.", quiet=quiet)
    note(f"Written to {out}: {', '.join(kept)}", quiet=quiet)


def _protocol(name: str | None, plan_file: Path | None) -> Protocol:
    """Return the protocol asked for, by the option, the plan's file or the default."""
    from statera.assay.protocol import load_protocol, read_protocol  # late: only when run

    asked = name or (_named_in(plan_file) if plan_file is not None else "") or "pstat3"
    if asked.endswith(".toml"):
        beside = plan_file.parent if plan_file is not None and name is None else Path()
        return read_protocol(beside / asked)
    with concerning("--protocol"):
        return load_protocol(asked)


def _named_in(plan_file: Path) -> str:
    from statera.assay.plan_read import SCHEMA  # late: only when run
    from statera.library.read import read_document

    return read_document(plan_file, SCHEMA).table().text("protocol", "")


def _write(
    plan: BenchPlan, result: object, made: dict[str, object], out: Path, *, pdf: bool
) -> list[str]:
    """Write all files and return their names."""
    import json

    from statera.plan.files import dilutions_csv, plate_map, settings_toml  # heavy: only when run
    from statera.plan_report import bench_sheet
    from statera.report import render_html

    page = bench_sheet(plan, made)
    data = json.dumps({"result": result, "manifest": plain(made)}, indent=1, ensure_ascii=False)
    files = {
        f"{_PAGE}.html": render_html(page).encode(),
        "platemap.csv": plate_map(plan).encode(),
        "dilutions.csv": dilutions_csv(plan).encode(),
        "plan.json": (data + "\n").encode(),
    }
    if pdf:
        from statera.report.pdf import render_pdf  # an extra

        files[f"{_PAGE}.pdf"] = render_pdf(page)
    if not (out / _SETTINGS).exists():  # it may hold what the user filled in
        files[_SETTINGS] = settings_toml(plan).encode()
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder '{out}' cannot be made: {error.strerror or error}",
            where="--out",
            hint="Choose a place that you may write to.",
        ) from error
    for name, content in files.items():
        write_bytes_atomically(out / name, content)
    kept = [] if _SETTINGS in files else [f"{_SETTINGS} (kept as it was)"]
    return [*files, *kept]


def _print(plan: BenchPlan) -> None:
    """Print doses with tube, what is reached and what is expected, and the wells in a line."""
    from statera.assay.plan_layout import WellUse  # late: only when run
    from statera.assay.plan_map import dose_text

    layout, d = plan.assay.layout, plan.assay.dilutions
    expected = plan.expected
    heading = [f"expected, {e.cytokine} (IC50 {e.potency})" for e in expected]
    rows = [
        (
            one.vessel,
            dose_text(one.wanted_nM),
            f"{one.reached_nM:.6g} nM",
            f"{one.solvent_percent:.4g} %",
            *(e.words[i] if e.is_known else e.potency for e in expected),
        )
        for i, one in enumerate(d.doses)
    ]
    rows.append(
        (
            d.vehicle.vessel, "vehicle", "0", f"{d.vehicle.solvent_percent:.4g} %",
            *("" for _ in expected),
        )
    )  # fmt: skip
    print_table(("tube", "dose", "reached", plan.assay.options.solvent, *heading), rows)
    uses = [u for u in WellUse if u is not WellUse.UNUSED and layout.count(u)]
    counts = ", ".join(f"{layout.count(u)} {u.value.replace('_', ' ')}" for u in uses)
    plates = "1 plate" if layout.plates == 1 else f"{layout.plates} plates"
    typer.echo(f"{plates} of {plan.assay.options.plate.format.value} wells: {counts}")
    table = plan.assay.precision
    if table is None:
        return
    best = table.smallest
    if best is None:
        typer.echo("No design compared gives the wanted precision of the IC50.")
    else:
        typer.echo(
            f"Smallest design with the wanted precision: {best.doses} doses, {best.replicates} "
            f"per dose, {best.donors} donors (95 % interval of the mean IC50: "
            f"{best.mean_fold:.3g}-fold)"
        )


assay_app.command("run", help=assay_run.HELP, short_help="Analyse a plate: FCS files to IC50s.")(
    assay_run.run
)
assay_app.command("fit", help=assay_fit.HELP, short_help="Fit dose-response curves of a table.")(
    assay_fit.fit
)
