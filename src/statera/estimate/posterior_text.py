"""A posterior as text: what was sampled, its table, and its warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statera.estimate.ending import sentence
from statera.estimate.posterior import Posterior
from statera.estimate.table_text import number

__all__ = ["posterior_cells", "posterior_headings", "posterior_notes", "posterior_pairs",
           "posterior_text"]  # fmt: skip

_HEADS = (
    "parameter", "of", "mean", "SD", "2.5 %", "50 %", "97.5 %", "R-hat", "ESS", "ESS tail",
    "shown as", "value", "95 % interval", "unit", "prior",
)  # fmt: skip
_RIGHT = {2, 3, 4, 5, 6, 7, 8, 9, 11, 12}
_SENTENCES = {
    "converged": "The chains agree and are long enough.",
    "not converged": "The chains do not agree or are too short: see the warnings.",
    "stopped": "Sampling was stopped: these are the draws so far.",
}
_NOTES = {
    "exp": "exp: the typical value of a log-normal parameter, exp(parameter)",
    "expit": "expit: 1/(1 + exp(-parameter))",
    "CV %": "CV %: 100 sqrt(exp(variance) - 1), of a log-normal parameter",
    "SD": "SD: square root of the variance",
    "corr": "corr: correlation of the two random effects",
}


def posterior_text(posterior: Posterior) -> str:
    """Return a posterior as text of fixed width."""
    pairs = posterior_pairs(posterior)
    width = max(len(name) for name, _ in pairs)
    lines = [f"{name.ljust(width)}  {text}" for name, text in pairs]
    lines += ["", *_table([posterior_cells(row) for row in posterior.rows()])]
    lines += posterior_notes(posterior)
    if posterior.warnings:
        lines += ["", "Warnings", *(f"- {text}" for text in posterior.warnings)]
    return "\n".join(lines)


def posterior_pairs(posterior: Posterior) -> list[tuple[str, str]]:
    """Return what was sampled and how it ended, as names and texts."""
    people = posterior.problem.individuals
    status = posterior.status
    return [
        ("Model", posterior.problem.model.id),
        ("Method", "full Bayes by the no-U-turn sampler (NUTS)"),
        ("Subjects", str(people.n_subjects)),
        ("Observations", f"{people.y.size} used"
         + (f", {posterior.problem.omitted} left out" if posterior.problem.omitted else "")),
        ("Draws", f"{posterior.chains} chains of {posterior.draws}"),
        ("Divergences", str(posterior.divergences)),
        ("Status", f"{status}. {_SENTENCES.get(status) or sentence(status)}"),
        ("Time", f"{posterior.seconds:.1f} s of processor time"),
    ]  # fmt: skip


def posterior_headings() -> tuple[str, ...]:
    """Return the headings of the table."""
    return _HEADS


def posterior_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a row of `Posterior.rows`."""
    shown = row["shown_as"] != ""
    rhat = f"{row['rhat']:.3f}" if row["rhat"] == row["rhat"] else ""
    interval = f"{number(row['value_low'], 3)} to {number(row['value_high'], 3)}" if shown else ""
    return (
        row["name"], row["of"], number(row["mean"]), number(row["sd"], 3), number(row["q2.5"]),
        number(row["q50"]), number(row["q97.5"]), rhat, f"{row['ess']:.0f}",
        f"{row['ess_tail']:.0f}", row["shown_as"], number(row["value"]) if shown else "", interval,
        row["unit"], row["prior"],
    )  # fmt: skip


def posterior_notes(posterior: Posterior) -> list[str]:
    """Return what a reader needs in order to read the table."""
    used = dict.fromkeys(row["shown_as"] for row in posterior.rows() if row["shown_as"])
    found = [_NOTES[name] for name in used]
    found.append("value: posterior median with the interval between the 2.5 % and 97.5 % quantiles")
    fixed = [
        name
        for i, name in enumerate(posterior.problem.model.parameters)
        if i not in posterior.problem.theta.free
    ]
    if fixed:
        found.append(f"kept at their value: {', '.join(fixed)}")
    found.append(
        "R-hat should be below 1.01, effective sample sizes (ESS) above 100 for each chain"
    )
    return found


def _table(body: Sequence[tuple[str, ...]]) -> list[str]:
    kept = [i for i in range(len(_HEADS)) if any(row[i] for row in body)]
    rows = [[_HEADS[i] for i in kept], *([row[i] for i in kept] for row in body)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(kept))]
    lines = [
        "  ".join(
            text.rjust(width) if kept[place] in _RIGHT else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    return [line.rstrip() for line in lines]
