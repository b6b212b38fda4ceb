"""``statera assay fit``: dose-response curves of a table."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag
from statera.cli.terminal import note, print_table, warn
from statera.errors import UsageError
from statera.manifest import manifest
from statera.plain import plain

if TYPE_CHECKING:
    from statera.assay.fit_curves import Curves, FitOptions
    from statera.assay.ic50 import Ic50
    from statera.assay.relative_potency import RelativePotency

__all__ = ["HELP", "fit"]

HELP = """
\b
Examples:
  statera assay fit curves.csv
  statera assay fit curves.csv --model 3pl --top 100 --absolute 50
  statera assay fit curves.csv --compare --json

Fit logistic curves to doses and responses, and print IC50s with their status.

The table has a column of doses whose name ends in the unit (dose_nM), a column 'response', perhaps
'weight'; all other columns together name the curve.
"""
SCHEMA = "statera.curves/1"


def fit(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="One row a point.")],
    *,
    model: Annotated[
        str, typer.Option("--model", help="4pl, 3pl (a fixed top) or 5pl (asymmetric).")
    ] = "4pl",
    top: Annotated[
        float | None, typer.Option("--top", help="With 3pl: the upper limit that is held.")
    ] = None,
    robust: Annotated[
        str, typer.Option("--robust", help="huber or bisquare: outliers weigh less.")
    ] = "",
    absolute: Annotated[
        float | None,
        typer.Option("--absolute", help="Response whose dose is wanted, too."),
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Of the intervals.")] = 0.95,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Test parallelism and equal IC50s; relative potencies."),
    ] = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Fit logistic curves to doses and responses, and print IC50s with their status."""
    from statera.assay.fit_curves import fit_curves
    from statera.assay.ic50 import Ic50Options, estimate_ic50
    from statera.assay.read_curves import read_curves

    if not 0.0 < level < 1.0:
        raise UsageError(
            f"a level of {level:g} is not possible", where="--level", hint="Such as 0.95."
        )
    options = _options(model, top, robust)
    read = read_curves(table)
    curves, warnings = read.curves, _left_out(read.left_out)
    fitted = fit_curves(curves, options)
    found = estimate_ic50(fitted, Ic50Options(level=level))
    at = (
        estimate_ic50(fitted, Ic50Options(level=level, absolute=absolute))
        if absolute is not None
        else ()
    )
    compared = _compared(curves, options, level) if compare else {}
    if as_json:
        result = {
            "curves": [_as_dict(ic50) for ic50 in found],
            "absolute": [_as_dict(ic50) for ic50 in at],
            "comparison": compared,
        }
        made = manifest({table.name: table.read_bytes()}, model=model)
        typer.echo(Envelope(SCHEMA, plain(result), warnings, made).to_json(), nl=False)
        return
    _print(found, at)
    warn(warnings)
    for sentence in compared.get("sentences", ()):
        note(sentence, quiet=quiet)
    if compared:
        print_table(
            ["Curve", "Relative potency"],
            [[r["curve"], r["statement"]] for r in compared["ratios"]],
        )


def _left_out(lines: tuple[int, ...]) -> tuple[str, ...]:
    if not lines:
        return ()
    shown = ", ".join(map(str, lines[:8])) + (" and others" if len(lines) > 8 else "")
    if len(lines) == 1:
        return (f"the point of line {shown} has no response and is left out",)
    return (f"{len(lines)} points have no response and are left out: lines {shown}",)


def _options(model: str, top: float | None, robust: str) -> FitOptions:
    from statera.assay.fit_curves import FitOptions

    if model not in ("4pl", "3pl", "5pl"):
        raise UsageError(f"'{model}' is no model", where="--model", hint="Known: 4pl, 3pl, 5pl.")
    if (model == "3pl") != (top is not None):
        raise UsageError(
            "a curve of three parameters needs its top, others estimate it",
            where="--top",
            hint="Such as --model 3pl --top 100.",
        )
    fixed = {} if model == "5pl" else {"f": 1.0}
    if top is not None:
        fixed["d"] = top
    return FitOptions(fixed=fixed, robust=robust)


def _print(found: tuple[Ic50, ...], at: tuple[Ic50, ...]) -> None:
    heading = ["Curve", "IC50, nM", "Hill", "Bottom", "Top", "Remarks"]
    if at:
        heading.insert(2, "Dose at the response, nM")
    rows = []
    for k, ic50 in enumerate(found):
        refused = math.isnan(ic50.estimate)
        numbers = (
            ["", "", ""]
            if refused
            else [f"{ic50.hill:.3g}", f"{ic50.bottom:.4g}", f"{ic50.top:.4g}"]
        )
        row = [ic50.name, ic50.sentence, *numbers, "; ".join(f.value for f in ic50.flags)]
        if at:
            row.insert(2, at[k].sentence)
        rows.append(row)
    print_table(heading, rows)


def _as_dict(ic50: Ic50) -> dict[str, Any]:
    low, high = ic50.profile if ic50.profile is not None else ic50.wald
    return {
        "curve": ic50.name,
        "status": ic50.determination.value,
        "ic50_nM": ic50.estimate,
        "low_nM": low,
        "high_nM": high,
        "ln_se": ic50.ln_se,
        "pIC50": ic50.p_ic50,
        "hill": ic50.hill,
        "hill_se": ic50.hill_se,
        "bottom": ic50.bottom,
        "top": ic50.top,
        "flags": [flag.value for flag in ic50.flags],
        "statement": ic50.sentence,
    }


def _compared(curves: Curves, options: FitOptions, level: float) -> dict[str, Any]:
    from dataclasses import replace

    from statera.assay.joint_fits import JointOptions
    from statera.assay.parallelism import equal_ic50s, parallelism
    from statera.assay.relative_potency import relative_potency

    free = JointOptions(d=options.fixed.get("d", "free"), f=options.fixed.get("f", "free"))
    alike = parallelism(curves, free)
    d = free.d if isinstance(free.d, float) else "shared"
    within = replace(free, b="shared", c="shared", d=d) if alike.holds else free
    same = equal_ic50s(curves, within)
    ratios: tuple[RelativePotency, ...] = relative_potency(
        curves, curves.names[0], free, level=level
    )
    return {
        "parallel": alike.holds,
        "p_parallel": alike.test.p_value,
        "equal_ic50": same.holds,
        "p_equal_ic50": same.test.p_value,
        "sentences": [alike.sentence, same.sentence],
        "ratios": [
            {
                "curve": r.name,
                "reference": r.reference,
                "ratio": r.ratio,
                "profile": list(r.profile),
                "fieller": list(r.fieller),
                "statement": r.sentence,
            }
            for r in ratios
        ],
    }
