"""How a stock becomes the doses in the wells: every mixture, with what is really reached.

The series is made in pure solvent and each member is then diluted by the same factor into medium,
so that every well, vehicle included, holds the same share of solvent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from statera.assay.plan_options import PlanOptions
from statera.assay.plan_pipetting import Mix, find_mix, least_volume, nearest_volume, split_fold
from statera.errors import InputError

__all__ = ["MEDIUM", "STOCK", "DilutionPlan", "DoseReached", "Mixture", "plan_dilutions"]

STOCK, MEDIUM = "stock", "medium"
_SAME = 1e-9


@dataclass(frozen=True)
class Mixture:
    """One vessel and how it is made.

    Attributes
    ----------
    name
        On the tube, such as ``S3`` (series in solvent) or ``W3`` (working solution in medium).
    source, diluent
        Vessel or liquid transferred, and the liquid it goes into.
    mix
        Volumes of each copy.
    copies
        Vessels made alike.
    concentration_nM, wanted_nM
        Really reached with these volumes, and wanted.
    solvent_percent
        In the vessel, % v/v.
    drawn_ul
        Taken out of all copies together by later steps and wells, reserve not counted.
    dose
        Index of the dose it serves; None for intermediates shared or vehicle.
    """

    name: str
    source: str
    diluent: str
    mix: Mix
    copies: int
    concentration_nM: float
    wanted_nM: float
    solvent_percent: float
    drawn_ul: float
    dose: int | None = None

    @property
    def made_ul(self) -> float:
        """Volume of all copies."""
        return self.copies * self.mix.total_ul

    @property
    def left_ul(self) -> float:
        """What remains after everything is drawn."""
        return self.made_ul - self.drawn_ul


@dataclass(frozen=True)
class DoseReached:
    """A dose in the well.

    Attributes
    ----------
    wanted_nM, reached_nM
        Asked for, and by the volumes really pipetted.
    solvent_percent
        In the well.
    vessel
        Working solution it is added from.
    """

    wanted_nM: float
    reached_nM: float
    solvent_percent: float
    vessel: str

    @property
    def error_percent(self) -> float:
        """Reached over wanted, less 100 %."""
        return 100.0 * (self.reached_nM / self.wanted_nM - 1.0)


@dataclass(frozen=True)
class DilutionPlan:
    """All mixtures, in the order of work.

    Attributes
    ----------
    mixtures
    doses
        Highest first.
    vehicle
        The same for wells without drug.
    stock_ul, solvent_ul, medium_ul
        Drawn in all, reserve not counted.
    """

    mixtures: tuple[Mixture, ...]
    doses: tuple[DoseReached, ...]
    vehicle: DoseReached
    stock_ul: float
    solvent_ul: float
    medium_ul: float

    def mixture(self, name: str) -> Mixture:
        """Return a vessel by its name."""
        return next(m for m in self.mixtures if m.name == name)


@dataclass(frozen=True)
class _Chain:
    """Dilutions into medium that one member of the series goes through: folds and volumes."""

    mixes: tuple[Mix, ...]
    copies: int

    @property
    def drawn_ul(self) -> float:
        """Taken from the member of the series."""
        return self.copies * self.mixes[0].transfer_ul


def plan_dilutions(
    options: PlanOptions, wells: Mapping[int, int], vehicle_wells: int
) -> DilutionPlan:
    """Return the dilutions for so many wells of each dose.

    Parameters
    ----------
    options
    wells
        Number of wells by index of the dose, highest dose first.
    vehicle_wells
        Wells that get solvent without drug.

    Raises
    ------
    InputError
        If the stock is too weak for the highest dose at this share of solvent, or a step cannot
        be pipetted with these pipettes and tubes.
    """
    doses, plate, pipetting = options.doses, options.plate, options.pipetting
    values = doses.values_nM
    _check_delivery(options)
    raised = 100.0 / doses.dmso_percent
    stock_nM = doses.stock_mM * 1e6
    if values[0] * raised > stock_nM * (1 + _SAME):
        raise InputError(
            f"{values[0]:g} nM at {doses.dmso_percent:g} % {options.solvent} needs a stock of "
            f"{values[0] * raised / 1e6:g} mM, and the stock has {doses.stock_mM:g} mM",
            where="doses.top_nM",
            hint=f"The highest dose possible is {stock_nM / raised:g} nM; or allow more solvent, "
            "or use a stronger stock.",
        )
    fold = raised * plate.drug_ul / plate.well_ul
    if fold < 1.0 / (1.0 - 0.5):
        raise InputError(
            f"the working solution would be {100 / fold:.0f} % {options.solvent}",
            where="plate.drug_ul",
            hint="Add more of a weaker working solution (drug_ul), or allow less solvent.",
        )
    most = max(wells.values())
    need = most * plate.drug_ul * pipetting.with_overage
    chain = _chain(fold, need, options)
    vehicle = _vehicle_chain(chain, fold, vehicle_wells, options)
    drawn = chain.drawn_ul * pipetting.with_overage
    series = _series(values, raised, stock_nM, drawn, options)
    return _written(options, series, chain, vehicle, wells, vehicle_wells)


def _check_delivery(options: PlanOptions) -> None:
    """Refuse volumes per well that no pipette delivers."""
    for name in ("cells_ul", "drug_ul", "cytokine_ul"):
        volume = getattr(options.plate, name)
        nearest = nearest_volume(volume, options.pipetting.pipettes)
        if abs(nearest / volume - 1.0) > 1e-6:
            raise InputError(
                f"{volume:g} µL a well cannot be pipetted: the nearest volume is {nearest:g} µL",
                where=f"plate.{name}",
                hint="Choose a volume that the pipettes deliver, or state others.",
            )


def _refuse(fold: float, what: str, options: PlanOptions) -> InputError:
    p = options.pipetting
    return InputError(
        f"{what}: a dilution of 1:{fold:.4g} cannot be pipetted with volumes from "
        f"{least_volume(p.pipettes):g} µL in tubes of {p.tube_ul:g} µL",
        where="pipetting",
        hint="State smaller pipettes or larger tubes, or another step between doses.",
    )


def _most_fold(options: PlanOptions, least: float = 0.0) -> float:
    p = options.pipetting
    return min(p.max_fold, p.tube_ul / max(least_volume(p.pipettes), least))


def _chain(fold: float, need: float, options: PlanOptions) -> _Chain:
    """Return the dilutions into medium that give `need` µL of working solution."""
    p = options.pipetting
    folds = split_fold(fold, _most_fold(options))
    for copies in range(1, 1001):
        mixes: list[Mix] = []
        wanted = need / copies
        for one in reversed(folds):
            mix = find_mix(one, wanted, p.pipettes, capacity_ul=p.tube_ul)
            if mix is None:
                break
            mixes.insert(0, mix)
            wanted = mix.transfer_ul * p.with_overage
        else:
            return _Chain(tuple(mixes), copies)
    raise _refuse(fold, "working solution in medium", options)


def _vehicle_chain(chain: _Chain, fold: float, wells: int, options: PlanOptions) -> _Chain:
    """Return the same dilutions for the vehicle: multiples of the volumes where they can be set."""
    p = options.pipetting
    need = wells * options.plate.drug_ul * p.with_overage
    made = chain.copies * chain.mixes[-1].total_ul
    times = max(1, -(-need // made))
    for k in range(int(times), int(times) + 4):
        larger = tuple(Mix(k * m.transfer_ul, k * m.diluent_ul) for m in chain.mixes)
        fits = all(m.total_ul <= p.tube_ul for m in larger)
        if fits and all(_settable(v, options) for m in larger for v in _both(m)):
            return _Chain(larger, chain.copies)
    return replace(chain, copies=int(chain.copies * times))


def _both(mix: Mix) -> tuple[float, float]:
    return mix.transfer_ul, mix.diluent_ul


def _settable(volume: float, options: PlanOptions) -> bool:
    return abs(nearest_volume(volume, options.pipetting.pipettes) - volume) < 1e-6


@dataclass(frozen=True)
class _Member:
    """A tube of the series in solvent: its dose (None for an intermediate) and how it is made."""

    dose: int | None
    mix: Mix | None
    wanted_nM: float


def _series(
    values: tuple[float, ...], raised: float, stock_nM: float, drawn: float, options: PlanOptions
) -> list[_Member]:
    """Return the tubes in order; the first has no mixture where it is the stock itself."""
    p = options.pipetting
    least = p.least_serial_ul
    most = _most_fold(options, least)
    targets: list[tuple[int | None, float, float]] = []  # dose, fold, wanted
    at = stock_nM
    for dose, value in enumerate(values):
        fold = at / (value * raised)
        if fold <= 1 + _SAME:
            targets.append((dose, 1.0, at))
            continue
        parts = split_fold(fold, most)
        for k, part in enumerate(parts):
            at /= part
            targets.append((dose if k == len(parts) - 1 else None, part, at))
    steady = _steady(targets, drawn)
    members: list[_Member] = []
    after = 0.0
    for serves, fold, wanted in reversed(targets):
        # what is drawn holds the reserve; an intermediate has none but for its one transfer
        needed = drawn + after if serves is not None else after * p.with_overage
        if fold == 1.0:
            members.insert(0, _Member(serves, None, wanted))
            continue
        mix = find_mix(
            fold, max(needed, steady), p.pipettes, capacity_ul=p.tube_ul, least_transfer_ul=least
        )
        if mix is None:
            raise _refuse(fold, f"{wanted / 1e3:.4g} µM in {options.solvent}", options)
        members.insert(0, _Member(serves, mix, wanted))
        after = mix.transfer_ul
    return members


def _steady(targets: list[tuple[int | None, float, float]], drawn: float) -> float:
    """Return the volume that lets an even series use the same volumes in every step."""
    folds = [fold for _, fold, _ in targets[1:]]
    if len(folds) < 2 or max(folds) - min(folds) > 1e-6 * max(folds):
        return 0.0
    return 1.25 * drawn * folds[0] / (folds[0] - 1.0)


def _written(
    options: PlanOptions,
    series: list[_Member],
    chain: _Chain,
    vehicle: _Chain,
    wells: Mapping[int, int],
    vehicle_wells: int,
) -> DilutionPlan:
    """Name the vessels and follow concentrations and volumes through them."""
    plate, solvent = options.plate, options.solvent
    found: list[Mixture] = []
    members: list[tuple[str, float, int]] = []  # name and concentration of each dose's member
    name, at = STOCK, options.doses.stock_mM * 1e6
    between = 0
    for member in series:
        if member.mix is not None:
            at /= member.mix.fold
            between += member.dose is None
            label = f"I{between}" if member.dose is None else f"S{member.dose + 1}"
            found.append(
                Mixture(label, name, solvent, member.mix, 1, at, member.wanted_nM, 100.0, 0.0,
                        member.dose)
            )  # fmt: skip
            name = label
        if member.dose is not None:
            members.append((name, at, member.dose))
    into_well = plate.drug_ul / plate.well_ul
    reached = []
    for source, concentration, index in members:
        value = options.doses.values_nM[index]
        made = _in_medium(chain, source, concentration, value / into_well, index, 100.0)
        found += made
        last = made[-1]
        reached.append(
            DoseReached(
                value, last.concentration_nM * into_well, last.solvent_percent * into_well,
                last.name,
            )
        )  # fmt: skip
    made = _in_medium(vehicle, solvent, 0.0, 0.0, None, 100.0)
    found += made
    last = made[-1]
    none = DoseReached(0.0, 0.0, last.solvent_percent * into_well, last.name)
    drawn = {d.vessel: wells.get(i, 0) * plate.drug_ul for i, d in enumerate(reached)}
    drawn[none.vessel] = vehicle_wells * plate.drug_ul
    return _balanced(found, reached, none, drawn, solvent)


def _in_medium(
    chain: _Chain, source: str, concentration: float, wanted: float, dose: int | None, share: float
) -> list[Mixture]:
    number = 0 if dose is None else dose + 1
    found = []
    for k, mix in enumerate(chain.mixes):
        last = k == len(chain.mixes) - 1
        concentration /= mix.fold
        share /= mix.fold
        label = f"W{number}" if last else f"M{number}"
        if len(chain.mixes) > 2 and not last:
            label = f"M{number}.{k + 1}"
        aimed = wanted if last else concentration
        found.append(
            Mixture(
                label, source, MEDIUM, mix, chain.copies, concentration, aimed, share, 0.0, dose
            )
        )
        source = label
    return found


def _balanced(
    mixtures: list[Mixture],
    doses: list[DoseReached],
    vehicle: DoseReached,
    drawn: dict[str, float],
    solvent: str,
) -> DilutionPlan:
    """Count what is drawn from every vessel and liquid."""
    taken = dict(drawn)
    for m in mixtures:
        taken[m.source] = taken.get(m.source, 0.0) + m.copies * m.mix.transfer_ul
        taken[m.diluent] = taken.get(m.diluent, 0.0) + m.copies * m.mix.diluent_ul
    counted = tuple(replace(m, drawn_ul=taken.get(m.name, 0.0)) for m in mixtures)
    return DilutionPlan(
        counted,
        tuple(doses),
        vehicle,
        taken.get(STOCK, 0.0),
        taken.get(solvent, 0.0),
        taken.get(MEDIUM, 0.0),
    )
