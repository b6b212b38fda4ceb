"""``statera meta pairwise``: one comparison pooled from several studies, outcome by outcome."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from statera.cli.envelope import Envelope
from statera.cli.meta_figures import write_figures
from statera.cli.meta_request import Figures, check_request, read_conditions
from statera.cli.meta_text import text_of
from statera.cli.options import JsonFlag, QuietFlag
from statera.cli.output import write_bytes_atomically
from statera.cli.terminal import note, warn
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.evidence.table_analysis import Analysis, Failed

__all__ = ["HELP", "pairwise_command"]

SCHEMA = "statera.meta.pairwise/2"
HELP = """
\b
Examples:
  statera meta pairwise studies.csv --measure HR --tau2 REML --ci hartung-knapp
  statera meta pairwise trials.csv --measure OR --method mh --by region --forest forest.svg
  statera meta pairwise hr.csv --where outcome=VTE --bias --funnel funnel.pdf --json
  statera meta pairwise bcg.csv --measure RR --moderator latitude --out fit.txt
  statera meta pairwise safety.csv --certainty grade.toml --findings table.html

Pool the effects of several studies, or regress them on moderators.

The table has a row a study. Columns are known by their names: study; estimate, low, high (or se,
or p); events_1, total_1, time_1, mean_1, sd_1 and the same of arm 2; group, cluster, outcome, year;
risk of bias under rob_...; other columns are carried along. Several outcomes are pooled one by one.
What looks wrong in the table is said as warnings with its line; nothing is repaired.
"""

_ONE, _MANY, _HOW = "COLUMN", "COLUMN=VALUE", "FILE"


def pairwise_command(
    data: Annotated[Path, typer.Argument(metavar="DATA.csv", help="Table of studies.")],
    *,
    measure: Annotated[
        str | None,
        typer.Option(
            "--measure",
            help="HR, IRR, OR, RR, RD, MD, SMD, ROM, PLO, IRLN, ...; default: the one that the "
            "column 'measure' names.",
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="inverse, mh, peto, um.fs (glmm), um.rs, cm.el, cm.al, bayes, three-level, or "
            "multivariate (outcomes together).",
        ),
    ] = "inverse",
    tau2: Annotated[
        str,
        typer.Option(
            "--tau2", help="REML, DL, PM, ML, EB, SJ, HE, HS, ...; EE for a common effect."
        ),
    ] = "REML",
    ci: Annotated[
        str, typer.Option("--ci", help="wald, hartung-knapp or hartung-knapp-adhoc.")
    ] = "wald",
    prediction: Annotated[
        str,
        typer.Option("--prediction", help="Convention: 'as test', z, 't(k-1)', 't(k-2)' or none."),
    ] = "as test",
    level: Annotated[float, typer.Option("--level", help="Of all intervals.")] = 0.95,
    by: Annotated[
        str | None, typer.Option("--by", metavar=_ONE, help="Pool by subgroups of a column.")
    ] = None,
    common_tau2: Annotated[
        bool, typer.Option("--common-tau2", help="One tau2 for all subgroups.")
    ] = False,
    moderator: Annotated[
        list[str] | None,
        typer.Option("--moderator", metavar=_ONE, help="Regress on a column; repeatable."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar=_MANY, help="Use these rows only; repeatable."),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            "--outcome", metavar=_ONE, help="Pool by outcome; default: a column 'outcome'."
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", metavar=_ONE, help="Who shares people: robust error, or third level."
        ),
    ] = None,
    robust: Annotated[
        str | None, typer.Option("--robust", help="CR2 (default with --cluster), CR1 or CR0.")
    ] = None,
    prior: Annotated[
        str, typer.Option("--prior", help="Of tau, for bayes: family, scale and shape.")
    ] = "half-normal 0.5",
    mu_prior: Annotated[
        tuple[float, float] | None,
        typer.Option("--mu-prior", help="Mean and SD of a normal prior, for bayes."),
    ] = None,
    credible: Annotated[
        str, typer.Option("--credible", help="Interval, for bayes: shortest or central.")
    ] = "shortest",
    correlation: Annotated[
        float | None,
        typer.Option("--correlation", help="Of errors within studies, for multivariate."),
    ] = None,
    structure: Annotated[
        str, typer.Option("--structure", help="Over outcomes, for multivariate: UN, CS or DIAG.")
    ] = "UN",
    add_to: Annotated[
        str,
        typer.Option(
            "--add-to", help="Who gets 1/2 in each cell: only zero, all if any zero, all, none."
        ),
    ] = "only zero",
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Pool without each study in turn.")
    ] = False,
    influence: Annotated[
        bool, typer.Option("--influence", help="DFFITS, Cook's distance, Baujat and others.")
    ] = False,
    bias: Annotated[
        bool, typer.Option("--bias", help="Egger, Begg, trim and fill, fail-safe numbers.")
    ] = False,
    cumulative: Annotated[
        bool, typer.Option("--cumulative", help="Pool the first study, the first two, ...")
    ] = False,
    order: Annotated[
        str | None,
        typer.Option("--order", metavar=_ONE, help="Of --cumulative; default: a column 'year'."),
    ] = None,
    permutations: Annotated[
        int, typer.Option("--permutations", min=0, help="Random signs; all up to 16 studies.")
    ] = 0,
    bootstraps: Annotated[
        int, typer.Option("--bootstrap", min=0, help="Parametric bootstraps of mean and tau2.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of random numbers.")] = 1,
    certainty: Annotated[
        Path | None,
        typer.Option("--certainty", metavar="FILE.toml", help="Judgements of GRADE by outcome."),
    ] = None,
    findings: Annotated[
        Path | None,
        typer.Option(
            "--findings", metavar=_HOW, help="Summary of findings: .txt, .csv, .json or .html."
        ),
    ] = None,
    forest: Annotated[
        Path | None, typer.Option("--forest", "--figure", metavar=_HOW, help="Forest plot.")
    ] = None,
    funnel: Annotated[
        Path | None, typer.Option("--funnel", metavar=_HOW, help="Contour-enhanced funnel plot.")
    ] = None,
    baujat: Annotated[
        Path | None, typer.Option("--baujat", metavar=_HOW, help="Baujat's plot.")
    ] = None,
    influence_plot: Annotated[
        Path | None,
        typer.Option("--influence-plot", metavar=_HOW, help="Six measures of influence."),
    ] = None,
    cumulative_forest: Annotated[
        Path | None,
        typer.Option("--cumulative-forest", metavar=_HOW, help="Forest plot, study by study."),
    ] = None,
    leave_one_out_forest: Annotated[
        Path | None,
        typer.Option("--leave-one-out-forest", metavar=_HOW, help="Forest plot without each."),
    ] = None,
    overview: Annotated[
        Path | None,
        typer.Option("--overview", metavar=_HOW, help="One diamond an outcome, with certainty."),
    ] = None,
    arms: Annotated[
        tuple[str, str], typer.Option("--arms", help="Names of the two arms in the figure.")
    ] = ("Arm 1", "Arm 2"),
    favours: Annotated[
        tuple[str, str],
        typer.Option("--favours", help="Whom an effect left and right of none favours."),
    ] = ("", ""),
    fit_statistics: Annotated[
        bool, typer.Option("--fit-statistics", help="Print log-likelihood, AIC and BIC.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar=_HOW, help="Write the text (.txt) or JSON (.json)."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Pool the effects of several studies, or regress them on moderators."""
    from statera.evidence.analysis_data import result_dict  # late: only when run
    from statera.evidence.analysis_request import Asked, options_of, unused_options
    from statera.evidence.read_certainty import read_certainty
    from statera.evidence.read_table import read_table
    from statera.evidence.table_analysis import analyse

    figures = Figures(
        forest, funnel, baujat, influence_plot, cumulative_forest, leave_one_out_forest, overview,
        arms, favours,
    )  # fmt: skip
    asked = Asked(
        measure, method, tau2, ci, prediction, level, by, common_tau2,
        tuple(moderator or ()), read_conditions(where), outcome, cluster, robust, prior, mu_prior,
        credible, correlation, structure,
        # a figure asks for what it shows
        leave_one_out or leave_one_out_forest is not None,
        influence or baujat is not None or influence_plot is not None, bias,
        cumulative or cumulative_forest is not None, order, permutations, bootstraps, seed,
        add_to,
    )  # fmt: skip
    check_request(asked, figures, out, findings)
    options = options_of(asked)
    judged = read_certainty(certainty) if certainty is not None else ()
    found = analyse(lambda rows: read_table(data, rows), asked, options, judged, str(certainty))
    text = text_of(found, show_fit=fit_statistics)
    written, problems = write_figures(found, figures)
    warnings = (*unused_options(asked), *_warnings(found), *problems)
    sources = {path.name: path.read_bytes() for path in (data, certainty) if path is not None}
    envelope = Envelope(SCHEMA, result_dict(found), warnings, manifest(sources))
    if out is not None:
        whole = envelope.to_json(ascii_only=False) if out.suffix.lower() == ".json" else text
        write_bytes_atomically(out, whole.encode())
    if findings is not None:
        write_bytes_atomically(findings, _table(found, findings.suffix.lower()).encode())
    if as_json:
        typer.echo(envelope.to_json(), nl=False)
        return
    typer.echo(text, nl=False)
    warn(warnings)
    for path in (out, findings, *written):
        if path is not None:
            note(f"written to {path}", quiet=quiet)


def _warnings(found: Sequence[Analysis | Failed]) -> tuple[str, ...]:
    """Return the warnings of all outcomes; of several each says which it is."""
    from statera.evidence.table_analysis import Failed  # late: only when run

    sentences = []
    for one in found:
        if isinstance(one, Failed):
            sentences.append(one.sentence)
            continue
        head = f"{one.outcome}: " if len(found) > 1 else ""
        sentences += [f"{head}{sentence}" for sentence in one.warnings]
    return tuple(dict.fromkeys(sentences))


def _table(found: Sequence[Analysis | Failed], suffix: str) -> str:
    """Return the summary of findings in the format of the ending."""
    import json

    from statera.evidence.analysis_data import findings_of
    from statera.evidence.findings_formats import (
        findings_csv,
        findings_data,
        findings_html,
        findings_text,
    )
    from statera.plain import plain

    rows = findings_of(found)
    if suffix == ".json":
        return json.dumps(plain(findings_data(rows)), ensure_ascii=False, indent=2) + "\n"
    make = {".csv": findings_csv, ".html": findings_html, ".txt": findings_text}[suffix]
    return make(rows)
