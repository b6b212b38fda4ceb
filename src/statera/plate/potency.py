"""Potencies for the rest of the chain: what a plate found, with its provenance."""

from __future__ import annotations

import math
from typing import cast

from scipy.special import ndtri

from statera.assay.ic50 import Determination
from statera.cytometry.panel import Panel
from statera.engagement.potency_record import (
    PotencyFile,
    PotencyProvenance,
    PotencyRecord,
    PotencyStatus,
    RefusedPotency,
)
from statera.engagement.stated import Matrix
from statera.errors import InputError
from statera.manifest import VERSION, content_hash
from statera.plate.donors import DonorResult
from statera.plate.result import PlateResult
from statera.plate.settings import GatingMethod, PlateSettings

__all__ = ["potency_file"]

_STATUS = {
    Determination.DETERMINED: PotencyStatus.DETERMINED,
    Determination.AT_LEAST: PotencyStatus.AT_LEAST,
    Determination.AT_MOST: PotencyStatus.AT_MOST,
}


def potency_file(result: PlateResult) -> PotencyFile:
    """Return the potencies over donors, and every curve that gave none with its reason."""
    settings = result.settings
    records: list[PotencyRecord] = []
    refused: list[RefusedPotency] = []
    for donor in result.donors:
        record = _record(donor, settings)
        if isinstance(record, RefusedPotency):
            refused.append(record)
        else:
            records.append(record)
    known = (Determination.DETERMINED, Determination.AT_LEAST, Determination.AT_MOST)
    refused += [
        RefusedPotency(c.cytokine, c.population, c.readout, c.donor, c.ic50.sentence)
        for c in result.curves
        if c.ic50.determination not in known
    ]
    return PotencyFile(settings.name, tuple(records), tuple(refused), _provenance(result))


def _record(donor: DonorResult, settings: PlateSettings) -> PotencyRecord | RefusedPotency:
    if not donor.hill > 0:
        why = f"the fitted curve rises with the dose (Hill {donor.hill:.3g})"
        return RefusedPotency(donor.cytokine, donor.population, donor.readout, "", why)
    try:
        return _made(donor, settings)
    except InputError as error:  # a fit far out, such as a Hill coefficient above 10
        why = f"the fit gives no usable potency: {error.what}"
        return RefusedPotency(donor.cytokine, donor.population, donor.readout, "", why)


def _made(donor: DonorResult, settings: PlateSettings) -> PotencyRecord:
    low, high = donor.interval
    return PotencyRecord(
        drug=settings.drug,
        stimulus=donor.cytokine or "not stated",
        readout=donor.readout,
        cells=donor.population,
        value=donor.ic50,
        hill=donor.hill,
        status=_STATUS[donor.status],
        assay="phospho-flow cytometry",
        matrix=cast(Matrix, settings.matrix),
        low=low,
        high=high,
        level=donor.level,
        ln_se=_normal_error(donor),
        ln_sd_between=donor.ln_sd_between,
        donors=donor.n_donors,
        flags=donor.sentences,
        source=settings.name,
        note=f"method: {donor.method}",
    )


def _normal_error(donor: DonorResult) -> float:
    """Return the standard error of a normal ln IC50 that has the interval of the mean.

    Intervals of few donors are wider than 1.96 errors; what takes the error for that of a normal
    distribution must not make them narrower.
    """
    low, high = donor.interval
    if low is None or high is None or not low > 0:
        return donor.ln_se
    quantile = float(ndtri(0.5 + donor.level / 2.0))
    return (math.log(high) - math.log(low)) / (2.0 * quantile)


def _provenance(result: PlateResult) -> PotencyProvenance:
    settings = result.settings
    return PotencyProvenance(
        statera=VERSION,
        created=str(result.manifest.get("created", "")),
        settings=content_hash(settings.path.read_bytes()),
        plate_map=content_hash(settings.plate_map.read_bytes()),
        gates=_gates(settings),
        statistics=_statistics(settings),
        fit=_fit(settings),
        files={w.well.file: w.content_hash for w in result.wells if w.content_hash},
    )


def _gates(settings: PlateSettings) -> str:
    gating = settings.gating
    if gating.method is GatingMethod.AUTOMATIC or gating.file is None:
        signs = _signs(settings.panel)
        return f"automatic, {gating.events} events a well, seed {gating.seed}; {signs}"
    return f"{gating.file.name}: {content_hash(gating.file.read_bytes())}"


def _signs(panel: Panel) -> str:
    return "; ".join(f"{name}: {signs}" for name, signs in panel.populations.items())


def _statistics(settings: PlateSettings) -> str:
    scale = settings.fit.scale.value
    return (
        f"median of compensated fluorescence ({settings.compensation.kind.value}), per cent of the "
        f"window between the controls of plate, donor, cytokine and population, {scale} scale"
    )


def _fit(settings: PlateSettings) -> str:
    fit = settings.fit
    return f"{fit.model.value}, weights: {fit.weights.value}, relative IC50, {100 * fit.level:g} %"
