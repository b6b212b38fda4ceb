"""``statera meta``: effects of several studies pooled into one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands import meta_network
from statera.cli.commands.meta_result import pairwise_dict
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.terminal import note, warn
from statera.errors import InputError, UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.evidence.effects import Effects
    from statera.evidence.moderators import Subgroups
    from statera.evidence.pairwise_result import PairwiseOptions, PairwiseResult
    from statera.evidence.read_table import StudyTable

__all__ = ["meta_app"]

SCHEMA = "statera.meta.pairwise/1"
_PAIRWISE_HELP = """
\b
Examples:
  statera meta pairwise studies.csv --measure HR --tau2 REML --ci hartung-knapp
  statera meta pairwise trials.csv --measure OR --by region --figure forest.svg
  statera meta pairwise hr.csv --where outcome=VTE --funnel funnel.pdf --json
  statera meta pairwise bcg.csv --measure RR --moderator latitude --out fit.txt

Pool the effects of several studies, or regress them on moderators.

The table has a row a study. Columns are known by their names: study; estimate, low, high (or se,
or p); events_1, total_1, time_1, mean_1, sd_1 and the same of arm 2; group, cluster; risk of bias
under rob_...; other columns are carried along. What looks wrong in the table is said as warnings;
nothing is repaired.
"""
_FIGURES = (".svg", ".pdf")
_TEXTS = (".txt", ".json")

meta_app = typer.Typer(help="Pool the effects of several studies.", rich_markup_mode=None)


@meta_app.callback(invoke_without_command=True)
def _meta(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@dataclass(frozen=True)
class _Found:
    """What was read and computed."""

    table: StudyTable
    effects: Effects
    result: PairwiseResult
    groups: Subgroups | None
    labels: tuple[str, ...]
    warnings: tuple[str, ...]


@meta_app.command("pairwise", help=_PAIRWISE_HELP, short_help="Pool, by one comparison.")
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
        str | None, typer.Option("--by", metavar="COLUMN", help="Pool by subgroups of a column.")
    ] = None,
    moderator: Annotated[
        list[str] | None,
        typer.Option("--moderator", metavar="COLUMN", help="Regress on a column; repeatable."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Use these rows only; repeatable."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="Forest plot, .svg or .pdf.")
    ] = None,
    funnel: Annotated[
        Path | None, typer.Option("--funnel", metavar="FILE", help="Funnel plot, .svg or .pdf.")
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
        typer.Option("--out", "-o", metavar="FILE", help="Write the text (.txt) or JSON (.json)."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Pool the effects of several studies, or regress them on moderators."""
    _check(figure, funnel, out, by, moderator)
    from statera.evidence.pairwise_result import PairwiseOptions

    options = PairwiseOptions(tau2=tau2, test=ci, level=level, prediction=prediction)
    found = _compute(data, measure, options, _conditions(where), by, moderator or [])
    text = _text(found, show_fit=fit_statistics)
    made = manifest({data.name: data.read_bytes()})
    answer = pairwise_dict(found.effects, found.result, found.groups, found.warnings)
    envelope = Envelope(SCHEMA, answer, found.warnings, made)
    if out is not None:
        whole = envelope.to_json(ascii_only=False) if out.suffix.lower() == ".json" else text
        write_bytes_atomically(out, whole.encode())
    if figure is not None:
        write_bytes_atomically(figure, _forest(found, figure, arms, favours))
    if funnel is not None:
        write_bytes_atomically(funnel, _funnel(found, funnel))
    if as_json:
        typer.echo(envelope.to_json(), nl=False)
        return
    typer.echo(text, nl=False)
    warn(found.warnings)
    for path in (out, figure, funnel):
        if path is not None:
            note(f"written to {path}", quiet=quiet)


def _check(
    figure: Path | None, funnel: Path | None, out: Path | None, by: str | None,
    moderator: list[str] | None,
) -> None:  # fmt: skip
    for option, path, suffixes in (
        ("--figure", figure, _FIGURES),
        ("--funnel", funnel, _FIGURES),
        ("--out", out, _TEXTS),
    ):
        if path is None:
            continue
        try:
            check_target(path, suffixes)
        except InputError as error:
            error.where = option
            raise
    if by is not None and moderator:
        raise UsageError(
            "--by and --moderator exclude each other",
            where="--by",
            hint="Give the subgroups as a moderator, or leave the moderator out.",
        )
    if moderator and (figure is not None or funnel is not None):
        raise UsageError(
            "a regression on moderators has no one mean to draw",
            where="--figure, --funnel",
            hint="Leave --moderator out, or use --by for subgroups.",
        )


def _conditions(where: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in where or []:
        column, sign, value = text.partition("=")
        if not sign or not column.strip():
            raise UsageError(
                f"'{text}' is no condition", where="--where", hint="Write COLUMN=VALUE."
            )
        found[column.strip()] = value.strip()
    return found


def _compute(
    data: Path, measure: str | None, options: PairwiseOptions, conditions: dict[str, str],
    by: str | None, moderators: list[str],
) -> _Found:  # fmt: skip
    from statera.evidence.entry_checks import entry_checks  # late: only when run
    from statera.evidence.moderators import subgroups
    from statera.evidence.pairwise import pairwise
    from statera.evidence.pairwise_result import PairwiseStatus
    from statera.evidence.read_table import effects_of_table, read_table

    table = read_table(data, conditions)
    effects = effects_of_table(table, measure)
    labels: tuple[str, ...] = ()
    groups = None
    if by is not None:
        labels = tuple(str(x) or "(not given)" for x in _column(table, by, "--by"))
        groups = subgroups(effects, options, labels)
        result = groups.overall
    else:
        values = {name: _column(table, name, "--moderator") for name in moderators}
        with concerning("--moderator"):
            result = pairwise(effects, options, values or None)
    if result.status not in (PairwiseStatus.OK, PairwiseStatus.ONE_STUDY):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in result.omitted[:5])
        raise InputError(str(result.status), where=str(data), hint=reasons or "Give more studies.")
    warnings = [finding.sentence for finding in entry_checks(effects)]
    if result.status is PairwiseStatus.ONE_STUDY:
        warnings.append(str(PairwiseStatus.ONE_STUDY))
    sentences = tuple(dict.fromkeys(s if s.endswith(".") else f"{s}." for s in warnings))
    return _Found(table, effects, result, groups, labels, sentences)


def _column(table: StudyTable, name: str, option: str) -> list[Any]:
    """Return a column by its name in the file, as numbers where all its cells are."""
    known: dict[str, Any] = {
        **{n: getattr(table, n) for n in ("group", "cluster", "measure") if getattr(table, n)},
        **table.columns,
        **table.carried,
    }
    if name not in known:
        raise InputError(
            f"there is no column '{name}'", where=option, hint=f"Columns: {', '.join(known)}."
        )
    values = list(known[name])
    if option == "--by":
        return [f"{x:g}" if isinstance(x, float) else x for x in values]
    try:
        return [float(x) for x in values]
    except ValueError:
        return values


def _text(found: _Found, *, show_fit: bool) -> str:
    from statera.evidence.print_text import print_pairwise, print_subgroups  # late: only when run

    text = print_pairwise(found.result, show_fit=show_fit)
    return text if found.groups is None else f"{text}\n{print_subgroups(found.groups)}"


def _forest(found: _Found, path: Path, arms: tuple[str, str], favours: tuple[str, str]) -> bytes:
    from statera.plot.study_forest import draw_study_forest, study_forest_pdf  # heavy
    from statera.plot.synthesis_forest import synthesis_forest

    parts, options = synthesis_forest(
        found.result, found.effects, groups=found.groups, labels=found.labels,
        risk=found.table.risk_of_bias, arms=arms,
        favours=(_favours(favours[0]), _favours(favours[1])),
    )  # fmt: skip
    title = f"Forest plot, {found.effects.definition.name}"
    if path.suffix.lower() == ".pdf":
        return study_forest_pdf(parts, options, title=title)
    middle, low, high = found.result.natural
    alt = (
        f"{found.result.k} studies; pooled {found.effects.measure} {middle:.2f} "
        f"({low:.2f} to {high:.2f})."
    )
    return draw_study_forest(parts, options, key="forest", title=title, alt=alt).encode()


def _favours(name: str) -> str:
    return f"favours {name}" if name else ""


def _funnel(found: _Found, path: Path) -> bytes:
    from statera.plot.funnel import draw_funnel, funnel_pdf  # heavy

    title = f"Funnel plot, {found.effects.definition.name}"
    if path.suffix.lower() == ".pdf":
        return funnel_pdf(found.result, title=title)
    alt = f"Effects of {found.result.k} studies against their standard errors."
    return draw_funnel(found.result, key="funnel", title=title, alt=alt).encode()


meta_app.command("network", help=meta_network.HELP, short_help="Compare through a network.")(
    meta_network.network_command
)
