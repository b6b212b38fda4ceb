"""Put the report of a prediction of response together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from statera.biomarker.predict import Prediction
from statera.biomarker.prediction_record import marker_rows
from statera.biomarker.responder_guards import Guard
from statera.biomarker.responder_rule import MISSING_POLICIES, rule_text
from statera.biomarker.responders import Responders
from statera.biomarker_report.prediction_figures import (
    calibration_figure,
    decision_figure,
    roc_figure,
    stability_figure,
)
from statera.biomarker_report.prediction_methods import (
    PREDICTION_METHODS,
    PREDICTION_REFERENCES,
    SOURCES_OF,
)
from statera.biomarker_report.remarks import remarks
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Document,
    Inline,
    Paragraph,
    Section,
    Table,
)  # fmt: skip
from statera.report.tabulate import format_number

__all__ = ["build_prediction_report"]

_NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)
_MOST_ROWS = 400
_FOLD_ABOVE = 15


def build_prediction_report(
    found: Prediction,
    responders: Responders,
    guards: Sequence[Guard],
    names: Sequence[str],
    notes: Sequence[str],
    *,
    made: Mapping[str, Any],
    title: str = "Who responds, from markers",
) -> Document:
    """Return the report of one prediction.

    Parameters
    ----------
    found
        From `statera.biomarker.predict.predict_response`.
    responders, guards
        The outcome, and what is to be known of its rule.
    names : (m,)
        Names of the markers that people know.
    notes
        What was decided or left out, as sentences.
    made
        The manifest.
    title
        Heading.
    """
    model = found.options.model
    used = [model, "nested", "auc", "roc", "brier", "calibration", "decision", "stability"]
    used += ["optimism"] if found.optimism else []
    used += ["permutation"] if found.permutation else []
    used += ["rank"] if math.isfinite(found.rank_correlation[0]) else []
    keys = dict.fromkeys(k for m in (*used, "guards", "size") for k in SOURCES_OF.get(m, ()))
    return Document(
        title=title,
        subtitle=f"{rule_text(responders.rule)}; {PREDICTION_METHODS[model].title.lower()}",
        notice=_NOTICE,
        sections=(
            _summary(found),
            _outcome(found, responders, guards),
            Section("discrimination", "Telling responders apart", _discrimination(found)),
            Section("calibration", "Calibration", _calibration(found)),
            Section("decision", "Use in decisions", (decision_figure(found),)),
            Section("stability", "Markers", _markers(found, names)),
            _folds(found),
            _left_out(found, names, notes),
        ),
        methods=tuple(PREDICTION_METHODS[m] for m in used),
        references=tuple(PREDICTION_REFERENCES[k] for k in keys),
        manifest=made,
    )


def with_interval(numbers: Sequence[float], method: str) -> Cell:
    """Return an estimate with its interval as one cell."""
    estimate, low, high = (*numbers, math.nan, math.nan)[:3]
    if not math.isfinite(estimate):
        return Cell("cannot be estimated", "missing")
    text = format_number(estimate)
    if math.isfinite(low):
        text += f" ({format_number(low)} to {format_number(high)})"
    return Cell(text, "computed", method=method, value=estimate)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _summary(found: Prediction) -> Section:
    people = dict(zip(found.table.subjects, found.outcome.tolist(), strict=True))
    o, auc = found.options, found.auc
    times = len(found.nested.log_odds)
    scheme = f"{o.outer_folds} outer folds, {times} times, tuned on {o.inner_folds} inner ones"
    pairs: list[tuple[str, Inline]] = [
        ("Subjects", f"{len(people)}, of whom {sum(people.values())} responders"),
        ("Markers", f"{found.marker_status.count('ok')} of {len(found.table.markers)} can predict"),
        ("Splits", Cell(scheme, "fact", SOURCES_OF["nested"])),
        ("AUC, cross-validated", with_interval((auc.auc, auc.low, auc.high), "auc")),
    ]
    if found.optimism is not None:
        c = found.optimism
        pairs += [
            ("AUC in its own subjects", with_interval((c.apparent,), "optimism")),
            ("AUC corrected for optimism", with_interval((c.corrected, c.low, c.high), "optimism")),
            (
                "AUC, .632+",
                with_interval((c.point_632_plus, c.point_632_low, c.point_632_high), "optimism"),
            ),
        ]
    if found.reference is not None:
        one, gain = found.reference.auc, found.reference.gain
        pairs += [
            ("AUC of covariates alone", with_interval((one.auc, one.low, one.high), "auc")),
            (
                "AUC gained by markers",
                with_interval((gain.difference, gain.low, gain.high), "auc"),
            ),
        ]
    brier = with_interval(found.brier, "brier")
    pairs += [
        ("Brier score", brier),
        ("Brier score of the share alone", with_interval((found.brier_null,), "brier")),
        ("Calibration slope (ideal 1)", with_interval(found.calibration.slope, "calibration")),
        ("Calibration intercept (ideal 0)", with_interval(found.calibration.intercept,
                                                          "calibration")),
    ]  # fmt: skip
    if math.isfinite(found.rank_correlation[0]):
        pairs.append(
            ("Rank correlation with the uncut outcome",
             with_interval(found.rank_correlation, "rank"))
        )  # fmt: skip
    if (p := found.permutation) is not None:
        said = f"{format_number(p.p_value)}, {p.permuted.size} of {p.requested} permutations"
        pairs.append(("Permutation p", Cell(said, "computed", method="permutation",
                                            value=p.p_value)))  # fmt: skip
    blocks: list[Block] = [Definition(tuple(pairs))]
    few = found.sample_size.warnings
    blocks += [Callout("warning", "Sample size" if w in few else "Incomplete", (w,))
               for w in found.warnings]  # fmt: skip
    if found.optimism is not None and found.optimism.status != "ok":
        blocks.append(Callout("warning", "Optimism", (_capital(f"{found.optimism.status}."),)))
    return Section("summary", "Summary", tuple(blocks))


def _outcome(found: Prediction, responders: Responders, guards: Sequence[Guard]) -> Section:
    rule = responders.rule
    counts = Counter(text.partition(":")[0] for text in responders.status)
    pairs: list[tuple[str, Inline]] = [
        ("Rule", rule_text(rule)),
        ("Subjects by the rule", ", ".join(f"{n} {word}" for word, n in counts.most_common())),
        ("Undecided outcomes", f"{rule.missing}: {MISSING_POLICIES[rule.missing]}"),
    ]
    if rule.index:
        pairs.append(("Clinical index", rule.index))
    for one in responders.applied:
        if one.condition.kind != "compared":
            pairs.append((f"Cut of {one.condition.term}", f"{one.cut:.6g}, from these subjects"))
    blocks: list[Block] = [Definition(tuple(pairs))]
    for guard in guards:
        kind: Any = guard.level
        blocks.append(Callout(kind, guard.name.capitalize(), (guard.finding,)))
    return Section("outcome", "What counts as a response", tuple(blocks))


def _discrimination(found: Prediction) -> tuple[Block, ...]:
    blocks: list[Block] = [roc_figure(found)]
    if found.auc.status != "ok":
        blocks.append(Callout("missing", "No interval", (_capital(f"{found.auc.status}."),)))
    return tuple(blocks)


def _calibration(found: Prediction) -> tuple[Block, ...]:
    blocks: list[Block] = [calibration_figure(found)]
    if found.calibration.status != "ok":
        blocks.append(
            Callout("missing", "Calibration", (_capital(f"{found.calibration.status}."),))
        )
    return tuple(blocks)


def _markers(found: Prediction, names: Sequence[str]) -> tuple[Block, ...]:
    rows = marker_rows(found, names)
    shown = sorted(rows, key=lambda r: (-r["frequency"], -abs(r["weight"])))
    stability = found.stability
    index = with_interval((stability.nogueira, stability.low, stability.high), "stability")
    blocks: list[Block] = []
    figure = stability_figure(found, shown)
    if figure is not None:
        blocks.append(figure)
    if stability.status == "ok":
        said = "; 1 where all selections agree, 0 where chance would give as much agreement."
        blocks.append(Paragraph(("Index of stability ", index, said)))
    else:
        blocks.append(Callout("missing", "Stability", (_capital(f"{stability.status}."),)))
    word = "Weight" if found.options.model == "elastic-net" else "Share of gain"
    cells: list[tuple[Inline, ...]] = []
    for r in shown[:_MOST_ROWS]:
        sign = format_number(r["same_sign"]) if math.isfinite(r["same_sign"]) else ""
        cells.append((
            r["name"],
            Cell(format_number(r["frequency"]), "computed", method="stability",
                 value=r["frequency"]),
            sign,
            Cell(format_number(r["weight"]), "computed", method=found.options.model,
                 value=r["weight"]) if r["weight"] else "",
            r["status"],
        ))  # fmt: skip
    foot = "Weights are log odds for a standard deviation, in the model of all subjects." if (
        found.options.model == "elastic-net"
    ) else "Shares of the reduction of loss in the model of all subjects."  # fmt: skip
    if len(shown) > _MOST_ROWS:
        foot += f" {len(shown) - _MOST_ROWS} of {len(shown)} markers are left to the JSON result."
    blocks.append(
        Table("Selection of markers", ("Marker", "Selected", "Same sign", word, "Status"),
              tuple(cells), numeric=(1, 2, 3), foot=(foot,), folded=len(cells) > _FOLD_ABOVE)
    )  # fmt: skip
    return tuple(blocks)


def _folds(found: Prediction) -> Section:
    elastic = found.options.model == "elastic-net"
    heading = (
        "Repeat, fold", "Train", "Left out", "Responders", "l1 ratio" if elastic else "Depth",
        "Penalty (share of largest)" if elastic else "Trees", "Predictors", "AUC", "Status",
    )  # fmt: skip
    rows: list[tuple[Inline, ...]] = []
    for o in found.nested.outcomes:
        numbers = [format_number(x) if math.isfinite(x) else "" for x in
                   (o.setting, o.complexity, float(o.selected), o.auc)]  # fmt: skip
        rows.append((f"{o.repeat}, {o.fold}", str(o.train), str(o.test), str(o.responders),
                     *numbers, o.status))  # fmt: skip
    foot = "Areas of single folds are rough: they rest on few pairs."
    table = Table("Outer folds", heading, tuple(rows), numeric=tuple(range(1, 8)), foot=(foot,),
                  folded=True)  # fmt: skip
    return Section("folds", "Outer folds", (table,))


def _left_out(found: Prediction, names: Sequence[str], notes: Sequence[str]) -> Section:
    blocks: list[Block] = [Paragraph((sentence,)) for sentence in notes]
    blocks += remarks("Markers that predict nothing", "Markers", found.marker_status, names)
    absent = (
        "Not part of this report: validation in other subjects (keep the model and apply it to "
        "their table), imputation by models, and intervals that repeat the whole making of the "
        "model in resampled studies."
    )
    return Section("left-out", "What was left out, and why", (*blocks, Paragraph((absent,))))
