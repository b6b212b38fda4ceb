"""``statera pathway profile``: how far the data let each parameter move."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands.pathway_fit import problem_files, read_theta
from statera.cli.commands.pathway_notes import say_notes, sentences
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.progress import progress_bar
from statera.cli.terminal import note, print_table, warn
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.pathway.profile_likelihood import Profile

__all__ = ["HELP", "profile_command"]

SCHEMA = "statera.pathway-profile/1"
HELP = """
\b
Examples:
  statera pathway profile problem.yaml --fit fit.json --out profiles.html
  statera pathway profile problem.yaml --fit fit.json --parameter k_phos --parameter k_imp --json

Move one parameter at a time from the optimum while all others are searched anew. An interval that
has no end before the bound is said to have none: the data do not limit the parameter there.
"""


def profile_command(
    problem: Annotated[Path, typer.Argument(metavar="YAML", help="A PEtab problem.")],
    *,
    fit: Annotated[
        Path | None,
        typer.Option("--fit", metavar="FILE", help="A result of fit; nominal values otherwise."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME", help="All of them unless given; repeatable."),
    ] = None,
    level: Annotated[
        float, typer.Option("--level", min=0.5, max=0.9999, help="Of the intervals.")
    ] = 0.95,
    points: Annotated[int, typer.Option("--points", min=3, help="Most on each side.")] = 40,
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", "-o", metavar="FILE", help="page.html or result.json; repeatable."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Trace profiles."""
    import numpy as np  # heavy: only when run

    for path in out or []:
        check_target(path, (".html", ".json"))
    from statera.pathway.objective import Objective
    from statera.pathway.petab_read import read_problem
    from statera.pathway.profile_likelihood import ProfileOptions, profile_likelihood

    read = read_problem(problem)
    objective = Objective(read)
    theta = objective.nominal if fit is None else np.array(read_theta(fit, read.names))
    options = ProfileOptions(level=level, points=points)
    with progress_bar(quiet=quiet) as show, concerning("--parameter"):

        def tell(name: str, done: int, total: int) -> bool:
            show(f"profile of {name}, {done + 1} of {total}", done / total)
            return True

        names = tuple(parameter) if parameter else None
        found = profile_likelihood(objective, theta, names, options, tell)
    files = problem_files(problem) | ({fit.name: fit.read_bytes()} if fit else {})
    made = manifest(files, level=level, points=points, parameters=list(parameter or []))
    at = dict(zip(read.names, (float(v) for v in theta), strict=True))
    warnings = tuple(
        f"The profile of {p.name} passed a point that is lower by {p.better:.3g}: search more."
        for p in found
        if p.better > 0.01
    )
    remarks = sentences(n for part in read.parts for n in part.network.notes)
    envelope = Envelope(
        SCHEMA, [_result(p, at[p.name]) for p in found], (*warnings, *remarks), made
    )
    for path in out or []:
        if path.suffix.lower() == ".json":
            content = envelope.to_json().encode()
        else:
            content = _page(read, objective, theta, found, made)
        write_bytes_atomically(path, content)
    if as_json:
        typer.echo(envelope.to_json(), nl=False)
        return
    print_table(("parameter", "optimum", "lower end", "upper end", "identified"), _rows(found, at))
    warn(warnings)
    say_notes(remarks, quiet=quiet)
    for path in out or []:
        note(f"written to {path}", quiet=quiet)


def _rows(found: tuple[Profile, ...], at: Mapping[str, float]) -> list[tuple[str, ...]]:
    return [
        (
            p.name,
            f"{at[p.name]:.5g}",
            f"{p.low:.5g}" if math.isfinite(p.low) else p.low_status.value,
            f"{p.high:.5g}" if math.isfinite(p.high) else p.high_status.value,
            "yes" if p.identified else "no",
        )
        for p in found
    ]


def _result(p: Profile, optimum: float) -> dict[str, Any]:
    return {
        "parameter": p.name, "optimum": optimum, "low": p.low, "high": p.high,
        "low_status": p.low_status.value, "high_status": p.high_status.value,
        "identified": p.identified, "values": p.values.tolist(), "rise": p.rise.tolist(),
    }  # fmt: skip


def _page(
    read: Any, objective: Any, theta: Any, found: tuple[Profile, ...], made: dict[str, Any]
) -> bytes:
    from statera.pathway.petab_courses import observed_courses
    from statera.pathway_report.fit_report import PathwayFit, build_pathway_fit_report
    from statera.report import render_html

    at = objective.evaluate(theta, 2)
    page = PathwayFit(
        read, theta, at.value, at.chi2, at.fisher, observed_courses(read, theta), None, found
    )
    return render_html(build_pathway_fit_report(page, made=made)).encode()
