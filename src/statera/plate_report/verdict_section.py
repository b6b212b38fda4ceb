"""What a plate says, first: how many IC50s are known and how well, and what is missing."""

from __future__ import annotations

from collections import Counter

from statera.assay.ic50 import Determination
from statera.plate.plate_map import Condition
from statera.plate.problem import Severity
from statera.plate.result import CurveResult, PlateResult, WellStatus
from statera.plate_report.ic50_words import reason_of
from statera.plate_report.parts import computed, counted, listed, some_of, unique
from statera.report.document import Block, Callout, Cell, Definition, Inline, Paragraph, Section

__all__ = ["verdict_section"]

_METHOD = "plate_ic50"
_ONE_SIDED = (Determination.AT_LEAST, Determination.AT_MOST)


def verdict_section(result: PlateResult) -> Section:
    """Return the verdict, the reasons of refusals, and what the plate held."""
    blocks: list[Block] = [_verdict(result), *_refusals(result), *_missing(result), _held(result)]
    counts = Counter(c.ic50.determination.value for c in result.curves)
    data = {
        "curves": len(result.curves),
        "by status": dict(counts),
        "wells": dict(Counter(w.status.value for w in result.wells)),
        "problems": len(result.problems),
    }
    return Section("verdict", "What this plate says", tuple(blocks), data)


def _verdict(result: PlateResult) -> Paragraph:
    curves = result.curves
    if not curves:
        return Paragraph(
            (
                Cell("No IC50", tone="bad"),
                ": no dose-response curve could be made of this plate. The problems below say why.",
            )
        )
    how = [c.ic50.determination for c in curves]
    determined = how.count(Determination.DETERMINED)
    one_sided = sum(h in _ONE_SIDED for h in how)
    unknown = how.count(Determination.NOT_DETERMINED)
    refused = how.count(Determination.REFUSED)
    parts: list[Inline] = [
        "Of ", computed(len(curves), _METHOD), f" curves of {result.settings.drug}, the IC50 is ",
        Cell(f"determined in {determined}", tone="ok" if determined else "muted"),
    ]  # fmt: skip
    if one_sided:
        parts += [", ", Cell(f"known on one side only in {one_sided}", tone="warn")]
    if unknown:
        parts += [", ", Cell(f"not determined in {unknown}", tone="warn")]
    if refused:
        parts += [", and ", Cell(f"refused in {refused}", tone="bad")]
    flagged = sum(bool(c.ic50.flags) for c in curves if c.ic50.determination.value != "refused")
    parts.append(".")
    if flagged:
        parts.append(f" {counted(flagged, 'of those given has', 'of those given have')} a remark.")
    return Paragraph(tuple(parts))


def _refusals(result: PlateResult) -> list[Block]:
    """Return one remark for each set of refused curves that share cytokine and population."""
    sets: dict[tuple[str, str, str], list[CurveResult]] = {}
    for c in result.curves:
        if c.ic50.determination is Determination.REFUSED:
            sets.setdefault((c.cytokine, c.population, c.readout), []).append(c)
    found: list[Block] = []
    for (cytokine, population, readout), curves in sets.items():
        where = [" ".join(p for p in (c.plate, c.donor) if p) or "all" for c in curves]
        reasons = unique(reason_of(c.ic50) for c in curves)
        said = reasons[0] if len(reasons) == 1 else "; ".join(
            f"{w}: {reason_of(c.ic50)}" for w, c in zip(where[:4], curves[:4], strict=True)
        )  # fmt: skip
        title = ", ".join(p for p in (cytokine, population, readout) if p)
        found.append(
            Callout("warning", f"Refused: {title} ({some_of(where)})", (f"{_sentence(said)}",))
        )
    return found


def _sentence(text: str) -> str:
    begun = text[:1].upper() + text[1:]
    return begun if begun.endswith(".") else f"{begun}."


def _missing(result: PlateResult) -> list[Block]:
    lost = [
        w for w in result.wells if w.status not in (WellStatus.ANALYSED, WellStatus.UNUSED)
    ]  # fmt: skip
    errors = sum(p.severity is Severity.ERROR for p in result.problems)
    if not lost and not errors:
        return [Paragraph(("Nothing is missing: every well that was to be analysed was.",))]
    parts: list[Inline] = []
    if lost:
        kinds = Counter(w.status.value for w in lost)
        said = listed([f"{n} {kind}" for kind, n in kinds.items()])
        parts.append(
            f"{counted(len(lost), 'well')} without results ({said}): "
            f"{some_of([w.well.name for w in lost])}. "
        )
    if errors:
        parts.append(f"{counted(errors, 'problem')} left something out of the results; ")
        parts.append("the section on problems names each, with what to do.")
    return [Callout("warning", "Something is missing", tuple(parts))]


def _held(result: PlateResult) -> Definition:
    settings = result.settings
    wells = [w for w in result.wells if w.status is not WellStatus.UNUSED]
    analysed = [w for w in wells if w.status is WellStatus.ANALYSED]
    doses = sorted({w.well.dose for w in wells if w.well.condition is Condition.DOSE})
    stained = [w.well for w in wells]
    events = sum(w.n_events for w in analysed)
    kept = sum(w.n_kept for w in analysed)
    plates = unique(w.well.plate for w in wells)
    pairs: list[tuple[str, Inline]] = [
        ("Inhibitor", settings.drug),
        ("Wells", f"{len(analysed)} analysed of {len(wells)} in use"),
        ("Events", f"{_grouped(kept)} kept of {_grouped(events)}"),
        ("Donors", listed(unique(w.donor for w in stained if w.donor)) or "not stated"),
        ("Stimulation", listed(unique(w.cytokine for w in stained if w.cytokine)) or "not stated"),
        ("Populations", listed(unique(r.population for r in result.rows)) or "none"),
        ("Readouts", listed(unique(r.readout for r in result.rows)) or "none"),
    ]
    if doses:
        span = f"{doses[0]:g} to {doses[-1]:g} nM" if len(doses) > 1 else f"{doses[0]:g}"
        pairs.append(("Doses", f"{counted(len(doses), 'dose')}, {span}"))
    if len(plates) > 1:
        pairs.insert(1, ("Plates", listed(plates)))
    return Definition(tuple(pairs))


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")  # narrow space between thousands
