"""The report of a fit as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statera.estimate.export import eta_names, fit_to_dict
from statera.estimate.membership import membership_foot, membership_of
from statera.estimate.result import FitResult
from statera.estimate.summary import fit_manifest, summary_pairs
from statera.estimate.table import Shrinkage, Uncertainty
from statera.estimate.table_text import cells_of, headings, notes
from statera.model import Model
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Document,
    Inline,
    Method,
    Paragraph,
    Section,
    Table,
)

__all__ = ["fit_document", "model_section"]

_NOTICE = "Research software: not a medical device."
_METHOD = "fit"
_WORDS = ("parameter", "of", "shown as", "unit", "remarks")  # columns that hold no numbers
_SHOWN = 300  # rows of a table; the files of a fit hold all of them


def fit_document(
    result: FitResult,
    uncertainty: Uncertainty | None = None,
    shrinkage: Shrinkage | None = None,
    *,
    data_report: str = "",
    more: Sequence[Section] = (),
    seed: int | None = None,
) -> Document:
    """Return the report of a fit.

    Parameters
    ----------
    result
        What a fit found.
    uncertainty, shrinkage
        As for `statera.estimate.table.parameter_table`.
    data_report
        What the data hold, line by line.
    more
        Further sections, such as figures of the goodness of fit.
    seed
        Seed of a method that draws random numbers.
    """
    model = result.problem.model
    sections = [_outcome(result, uncertainty), _parameters(result, uncertainty, shrinkage)]
    sections += _subpopulations(result)
    sections += more
    if data_report:
        lines = tuple(Paragraph((line,)) for line in data_report.splitlines() if line.strip())
        sections.append(Section("data", "Data", lines))
    sections += [model_section(model), _individuals(result)]
    if any(it.objective == it.objective for it in result.iterations):  # sampling has none
        sections.append(_course(result))
    return Document(
        title=f"Fit of {model.id}",
        subtitle=model.title or model.id,
        notice=_NOTICE,
        sections=tuple(sections),
        methods=(
            Method(
                _METHOD,
                "Estimation",
                f"Computed by {dict(summary_pairs(result))['Method']}, see docs/estimation.md.",
            ),
        ),
        references=(),
        manifest=fit_manifest(result, seed),
    )


def _computed(text: str) -> Cell:
    return Cell(text, basis="computed", method=_METHOD) if text else Cell("")


def _outcome(result: FitResult, uncertainty: Uncertainty | None) -> Section:
    blocks: list[Block] = [Definition(tuple(summary_pairs(result, uncertainty)))]
    if not result.converged:
        blocks.insert(0, Callout("warning", "This fit did not converge", (result.sentence,)))
    blocks += [Callout("warning", "Look at this", (text,)) for text in result.warnings]
    return Section("outcome", "How the fit ended", tuple(blocks))


def _parameters(
    result: FitResult, uncertainty: Uncertainty | None, shrinkage: Shrinkage | None
) -> Section:
    table = result.table(uncertainty, shrinkage)
    heads = headings()
    rows: list[tuple[Inline, ...]] = []
    for row in table:
        cells = zip(heads, cells_of(row), strict=True)
        rows.append(tuple(text if head in _WORDS else _computed(text) for head, text in cells))
    block = Table(
        "Estimates",
        heads,
        tuple(rows),
        numeric=tuple(i for i, h in enumerate(heads) if h in ("estimate", "SE", "RSE %", "value")),
        foot=tuple(notes(table)),
    )
    data: dict[str, Any] = fit_to_dict(result, uncertainty, shrinkage)
    return Section("parameters", "Parameters", (block,), data)


def model_section(model: Model) -> Section:
    """Return the equations of a model."""
    pairs = [(e.name, e.text) for e in model.individual]
    pairs += [(f"d/dt({e.name})", e.text) for e in model.dynamics]
    pairs += [(o.name, o.text) for o in model.outputs]
    pairs += [
        (f"variance of {r.output}", str(r.variance).replace("**", "^"))
        for r in model.residuals.values()
    ]
    if model.mixture is not None:
        pairs += [(f"probability of {s.name}", s.text) for s in model.mixture.subpopulations]
    return Section("model", "Model", (Definition(tuple(pairs)),))


def _subpopulations(result: FitResult) -> list[Section]:
    """Return who belongs where, of a fit of a mixture model."""
    found = membership_of(result.extra)
    if found is None:
        return []
    rows: list[tuple[Inline, ...]] = [
        (
            f"{row['number']}: {row['name']}",
            _computed(f"{row['proportion']:.4g}"),
            _computed(f"{row['mean_posterior']:.4g}"),
            _computed(str(row["subjects"])),
        )
        for row in found.to_dict()["subpopulations"]
    ]
    table = Table(
        "Subpopulations",
        ("subpopulation", "proportion", "mean posterior", "subjects"),
        tuple(rows),
        numeric=(1, 2, 3),
        foot=(membership_foot(found),),
    )
    ids = result.problem.individuals.prepared.events.subject_ids
    members: list[tuple[Inline, ...]] = [
        (
            name,
            found.names[found.most_probable[k] - 1],
            *(_computed(f"{p:.4f}") for p in found.posterior[k]),
        )
        for k, name in enumerate(ids[:_SHOWN])
    ]
    rest = len(ids) - len(members)
    each = Table(
        "Posterior probabilities by subject",
        ("subject", "most probable", *found.names),
        tuple(members),
        numeric=tuple(range(2, 2 + len(found.names))),
        foot=(f"{rest} more subjects are not shown.",) if rest else (),
    )
    return [Section("subpopulations", "Subpopulations", (table, each))]


def _individuals(result: FitResult) -> Section:
    names = eta_names(result)
    ids = result.problem.individuals.prepared.events.subject_ids
    rows: list[tuple[Inline, ...]] = [
        (
            name,
            _computed(f"{result.by_subject[k]:.3f}"),
            *(_computed(f"{value:.4g}") for value in result.etas[k]),
        )
        for k, name in enumerate(ids[:_SHOWN])
    ]
    rest = len(ids) - len(rows)
    foot = (f"{rest} more subjects are not shown.",) if rest else ()
    numeric = tuple(range(1, 2 + len(names)))
    table = Table(
        "Objective and random effects by subject", ("subject", "objective", *names), tuple(rows),
        numeric,
        foot=foot,
    )  # fmt: skip
    return Section("individuals", "Subjects", (table,))


def _course(result: FitResult) -> Section:
    rows = tuple(
        (
            str(it.number),
            _computed(f"{it.objective:.4f}"),
            _computed(f"{it.gradient:.3g}" if it.gradient == it.gradient else ""),
        )
        for it in result.iterations[-_SHOWN:]
    )
    table = Table(
        "Course of the search", ("iteration", "objective", "largest gradient"), rows, (1, 2)
    )
    return Section("iterations", "Iterations", (table,))
