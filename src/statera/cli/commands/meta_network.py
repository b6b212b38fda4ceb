"""``statera meta network``: several treatments compared through all trials at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands.meta_network_files import (
    forest_bytes,
    funnel_bytes,
    graph_bytes,
    league_long,
    league_wide,
    ranks_bytes,
    split_bytes,
)
from statera.cli.commands.meta_network_text import part_text
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.pairs import read_pairs
from statera.cli.terminal import note, warn
from statera.errors import InputError, UsageError
from statera.evidence.network_methods import METHODS
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.evidence.network_certainty import PairJudgements
    from statera.evidence.network_request import FittedPart, NetworkRequest

__all__ = ["HELP", "network_command"]

SCHEMA = "statera.meta.network/1"
HELP = """
\b
Examples:
  statera meta network arms.csv --measure OR --reference Placebo --better high
  statera meta network contrasts.csv --measure MD --tau2 DL --json
  statera meta network deaths.csv --method mantel-haenszel --reference Placebo
  statera meta network rates.csv --method poisson-normal --forest forest.svg
  statera meta network arms.csv --measure OR --components --inactive Placebo
  statera meta network arms.csv --measure RR --figure network.svg --league league.csv

Compare treatments through a network of trials.

The table has a row an arm (study, treatment, and events and total; or events and time, for
rates; or mean, sd and total), or a row a comparison (study, treatment_1, treatment_2, and the same
columns of either arm, such as events_1; or y and se; or estimate, low and high); a trial of several
arms gives all its comparisons. With --better the treatments are ranked. Columns of certainty and of
risk of bias of comparisons, or a table of them by --certainty, go along to tables and figures.
"""
_FIGURES = (".svg", ".pdf")
_NO_ORDER = (
    "The funnel has no order of treatments: only comparisons with the reference point one way."
)


def network_command(
    data: Annotated[Path, typer.Argument(metavar="DATA.csv", help="Table of arms or comparisons.")],
    *,
    measure: Annotated[
        str | None,
        typer.Option(
            "--measure",
            help="OR, RR, RD, IRR, IRD, MD, SMD, ROM, HR, ...; default: that of the model, or of "
            "the column 'measure'.",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help=f"{', '.join(METHODS)}.")
    ] = "inverse-variance",
    tau2: Annotated[
        str,
        typer.Option(
            "--tau2",
            help="REML, ML, DL, PM, REML-approximate (as netmeta), or EE for common effects.",
        ),
    ] = "REML",
    reference: Annotated[
        str | None, typer.Option("--reference", help="Treatment that others are compared with.")
    ] = None,
    better: Annotated[
        str | None, typer.Option("--better", help="low or high: which effects are good.")
    ] = None,
    ci: Annotated[
        str, typer.Option("--ci", help="Of random effects: z, or t with the df of Q.")
    ] = "z",
    level: Annotated[float, typer.Option("--level", help="Of all intervals.")] = 0.95,
    prediction: Annotated[
        str, typer.Option("--prediction", help="V (df of Q) or HTS (one fewer).")
    ] = "V",
    components: Annotated[
        bool, typer.Option("--components", help="Effects of the parts of treatments like A+B.")
    ] = False,
    inactive: Annotated[
        str | None, typer.Option("--inactive", help="Treatment without a component.")
    ] = None,
    separator: Annotated[
        str, typer.Option("--separator", help="Between the components of a name.")
    ] = "+",
    interaction: Annotated[
        list[str] | None,
        typer.Option(
            "--interaction", metavar="A+B", help="Components that act on each other; repeatable."
        ),
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option("--nodes", help="Of the quadrature, for ...-normal; default: by arms."),
    ] = None,
    overdispersion: Annotated[
        bool,
        typer.Option("--overdispersion", help="For ...-firth: widen intervals by the dispersion."),
    ] = False,
    split: Annotated[
        str, typer.Option("--split", help="Direct against indirect: side or node.")
    ] = "side",
    each_part: Annotated[
        bool, typer.Option("--each-part", help="Analyse unconnected parts each by itself.")
    ] = False,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Use these rows only; repeatable."),
    ] = None,
    certainty: Annotated[
        Path | None,
        typer.Option("--certainty", metavar="FILE.csv", help="Judgements by comparison."),
    ] = None,
    order: Annotated[
        str | None,
        typer.Option("--order", metavar="A,B,C", help="Of treatments in the funnel, oldest first."),
    ] = None,
    favours: Annotated[
        tuple[str, str],
        typer.Option("--favours", help="Whom an effect left and right of none favours."),
    ] = ("", ""),
    seed: Annotated[int, typer.Option("--seed", help="Of the draws of the ranks.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the text (.txt) or JSON (.json)."),
    ] = None,
    league: Annotated[
        Path | None,
        typer.Option("--league", metavar="FILE.csv", help="League table, a row a pair."),
    ] = None,
    league_square: Annotated[
        Path | None,
        typer.Option("--league-wide", metavar="FILE.csv", help="League table, row against column."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="The network, .svg or .pdf.")
    ] = None,
    forest: Annotated[
        Path | None,
        typer.Option("--forest", metavar="FILE", help="Treatments against the reference."),
    ] = None,
    funnel: Annotated[
        Path | None,
        typer.Option("--funnel", metavar="FILE", help="Comparison-adjusted funnel plot."),
    ] = None,
    ranks: Annotated[
        Path | None,
        typer.Option("--ranks", metavar="FILE", help="Rankogram; needs --better."),
    ] = None,
    split_forest: Annotated[
        Path | None,
        typer.Option("--split-forest", metavar="FILE", help="Direct against indirect evidence."),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Compare treatments through a network of trials."""
    from statera.evidence.network_answer import part_dict  # late: only when run
    from statera.evidence.network_request import NetworkRequest, whole_network

    made = _Outputs(out, league, league_square, figure, forest, funnel, ranks, split_forest)
    _check(made, better, split)
    request = NetworkRequest(
        measure=measure, method=method, tau2=tau2, reference=reference, level=level,
        prediction=prediction, components=components, inactive=inactive, separator=separator,
        interactions=tuple(
            tuple(x.strip() for x in text.split(separator)) for text in interaction or ()
        ),
        each_part=each_part, ci=ci, nodes=nodes, overdispersion=overdispersion,
    )  # fmt: skip
    parts, judged = _fit(data, where, certainty, request)
    answers = [
        part_dict(part, request, judged, better=better, split=split, seed=seed) for part in parts
    ]
    notes = tuple(dict.fromkeys([n for part in parts for n in part.result.notes]))
    notes += judged.notes
    answer: dict[str, Any] = {"parts": answers} if each_part else answers[0]
    text = _text(parts, answers, each_part=each_part)
    if funnel is not None:
        whole = whole_network(parts, "a funnel")
        drawn, answer["funnel"] = funnel_bytes(whole, funnel, order.split(",") if order else None)
        write_bytes_atomically(funnel, drawn)
        notes = notes if order else (*notes, _NO_ORDER)
    files = {p.name: p.read_bytes() for p in (data, certainty) if p is not None}
    written, failed = _write(made, parts, answers, favours)
    notes = (*notes, *failed)
    envelope = Envelope(SCHEMA, answer, notes, manifest(files))
    if out is not None:
        said = envelope.to_json(ascii_only=False) if out.suffix.lower() == ".json" else text
        write_bytes_atomically(out, said.encode())
    if as_json:
        typer.echo(envelope.to_json(), nl=False)
        return
    typer.echo(text, nl=False)
    warn(notes)
    for path in (out, funnel, *written):
        if path is not None:
            note(f"written to {path}", quiet=quiet)


@dataclass(frozen=True)
class _Outputs:
    """Files that were asked for."""

    out: Path | None
    league: Path | None
    league_wide: Path | None
    figure: Path | None
    forest: Path | None
    funnel: Path | None
    ranks: Path | None
    split_forest: Path | None

    def targets(self) -> dict[str, tuple[Path | None, tuple[str, ...]]]:
        """Return each path with the endings it may have, by option."""
        return {
            "--out": (self.out, (".txt", ".json")),
            "--league": (self.league, (".csv",)),
            "--league-wide": (self.league_wide, (".csv",)),
            "--figure": (self.figure, _FIGURES),
            "--forest": (self.forest, _FIGURES),
            "--funnel": (self.funnel, _FIGURES),
            "--ranks": (self.ranks, _FIGURES),
            "--split-forest": (self.split_forest, _FIGURES),
        }


def _write(
    made: _Outputs,
    parts: Sequence[FittedPart],
    answers: Sequence[dict[str, Any]],
    favours: tuple[str, str],
) -> tuple[list[Path], list[str]]:
    """Write league tables and figures, a figure a part; return their names, and what cannot be."""
    written = [path for path in (made.league, made.league_wide) if path is not None]
    failed: list[str] = []
    if made.league is not None:
        write_bytes_atomically(made.league, league_long(answers).encode())
    if made.league_wide is not None:
        write_bytes_atomically(made.league_wide, league_wide(answers).encode())
    for number, (part, answer) in enumerate(zip(parts, answers, strict=True)):
        for kind in ("figure", "forest", "ranks", "split_forest"):
            wanted: Path | None = getattr(made, kind)
            if wanted is not None:
                path = _numbered(wanted, number, len(parts))
                try:
                    drawn = _drawn(kind, part, answer, path, favours)
                except InputError as error:  # the data have no such picture: the rest goes on
                    failed.append(f"{path} was not drawn: {error.what}. {error.hint}")
                    continue
                write_bytes_atomically(path, drawn)
                written.append(path)
    return written, failed


def _drawn(
    kind: str, part: FittedPart, answer: dict[str, Any], path: Path, favours: tuple[str, str]
) -> bytes:
    match kind:
        case "figure":
            return graph_bytes(part, path)
        case "forest":
            return forest_bytes(part, answer, path, favours)
        case "ranks":
            return ranks_bytes(answer, path)
    return split_bytes(answer, path)


def _check(made: _Outputs, better: str | None, split: str) -> None:
    from statera.evidence.network_request import check_ranks  # late: only when run

    check_ranks(better)
    if split not in ("side", "node"):
        raise UsageError(f"'{split}' is no way to split", where="--split", hint="side or node.")
    for option, (path, suffixes) in made.targets().items():
        if path is None:
            continue
        try:
            check_target(path, suffixes)
        except InputError as error:
            error.where = option
            raise


def _fit(
    data: Path, where: Sequence[str] | None, certainty: Path | None, request: NetworkRequest
) -> tuple[tuple[FittedPart, ...], PairJudgements]:
    from statera.evidence.network_certainty import judgements_of_certainty_table
    from statera.evidence.network_request import fit_parts
    from statera.evidence.read_table import read_table

    conditions = read_pairs(where, "--where", "COLUMN=VALUE")
    parts, judged = fit_parts(read_table(data, conditions or None), request)
    if certainty is not None:
        names = tuple(name for part in parts for name in part.treatments)
        judged = judged.joined(judgements_of_certainty_table(read_table(certainty), names))
    return parts, judged


def _text(
    parts: Sequence[FittedPart], answers: Sequence[dict[str, Any]], *, each_part: bool
) -> str:
    if not each_part:
        return part_text(parts[0], answers[0])
    return "\n\n".join(
        part_text(
            part, answer,
            heading=f"Part {number} of {len(parts)}: {', '.join(part.treatments)}",
        )
        for number, (part, answer) in enumerate(zip(parts, answers, strict=True), start=1)
    )  # fmt: skip


def _numbered(path: Path, number: int, count: int) -> Path:
    """Return a name for each part where there are several."""
    return path if count == 1 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")
