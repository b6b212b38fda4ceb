"""Pharmacokinetics: published parameters, the models behind them, and simulated exposure."""

from __future__ import annotations

from typing import Any

from statera.monograph.context import Context
from statera.monograph.sections import pk_model
from statera.monograph.sections.pk_compare import (
    compare,
    comparison_table,
    other_facts_table,
)
from statera.monograph.sections.pk_exposure import exposure_blocks
from statera.monograph.sections.pk_profiles import profile_blocks
from statera.report.document import Block, Callout, Section

__all__ = ["METHODS", "section"]

METHODS = pk_model.METHODS


def section(context: Context) -> Section:
    """Return the section for any drug, as far as its facts and models reach."""
    blocks: list[Block] = []
    if context.model is None:
        blocks.append(
            Callout(
                "missing",
                "No population model",
                (
                    f"The library has no published population model of {context.name}: no "
                    "concentration is simulated, and nothing on this page that needs one is shown.",
                ),
            )
        )
    if context.exposures:
        blocks += profile_blocks(context)
    comparisons = compare(context)
    if comparisons:
        blocks.append(comparison_table(comparisons))
    other = other_facts_table(context)
    if not comparisons and other is None:
        blocks.append(
            Callout(
                "missing",
                "Pharmacokinetic facts",
                (f"The library holds no pharmacokinetic fact about {context.name} yet.",),
            )
        )
    if context.exposures:
        blocks += exposure_blocks(context)
    elif context.model is not None:
        blocks.append(
            Callout(
                "missing",
                "No dose to simulate",
                ("No label rule of the library gives a repeated dose within the model's range.",),
            )
        )
    if other is not None:
        blocks.append(other)
    if context.model is not None:
        blocks += pk_model.model_blocks(context)
    return Section("pharmacokinetics", "Pharmacokinetics", tuple(blocks), _data(context))


def _data(context: Context) -> dict[str, Any]:
    return {
        "models": [m.id for m in context.models],
        "primary_model": context.model.id if context.model else None,
        "comparisons": [
            {
                "fact": c.fact.id,
                "source": c.fact.source,
                "published": c.fact.value,
                "unit": c.fact.unit,
                "simulated": c.simulated,
                "relative_difference": c.difference,
                "verdict": c.verdict or c.why_not,
            }
            for c in compare(context)
        ],
        "endpoints": {
            exposure.dose.label: {
                "steady_state": exposure.population.summary(),
                "single_dose": exposure.population_single.summary(),
            }
            for exposure in context.exposures.values()
        },
    }
