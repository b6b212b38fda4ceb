"""``statera monograph``: the page of one drug."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Seed, Workers, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.progress import progress_bar
from statera.cli.terminal import note
from statera.errors import InputError

if TYPE_CHECKING:
    from statera.report.document import Document, Inline

__all__ = ["HELP", "monograph"]

HELP = """
\b
Examples:
  statera monograph baricitinib --out baricitinib.html
  statera monograph tofacitinib --json > tofacitinib.json
  statera monograph baricitinib --concentration "50 nM" --potency mine.csv
  statera monograph baricitinib --potency results/potency.toml

Compute the page of a drug from its cited facts.

One self-contained HTML file: it needs no network, and prints well.
"""
SCHEMA = "statera.monograph/1"
_PAGE = (".html", ".htm", ".pdf")
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
            help="Page (.html, .pdf) or data (.json). Default: DRUG.html; none with --json.",
        ),
    ] = None,
    as_json: JsonFlag = False,
    potency: Annotated[
        Path | None,
        typer.Option(
            "--potency",
            metavar="FILE",
            help="Your own potencies, beside those cited: a table (.csv), or fitted (.toml).",
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
        int, typer.Option("--n", min=20, max=1_000_000, help="Simulated subjects behind each band.")
    ] = 1000,
    seed: Seed = 1,
    workers: Workers = None,
    quiet: QuietFlag = False,
) -> None:
    """Compute the page of a drug from its cited facts."""
    if out is not None:
        check_target(out, _PAGE + _DATA)
    molar = _concentration(concentration)

    from statera.library import load_drug  # heavy: only when this runs
    from statera.monograph import MonographOptions, build
    from statera.parallel import available_workers

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
    from statera.units import parse_quantity  # loads the registry of units

    with concerning("--concentration"):
        value = parse_quantity(text, "nM", what="concentration")
    if value <= 0.0:
        raise InputError(
            f"a concentration of {text} is not possible",
            where="--concentration",
            hint="Give a concentration above zero, such as '50 nM'.",
        )
    return value


def _deliver(document: Document, out: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Write the page or the data where asked; standard output gets the data or the file's name."""
    from statera.report import (  # heavy: only when this runs
        document_to_dict,
        render_html,
        write_text_atomically,
    )

    warnings = _warnings(document)
    envelope = Envelope(SCHEMA, document_to_dict(document), warnings, document.manifest)
    if out is not None:
        suffix = out.suffix.lower()
        if suffix == ".pdf":
            from statera.report.pdf import render_pdf  # an extra

            write_bytes_atomically(out, render_pdf(document))
        elif suffix in _DATA:
            write_text_atomically(out, envelope.to_json(ascii_only=False))
        else:
            write_text_atomically(out, render_html(document))
        count = f" (warnings in it: {len(warnings)})" if warnings else ""
        note(f"{document.title}: written{count}", quiet=quiet)
    if as_json:
        typer.echo(envelope.to_json(), nl=False)
    elif out is not None:
        typer.echo(str(out.resolve()))


def _warnings(document: Document) -> tuple[str, ...]:
    """Return the warnings that stand on the page, as sentences."""
    from statera.report.document import Callout  # with the report, when this runs

    return tuple(
        f"{block.title}: {''.join(_text(part) for part in block.parts)}"
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Callout) and block.kind == "warning"
    )


def _text(part: Inline) -> str:
    return part if isinstance(part, str) else part.text
