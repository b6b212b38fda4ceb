"""Put the page of an exposure-response analysis together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
)
from statera.report.tabulate import format_number
from statera.response.analysis import DoseRow, ResponseAnalysis
from statera.response.cox import Cox
from statera.response.exposures import SubjectExposures
from statera.response.ordinal import Ordinal
from statera.response.predict_doses import PredictedDose
from statera.response.time_to_event import TimeToEvent
from statera.response_report.figures import response_figure, survival_figure
from statera.response_report.methods import OUTCOMES, methods_of, outcome_kind, references_of

__all__ = ["build_response_report"]

_NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)
_NOT_GIVEN = (
    "Predicted: each subject of the data under each regimen, exposures drawn from the population "
    "model, the chance averaged. The band is that of the response model alone, and a chance where "
    "exposures lie beyond the data extrapolates the curve."
)
_CAUSE = (
    "An exposure that was not assigned is not a cause: patients who clear the drug slowly may "
    "differ in other ways that change their response. Compare with what the randomised doses show."
)


def build_response_report(
    found: ResponseAnalysis,
    *,
    exposure_label: str,
    time_label: str = "Time",
    simulated: SubjectExposures | None = None,
    predicted: tuple[PredictedDose, ...] = (),
    notes: tuple[str, ...] = (),
    made: Mapping[str, Any],
    title: str = "Exposure and response",
) -> Document:
    """Return the page of one analysis.

    Parameters
    ----------
    found
        From `statera.response.analysis.analyse_response`.
    exposure_label, time_label
        What the axes are.
    simulated
        Where the exposures come from a population model.
    predicted
        Doses that were not given.
    notes
        Further sentences, of the reading of the table.
    made
        The manifest.
    title
        Heading.
    """
    figures: list[Block] = [response_figure(found, exposure_label), Paragraph((_CAUSE,))]
    survival = survival_figure(found, time_label)
    sections = [
        _summary(found, exposure_label, simulated),
        Section("curve", "Response by exposure", tuple(figures)),
        *([Section("survival", "Time to the event", (survival, *_log_rank(found)))]
          if survival is not None else []),
        _parameters(found),
        *([_doses(found, predicted)] if found.doses or predicted else []),
        _comparison(found),
        *([_proportional(found)] if found.proportional_odds is not None else []),
        _remarks(found, simulated, notes),
    ]  # fmt: skip
    return Document(
        title=title,
        subtitle=f"{found.options.form}: {OUTCOMES[outcome_kind(found)]}",
        notice=_NOTICE,
        sections=tuple(sections),
        methods=methods_of(found, simulated is not None),
        references=references_of(found),
        manifest=made,
    )


def _number(value: float, method: str, note: str = "") -> Cell:
    if math.isnan(value):
        return Cell("", "missing")
    if math.isinf(value):
        return Cell("not bounded", "computed", method=method)
    return Cell(format_number(value), "computed", method=method, value=value, note=note)


def _p(value: float, method: str) -> Cell:
    if math.isnan(value):
        return Cell("–", note="")
    text = "< 0.0001" if value < 1e-4 else f"{value:.4f}"
    return Cell(text, "computed", method=method, value=value)


def _share(value: float, method: str) -> Cell:
    if math.isnan(value):
        return Cell("", "missing")
    return Cell(f"{100 * value:.1f} %", "computed", method=method, value=value)


def _summary(
    found: ResponseAnalysis, exposure_label: str, simulated: SubjectExposures | None
) -> Section:
    outcome, fit = found.outcome, found.fit
    rows = f"{outcome.n}"
    people = len(set(outcome.people.tolist()))
    if people < outcome.n:
        rows += f" of {people} subjects"
    pairs: list[tuple[str, Inline]] = [
        ("Outcome", OUTCOMES[outcome_kind(found)]),
        ("Rows", rows),
        ("Rarer answer" if not isinstance(outcome, Cox | TimeToEvent) else "Events",
         str(outcome.events)),
        ("Exposure", exposure_label),
    ]  # fmt: skip
    if isinstance(outcome, TimeToEvent):
        pairs.append(("Hazard", outcome.hazard.name))
    if simulated is not None:
        drawn = "" if simulated.draws is None else f", {simulated.draws.shape[1]} draws a subject"
        text = f"{simulated.metric}, {simulated.model_id}{drawn}"
        pairs.append(("Simulated from", Cell(text, "computed", method="simulated")))
    pairs.append(("Form of the effect", found.options.form))
    status = fit.status if fit is not None else "not fitted"
    pairs.append(("Status", Cell(status, tone="ok" if status == "ok" else "warn")))
    for row in found.parameters:
        if row.name in ("slope", "Emax", "EC50", "Hill"):
            pairs.append((row.name, _interval(row.estimate, row.low, row.high)))
    best = found.comparison.best
    if best is not None:
        pairs.append(("Smallest AIC", Cell(best.form, "computed", method="compare")))
    if found.permutation is not None:
        statistic, p = found.permutation
        text = f"{format_number(statistic)}, p = {p:.4g}"
        pairs.append(("Against no effect", Cell(text, "computed", method="permutation")))
    return Section("summary", "Summary", (Definition(tuple(pairs)),))


def _interval(estimate: float, low: float, high: float) -> Cell:
    ends = f"{_end(low)} to {_end(high)}"
    return Cell(f"{format_number(estimate)} ({ends})", "computed", method="fit", value=estimate)


def _end(value: float) -> str:
    return "not bounded" if math.isinf(value) or value == 0.0 else format_number(value)


def _parameters(found: ResponseAnalysis) -> Section:
    if not found.parameters:
        status = found.fit.status if found.fit is not None else "the form could not be fitted"
        reason = (f"{status[0].upper()}{status[1:]}.",)
        return Section(
            "parameters", "Parameters", (Callout("missing", "No estimates", reason),)
        )  # fmt: skip
    rows: list[tuple[Inline, ...]] = []
    for row in found.parameters:
        method = "profile" if row.basis.startswith("profile") else "fit"
        low = Cell("not bounded", "computed", method=method) if row.low == 0.0 else _number(
            row.low, method)  # fmt: skip
        rows.append(
            (row.name, _number(row.estimate, "fit"), low, _number(row.high, method),
             _number(row.standard_error, "fit"), row.basis)
        )  # fmt: skip
    table = Table(
        "Estimates", ("Parameter", "Estimate", "Low", "High", "SE", "Interval"), tuple(rows),
        numeric=(1, 2, 3, 4),
        foot=(f"Intervals of {found.options.level:.0%}. A coefficient is on the log odds or the "
              "log hazard.",),
    )  # fmt: skip
    return Section("parameters", "Parameters", (table,))


def _doses(found: ResponseAnalysis, predicted: tuple[PredictedDose, ...]) -> Section:
    labels = [""]
    if isinstance(found.outcome, Ordinal):
        labels = [f"{level} or more" for level in found.outcome.levels[1:]]
    blocks: list[Block] = []
    for label, rows in zip(labels, found.doses, strict=False):
        name = "Chance by dose" + (f": {label}" if label else "")
        blocks.append(
            Table(
                name,
                ("Dose", "n", "Median exposure", "Model", "Low", "High", "Observed", "Low",
                 "High"),
                tuple(_dose(row) for row in rows), numeric=tuple(range(1, 9)),
            )
        )  # fmt: skip
    text = (
        "The model's mean chance over the exposures of each dose group, beside what was observed "
        "in it. They differ where the dose acts otherwise than through this exposure.",
    )
    if found.doses:
        blocks.append(Paragraph(text))
    if predicted:
        blocks += [_predicted(predicted), Paragraph((_NOT_GIVEN,))]
    return Section("doses", "By dose", tuple(blocks))


def _predicted(predicted: tuple[PredictedDose, ...]) -> Table:
    rows: list[tuple[Inline, ...]] = [
        (
            d.regimen,
            *(Cell(format_number(v), "computed", method="simulated") for v in d.exposure),
            *(_share(v, "band") for v in d.chance),
            f"{100 * d.beyond:.3g} %",
        )
        for d in predicted
    ]
    return Table(
        "Every subject under one regimen",
        ("Regimen", "Median exposure", "5 %", "95 %", "Chance", "Low", "High",
         "Beyond the data"),
        tuple(rows), numeric=tuple(range(1, 8)),
    )  # fmt: skip


def _dose(row: DoseRow) -> tuple[Inline, ...]:
    return (
        row.dose, str(row.n), format_number(row.exposure),
        *(_share(v, "band") for v in row.predicted), *(_share(v, "observed") for v in row.observed),
    )  # fmt: skip


def _comparison(found: ResponseAnalysis) -> Section:
    rows: list[tuple[Inline, ...]] = [
        (r.form, str(r.parameters or ""), _number(r.log_likelihood, "compare"),
         _number(r.aic, "compare"), _number(r.delta, "compare"), _number(r.weight, "compare"),
         r.status)
        for r in found.comparison.rows
    ]  # fmt: skip
    forms = Table(
        "Forms of the effect",
        ("Form", "Parameters", "Log-likelihood", "AIC", "Difference", "Weight", "Status"),
        tuple(rows), numeric=(1, 2, 3, 4, 5),
    )  # fmt: skip
    tests: list[tuple[Inline, ...]] = [
        (f"{t.larger} against {t.simple}", _number(t.statistic, "compare"),
         _p(t.p_value, "compare"), t.basis)
        for t in found.comparison.tests
    ]  # fmt: skip
    blocks: list[Block] = [forms]
    if tests:
        blocks.append(
            Table("Likelihood ratio tests", ("Test", "Statistic", "p", "Reference"), tuple(tests),
                  numeric=(1, 2))
        )  # fmt: skip
    text = (
        "A form chosen because it fits best looks more certain than it is: the intervals do not "
        "know that it was chosen.",
    )
    return Section("comparison", "Comparison of forms", (*blocks, Paragraph(text)))


def _log_rank(found: ResponseAnalysis) -> tuple[Block, ...]:
    test = found.log_rank
    if test is None:
        return ()
    names = [name for name, _ in found.survival]
    rows = tuple(
        (name, f"{o:.0f}", Cell(f"{e:.1f}", "computed", method="log-rank", value=float(e)))
        for name, o, e in zip(names, test.observed, test.expected, strict=True)
    )
    p = "< 0.0001" if test.p_value < 1e-4 else f"= {test.p_value:.4f}"
    foot = (f"Chi-square {test.statistic:.2f}, {test.df} degrees of freedom, p {p}.",)
    return (Table("Log-rank test", ("Group", "Observed", "Expected"), rows, numeric=(1, 2),
                  foot=foot),)  # fmt: skip


def _proportional(found: ResponseAnalysis) -> Section:
    test = found.proportional_odds
    assert test is not None
    assert isinstance(found.outcome, Ordinal)
    cuts = [f"{level} or more" for level in found.outcome.levels[1:]]
    rows: list[tuple[Inline, ...]] = [
        (name, *(_number(float(c), "brant") for c in test.coefficients[:, k]),
         _number(float(test.by_column[k, 0]), "brant"), _p(float(test.by_column[k, 2]), "brant"))
        for k, name in enumerate(test.names)
    ]  # fmt: skip
    rows.append(
        ("all", *("" for _ in cuts), _number(test.statistic, "brant"), _p(test.p_value, "brant"))
    )
    table = Table(
        "One coefficient for all cuts?", ("Column", *cuts, "Chi-square", "p"), tuple(rows),
        numeric=tuple(range(1, len(cuts) + 3)),
        foot=(f"{test.df} degrees of freedom for all columns together.",),
    )  # fmt: skip
    return Section("proportional-odds", "Proportional odds", (table,))


def _remarks(
    found: ResponseAnalysis, simulated: SubjectExposures | None, notes: tuple[str, ...]
) -> Section:
    own = simulated.notes if simulated is not None else ()
    blocks: list[Block] = [Paragraph((s,)) for s in dict.fromkeys((*notes, *own, *found.notes))]
    absent = (
        "Not part of this page: a check of proportional hazards, effects that change over time, "
        "competing events, frailty, several rows a subject as correlated, and the error of "
        "exposures estimated from a subject's own samples."
    )
    return Section("remarks", "What a reader must know", (*blocks, Paragraph((absent,))))
