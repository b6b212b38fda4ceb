"""Analyse a plate: files to gates, gates to statistics, statistics to IC50s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from statera.cytometry.compensation import Spillover
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.subsample import subsample
from statera.errors import InputError, StateraError
from statera.manifest import manifest
from statera.plate.compare import compare_curves
from statera.plate.compensation import plate_spillover
from statera.plate.curves import NO_CYTOKINE, fit_plate_curves, with_controls
from statera.plate.donors import join_donors
from statera.plate.find_files import match_files
from statera.plate.gate_drawings import draw_samples
from statera.plate.gating import PlateGates, make_gates
from statera.plate.panel_check import check_panels
from statera.plate.plate_map import Condition, PlateMap, Well, read_plate_map
from statera.plate.problem import Problem
from statera.plate.read_settings import read_settings
from statera.plate.result import GateShown, PlateResult, WellResult, WellStatus
from statera.plate.settings import GatingMethod, PlateSettings
from statera.plate.well_analysis import WellOutcome, analyse_well

__all__ = ["analyse_plate"]

_STAINED = (Condition.UNSTIMULATED, Condition.STIMULATED, Condition.DOSE, Condition.FMO)
FMO = "fmo"
"""Stands in keys of thresholds where unstimulated wells have their cytokine."""

_DRAWN_WHOLE = 96
"""Plates of at most so many wells have the gates of all drawn; larger ones those of some."""

Progress = Callable[[str, float | None], None]
Thresholds = dict[tuple[str, str, str], dict[tuple[str, str], float]]


def analyse_plate(
    settings: PlateSettings | str | Path,
    *,
    workers: int = 2,
    progress: Progress | None = None,
) -> PlateResult:
    """Return all results of a plate, with a problem for every part that could not be analysed.

    Wells are read one after another (`workers` at a time), so that memory does not grow with the
    plate.

    Parameters
    ----------
    settings
        Or the path of ``plate.toml``.
    workers
        Threads.
    progress
        Called with what is being done and the share done.

    Raises
    ------
    InputError
        If settings, plate map or gates cannot be read, or no well can be analysed.
    """
    chosen = settings if isinstance(settings, PlateSettings) else read_settings(settings)
    run = _Run(chosen, workers, progress or (lambda stage, share: None))
    return run.result()


class _Run:
    """One analysis."""

    def __init__(self, settings: PlateSettings, workers: int, progress: Progress) -> None:
        self.settings, self.workers, self.progress = settings, max(1, workers), progress
        self.map: PlateMap = read_plate_map(settings.plate_map, settings.columns)
        self.problems: list[Problem] = list(self.map.problems)
        self.files, odd = match_files(self.map.wells, settings.files)
        self.problems += odd

    def result(self) -> PlateResult:
        whole = plate_spillover(self.settings.compensation, self.map.wells, self.files)
        stained = [w for w in self.map.wells if w.condition in _STAINED and w.name in self.files]
        if not stained:
            raise InputError(
                "no well of the plate map has both a file and a condition to analyse",
                where=str(self.settings.plate_map),
                hint="Check the names of the files and the conditions.",
            )
        samples, unreadable = self._samples(stained)
        usable, odd = check_panels(samples, self.settings)
        self.problems += odd
        if not usable:
            cause = odd[0] if odd else self.problems[0] if self.problems else None
            raise InputError(
                "no well can be analysed" + (f"; {cause.where}: {cause.sentence}" if cause else ""),
                where=str(self.settings.path),
                hint=cause.hint if cause and cause.hint else "Check the files and the panel.",
            )
        gates = make_gates(self.settings, usable, whole)
        self.problems += gates.problems
        outcomes = self._analyse(stained, gates, whole, usable, samples, unreadable)
        wells = tuple(self._well(w, outcomes) for w in self.map.wells)
        self.problems += [_problem(w) for w in wells if _failed(w)]
        rows = tuple(
            row for w in self.map.wells if w.name in outcomes for row in outcomes[w.name].rows
        )
        if not rows:
            first = next((p.sentence for p in self.problems), "")
            raise InputError(f"no well could be analysed: {first}", where=str(self.settings.path))
        fit, cofactor = self.settings.fit, self.settings.statistics.cofactor
        rows = with_controls(rows, fit, cofactor)
        curves, odd = fit_plate_curves(rows, fit, cofactor)
        self.problems += odd
        donors, odd = join_donors(curves, fit)
        self.problems += odd
        comparisons, odd = compare_curves(curves, fit)
        self.problems += odd
        return PlateResult(
            self.settings,
            wells,
            rows,
            curves,
            {"": gates.whole, **gates.by_well},
            gates.confidence,
            self._drawings(outcomes, gates),
            donors,
            tuple(self.problems),
            self._manifest(wells),
            comparisons,
        )

    def _samples(self, wells: Sequence[Well]) -> tuple[dict[str, FcsFile], dict[str, StateraError]]:
        """Return some events of every well, and what hindered reading the others."""
        found: dict[str, FcsFile] = {}
        failed: dict[str, StateraError] = {}
        n, seed = self.settings.gating.events, self.settings.gating.seed

        def read(well: Well) -> FcsFile | StateraError:
            try:
                return subsample(read_fcs(self.files[well.name]), n, seed)
            except StateraError as error:
                return error

        for k, (well, file) in enumerate(zip(wells, self._each(read, wells), strict=True), 1):
            if isinstance(file, StateraError):
                failed[well.name] = file
            else:
                found[well.name] = file
            self.progress("reading wells", k / len(wells))
        return found, failed

    def _each(self, work: Callable[[Well], Any], wells: Sequence[Well]) -> Any:
        if self.workers == 1:
            return map(work, wells)
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(work, wells))

    def _analyse(
        self,
        wells: Sequence[Well],
        gates: PlateGates,
        whole: Spillover | None,
        usable: Mapping[str, FcsFile],
        samples: Mapping[str, FcsFile],
        unreadable: Mapping[str, StateraError],
    ) -> dict[str, WellOutcome]:
        """Return outcomes by well: negative controls first, for thresholds come from them."""
        found = {
            w.name: WellOutcome(WellResult(w, WellStatus.UNREADABLE, _sentence(unreadable[w.name])))
            for w in wells
            if w.name in unreadable
        }
        for w in wells:
            if w.name in samples and w.name not in usable:
                found[w.name] = WellOutcome(
                    WellResult(w, WellStatus.NOT_GATED, "its channels are not those of the panel")
                )
        left = [w for w in wells if w.name not in found]
        first = (Condition.FMO, Condition.UNSTIMULATED)
        groups = [[w for w in left if w.condition is condition] for condition in first]
        groups.append([w for w in left if w.condition not in first])
        done = 0
        thresholds: Thresholds = {}
        for group in groups:

            def analyse(well: Well, known: Thresholds = thresholds) -> WellOutcome:
                return analyse_well(
                    well,
                    self.files[well.name],
                    self.settings,
                    gates,
                    whole,
                    _negative(known, well),
                )

            for well, outcome in zip(group, self._each(analyse, group), strict=True):
                found[well.name] = outcome
                done += 1
                self.progress("gating wells", done / len(left))
            thresholds = {**thresholds, **_thresholds(group, found)}
        return found

    def _well(self, well: Well, outcomes: Mapping[str, WellOutcome]) -> WellResult:
        if well.name in outcomes:
            return outcomes[well.name].result
        if well.condition is Condition.UNUSED or (
            well.name in self.files and well.condition not in _STAINED
        ):
            return WellResult(well, WellStatus.UNUSED)
        return WellResult(well, WellStatus.NO_FILE, "there is no file for this well")

    def _drawings(
        self, outcomes: Mapping[str, WellOutcome], gates: PlateGates
    ) -> tuple[GateShown, ...]:
        good = [o.result.well for o in outcomes.values() if o.result.status is WellStatus.ANALYSED]
        good.sort(key=lambda w: w.line)
        if len(good) > _DRAWN_WHOLE:
            good = good[:: -(-len(good) // _DRAWN_WHOLE)]
        return draw_samples(good, self.files, self.settings, gates)

    def _manifest(self, wells: Sequence[WellResult]) -> Mapping[str, Any]:
        inputs: dict[str, str | bytes] = {
            self.settings.path.name: self.settings.path.read_bytes(),
            self.settings.plate_map.name: self.settings.plate_map.read_bytes(),
        }
        for path in (self.settings.gating.file, self.settings.compensation.file):
            if path is not None:
                inputs[path.name] = path.read_bytes()
        inputs |= {self.files[w.well.name].name: w.content_hash for w in wells if w.content_hash}
        seed = (
            self.settings.gating.seed
            if self.settings.gating.method is GatingMethod.AUTOMATIC
            else None
        )
        return manifest(inputs, seed=seed)


def _failed(well: WellResult) -> bool:
    return well.status not in (WellStatus.ANALYSED, WellStatus.UNUSED, WellStatus.NO_FILE)


def _problem(well: WellResult) -> Problem:
    return Problem(f"well {well.well.name}", f"{well.status.value}: {well.sentence}")


def _sentence(error: StateraError) -> str:
    return f"{error.what}. {error.hint}".strip()


def _thresholds(wells: Sequence[Well], outcomes: Mapping[str, WellOutcome]) -> Thresholds:
    """Return mean thresholds: of FMO wells by plate and donor, of unstimulated by cytokine too."""
    gathered: dict[tuple[str, str, str], dict[tuple[str, str], list[float]]] = {}
    for well in wells:
        cytokine = FMO if well.condition is Condition.FMO else _cytokine(well)
        some = gathered.setdefault((well.plate, well.donor, cytokine), {})
        for readout, value in (outcomes[well.name].thresholds or {}).items():
            some.setdefault(readout, []).append(value)
    return {
        key: {readout: sum(v) / len(v) for readout, v in some.items()}
        for key, some in gathered.items()
    }


def _cytokine(well: Well) -> str:
    return "" if well.cytokine.lower() in NO_CYTOKINE else well.cytokine


def _negative(thresholds: Thresholds, well: Well) -> Mapping[tuple[str, str], float]:
    """Return the thresholds of a well: of FMO wells of its donor or plate, else unstimulated."""
    for key in (
        (well.plate, well.donor, FMO),
        (well.plate, "", FMO),
        (well.plate, well.donor, _cytokine(well)),
        (well.plate, well.donor, ""),
    ):
        if key in thresholds:
            return thresholds[key]
    return {}
