"""``statera fit --method bayes``: the posterior is sampled, printed and written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from statera.cli.envelope import Envelope, Failure
from statera.cli.fit_output import is_page, write_folder
from statera.cli.output import write_bytes_atomically
from statera.cli.progress import progress_bar
from statera.cli.terminal import is_lively, note, warn
from statera.errors import NumericalError

if TYPE_CHECKING:
    from statera.data import DataReport
    from statera.estimate import Checkpoint, NutsOptions, Posterior, ProblemOptions
    from statera.estimate.model_and_data import ModelAndData

__all__ = ["SCHEMA", "fit_bayes"]

SCHEMA = "statera.bayes/1"
_LINE = 0.1  # share of the draws between two lines where there is no terminal


def fit_bayes(
    read: ModelAndData,
    options: ProblemOptions,
    nuts: NutsOptions,
    resume: Checkpoint | None,
    out: Path | None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Sample a posterior, print and write it; exit with an error where chains do not agree."""
    from statera.estimate.chains_start import chains_start  # heavy
    from statera.estimate.nuts import require_sampler, sample_posterior
    from statera.estimate.posterior_export import (
        posterior_manifest,
        posterior_to_dict,
    )

    require_sampler()  # before any work
    problem, start, told = chains_start(read.model, read.table, options, resume)
    note(told, quiet=quiet)
    with _progress(quiet=quiet) as progress:
        posterior = sample_posterior(problem, nuts, start, progress)
    every = dict.fromkeys((*read.remarks, *posterior.warnings))
    posterior = replace(posterior, warnings=tuple(every))
    if not as_json:
        typer.echo(str(posterior))
    written = _write(posterior, nuts, read, out)
    if written is not None:
        note(f"Written: {written}", quiet=quiet)
    failure = None
    if not posterior.converged:
        failure = Failure(
            f"the posterior is not well sampled ({posterior.status})",
            problem.model.id,
            "Read the warnings; more of --draws and --tune, or closer priors, help.",
            NumericalError.exit_code,
        )
    if as_json:
        report = _report(read)
        content = posterior_to_dict(posterior) | {"data": report.to_dict()}
        found = posterior.warnings
        made = Envelope(SCHEMA, content, found, posterior_manifest(posterior, nuts), failure)
        typer.echo(made.to_json(), nl=False)
        warn(found)
    if failure is not None:
        for head, text in (
            ("error:", failure.what), ("where:", failure.where), (" next:", failure.hint)
        ):  # fmt: skip
            typer.echo(f"{head} {text}", err=True)
        raise typer.Exit(failure.exit_code)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield what tells the draws done: a moving line on a terminal, else a line now and then."""
    plain = not quiet and not is_lively(sys.stderr)
    told = 0.0
    with progress_bar(quiet=quiet) as moving:

        def show(done: int, total: int) -> None:
            nonlocal told
            moving(f"draw {done} of {total}", done / total)
            if plain and done / total >= told + _LINE:
                typer.echo(f"draw {done} of {total}", err=True)
                told = done / total

        yield show


def _report(read: ModelAndData) -> DataReport:
    """Return what the data hold, without the folder in which they are kept."""
    report = read.table.report
    return replace(report, source=Path(report.source).name)


def _write(
    posterior: Posterior, nuts: NutsOptions, read: ModelAndData, out: Path | None
) -> Path | None:
    if out is None:
        return None
    from statera.estimate.posterior_export import posterior_files  # heavy
    from statera.fit_report.bayes_report import bayes_report
    from statera.report import render_html

    document = bayes_report(posterior, nuts, data_report=str(_report(read)))
    page = render_html(document).encode()
    if is_page(out):
        write_bytes_atomically(out, page)
    else:
        write_folder(out, posterior_files(posterior, nuts) | {"report.html": page})
    return out
