"""A simulated result of a plate analysis: every status, every kind of gate, every trouble."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from statera.assay.fit_curves import fit_curves, make_curves
from statera.assay.ic50 import Determination, Ic50, Ic50Options, estimate_ic50
from statera.assay.logistic import logistic
from statera.cytometry.gates import (
    FROM_FILE,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    PolygonGate,
    RectangleGate,
    Reference,
)
from statera.cytometry.panel import Panel
from statera.cytometry.scales import Arcsinh, Logicle
from statera.cytometry.strategy import GatingStrategy
from statera.manifest import content_hash, manifest
from statera.plate.donors import DonorResult
from statera.plate.plate_map import Condition, Well
from statera.plate.problem import Problem, Severity
from statera.plate.result import (
    Controls,
    CurveResult,
    GateShown,
    PlateResult,
    PopulationRow,
    Removal,
    WellResult,
    WellStatus,
)
from statera.plate.settings import PlateSettings

DOSES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
POPULATIONS = ("CD4", "CD8", "CD11b")
READOUT = "pSTAT3"


@dataclass(frozen=True)
class Confidence:
    """What speaks for an automatic gate, by the names that automatic gating uses."""

    gate: str
    well: str
    method: str
    depth: float
    shift: float
    low_confidence: bool
    sentence: str


def _truth(donor: int, cytokine: str, population: str) -> tuple[float, float]:
    """Return IC50 (nM) and stimulated over unstimulated of an invented plate."""
    if cytokine == "IL-15" and population == "CD11b":
        return 50.0, 0.95
    base = {"CD4": 20.0, "CD8": 35.0, "CD11b": 70.0}[population]
    far = 250.0 if cytokine == "IL-15" and population == "CD8" and donor == 1 else 1.0
    return base * (1.0 + 0.35 * donor) * far, 5.0


def wells_of(rows: int, donors: int) -> list[Well]:
    """Return wells: a donor and cytokine each twelve of a row; from 17 on, the right half."""
    found = []
    for index in range(rows):
        row, half = index % 16, index // 16
        donor, cytokine = f"D{index % donors + 1}", ("IL-6", "IL-15")[index // donors % 2]
        plan = [(Condition.UNSTIMULATED, 0.0)] * 2 + [(Condition.STIMULATED, 0.0)] * 2
        plan += [(Condition.DOSE, dose) for dose in DOSES]
        for column, (condition, dose) in enumerate(plan):
            name = f"{chr(ord('A') + row)}{column + 1 + 12 * half:02d}"
            found.append(Well("", name, f"{name}.fcs", donor, cytokine, condition, dose))
    return found


def _row(well: Well, population: str, rng: np.random.Generator) -> PopulationRow:
    ic50, fold = _truth(int(well.donor[1:]) - 1, well.cytokine, population)
    low, high = 120.0, 120.0 * fold
    if well.condition is Condition.UNSTIMULATED:
        median = low
    elif well.condition is Condition.STIMULATED:
        median = high
    else:
        median = low + (high - low) / (1.0 + well.dose / ic50)
    median *= float(np.exp(rng.normal(0.0, 0.05)))
    share = 100.0 * (1.0 - (median - low) / (high - low)) if high != low else np.nan
    count = int(rng.integers(90, 1500))
    return PopulationRow(
        well, population, READOUT, count, count / 2000, count / 5000, median, median * 0.97,
        float(np.arcsinh(median / 150) - np.arcsinh(low / 150)), median / low,
        float(100 * median / (median + 500)), share,
        flags=(f"{count} events, fewer than 200",) if count < 200 else (),
    )  # fmt: skip


def _curves(rows: list[PopulationRow]) -> list[CurveResult]:
    sets: dict[tuple[str, str, str], list[PopulationRow]] = {}
    for row in rows:
        sets.setdefault((row.well.donor, row.well.cytokine, row.population), []).append(row)
    doses, responses, names, controls = [], [], [], []
    for mine in sets.values():
        u = np.array([r.median for r in mine if r.well.condition is Condition.UNSTIMULATED])
        s = np.array([r.median for r in mine if r.well.condition is Condition.STIMULATED])
        used = [r for r in mine if r.well.condition is not Condition.UNSTIMULATED]
        doses.append(np.array([r.well.dose for r in used]))
        x = np.array([r.median for r in used])
        responses.append(100.0 * (x - u.mean()) / (s.mean() - u.mean()))
        names.append(tuple(r.well.name for r in used))
        span = abs(s.mean() - u.mean())
        z = 1.0 - 3.0 * (u.std(ddof=1) + s.std(ddof=1)) / span
        controls.append(Controls(u, s, float(s.mean() / u.mean()), float(z), float(4 * z)))
    fitted = fit_curves(make_curves(doses, responses, names=[", ".join(k) for k in sets]))
    relative = estimate_ic50(fitted)
    absolute = estimate_ic50(fitted, Ic50Options(absolute=50.0))
    found = []
    for k, (donor, cytokine, population) in enumerate(sets):
        ic50: Ic50 = relative[k]
        if controls[k].fold < 1.5:
            ic50 = _refused(ic50, f"the fold of stimulation is {controls[k].fold:.2f}, below 1.5")
        x = np.geomspace(0.5, 6000.0, 81)
        line = np.stack([x, logistic(np.log(x)[None], fitted.parameters[k][None])[0]])
        found.append(
            CurveResult(
                "", donor, cytokine, population, READOUT, doses[k], responses[k], names[k],
                controls[k], ic50, absolute[k], fitted.parameters[k], line,
            )
        )  # fmt: skip
    return found


def _refused(ic50: Ic50, reason: str) -> Ic50:
    return replace(
        ic50, determination=Determination.REFUSED, estimate=np.nan, ln_se=np.nan,
        wald=(np.nan, np.nan), profile=None, sentence=f"refused: {reason}",
    )  # fmt: skip


def strategy() -> GatingStrategy:
    """Return a hierarchy with every kind of gate that is drawn."""
    marker = Arcsinh(262144.0, 4.0, 1.0)
    logicle = Logicle(262144.0, 0.5, 4.5, 0.0)
    cd3, cd4 = Dimension("CD3", marker, FROM_FILE), Dimension("CD4", marker, FROM_FILE)
    return GatingStrategy(
        (
            RectangleGate("singlets", (Dimension("FSC-H"),), (20_000.0,), (np.inf,)),
            PolygonGate(
                "lymphocytes",
                (Dimension("FSC-A"), Dimension("SSC-A")),
                ((30e3, 5e3), (110e3, 5e3), (120e3, 60e3), (40e3, 70e3)),
                "singlets",
            ),
            RectangleGate("live", (Dimension("Live", logicle, FROM_FILE),), (-np.inf,), (0.45,),
                          "lymphocytes"),
            RectangleGate("CD4", (cd3, cd4), (0.5, 0.5), (np.inf, np.inf), "live"),
            EllipsoidGate("CD8", (cd3, cd4), (0.7, 0.25), ((0.01, 0.0), (0.0, 0.01)), 1.0, "live"),
            BooleanGate("CD11b", "and", (Reference("singlets"), Reference("CD4", True))),
        )
    )  # fmt: skip


def _shown(well: str, odd: bool, rng: np.random.Generator, events: int) -> list[GateShown]:
    n = events // 2
    low = np.stack([rng.normal(75e3, 12e3, n), rng.normal(30e3, 8e3, n)])
    high = np.stack([rng.normal(130e3, 18e3, n), rng.normal(120e3, 25e3, n)])
    x, y = np.concatenate([low, high], axis=1)
    box = np.array([[30e3, 5e3], [110e3, 5e3], [120e3, 60e3], [40e3, 70e3], [30e3, 5e3]])
    live = np.concatenate(
        [rng.normal(0.25, 0.05, n), rng.normal(0.7, 0.06, n // (1 if odd else 8))]
    )
    a = np.concatenate([rng.normal(0.7, 0.06, n), rng.normal(0.25, 0.07, n // 2)])
    b = np.concatenate([rng.normal(0.72, 0.06, n // 2), rng.normal(0.25, 0.07, n)])
    inside = (a > 0.5) & (b > 0.5)
    corner = np.array([[0.5, 0.5], [np.inf, 0.5], [np.inf, np.inf], [0.5, np.inf], [0.5, 0.5]])
    below = live < 0.45
    return [
        GateShown(well, "lymphocytes", "singlets", "FSC-A", "SSC-A", x, y, box,
                  0.48 + 0.01 * rng.normal(), int(0.48 * x.size)),
        GateShown(well, "live", "lymphocytes", "Live", "", live, np.zeros(0),
                  np.array([[-np.inf, np.nan], [0.45, np.nan]]), float(below.mean()),
                  int(below.sum())),
        GateShown(well, "CD4", "live", "CD3", "CD4", a, b, corner, float(inside.mean()),
                  int(inside.sum())),
    ]  # fmt: skip


def plate_settings(**changes: Any) -> PlateSettings:
    """Return settings of an invented experiment."""
    made = PlateSettings(
        name="pSTAT3 in PBMC, run 7",
        drug="baricitinib",
        path=Path("plate.toml"),
        plate_map=Path("map.csv"),
        files=Path("fcs"),
        panel=Panel(
            fsc_area="FSC-A", fsc_height="FSC-H", ssc_area="SSC-A", live_dead="Live", time="Time",
            markers={"CD3": "BV421-A", "CD4": "FITC-A", "CD8": "PerCP-A", "CD11b": "PE-A"},
            readouts={READOUT: "APC-A"},
            populations={"CD4": "CD3+ CD4+", "CD8": "CD3+ CD8+", "CD11b": "CD3- CD11b+"},
        ),
        matrix="cells",
        about={
            "overview": {"purpose": "Inhibition of pSTAT3 by subset."},
            "specimen": {"description": "PBMC, frozen", "anticoagulant": "heparin"},
        },
    )  # fmt: skip
    return replace(made, **changes)


def simulated_plate(
    *, rows: int = 6, donors: int = 3, events: int = 2000, drawn: int = 30, seed: int = 1
) -> PlateResult:
    """Return a result with every status of a curve and wells that failed.

    Parameters
    ----------
    rows
        Sets of twelve wells, a donor and cytokine each; more than 8 need a plate of 384.
    donors
    events, drawn
        Events of a well drawn, and how many wells are.
    seed
    """
    rng = np.random.default_rng(seed)
    wells = wells_of(rows, donors)
    lost = {"B05": WellStatus.NO_FILE, "C07": WellStatus.UNREADABLE, "D09": WellStatus.EMPTY}
    results, table = [], []
    for index, well in enumerate(wells):
        status = lost.get(well.well, WellStatus.ANALYSED)
        removed = int(rng.integers(0, 60))
        gone = status is not WellStatus.ANALYSED
        results.append(
            WellResult(
                well, status, "no file of this name was found" if gone else "",
                0 if gone else 5000, 0 if gone else 5000 - removed,
                "" if gone else content_hash(well.name),
                () if gone else (
                    Removal("margin", removed, True, f"{removed} events at the range of SSC-A"),
                    Removal("flow rate", 0, True, ""),
                ),
                ("the end of DATA was one byte too far",) if index % 5 == 0 else (),
                ("signal of APC-A drifts",) if index == 11 else (),
                {} if gone else {"$CYT": "Simulator 1", "$DATE": "01-JAN-2026"},
            )
        )  # fmt: skip
        if not gone:
            table += [_row(well, population, rng) for population in POPULATIONS]
    curves = _curves(table)
    curves[1] = replace(curves[1], ic50=_one_sided(curves[1].ic50))
    shown = [
        gate
        for k, well in enumerate(w for w in wells if w.well not in lost)
        if k < drawn
        for gate in _shown(well.name, k == 5, rng, events)
    ]
    return PlateResult(
        plate_settings(),
        tuple(results),
        tuple(table),
        tuple(curves),
        {"": strategy(), "A05": strategy()},
        (
            Confidence("live", "", "valley", 0.92, 0.0, False, "The valley is deep."),
            Confidence(
                "CD4", "A05", "pooled", 0.18, 0.0, True, "One peak; the border is the plate's."
            ),
        ),
        tuple(shown),
        (
            DonorResult(
                "IL-6", "CD4", READOUT, tuple(f"D{d + 1}" for d in range(donors)), "mixed",
                Determination.DETERMINED, 27.0, (17.2, 42.3), 0.95, float(np.log(27.0)), 0.17,
                0.28, (9.1, 80.4), 1.05, (26.4, 16.0, 43.6), 4.2,
                ("the spread of the upper limit was left out",),
            ),
            DonorResult(
                "IL-15", "CD8", READOUT, ("D1",), "single", Determination.AT_LEAST, 9.2,
                (9.2, None), 0.95, float(np.log(9.2)), 0.4, None, None, 0.9, None, None,
                ("one donor: the interval says nothing of how donors differ",),
            ),
        ),
        problems=(
            Problem("well B05", "no file of this name was found", "Check the column 'file'."),
            Problem("well A05", "the panel differs from that of most wells", "",
                    Severity.WARNING),
        ),
        manifest=manifest({"plate.toml": "settings", "map.csv": "wells"}, 1),
    )  # fmt: skip


def _one_sided(ic50: Ic50) -> Ic50:
    assert ic50.profile is not None
    return replace(
        ic50, determination=Determination.AT_LEAST, profile=(ic50.profile[0], np.inf),
        sentence=f"at least {ic50.profile[0]:.4g} (95 %); not determined above",
    )  # fmt: skip
