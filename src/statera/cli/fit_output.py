"""What ``statera fit`` prints and writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from statera.cli.envelope import Envelope, Failure
from statera.cli.fit_report_asked import ReportAsked
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.progress import progress_bar
from statera.cli.terminal import note, warn
from statera.errors import InputError, NumericalError

if TYPE_CHECKING:
    from statera.estimate.outcome import FitOutcome

__all__ = [
    "SCHEMA",
    "check_checkpoint",
    "check_out",
    "deliver",
    "is_page",
    "write_folder",
]

SCHEMA = "statera.fit/1"
_PAGE = (".html", ".htm")


def check_out(out: Path | None) -> None:
    """Say before the work that its result could not be written.

    Raises
    ------
    InputError
        If `out` is neither a page (.html) nor a folder that is there or can be made.
    """
    if out is None:
        return
    if out.suffix.lower() in _PAGE:
        check_target(out, _PAGE)
        return
    if out.exists() and not out.is_dir():
        raise InputError(
            f"'{out}' is there already and is not a folder",
            where="--out",
            hint="Give a folder for all files, or a name that ends in .html for one report.",
        )
    if not out.exists() and not out.parent.is_dir():
        raise InputError(
            f"the folder '{out.parent}' does not exist",
            where="--out",
            hint="Make the folder first, or choose another.",
        )


def check_checkpoint(path: Path | None) -> None:
    """Say before the work that a checkpoint could not be written.

    Raises
    ------
    InputError
        If the name is that of a folder, or its folder is not there.
    """
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise InputError(
            f"no checkpoint can be written to '{path}'",
            where="--checkpoint",
            hint="Give the name of a file in a folder that exists.",
        )


def deliver(
    outcome: FitOutcome,
    out: Path | None,
    checkpoint: Path | None,
    report: ReportAsked,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print a fit and write its files; exit with an error where it has not converged."""
    from statera.estimate import fit_manifest, fit_to_dict  # heavy

    result = outcome.told
    if not as_json and result.status != "no start":
        # before the files: what was computed is seen even if they take long or cannot be written
        typer.echo(result.summary(outcome.errors, outcome.shrunk))
    written = _write(outcome, out, report, quiet=quiet)
    if written is not None:
        note(f"Written: {written}", quiet=quiet)
    failure = _failure(outcome, checkpoint)
    if as_json:
        content = fit_to_dict(result, outcome.errors, outcome.shrunk)
        content |= {"data": outcome.data_report.to_dict()}
        made = Envelope(
            SCHEMA, content, result.warnings, fit_manifest(result, report.seed), failure
        )
        typer.echo(made.to_json(), nl=False)
        warn(result.warnings)
    if failure is not None:
        for head, text in (
            ("error:", failure.what), ("where:", failure.where), (" next:", failure.hint)
        ):  # fmt: skip
            typer.echo(f"{head} {text}", err=True)
        raise typer.Exit(failure.exit_code)


def _failure(outcome: FitOutcome, checkpoint: Path | None) -> Failure | None:
    """Return what the exit code and the last lines say; None where all was done."""
    result = outcome.result
    where, code = result.problem.model.id, NumericalError.exit_code
    if outcome.interrupted:
        hint = "The estimates stand. Resume from a checkpoint to get standard errors."
        return Failure("the covariance step was interrupted", where, hint, code)
    if result.converged:
        return None
    hint = result.sentence
    if checkpoint is not None and result.status != "no start":
        hint = f"{hint} The checkpoint is {checkpoint.name}."
    return Failure(f"the fit has not converged ({result.status})", where, hint, code)


def _write(
    outcome: FitOutcome, out: Path | None, report: ReportAsked, *, quiet: bool
) -> Path | None:
    if out is None or outcome.result.status == "no start":
        return None
    if is_page(out):
        write_bytes_atomically(out, _page(outcome, report, quiet=quiet))
    else:
        write_folder(out, _files(outcome, report, quiet=quiet))
    return out


def is_page(out: Path) -> bool:
    """Tell whether a name is that of one page rather than of a folder."""
    return out.suffix.lower() in _PAGE


def write_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, which is made where it is not there.

    Raises
    ------
    InputError
        If it cannot be made or written to.
    """
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


def _files(outcome: FitOutcome, report: ReportAsked, *, quiet: bool) -> dict[str, bytes]:
    """Return the content of all files by name."""
    from statera.estimate.outcome import outcome_files  # heavy: only when asked for

    return outcome_files(outcome) | {"report.html": _page(outcome, report, quiet=quiet)}


def _page(outcome: FitOutcome, report: ReportAsked, *, quiet: bool) -> bytes:
    """Return the report as a page."""
    from statera.fit_report.outcome_page import outcome_page  # heavy: only when asked for

    with progress_bar(quiet=quiet) as progress:
        return outcome_page(outcome, report.options(), progress)
