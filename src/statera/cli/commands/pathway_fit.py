"""``statera pathway fit``: the parameters of a network from data, by searches from many starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands.pathway_notes import say_notes, sentences
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Seed, Workers, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.progress import progress_bar
from statera.cli.terminal import note, print_table, warn
from statera.errors import NumericalError, UnknownNameError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.pathway.multi_start import MultiStart, Start
    from statera.pathway.objective import Objective
    from statera.pathway.petab_problem import PetabProblem
    from statera.pathway.posterior import PosteriorDraws

__all__ = ["FIT_SCHEMA", "HELP", "fit_command", "problem_files", "read_theta"]

FIT_SCHEMA = "statera.pathway-fit/1"
HELP = """
\b
Examples:
  statera pathway fit problem.yaml --starts 20 --seed 1 --out fit.json --out fit.html
  statera pathway fit problem.yaml --method l-bfgs-b --starts 50 --json
  statera pathway fit problem.yaml --draws 1000 --out fit.html

Estimate the parameters of a PEtab problem by maximum likelihood (or with the priors that it
states), searching from many starts between the bounds. --draws adds the posterior, and bands.

A search that fails keeps its row with the reason; the others go on.
"""
METHODS = ("fides", "l-bfgs-b")


def fit_command(
    problem: Annotated[Path, typer.Argument(metavar="YAML", help="A PEtab problem.")],
    *,
    starts: Annotated[int, typer.Option("--starts", min=1, help="Searches.")] = 20,
    method: Annotated[str, typer.Option("--method", help="fides or l-bfgs-b.")] = "fides",
    iterations: Annotated[
        int, typer.Option("--iterations", min=1, help="Most of each search.")
    ] = 1000,
    from_nominal: Annotated[
        bool, typer.Option("--from-nominal", help="Let the first search begin at nominal values.")
    ] = False,
    draws: Annotated[
        int, typer.Option("--draws", min=0, help="Draws of the posterior, of each of 4 chains.")
    ] = 0,
    seed: Seed = 1,
    workers: Workers = None,
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", "-o", metavar="FILE", help="fit.html or fit.json; repeatable."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Fit a problem."""
    for path in out or []:
        check_target(path, (".html", ".json"))
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS, where="--method")
    from statera.parallel import available_workers
    from statera.pathway.objective import Objective
    from statera.pathway.petab_read import read_problem

    read = read_problem(problem)
    objective = Objective(read)
    threads = workers or available_workers()
    found = _search(objective, starts, method, iterations, seed, threads, from_nominal, quiet)
    drawn = _draw(objective, found, draws, seed, threads, quiet) if draws else None
    made = manifest(
        problem_files(problem), starts=starts, method=method, iterations=iterations, seed=seed,
        draws=draws,
    )  # fmt: skip
    result = _result(read, objective, found, drawn)
    warnings = _warnings(found, drawn)
    remarks = sentences(n for part in read.parts for n in part.network.notes)
    envelope = Envelope(FIT_SCHEMA, result, (*warnings, *remarks), made)
    for path in out or []:
        if path.suffix.lower() == ".json":
            content = envelope.to_json().encode()
        else:
            content = _page(read, objective, found, drawn, made)
        write_bytes_atomically(path, content)
    if as_json:
        typer.echo(envelope.to_json(), nl=False)
        return
    _print(result, found)
    warn(warnings)
    say_notes(remarks, quiet=quiet)
    for path in out or []:
        note(f"written to {path}", quiet=quiet)


def problem_files(problem: Path) -> dict[str, bytes]:
    """Return the files of a problem's folder that it may consist of, for the manifest."""
    kinds = (".yaml", ".yml", ".tsv", ".xml")
    return {p.name: p.read_bytes() for p in sorted(problem.parent.iterdir()) if p.suffix in kinds}


def _search(
    objective: Objective, starts: int, method: Any, iterations: int, seed: int, workers: int,
    from_nominal: bool, quiet: bool,
) -> MultiStart:  # fmt: skip
    from statera.pathway.multi_start import MultiStartOptions, multi_start

    options = MultiStartOptions(
        starts=starts, seed=seed, method=method, iterations=iterations, workers=workers
    )
    begin = [objective.nominal] if from_nominal else None
    with progress_bar(quiet=quiet) as show, concerning("--method or bounds"):

        def tell(done: int, total: int, best: float) -> bool:
            show(f"search {done} of {total}, best {best:.6g}", done / total)
            return True

        found = multi_start(objective, options, begin=begin, progress=tell)
    if not found.values[0] < float("inf"):
        first = found.starts[0]
        raise NumericalError(
            f"no search found a finite objective; the first said: {first.message or first.status}",
            hint="Check the bounds: at each start the model must be solvable.",
        )
    return found


def _draw(
    objective: Objective, found: MultiStart, draws: int, seed: int, workers: int, quiet: bool
) -> PosteriorDraws:
    from statera.pathway.posterior import PosteriorOptions, sample_posterior

    options = PosteriorOptions(draws=draws, seed=seed, workers=workers)
    best = [s.end for s in found.starts[: found.at_best()]]
    with progress_bar(quiet=quiet) as show:

        def tell(done: int, total: int) -> bool:
            show(f"chains, iteration {done} of {total}", done / total)
            return True

        return sample_posterior(objective, best, options, tell)


def _result(
    read: PetabProblem, objective: Objective, found: MultiStart, drawn: PosteriorDraws | None
) -> dict[str, Any]:
    from statera.pathway_report.fit_report import estimates_data

    best = found.best
    result: dict[str, Any] = {
        "problem": read.name,
        "objective": best.value,
        "chi2": objective.chi2(best.end),
        "estimates": estimates_data(read, best.end.tolist()),
        "at_best": found.at_best(),
        "levels": [{"objective": v, "searches": n} for v, n in found.levels()],
        "searches": [_start(s) for s in found.starts],
    }
    if drawn is not None:
        result["posterior"] = {n: dict(row) for n, row in drawn.summary.items()}
    return result


def _start(s: Start) -> dict[str, Any]:
    return {
        "start": s.index + 1, "objective": s.value, "gradient": s.gradient,
        "status": s.status.value, "message": s.message, "evaluations": s.evaluations,
        "failed": s.failed, "begin": s.begin.tolist(), "end": s.end.tolist(), "cpu_s": s.cpu_s,
    }  # fmt: skip


def _warnings(found: MultiStart, drawn: PosteriorDraws | None) -> tuple[str, ...]:
    said = []
    without = [s for s in found.starts if not s.value < float("inf")]
    if without:
        said.append(
            f"{len(without)} of {len(found.starts)} searches found no finite objective; the first "
            f"of them said: {without[0].message or without[0].status}."
        )
    if found.at_best() < 2 < len(found.starts):
        said.append("Only one search ended at the lowest objective; a lower one may exist.")
    if drawn is not None:
        said += [f"{w[0].upper()}{w[1:]}." for w in drawn.warnings]
    return tuple(said)


def _print(result: dict[str, Any], found: MultiStart) -> None:
    typer.echo(
        f"objective {found.best.value:.6f}, chi2 {result['chi2']:.4f}; "
        f"{found.at_best()} of {len(found.starts)} searches at the best",
    )
    rows = [
        (e["parameter"], f"{e['value']:.6g}", e["scale"], f"{e['theta']:.6g}")
        for e in result["estimates"]
    ]
    print_table(("parameter", "value", "scale", "on the scale"), rows)


def _page(
    read: PetabProblem, objective: Objective, found: MultiStart, drawn: PosteriorDraws | None,
    made: dict[str, Any],
) -> bytes:  # fmt: skip
    from statera.pathway.petab_courses import observed_courses
    from statera.pathway_report.fit_report import PathwayFit, build_pathway_fit_report
    from statera.report import render_html

    best = found.best.end
    at = objective.evaluate(best, 2)
    sample = None if drawn is None else drawn.flat[:: max(1, len(drawn.flat) // 200)]
    fit = PathwayFit(
        read, best, at.value, at.chi2, at.fisher,
        observed_courses(read, best, draws=sample), found, (), drawn,
    )  # fmt: skip
    return render_html(build_pathway_fit_report(fit, made=made)).encode()


def read_theta(path: Path, names: tuple[str, ...]) -> list[float]:
    """Return the estimates of a fit that `fit_command` wrote, in the order of `names`."""
    from statera.errors import InputError, Place
    from statera.library.read import read_json

    _, data = read_json(path)
    try:
        rows = data["result"]["estimates"]
        found = {row["parameter"]: float(row["theta"]) for row in rows}
    except (KeyError, TypeError, ValueError):
        raise InputError(
            "the file is no result of 'statera pathway fit'",
            where=Place(str(path)),
            hint="Write one with: statera pathway fit problem.yaml --out fit.json",
        ) from None
    missing = [n for n in names if n not in found]
    if missing:
        raise InputError(
            f"the fit has no {', '.join(missing)}; it is of another problem",
            where=Place(str(path)),
        )
    return [found[n] for n in names]
