"""``statera monograph``: the page of one drug."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Seed, Workers
from statera.cli.output import check_target
from statera.cli.progress import progress_bar
from statera.cli.terminal import note, warn
from statera.errors import InputError

__all__ = ["HELP", "monograph"]

HELP = """
\b
Examples:
  statera monograph baricitinib --out baricitinib.html
  statera monograph tofacitinib --json > tofacitinib.json
  statera monograph baricitinib --concentration "50 nM" --potency mine.csv

Compute the page of a drug from its cited facts.

One self-contained HTML file: it needs no network, and prints well.
"""
SCHEMA = "statera.monograph/1"
_PAGE = (".html", ".htm")
_DATA = (".json",)


def monograph(
    drug: Annotated[str, typer.Argument(metavar="DRUG", help="A drug of 'statera library list'.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Page (.html) or data (.json) to write. Default: DRUG.html, or none with --json.",
        ),
    ] = None,
    as_json: JsonFlag = False,
    potency: Annotated[
        Path | None,
        typer.Option(
            "--potency", metavar="TABLE.csv", help="Your own potencies, beside those cited."
        ),
    ] = None,
    concentration: Annotated[
        str | None,
        typer.Option(
            "--concentration",
            metavar="'50 nM'",
            help="Concentration for which the pathway is coloured.",
        ),
    ] = None,
    subjects: Annotated[
        int, typer.Option("--n", min=2, max=100_000, help="Simulated subjects behind each band.")
    ] = 1000,
    seed: Seed = 1,
    workers: Workers = None,
    quiet: QuietFlag = False,
) -> None:
    """Compute the page of a drug from its cited facts."""
    if out is not None:
        check_target(out, _PAGE + _DATA)
    molar = _concentration(concentration)

    from statera.library import load_drug  # noqa: PLC0415  heavy: only when this runs
    from statera.monograph import MonographOptions, build  # noqa: PLC0415
    from statera.parallel import available_workers  # noqa: PLC0415

    known = load_drug(drug)
    if out is None and not as_json:
        out = Path(f"{known.name}.html")
        check_target(out, _PAGE)
    options = MonographOptions(
        n=subjects,
        seed=seed,
        workers=workers or available_workers(),
        concentration_nM=molar,
        potency_table=potency,
    )
    with progress_bar(quiet=quiet) as progress:
        document = build(known.name, options, progress)
    _deliver(document, out, as_json=as_json, quiet=quiet)


def _concentration(text: str | None) -> float | None:
    """Return the concentration in nM."""
    if text is None:
        return None
    from statera.units import parse_quantity  # noqa: PLC0415  loads the registry of units

    value = parse_quantity(text, "nM", what="concentration")
    if value < 0.0:
        raise InputError(
            f"a concentration of {text} is not possible",
            where="--concentration",
            hint="Give zero or more, such as '50 nM'.",
        )
    return value


def _deliver(document: Any, out: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Write the page or the data where asked; standard output gets the data or the file's name."""
    from statera.report import (  # noqa: PLC0415  heavy: only when this runs
        document_to_dict,
        render_html,
        write_text_atomically,
    )

    warnings = tuple(document.manifest.get("warnings", ()))
    envelope = Envelope(SCHEMA, document_to_dict(document), warnings, document.manifest)
    if out is not None:
        if out.suffix.lower() in _DATA:
            text = envelope.to_json(ascii_only=False)
        else:
            text = render_html(document)
        written = write_text_atomically(out, text)
        note(f"Written: {document.title}", quiet=quiet)
    if as_json:
        typer.echo(envelope.to_json(), nl=False)
        return
    warn(warnings)
    if out is not None:
        typer.echo(str(written))
