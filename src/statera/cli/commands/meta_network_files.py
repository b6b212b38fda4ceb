"""Files of ``statera meta network``: league tables, and the figures as SVG or PDF."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statera.evidence.network_request import FittedPart
    from statera.plot.network_forest import TreatmentRow

__all__ = [
    "forest_bytes",
    "funnel_bytes",
    "graph_bytes",
    "league_long",
    "league_wide",
    "ranks_bytes",
    "split_bytes",
]

_DIFFERENCE = {
    "OR": "log odds ratio", "RR": "log risk ratio", "IRR": "log rate ratio",
    "HR": "log hazard ratio", "ROM": "log ratio of means", "MD": "mean difference",
    "SMD": "standardised mean difference", "RD": "risk difference", "IRD": "rate difference",
}  # fmt: skip


def _natural(answer: dict[str, Any], value: float) -> float:
    from statera.evidence.network_answer import natural_value  # late: only when run

    return natural_value(value, log=bool(answer["log"]))


def _digits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def league_long(answers: Sequence[dict[str, Any]]) -> str:
    """Return every ordered pair as a row of CSV, on the natural scale and that of the analysis."""
    stream = io.StringIO()
    out = csv.writer(stream, lineterminator="\n")
    first = answers[0]["league"][0]
    names, risks = list(first["certainty"]), list(first["risk_of_bias"])
    out.writerow(
        ["comparison", "treatment_1", "treatment_2", "measure", "estimate", "low", "high",
         "prediction_low", "prediction_high", "log_scale", "estimate_analysed", "se", "studies",
         *names, *risks]
    )  # fmt: skip
    for answer in answers:
        for row in answer["league"]:
            values = [row[k] for k in ("estimate", "low", "high", "predict_low", "predict_high")]
            out.writerow(
                [row["label"], row["first"], row["second"], answer["measure"],
                 *(_digits(_natural(answer, float(v))) for v in values),
                 "yes" if answer["log"] else "no", _digits(float(row["estimate"])),
                 _digits(float(row["se"])), row["studies"], *row["certainty"].values(),
                 *row["risk_of_bias"].values()]
            )  # fmt: skip
    return stream.getvalue()


def league_wide(answers: Sequence[dict[str, Any]]) -> str:
    """Return treatments against treatments as CSV; every cell says what it compares."""
    stream = io.StringIO()
    out = csv.writer(stream, lineterminator="\n")
    for answer in answers:
        names = [t["treatment"] for t in answer["treatments"]]
        cells = {(row["first"], row["second"]): row for row in answer["league"]}
        out.writerow([f"{answer['measure']} of row vs column (95 % CI)".replace(
            "95", f"{100 * answer['level']:g}"), *names])  # fmt: skip
        for first in names:
            out.writerow(
                [first, *("" if first == second else _cell(answer, cells[first, second])
                          for second in names)]
            )  # fmt: skip
    return stream.getvalue()


def _cell(answer: dict[str, Any], row: dict[str, Any]) -> str:
    if math.isnan(row["estimate"]):
        return f"{row['label']}: not determined"
    middle, low, high = (_natural(answer, float(row[k])) for k in ("estimate", "low", "high"))
    text = f"{row['label']}: {middle:.3g} ({low:.3g} to {high:.3g})"
    given = "; ".join(value for value in row["certainty"].values() if value)
    return f"{text}; {given}" if given else text


def graph_bytes(part: FittedPart, path: Path) -> bytes:
    """Return the drawing of the network."""
    from statera.plot.network_graph import draw_network, network_pdf

    patients = part.patients or None
    if path.suffix.lower() == ".pdf":
        return network_pdf(part.treatments, part.pairs, patients=patients)
    return draw_network("network", part.treatments, part.pairs, patients=patients).encode()


def forest_bytes(
    part: FittedPart, answer: dict[str, Any], path: Path, favours: tuple[str, str]
) -> bytes:
    """Return the forest of treatments against the reference."""
    from statera.plot.network_forest import (
        NetworkForestOptions,
        draw_network_forest,
        network_forest_pdf,
    )

    rows, heads = _rows(part, answer)
    options = NetworkForestOptions(
        answer["reference"],
        bool(answer["log"]),
        f"{answer['measure']} ({100 * answer['level']:g} % CI)",
        heads,
        (
            f"favours {favours[0]}" if favours[0] else "",
            f"favours {favours[1]}" if favours[1] else "",
        ),
    )
    title = f"Treatments against {answer['reference']}"
    if path.suffix.lower() == ".pdf":
        return network_forest_pdf(rows, options, title=title)
    alt = "; ".join(
        f"{row.label} {row.estimate:.2f} ({row.low:.2f} to {row.high:.2f})"
        for row in rows
        if row.estimate is not None and row.low is not None and row.high is not None
    )
    return draw_network_forest(rows, options, key="forest", title=title, alt=alt).encode()


def _rows(part: FittedPart, answer: dict[str, Any]) -> tuple[list[TreatmentRow], tuple[str, ...]]:
    """Return the rows of the forest, best treatment first where ranked, and extra headings."""
    from statera.plot.network_forest import TreatmentRow

    reference = answer["reference"]
    treatments = [t for t in answer["treatments"] if t["treatment"] != reference]
    scored = any(t["p_score"] is not None for t in treatments)
    if scored:
        treatments = sorted(treatments, key=lambda t: -t["p_score"])
    league = {row["first"]: row for row in answer["league"] if row["second"] == reference}
    certainty = list(next(iter(league.values()))["certainty"])[:2]
    heads = ("Studies\n(direct)", *(["P-score"] if scored else []),
             *(name.replace("_", " ").capitalize() for name in certainty))  # fmt: skip
    rows = []
    for t in treatments:
        natural = t["natural"]
        known = not math.isnan(natural["estimate"])
        predicted = known and not math.isnan(natural["prediction_low"])
        texts = [str(league[t["treatment"]]["studies"])]
        texts += [f"{t['p_score']:.2f}"] if scored else []
        texts += [league[t["treatment"]]["certainty"][name] or "\N{EN DASH}" for name in certainty]
        rows.append(
            TreatmentRow(
                t["treatment"],
                natural["estimate"] if known else None,
                natural["low"] if known else None,
                natural["high"] if known else None,
                (natural["prediction_low"], natural["prediction_high"]) if predicted else None,
                tuple(texts),
            )
        )
    return rows, heads


def ranks_bytes(answer: dict[str, Any], path: Path) -> bytes:
    """Return the rankogram."""
    import numpy as np  # heavy: only when drawn

    from statera.errors import UsageError
    from statera.plot.network_ranks import draw_network_ranks, network_ranks_pdf

    treatments = answer["treatments"]
    if treatments[0]["p_score"] is None:
        raise UsageError(
            "ranks need to know which effects are good",
            where="--ranks",
            hint="Add --better low or --better high.",
        )
    names = [t["treatment"] for t in treatments]
    probability = np.array([t["rank_probabilities"] for t in treatments])
    scores = [float(t["p_score"]) for t in treatments]
    if path.suffix.lower() == ".pdf":
        return network_ranks_pdf(names, probability, scores, title="Ranks of treatments")
    alt = "; ".join(f"{n}: P-score {s:.2f}" for n, s in zip(names, scores, strict=True))
    return draw_network_ranks(
        names, probability, scores, key="ranks", title="Ranks of treatments", alt=alt
    ).encode()


def split_bytes(answer: dict[str, Any], path: Path) -> bytes:
    """Return the forest of direct against indirect evidence."""
    from statera.errors import InputError, UsageError
    from statera.plot.network_split_forest import network_split_forest
    from statera.plot.study_forest import draw_study_forest, study_forest_pdf

    if "direct_and_indirect" not in answer:
        raise UsageError(
            "a split needs the contrasts of the studies",
            where="--split-forest",
            hint="Use --method inverse-variance, without --components.",
        )
    try:
        groups, options = network_split_forest(
            answer["direct_and_indirect"], measure=answer["measure"], log=answer["log"],
            level=answer["level"],
        )  # fmt: skip
    except ValueError as error:
        raise InputError(
            str(error), where="--split-forest", hint="Look at the network: it has no loop."
        ) from error
    title = f"Direct and indirect evidence by {answer['split']}"
    if path.suffix.lower() == ".pdf":
        return study_forest_pdf(groups, options, title=title)
    alt = f"{len(groups)} comparisons with direct, indirect and network estimates."
    return draw_study_forest(groups, options, key="split", title=title, alt=alt).encode()


def funnel_bytes(part: FittedPart, path: Path, order: Sequence[str] | None) -> tuple[bytes, Any]:
    """Return the comparison-adjusted funnel plot, and what it shows."""
    from statera.errors import UsageError
    from statera.evidence.network_fit import NetworkResult
    from statera.evidence.network_funnel import comparison_adjusted
    from statera.plot.network_funnel import draw_network_funnel, network_funnel_pdf

    result = part.result
    if not isinstance(result, NetworkResult) or part.contrasts is None:
        raise UsageError(
            "a funnel needs the contrasts of the studies",
            where="--funnel",
            hint="Use --method inverse-variance, without --components.",
        )
    others = [name for name in part.treatments if name != result.reference]
    funnel = comparison_adjusted(result, order or [result.reference, *others])
    effect = _DIFFERENCE.get(result.data.measure, "effect")
    title = "Comparison-adjusted funnel plot"
    if path.suffix.lower() == ".pdf":
        return network_funnel_pdf(funnel, effect=effect, title=title), funnel
    alt = f"Effects of {len(funnel.studies)} comparisons against their standard errors."
    drawn = draw_network_funnel(funnel, effect=effect, key="funnel", title=title, alt=alt)
    return drawn.encode(), funnel
