"""The synthesis of the published ratios on the page: figure, table, and what it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statera.evidence.pairwise_result import PairwiseResult, PairwiseStatus
from statera.evidence.pooled_effect import pooled_by_pairwise
from statera.monograph.cells import fact_cell
from statera.monograph.context import Context
from statera.monograph.sections.safety_outcomes import outcome_name, short_name
from statera.monograph.sections.safety_pooling import (
    OutcomeSynthesis,
    StudyRow,
    study_rows,
    syntheses,
)
from statera.monograph.sections.safety_ratios import Comparison
from statera.plot.study_forest import (
    Mean,
    Study,
    StudyForestOptions,
    StudyGroup,
    draw_study_forest,
)
from statera.plot.synthesis_forest import heterogeneity_line
from statera.report.document import Block, Callout, Cell, Figure, Heading, Inline, Method, Table

__all__ = ["METHODS", "synthesis_blocks", "synthesis_data"]

METHODS: tuple[Method, ...] = (
    Method(
        "own_synthesis",
        "Own synthesis of published ratios",
        "Random effects with the variance between studies by restricted maximum likelihood (REML) "
        "on the logarithms of the ratios, standard errors from the widths of the intervals. Wald: "
        "normal quantile. Hartung-Knapp: t quantile with k - 1 degrees of freedom and the spread "
        "of the studies themselves (Hartung and Knapp, Stat Med 2001;20:3875); with few studies "
        "it is the safer one. Prediction interval: where the effect in a new study may lie, with "
        "the quantile of the test beside it. One row a database: of rows that share a database, "
        "the one that draws on the fewest databases stays, then the most precise.",
    ),
)


def synthesis_blocks(context: Context, found: Sequence[Comparison]) -> list[Block]:
    """Return the blocks; nothing where no ratio can be pooled."""
    pooled = syntheses(study_rows())
    if not pooled:
        return []
    return [
        Heading("Own synthesis of these studies, which is not the published pool"),
        _callout(context, pooled),
        _figure(pooled),
        _table(pooled, found),
        _row_table(pooled),
    ]


def synthesis_data() -> list[dict[str, object]]:
    """Return the syntheses as plain data."""
    return [_data(s) for s in syntheses(study_rows())]


def _callout(context: Context, pooled: Sequence[OutcomeSynthesis]) -> Callout:
    rows = [r for s in pooled for r in s.pooled]
    studies = sorted({r.fact.source for r in rows})
    shared: dict[str, None] = {}
    for s in pooled:
        every = [d for r in s.pooled for d in r.databases]
        shared.update(dict.fromkeys(d for d in every if every.count(d) > 1))
    odd = [r.name for s in pooled for r in s.rows if "not symmetric" in r.reason]
    trials = sorted({r.study for r in rows if r.is_randomised})
    parts = [
        "What follows is computed from the rows of this library alone and must not be cited as the "
        "class-level pool. Most studies of that pool are missing here: their values and its "
        f"estimator were not retrieved. These are {len(rows)} rows from {len(studies)} "
        "publications, with numbers of two decimals, of all inhibitors together: they say nothing "
        f"about {context.name} alone."
    ]
    if shared:
        parts.append(
            f" People may be counted twice, as rows share {' and '.join(shared)}: the interval of "
            "all rows is then too narrow, and the analysis with one row a database stands beside."
        )
    if trials:
        parts.append(f" {', '.join(trials)} is a randomised trial; the published pool has none.")
    measures = sorted({r.estimate.measure for r in rows})
    if len(measures) > 1:
        parts.append(f" The rows mix {', '.join(measures)}, pooled as one kind of ratio.")
    parts.append(
        " Intervals that are not symmetric on the log scale, beyond what rounding explains, give "
        "no standard error and are left out: "
        + (f"here {', '.join(odd)}." if odd else "here there is none.")
    )
    return Callout("warning", "Not the published pool", tuple(parts))


def _figure(pooled: Sequence[OutcomeSynthesis]) -> Figure:
    groups = []
    for s in pooled:
        weights = dict(zip(s.effects.names, s.wald.weights, strict=True))
        studies = tuple(
            Study(
                r.study, r.estimate.value, r.estimate.low, r.estimate.high, float(weights[r.name]),
                (r.drug.replace("; ", ",\n"), r.estimate.measure),
            )
            for r in s.pooled
        )  # fmt: skip
        means = [_mean("All rows, Wald", s.wald, ("", ""))]
        if s.wald.status is PairwiseStatus.OK:
            knapp = _mean("All rows, Hartung-Knapp", s.hartung_knapp, ("", ""), prediction=True)
            means.append(knapp)
            if s.apart.status is PairwiseStatus.OK and s.apart.k < s.wald.k:
                label = f"One row a database (k {s.apart.k}), Hartung-Knapp"
                means.append(_mean(label, s.apart, ("", "")))
        line = heterogeneity_line(pooled_by_pairwise(s.wald))
        groups.append(
            StudyGroup(outcome_name(s.outcome), studies, tuple(means), (line,) if line else ())
        )
    title = "Own synthesis of ratios against TNF inhibitors: not the published pool"
    said = "; ".join(f"{outcome_name(s.outcome)} {_ratio(s.wald)}, k {s.wald.k}" for s in pooled)
    alt = f"Forest plot by outcome with weights and pooled ratios (REML, Wald): {said}."
    options = StudyForestOptions(
        x_label="Inhibitor over TNF inhibitor (log scale)",
        columns=("Drug", "Measure"),
        estimate_head="Ratio (95 % CI)",
        favours=("fewer with the inhibitor", "more with the inhibitor"),
        limits=(0.2, 6.0),
    )
    svg = draw_study_forest(groups, options, key="safety-synthesis", title=title, alt=alt)
    caption = (
        "Computed here from the rows shown; weights of the REML model in per cent. Diamonds: "
        "pooled ratios with 95 % intervals; arrows: beyond the axis. Bar: 95 % prediction "
        "interval (t quantile, k - 1 degrees of freedom)."
    )
    data = {
        "outcome": [s.outcome for s in pooled],
        "k": [s.wald.k for s in pooled],
        "ratio": [s.wald.natural[0] for s in pooled],
        "low": [s.wald.natural[1] for s in pooled],
        "high": [s.wald.natural[2] for s in pooled],
    }
    return Figure("safety-synthesis", svg, title, alt, (caption,), data)


def _mean(
    label: str, result: PairwiseResult, columns: tuple[str, ...], *, prediction: bool = False
) -> Mean:
    middle, low, high = result.natural
    limits = _prediction(result) if prediction else None
    return Mean(label, middle, low, high, None, columns, limits, "Prediction interval, t(k-1)")


def _prediction(result: PairwiseResult) -> tuple[float, float] | None:
    pi = result.prediction
    if pi is None or math.isnan(pi.low):
        return None
    return math.exp(pi.low), math.exp(pi.high)


def _ratio(result: PairwiseResult) -> str:
    middle, low, high = result.natural
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _computed(result: PairwiseResult) -> Cell:
    if result.status is PairwiseStatus.ONE_STUDY:
        return Cell("one row", note="nothing to pool")
    return Cell(_ratio(result), "computed", method="own_synthesis", value=result.natural[0])


def _table(pooled: Sequence[OutcomeSynthesis], found: Sequence[Comparison]) -> Table:
    claims = {c.outcome: c for c in found if c.scope == "pool"}
    rows: list[tuple[Inline, ...]] = []
    for s in pooled:
        limits = _prediction(s.hartung_knapp)
        reach = "" if limits is None else f"{limits[0]:.2f} to {limits[1]:.2f}"
        claim = claims.get(s.outcome)
        same = s.apart.k == s.wald.k
        rows.append(
            (
                short_name(s.outcome),
                str(s.wald.k),
                _computed(s.wald),
                _computed(s.hartung_knapp),
                Cell(reach, "computed", method="own_synthesis") if reach else "",
                f"{s.wald.tau2:.3f}; {s.wald.i2:.0f} %" if s.wald.k > 1 else "",
                "the same rows" if same else _apart(s),
                fact_cell(claim.fact) if claim is not None else "",
            )
        )
    return Table(
        "Own synthesis by REML, and the published pool that it is not",
        (
            "Outcome", "Rows", "Wald (95 % CI)", "Hartung-Knapp (95 % CI)",
            "Prediction interval, t(k-1)", "τ²; I²", "One row a database, Hartung-Knapp",
            "Published pool",
        ),
        tuple(rows),
        numeric=(1, 2, 3, 4, 5, 6, 7),
        foot=(
            "Where the two intervals disagree about 1, so few studies do not settle the question.",
        ),
    )  # fmt: skip


def _apart(s: OutcomeSynthesis) -> Inline:
    cell = _computed(s.apart)
    return (
        cell
        if s.apart.k < 2
        else Cell(
            f"{cell.text}, k {s.apart.k}", "computed", method="own_synthesis", value=cell.value
        )
    )


def _row_table(pooled: Sequence[OutcomeSynthesis]) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for s in pooled:
        for r in s.rows:
            used = r.reason or ("pooled" if r in s.apart_rows or s.apart.k == s.wald.k else
                                "pooled; not in the analysis with one row a database")  # fmt: skip
            printed = fact_cell(r.fact)
            turned = "turned round before pooling" if r.estimate.inverted_from else ""
            measure = r.fact.get("measure")
            rows.append(
                (
                    short_name(s.outcome),
                    Cell(r.study, note=_what(r)),
                    r.drug,
                    Cell(f"{measure} {printed.text}", printed.basis, printed.sources,
                         value=printed.value, note=turned),
                    "; ".join(r.databases),
                    used,
                )
            )  # fmt: skip
    return Table(
        "Rows of the synthesis, and why others are not in it",
        ("Outcome", "Study", "Drug", "As published (95 % CI)", "Database", "Use"),
        tuple(rows),
        numeric=(3,),
    )


def _what(row: StudyRow) -> str:
    printed = row.fact.get("outcome").replace("_", " ")
    own = "" if row.fact.get("outcome") == row.outcome else f"outcome as published: {printed}; "
    return own + ("randomised trial" if row.is_randomised else "observational")


def _data(s: OutcomeSynthesis) -> dict[str, object]:
    def numbers(r: PairwiseResult) -> dict[str, object]:
        middle, low, high = r.natural
        limits = _prediction(r)
        return {
            "k": r.k, "ratio": middle, "low": low, "high": high, "tau2": _finite(r.tau2),
            "i2_percent": _finite(r.i2), "prediction": list(limits) if limits else None,
        }  # fmt: skip

    return {
        "outcome": s.outcome,
        "is_published_pool": False,
        "rows": [_id(r) for r in s.pooled],
        "left_out": {_id(r): r.reason for r in s.rows if r.reason},
        "reml_wald": numbers(s.wald),
        "reml_hartung_knapp": numbers(s.hartung_knapp),
        "one_row_a_database": {**numbers(s.apart), "rows": [_id(r) for r in s.apart_rows]},
    }


def _id(row: StudyRow) -> str:
    """Return the id of the fact with the drug: several drugs have a row of one study."""
    return f"{row.fact.id} ({row.drug})"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
