"""Tables of studies to begin with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from statera.evidence.table_check import table_text
from statera.library import drugs, load_class, load_drug
from statera.sources.fact import Fact
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.evidence import SampleRequest
from statera.web.work import Work

__all__ = ["run"]

_OUTCOMES = {
    "vte": "venous thromboembolism",
    "mace": "major cardiovascular event",
    "serious_infection": "serious infection",
    "malignancy": "malignancy",
}
_WHY = "A sample is a table to type into, not a result."


def run(request: SampleRequest, work: Work) -> Answer:
    """Return the columns and rows of a sample, and how they are to be analysed."""
    make = _SAMPLES[request.name]
    columns, rows, about, asked = make()
    table = Table([Column(name) for name in columns], rows)
    result = {"columns": columns, "rows": rows, "about": about, "asked": asked}
    python = f"import io\n\ntext = {table_text(columns, rows)!r}\nprint(io.StringIO(text).read())\n"
    copies = Copies(python, "", _WHY)
    return Answer("statera.web.evidence-sample/1", result, {"studies": table}, copies)


Sample = tuple[list[str], list[list[str]], str, dict[str, str]]


def _jak_safety() -> Sample:
    """Hazard ratios of JAK inhibitors against TNF inhibitors as the library holds them."""
    columns = ["outcome", "study", "drug", "comparator", "measure", "estimate", "low", "high",
               "design", "shares data with", "source"]  # fmt: skip
    rows = []
    for fact in _comparisons():
        about = fact.context
        if about.get("outcome") not in _OUTCOMES or fact.low is None or fact.high is None:
            continue
        rows.append(
            [_OUTCOMES[about["outcome"]], about["study"], about.get("drugs") or fact.drug,
             about.get("comparator", ""), about.get("measure", ""), f"{fact.value:g}",
             f"{fact.low:g}", f"{fact.high:g}", about.get("design", ""), about.get("overlaps", ""),
             fact.source]
        )  # fmt: skip
    rows.sort(key=lambda row: list(_OUTCOMES.values()).index(row[0]))
    about_it = (
        "Published hazard ratios of JAK inhibitors against TNF inhibitors, from the library; "
        "sources as cited there. Some share people, and some are weighted: see the remarks."
    )
    return columns, rows, about_it, {"kind": "pairwise", "measure": "HR", "ci": "hartung-knapp"}


def _comparisons() -> list[Fact]:
    holders = (load_class(), *(load_drug(name) for name in drugs()))
    return [
        fact
        for holder in holders
        for fact in holder.facts
        if fact.section == "safety_comparison" and isinstance(fact.value, float | int)
    ]


def _rare_event() -> Sample:
    """Draw counts of a rare event: true odds ratio 0.6, spread 0.2 on the log scale."""
    rng = np.random.default_rng(4)
    trials = 10
    drug, placebo = rng.integers(80, 400, trials), rng.integers(80, 400, trials)
    odds = rng.uniform(0.01, 0.05, trials)
    ratio = np.exp(rng.normal(np.log(0.6), 0.2, trials))
    events = rng.binomial(drug, ratio * odds / (1 + ratio * odds))
    others = rng.binomial(placebo, odds / (1 + odds))
    rows = [
        [f"trial {i + 1}", *(str(int(x)) for x in (events[i], drug[i], others[i], placebo[i])),
         str(2016 + i)]
        for i in range(trials)
    ]  # fmt: skip
    columns = ["study", "events_1", "total_1", "events_2", "total_2", "year"]
    about = (
        "Simulated trials of a rare event: true odds ratio 0.6, spread between trials 0.2 on the "
        "log scale."
    )
    return columns, rows, about, {"kind": "pairwise", "measure": "OR"}


def _network() -> Sample:
    """Draw arms of trials of two and three treatments."""
    effects = {"placebo": 0.0, "drug A": 0.3, "drug B": 0.1, "drug C": 0.5}
    designs = (
        *[("placebo", "drug A")] * 4,
        *[("placebo", "drug B")] * 3,
        *[("drug A", "drug C")] * 2,
        *[("placebo", "drug A", "drug B")] * 2,
        ("placebo", "drug C"),
    )
    generator = np.random.default_rng(2026)
    rows = []
    for number, design in enumerate(designs, start=1):
        base = generator.normal(-3.7, 0.3)
        for name in design:
            n = int(generator.integers(120, 420))
            odds = np.exp(base + effects[name])
            events = int(generator.binomial(n, odds / (1 + odds)))
            rows.append([f"trial {number}", name, str(events), str(n)])
    about = (
        "Simulated trials of serious infections with two or three arms: true log odds ratios "
        "against placebo 0.3, 0.1 and 0.5."
    )
    asked = {"kind": "network", "measure": "OR", "reference": "placebo", "better": "low"}
    return ["study", "treatment", "events", "total"], rows, about, asked


_SAMPLES: dict[str, Callable[[], Sample]] = {
    "jak-safety": _jak_safety,
    "rare-event": _rare_event,
    "network": _network,
}
