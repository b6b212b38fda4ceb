"""``statera meta network``: several treatments compared through all trials at once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.terminal import note, warn
from statera.errors import InputError, UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    import numpy as np

    from statera.evidence.network_fit import NetworkResult

__all__ = ["HELP", "network_command"]

SCHEMA = "statera.meta.network/1"
HELP = """
\b
Examples:
  statera meta network arms.csv --measure OR --reference Placebo --better high
  statera meta network contrasts.csv --measure MD --tau2 DL --json
  statera meta network arms.csv --measure RR --figure network.svg

Compare treatments through a network of trials.

The table has a row an arm (study, treatment, and events and total, or mean, sd and total), or a
row a comparison (study, treatment_1, treatment_2, and y and se, or estimate, low and high); a
trial of several arms gives all its comparisons. With --better the treatments are ranked.
"""


def network_command(
    data: Annotated[Path, typer.Argument(metavar="DATA.csv", help="Table of arms or comparisons.")],
    *,
    measure: Annotated[str, typer.Option("--measure", help="OR, RR, RD, MD, SMD, HR, ...")],
    tau2: Annotated[
        str, typer.Option("--tau2", help="REML, DL, or REML-approximate (as netmeta).")
    ] = "REML",
    reference: Annotated[
        str | None, typer.Option("--reference", help="Treatment that others are compared with.")
    ] = None,
    better: Annotated[
        str | None, typer.Option("--better", help="low or high: which effects are good.")
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Of all intervals.")] = 0.95,
    prediction: Annotated[
        str, typer.Option("--prediction", help="V (df of Q) or HTS (one fewer).")
    ] = "V",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the text (.txt) or JSON (.json)."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE.svg", help="Drawing of the network.")
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Compare treatments through a network of trials."""
    if better not in (None, "low", "high"):
        raise UsageError(f"'{better}' is no direction", where="--better", hint="low or high.")
    if out is not None:
        check_target(out, (".txt", ".json"))
    if figure is not None:
        try:
            check_target(figure, (".svg",))
        except InputError as error:
            error.where = "--figure"
            raise
    from statera.evidence.network_fit import NetworkOptions, network  # late: only when run
    from statera.evidence.network_table import network_of_table
    from statera.evidence.read_table import read_table

    options = NetworkOptions(tau2=tau2, reference=reference, level=level, prediction=prediction)
    result = network(network_of_table(read_table(data), measure), options)
    answer = _answer(result, better)
    envelope = Envelope(SCHEMA, answer, result.notes, manifest({data.name: data.read_bytes()}))
    text = _text(result, answer)
    if out is not None:
        whole = envelope.to_json(ascii_only=False) if out.suffix.lower() == ".json" else text
        write_bytes_atomically(out, whole.encode())
    if figure is not None:
        write_bytes_atomically(figure, _graph(result).encode())
    if as_json:
        typer.echo(envelope.to_json(), nl=False)
        return
    typer.echo(text, nl=False)
    warn(result.notes)
    for path in (out, figure):
        if path is not None:
            note(f"written to {path}", quiet=quiet)


def _graph(result: NetworkResult) -> str:
    from statera.plot.network_graph import draw_network  # heavy

    data = result.data
    counts: dict[tuple[str, str], int] = {}
    for i, j in zip(data.first.tolist(), data.second.tolist(), strict=True):
        pair = (data.treatments[min(i, j)], data.treatments[max(i, j)])
        counts[pair] = counts.get(pair, 0) + 1
    return draw_network("network", data.treatments, counts, patients=data.patients or None)


def _answer(result: NetworkResult, better: str | None) -> dict[str, Any]:
    from statera.evidence.network_design import decompose_designs  # late: only when run
    from statera.evidence.network_rank import league_table, p_scores
    from statera.evidence.network_split import side_split

    data = result.data
    base = data.treatments.index(result.reference)
    scores: np.ndarray[Any, Any] | None = None
    if better is not None:
        scores = p_scores(result, small_good=better == "low")
    return {
        "measure": data.measure,
        "log": data.log,
        "studies": len(data.studies),
        "comparisons": data.y.size,
        "tau2_estimator": result.options.tau2,
        "reference": result.reference,
        "tau2": result.tau2,
        "q": result.q,
        "q_df": result.df,
        "q_p": result.p_q,
        "i2_percent": 100.0 * result.i2,
        "i2_interval_percent": [100.0 * result.i2_low, 100.0 * result.i2_high],
        "treatments": [
            {
                "treatment": name,
                "estimate": result.random.estimate[i, base],
                "se": result.random.se[i, base],
                "low": result.random.low[i, base],
                "high": result.random.high[i, base],
                "prediction_low": result.predict_low[i, base],
                "prediction_high": result.predict_high[i, base],
                "p_score": None if scores is None else scores[i],
            }
            for i, name in enumerate(data.treatments)
        ],
        "league": league_table(result),
        "direct_and_indirect": side_split(result),
        "designs": decompose_designs(result),
        "notes": result.notes,
    }


def _text(result: NetworkResult, answer: dict[str, Any]) -> str:
    data = result.data
    head = (
        f"Network of {len(data.treatments)} treatments (studies: {len(data.studies)}; "
        f"comparisons: {data.y.size}; tau^2 estimator: {result.options.tau2})"
    )
    scale = " (logarithm)" if data.log else ""
    rows = [["treatment", "estimate", "se", "ci.lb", "ci.ub", "pi.lb", "pi.ub"]]
    if data.log:
        rows[0].append(data.measure)
    scored = any(t["p_score"] is not None for t in answer["treatments"])
    rows[0] += ["P-score"] if scored else []
    for t in answer["treatments"]:
        own = t["treatment"] == result.reference
        keys = ("estimate", "se", "low", "high", "prediction_low", "prediction_high")
        row = [t["treatment"], *("." if own else _number(float(t[k])) for k in keys)]
        if data.log:
            row.append("." if own else _number(math.exp(t["estimate"])))
        rows.append(row + ([_number(float(t["p_score"]))] if scored else []))
    split = [["comparison", "studies", "direct", "all", "direct est.", "indirect est.", "pval"]]
    for s in answer["direct_and_indirect"]:
        if not s.studies:  # indirect alone: in the JSON
            continue
        values = (s.estimate, s.direct, s.indirect, s.p)
        share = "" if math.isnan(s.share) else f"{100 * s.share:.0f}%"
        split.append([s.label, str(s.studies), share, *(_number(float(x)) for x in values)])
    parts = answer["designs"]
    blocks = [
        head,
        f"tau^2: {result.tau2:.4f}; tau: {math.sqrt(result.tau2):.4f}; "
        f"I^2: {_number(100 * result.i2, 2)}%",
        f"Heterogeneity and inconsistency:\nQ(df = {result.df}) = {result.q:.4f}, "
        f"p-val {_p(result.p_q)}",
        "\n".join(
            f"{name} designs: Q(df = {q.df}) = {q.q:.4f}, "
            f"p-val {_p(math.nan if q.p is None else q.p)}"
            for name, q in (("within", parts.within), ("between", parts.between))
        ),
        f"Random effects{scale}, compared with '{result.reference}':\n\n{_table(rows)}",
        f"Direct and indirect evidence{scale}, pairs that studies compare:\n\n{_table(split)}",
    ]
    return "\n\n".join(blocks) + "\n"


def _number(x: float, digits: int = 4) -> str:
    return "NA" if math.isnan(x) else f"{x:.{digits}f}"


def _p(p: float) -> str:
    from statera.evidence.print_text import p_text  # late: only when run

    return p_text(p)


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if j == 0 else cell.rjust(w)
            for j, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
