"""Consistency checks on pharmacokinetics, computed from the facts and the models."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from statera.monograph.cells import computed, fact_cell, significant
from statera.monograph.context import Context
from statera.monograph.sections.checks import Check, Verdict, relative
from statera.monograph.sections.pk_compare import Comparison, compare
from statera.report.document import Cell
from statera.simulate import terminal_half_life
from statera.sources import Fact
from statera.units import molar_from_mass

__all__ = ["pk_checks"]


def pk_checks(context: Context) -> Iterator[Check]:
    """Yield every check that the drug's facts allow."""
    facts: dict[str, Fact] = {}
    for fact in context.drug.facts_in("pharmacokinetics"):
        if fact.status != "vendor_claim" and fact.number is not None:
            facts.setdefault(fact.get("quantity"), fact)
    yield from _clearance(facts)
    yield from _averages(context, facts)
    yield from _volumes(facts)
    yield from _renal_share(context, facts)
    yield from _mass_balance(facts)
    yield from _half_lives(context, facts)
    yield from _groups(context)
    yield from _against_model(compare(context))
    yield from _extrapolation(context)
    yield from _printed_variability(context)


def _numbers(facts: dict[str, Fact], *names: str) -> list[float] | None:
    values = [facts[n].number for n in names if n in facts]
    found = [v for v in values if v is not None]
    return found if len(found) == len(names) else None


def _clearance(facts: dict[str, Fact]) -> Iterator[Check]:
    if values := _numbers(facts, "CLr_F", "CLnr_F", "CL_F"):
        renal, other, total = values
        yield Check(
            "Clearances add up",
            computed(renal + other, "consistency", "L/h"),
            fact_cell(facts["CL_F"]),
            relative(renal + other, total),
            "CLr/F + CLnr/F against CL/F of the same population",
        )
    if values := _numbers(facts, "CL_F", "AUCtau_ss"):
        clearance, auc = values
        dose = float(facts["AUCtau_ss"].get("dose_mg"))
        expected = dose / clearance * 1000.0
        yield Check(
            "AUC against dose over CL/F",
            computed(expected, "consistency", "ng*h/mL"),
            fact_cell(facts["AUCtau_ss"]),
            relative(expected, auc, explained=True),
            f"{dose:g} mg / {clearance:g} L/h. Means of individual values need not close: the mean "
            "of dose/CL is not dose over the mean of CL; closure is not required",
        )


def _averages(context: Context, facts: dict[str, Fact]) -> Iterator[Check]:
    if values := _numbers(facts, "AUCtau_ss", "Cav_ss"):
        auc, average = values
        yield Check(
            "Average concentration against AUC over 24 h",
            computed(auc / 24.0, "consistency", "ng/mL"),
            fact_cell(facts["Cav_ss"]),
            relative(auc / 24.0, average),
            "AUC / 24 h",
        )
        if context.molar_mass:
            nanomolar = molar_from_mass(average, context.molar_mass)
            yield Check(
                "The same in molar units",
                computed(nanomolar, "consistency", "nM"),
                fact_cell(facts["Cav_ss"]),
                "agrees",
                f"ng/mL over {context.molar_mass:g} g/mol: a conversion, to read potencies by",
            )


def _volumes(facts: dict[str, Fact]) -> Iterator[Check]:
    if values := _numbers(facts, "V_F", "F", "V"):
        apparent, available, absolute = values
        yield Check(
            "Absolute volume against V/F times F",
            computed(apparent * available, "consistency", "L"),
            fact_cell(facts["V"]),
            relative(apparent * available, absolute),
            f"{apparent:g} L x {available:g}; the two come from different populations",
        )
    if values := _numbers(facts, "V1_F", "V2_F", "V_F"):
        central, peripheral, total = values
        yield Check(
            "Volumes add up",
            computed(central + peripheral, "consistency", "L"),
            fact_cell(facts["V_F"]),
            relative(central + peripheral, total),
            "V1/F + V2/F against V/F of the same population",
        )


def _renal_share(context: Context, facts: dict[str, Fact]) -> Iterator[Check]:
    highest = context.highest
    share = highest.typical.parameters.get("FREN") if highest else None
    claimed = 0.75
    overview = Cell("about 75 %", "claim", ("SMOLECULE_2026",), value=claimed)
    values = _numbers(facts, "CLr_F", "CL_F")
    if values:
        ratio = values[0] / values[1]
        yield Check(
            "Renal share of clearance against the vendor's 75 %",
            computed(ratio, "consistency", text=f"{100 * ratio:.0f} %"),
            overview,
            relative(ratio, claimed),
            "CLr/F over CL/F, adult rheumatoid arthritis",
        )
        if share is not None:
            yield Check(
                "Renal share of the model's typical subject against the vendor's 75 %",
                computed(float(share[0]), "typical", text=f"{100 * float(share[0]):.0f} %"),
                overview,
                relative(float(share[0]), claimed),
                "the model's reference has a lower renal clearance than the adult post-hoc value",
            )
    if found := _numbers(facts, "fe_urine", "F"):
        excreted, available = found
        absorbed = excreted / 100.0 / available
        yield Check(
            "Unchanged in urine over bioavailability, against the vendor's 75 %",
            computed(absorbed, "consistency", text=f"{100 * absorbed:.0f} %"),
            overview,
            relative(absorbed, claimed, explained=True),
            f"{excreted:g} % of the dose / {available:g}: share of the absorbed dose excreted "
            "unchanged; 75 % holds as a share of clearance, not of the absorbed dose",
        )


def _mass_balance(facts: dict[str, Fact]) -> Iterator[Check]:
    parts = ("fe_urine", "fe_faeces", "metabolites_urine", "metabolites_faeces")
    if values := _numbers(facts, *parts):
        total = sum(values)
        yield Check(
            "Mass balance",
            computed(total, "consistency", "% of dose"),
            Cell("at most 100 % of dose"),
            "agrees" if total <= 100.0 else "disagrees",
            " + ".join(f"{v:g}" for v in values) + " %: what was recovered",
        )


def _half_lives(context: Context, facts: dict[str, Fact]) -> Iterator[Check]:
    half_life = next(
        (
            f
            for f in context.drug.facts_in("pharmacokinetics")
            if f.get("quantity") == "thalf" and "adult RA" in f.population and f.number
        ),
        None,
    )
    if half_life is None or half_life.number is None:
        return
    if values := _numbers(facts, "V_F", "CL_F"):
        volume, clearance = values
        simple = math.log(2.0) * volume / clearance
        verdict: Verdict = "explained" if simple < half_life.number else "disagrees"
        yield Check(
            "Half-life against V and CL as one compartment",
            computed(simple, "consistency", "h"),
            fact_cell(half_life),
            "agrees" if abs(simple / half_life.number - 1) <= 0.1 else verdict,
            "ln 2 x V / CL is a lower bound of the terminal half-life where there is a second "
            "compartment",
        )
    model = context.model
    if (values := _numbers(facts, "V1_F", "V2_F", "CL_F")) and model and "TVQ" in model.parameters:
        central, peripheral, clearance = values
        flow = model.parameters["TVQ"].value
        a, b, c = (clearance + flow) / central, flow / central, flow / peripheral
        rates = np.linalg.eigvals(np.array([[-a, c], [b, -c]]))
        slow = math.log(2.0) / float(np.min(-rates.real))
        yield Check(
            "Half-life against V1, V2, CL and Q as two compartments",
            computed(slow, "consistency", "h"),
            fact_cell(half_life),
            relative(slow, half_life.number),
            f"terminal half-life with the model's Q of {flow:g} L/h: the population's own Q was "
            "not retrieved",
        )


def _groups(context: Context) -> Iterator[Check]:
    groups: dict[str, dict[str, Fact]] = {}
    for fact in context.drug.facts_in("exposure_by_group"):
        groups.setdefault(fact.get("group"), {})[fact.get("quantity")] = fact
    for group, facts in groups.items():
        if (values := _numbers(facts, "CL_F", "AUCtau_ss")) and "adult" not in group.lower():
            clearance, auc = values
            dose = float(facts["AUCtau_ss"].get("dose_mg"))
            expected = dose / clearance * 1000.0
            known = bool(facts["AUCtau_ss"].get("caution") or facts["AUCtau_ss"].note)
            yield Check(
                f"AUC against dose over CL/F, group {group}",
                computed(expected, "consistency", "ng*h/mL"),
                fact_cell(facts["AUCtau_ss"]),
                relative(expected, auc, explained=known),
                f"{dose:g} mg / {clearance:g} L/h. {facts['AUCtau_ss'].note}".strip(),
            )
        published = facts.get("thalf")
        if context.model and published and (pair := _numbers(facts, "weight", "EGFR", "thalf")):
            weight, egfr, printed = pair
            found = terminal_half_life(context.model, covariates={"WT": weight, "EGFR": egfr})
            if found is not None:
                yield Check(
                    f"Half-life of the model at the group's weight and eGFR, group {group}",
                    computed(found, "halflife", "h"),
                    fact_cell(published),
                    relative(found, printed),
                    f"{weight:g} kg, eGFR {egfr:g}",
                )


def _against_model(comparisons: tuple[Comparison, ...]) -> Iterator[Check]:
    for c in comparisons:
        if c.simulated is None or c.fact.get("quantity") not in (
            "thalf",
            "tmax",
            "accumulation_AUC",
        ):
            continue
        if c.difference is None or c.verdict:
            verdict = "agrees" if c.verdict.startswith(("inside", "within")) else "disagrees"
        else:
            verdict = relative(1.0 + c.difference, 1.0)
        yield Check(
            f"{c.fact.parameter} of the model against {c.fact.population or 'the published value'}",
            computed(c.simulated, c.method, c.fact.unit),
            fact_cell(c.fact),
            verdict,  # type: ignore[arg-type]
            "the model's typical subject; populations differ",
        )


def _extrapolation(context: Context) -> Iterator[Check]:
    model, highest = context.model, context.highest
    if model is None or highest is None or "EGFR" not in model.covariates:
        return
    base = float(highest.typical.endpoint("AUC")[0])
    ratios = {}
    for egfr in (45.0, 22.0):
        result = context.run(
            highest.dose.at_steady_state(), typical=True, covariates={"EGFR": egfr}, times=[]
        )
        ratios[egfr] = float(result.endpoint("AUC")[0]) / base
    text = ", ".join(f"x{significant(r)} at {e:g}" for e, r in ratios.items())
    yield Check(
        "AUC ratio of the model in renal impairment against a dedicated study",
        computed(ratios[22.0], "typical", text=text),
        Cell("ratios of the dedicated study not retrieved", "missing"),
        "not testable",
        "outside the model's data; the record says that the dedicated study's ratios are larger",
    )


def _printed_variability(context: Context) -> Iterator[Check]:
    """Check the two tables of Decker 2026 against each other, as a covariance matrix."""
    model = next((m for m in context.models if m.id == "baricitinib/Decker_2026"), None)
    if model is None:
        return
    names = [list(model.random_effects).index(n) for n in ("eta_CLNR", "eta_CLR", "eta_V1")]
    used = np.array(model.omega)[np.ix_(names, names)]
    printed = used.copy()
    # Table 1 prints these percentages for CLnr/F and CLr/F
    for i, percent in ((0, 58.4), (1, 62.3)):
        printed[i, i] = math.log1p((percent / 100.0) ** 2)
    lowest, lowest_printed = (float(np.linalg.eigvalsh(m).min()) for m in (used, printed))
    yield Check(
        "Variability of Decker 2026: smallest eigenvalue of the block of CLnr, CLr and V1",
        computed(lowest, "consistency", text=f"Table S2: {lowest:.4f}"),
        computed(lowest_printed, "consistency", text=f"Table 1: {lowest_printed:.4f}"),
        "explained" if lowest > 0 > lowest_printed else "disagrees",
        "a covariance matrix must not have a negative eigenvalue: the variances of Table S2 are "
        "used, not the percentages of Table 1 (58.4 % and 62.3 %)",
    )
