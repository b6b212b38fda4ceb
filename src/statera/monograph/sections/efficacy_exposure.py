"""Exposure-response relations with published parameters, evaluated at simulated exposures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from statera.engagement import summarise
from statera.monograph.cells import computed, fact_cell, significant
from statera.monograph.context import Context
from statera.monograph.sections.engagement_courses import (
    combined_course,
    course,
    obstacle,
    pairs,
    total_nM,
)
from statera.monograph.sections.engagement_potencies import Entry, load_potencies
from statera.report.document import Block, Callout, Cell, Heading, Inline, Table
from statera.sources import Fact

__all__ = ["exposure_blocks", "exposure_data", "haemoglobin_ratio", "latent_effect", "named"]

_NAMES = {
    "Zhang2017_ACRL": "Latent ACR response (Zhang 2017)",
    "Zhang2017_Hb": "Haemoglobin (Zhang 2017)",
    "Namour2015_pSTAT1": "pSTAT1 (Namour 2015)",
}
_CHECKS = "derived"


def named(facts: Sequence[Fact], model: str) -> dict[str, Fact]:
    """Return the facts of one model by symbol."""
    return {f.get("symbol"): f for f in facts if f.get("model") == model}


def latent_effect(concentration: float, emax: float, ec50: float) -> float:
    """Return Emax C / (EC50 + C); concentration and EC50 in the same unit."""
    return emax * concentration / (ec50 + concentration)


def haemoglobin_ratio(effect: float, gamma_ret: float, gamma_rbc: float) -> float:
    """Return haemoglobin at the new steady state over its baseline; see the method's text."""
    return float((1.0 - effect) ** (1.0 / (gamma_ret + gamma_rbc)))


def exposure_blocks(context: Context) -> list[Block]:
    """Return the relations as blocks; nothing where no parameters are published."""
    facts = context.drug.facts_in("pharmacodynamics")
    models = list(dict.fromkeys(f.get("model") for f in facts))
    if not models:
        text = (
            f"No exposure-response relation of {context.name} with its parameters is among the "
            "sources of this page."
        )
        return [Callout("missing", "Exposure and response", (text,))]
    blocks: list[Block] = [Heading("Exposure and response")]
    for model in models:
        own = named(facts, model)
        blocks.append(_parameters(model, own))
        if {"Emax", "EC50"} <= own.keys():
            blocks += _latent(context, own)
        if "drug_effect_slope" in own:
            blocks += _haemoglobin(context, own)
        if "pSTAT1_baseline" in own:
            blocks += _pstat1(context, own)
    return blocks


def _parameters(model: str, own: Mapping[str, Fact]) -> Table:
    rows = [(f.parameter, fact_cell(f), f.note) for f in own.values() if f.status.value != _CHECKS]
    population = (
        ", ".join(dict.fromkeys(f.population for f in own.values() if f.population)) or "not stated"
    )
    return Table(
        f"{_NAMES.get(model, model)}: published parameters, {population}",
        ("Parameter", "Value", "Remark"),
        tuple(rows),
        numeric=(),
    )


def _averages(context: Context) -> list[tuple[str, float, Cell]]:
    """Return label, total nM and cell of each average: doses as simulated, then as published."""
    found = []
    for dose, exposure in context.exposures.items():
        if total_nM(context, exposure) is None:
            continue
        value = float(exposure.typical.endpoint("Cavg")[0]) / float(context.molar_mass or 1) * 1000
        found.append((dose.label, value, computed(value, "concentration_chosen", "nM")))
    for fact in context.drug.facts_in("pharmacokinetics"):
        usable = fact.get("quantity") == "Cav_ss" and fact.unit == "ng/mL"
        if usable and fact.number is not None and context.molar_mass:
            value = fact.number / context.molar_mass * 1000
            cell = replace(fact_cell(fact), text=f"{significant(value)} nM", value=value, unit="nM")
            found.append(
                (
                    f"{fact.get('dose_mg')} mg, {fact.population.split(' 4 mg')[0]}, as published",
                    value,
                    cell,
                )
            )
    return found


def _latent(context: Context, own: Mapping[str, Fact]) -> list[Block]:
    emax, ec50 = own["Emax"].number, own["EC50"].number
    rows: list[tuple[Inline, ...]] = []
    for label, value, cell in _averages(context):
        if emax is None or ec50 is None or own["EC50"].unit != "nM":
            continue
        effect = latent_effect(value, emax, ec50)
        share = 100 * value / (ec50 + value)
        rows.append(
            (
                label,
                cell,
                computed(share, "latent_emax", "%", text=f"{share:.0f} %"),
                computed(effect, "latent_emax", digits=2),
            )
        )
    if not rows:
        return []
    return [
        Table(
            "Effect on the latent ACR response at the average concentration",
            ("Dose", "Average concentration, total", "Share of Emax", "Effect"),
            tuple(rows),
            numeric=(1, 2, 3),
            foot=(
                "Latent scale, rheumatoid arthritis, phase 2b: not a response rate. The thresholds "
                "of ACR20, ACR50 and ACR70 were not retrieved. Doses that are simulated use the "
                "population of this page's model, which need not be that of the trial.",
            ),
        )
    ]


def _haemoglobin(context: Context, own: Mapping[str, Fact]) -> list[Block]:
    values = {k: f.number for k, f in own.items() if f.number is not None}
    blocks: list[Block] = []
    needed = ("drug_effect_slope", "drug_effect_power", "GAM_RET", "GAM_RBC")
    if all(k in values for k in needed):
        blocks += _haemoglobin_doses(context, values)
    return [*blocks, *_haemoglobin_checks(own, values)]


def _baseline(values: Mapping[str, float], bins: int) -> float:
    """Return baseline haemoglobin, g/L: pg per cell times 10^9 cells per L is mg/L."""
    return values["SHb"] * bins * values["RETBL"] * (1 + values["ktr2"] / values["kcir"]) / 1000.0


def _haemoglobin_doses(context: Context, values: Mapping[str, float]) -> list[Block]:
    rows: list[tuple[Inline, ...]] = []
    for label, value, cell in _averages(context):
        effect = values["drug_effect_slope"] * value ** values["drug_effect_power"]
        ratio = haemoglobin_ratio(effect, values["GAM_RET"], values["GAM_RBC"])
        row: list[Inline] = [
            label,
            cell,
            computed(100 * effect, "hb_effect", "%", digits=2),
            computed(-100 * (1 - ratio), "hb_steady", "%", text=f"−{100 * (1 - ratio):.1f} %"),
        ]
        if {"SHb", "RETBL", "ktr2", "kcir"} <= values.keys():
            change = _baseline(values, 4) * (1 - ratio)
            row.append(computed(-change, "hb_steady", "g/L", text=f"−{change:.1f} g/L"))
        rows.append(tuple(row))
    if not rows:
        return []
    columns = (
        "Dose",
        "Average concentration, total",
        "Proliferation lost",
        "Haemoglobin",
        "Change",
    )
    return [
        Table(
            "Haemoglobin: drug effect at the average concentration and what it leads to",
            columns[: len(rows[0])],
            tuple(rows),
            numeric=(1, 2, 3, 4)[: len(rows[0]) - 1],
            foot=(
                "The unit of concentration in the slope was not captured; nM is assumed, because "
                "the same paper states its EC50 in nM. The new steady state is reached after a "
                "few lifespans of red cells, and a rise of haemoglobin as disease improves is not "
                "in the equations.",
            ),
        )
    ]


def _haemoglobin_checks(own: Mapping[str, Fact], values: Mapping[str, float]) -> list[Block]:
    if not {"SHb", "RETBL", "ktr1", "ktr2", "kcir"} <= values.keys():
        return []
    made = (
        ("baseline_Hb_if_RETBL_per_bin", _baseline(values, 4)),
        ("baseline_Hb_if_RETBL_total", _baseline(values, 1)),
        ("RBC_mean_transit", 4 / values["kcir"] / 24),
        ("RET_mean_transit", 4 / values["ktr2"]),
        ("precursor_mean_transit", 4 / values["ktr1"] / 24),
    )
    rows: list[tuple[Inline, ...]] = []
    for symbol, value in made:
        fact = own.get(symbol)
        if fact is None or fact.number is None:
            continue
        agrees = math.isclose(value, fact.number, rel_tol=0.005)
        verdict = Cell("agrees", tone="ok") if agrees else Cell("differs", tone="bad")
        row = (fact.parameter, computed(value, "hb_baseline", fact.unit), fact_cell(fact), verdict)
        rows.append((*row, fact.note if "=" not in fact.note and "/" not in fact.note else ""))
    if not rows:
        return []
    return [
        Table(
            "Haemoglobin: baseline and transit times recomputed from the parameters",
            ("Quantity", "Recomputed", "Recorded", "Verdict", "Remark"),
            tuple(rows),
            numeric=(1, 2),
        )
    ]


def _pstat1(context: Context, own: Mapping[str, Fact]) -> list[Block]:
    baseline = own["pSTAT1_baseline"].number
    potencies = load_potencies(context)
    entries = [
        e
        for e in potencies.entries
        if e.potency.readout == "pSTAT1" and not e.is_users and not obstacle(context, e)
    ]
    if baseline is None or not entries:
        return []
    rows: list[tuple[Inline, ...]] = []
    for dose, exposure in context.exposures.items():
        for entry in entries:
            c = course(context, entry, exposure)
            left = baseline * (1 - summarise(c.times, c.typical, c.potency).average.low)
            rows.append(
                (dose.label, _analyte(entry), computed(left, "pstat1", "%", text=f"{left:.1f} %"))
            )
        for pair in pairs(context, tuple(entries)):
            c = combined_course(context, pair, exposure)
            left = baseline * (1 - summarise(c.times, c.typical, c.potency).average.low)
            cell = computed(left, "engagement_added", "%", text=f"{left:.1f} %")
            rows.append((dose.label, "both added (assumption)", cell))
    return [
        Table(
            "pSTAT1-positive cells, average over the dosing interval at steady state",
            ("Dose", "Inhibited by", "pSTAT1-positive cells"),
            tuple(rows),
            numeric=(2,),
            foot=(
                Cell(
                    f"Baseline {baseline:g} %",
                    "fact",
                    (own["pSTAT1_baseline"].source,),
                    value=baseline,
                    unit="%",
                ),
                "Ex vivo, healthy volunteers; the stimulus was not captured. It is a marker of the "
                "drug's action, not of response.",
            ),
        )
    ]


def _analyte(entry: Entry) -> str:
    return f"{entry.potency.analyte or entry.potency.drug} alone"


def exposure_data(context: Context) -> list[dict[str, object]]:
    """Return the effects at average concentrations as plain data."""
    own = named(context.drug.facts_in("pharmacodynamics"), "Zhang2017_ACRL")
    if not {"Emax", "EC50"} <= own.keys():
        return []
    emax, ec50 = own["Emax"].number, own["EC50"].number
    if emax is None or ec50 is None:
        return []
    return [
        {
            "dose": label,
            "average_concentration_nM": value,
            "latent_effect": latent_effect(value, emax, ec50),
            "share_of_emax": value / (ec50 + value),
            "sources": [own["Emax"].source],
        }
        for label, value, _ in _averages(context)
    ]
