"""Visual predictive checks: percentiles of the data against those of data simulated from the fit.

Prediction correction: Bergstrand, Hooker, Wallin and Karlsson 2011 (doi 10.1208/s12248-011-9255-z).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UsageError
from statera.estimate.bins import Binning, bin_edges, bin_of
from statera.estimate.limits import lower_limits, seen_values
from statera.estimate.replicates import Replicates, simulate_replicates
from statera.estimate.result import FitResult
from statera.estimate.rows import Rows, rows_of
from statera.estimate.strata import strata_of
from statera.estimate.vpc_panels import Head, VpcPanel, category_panel, value_panel

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Vpc", "VpcOptions", "vpc"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class VpcOptions:
    """What is simulated and how it is summarised.

    Attributes
    ----------
    n
        Replicates.
    seed
    x
        Independent variable: ``time``, ``tad`` (time after dose) or ``pred``.
    binning
        How it is divided, by output and stratum.
    percentiles
        Of the observations of a bin, in percent and increasing.
    level
        Of the confidence bands of percentiles over replicates.
    prediction_corrected
        Whether observed and simulated values are multiplied by the median PRED of their bin over
        their own.
    stratify
        Covariate by which panels are divided; '' for none.
    cuts
        Where a continuous covariate is divided.
    lloq
        Lower limit of quantification by output, where the data do not say it.
    levels
        Values that an outcome with a likelihood can take, by its name.
    """

    n: int = 500
    seed: int = 1
    x: Literal["time", "tad", "pred"] = "time"
    binning: Binning = field(default_factory=Binning)
    percentiles: tuple[float, ...] = (5.0, 50.0, 95.0)
    level: float = 0.9
    prediction_corrected: bool = False
    stratify: str = ""
    cuts: tuple[float, ...] = ()
    lloq: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inside = all(0.0 < p < 100.0 for p in self.percentiles)
        if not self.percentiles or not inside or sorted(self.percentiles) != [*self.percentiles]:
            raise UsageError("percentiles lie between 0 and 100 and increase", where="percentiles")
        if not 0.0 < self.level < 1.0:
            raise UsageError(f"a level of {self.level:g} is not in (0, 1)", where="level")
        if self.x not in ("time", "tad", "pred"):
            raise UsageError(f"'{self.x}' is not an independent variable", where="x")


@dataclass(frozen=True)
class Vpc:
    """A visual predictive check.

    Attributes
    ----------
    panels
        One for each output and stratum.
    options
        What was asked.
    x_unit
        Unit of the independent variable; '' for predictions.
    units
        Unit of each output.
    remarks
        What a reader must know.
    """

    panels: tuple[VpcPanel, ...]
    options: VpcOptions
    x_unit: str
    units: Mapping[str, str]
    remarks: tuple[str, ...]

    def to_polars(self) -> pl.DataFrame:
        """Return a row for each panel, bin and statistic.

        Columns ``OUTPUT``, ``STRATUM``, ``BIN``, ``FROM``, ``TO``, ``X``, ``COUNT``, ``STATISTIC``
        (``p5``, ``below limit``, ``level 1`` ...), ``OBSERVED``, ``LOW``, ``MEDIAN``, ``HIGH``;
        null where a percentile falls among censored values.
        """
        import polars as pl  # noqa: PLC0415  heavy: loaded when a table is made

        table = pl.DataFrame(
            [row for panel in self.panels for row in panel.rows()], infer_schema_length=None
        )
        numbers = pl.col("OBSERVED", "LOW", "MEDIAN", "HIGH")
        return table.with_columns(pl.when(numbers.is_finite()).then(numbers).name.keep())


def vpc(
    result: FitResult,
    options: VpcOptions | None = None,
    *,
    replicates: Replicates | None = None,
) -> Vpc:
    """Return a visual predictive check of a fit.

    Censored observations are the lowest (or highest) of their bin: a percentile that falls among
    them is not shown, and their share is compared with the simulated share beyond the limit. Where
    the fit left censored values out, simulated values beyond the limit are left out too.

    Parameters
    ----------
    options
        What is simulated and how it is summarised.
    replicates
        Simulated data of this fit, where there are some already.

    Raises
    ------
    UsageError
        If options cannot be used with the fit.
    """
    chosen = options or VpcOptions()
    rows = rows_of(result.problem)
    drawn = replicates or simulate_replicates(
        result, chosen.n, chosen.seed, levels=chosen.levels, rows=rows
    )
    pred = _typical(result, rows)
    x = {"time": rows.time, "tad": rows.tad, "pred": pred}[chosen.x]
    remarks = list(drawn.remarks)
    without = int((~np.isfinite(x)).sum())
    if without:
        remarks.append(f"{without} observations have no {chosen.x} and are left out")
    limit, said = lower_limits(result, rows, chosen.lloq)
    remarks += said
    panels = []
    outside, uncorrected = 0, 0
    for kind, output in enumerate(rows.outputs):
        for stratum, members in strata_of(rows.covariates, chosen.stratify, chosen.cuts):
            here = np.flatnonzero(members & (rows.kind == kind) & np.isfinite(x))
            if here.size == 0:
                continue
            edges = bin_edges(x[here], chosen.binning)
            place = bin_of(x[here], edges)
            outside += int((place < 0).sum())
            here, place = here[place >= 0], place[place >= 0]
            head = (output, stratum, edges, x[here], place)
            if rows.likelihood[here].all():
                panels.append(_outcome_panel(head, rows.dv[here], drawn.y[:, here], chosen.level))
                continue
            scale, undefined = _corrections(pred[here], place, chosen.prediction_corrected)
            uncorrected += undefined
            panels.append(
                value_panel(
                    head,
                    seen_values(rows, here),
                    _natural(drawn.y[:, here], rows.logarithmic[here]),
                    limit[here],
                    scale,
                    percentiles=chosen.percentiles,
                    level=chosen.level,
                    drop=result.problem.omitted > 0,
                )
            )
    if outside:
        remarks.append(f"{outside} observations lie outside the bins")
    if uncorrected:
        remarks.append(
            f"{uncorrected} observations are not corrected: the typical prediction is 0 or less, "
            "theirs or that in the middle of their bin"
        )
    if not panels:
        raise InputError("no observation is left for a visual predictive check", where="data")
    unit = "" if chosen.x == "pred" else result.problem.model.time_unit
    units = {o.name: o.unit for o in result.problem.model.outputs}
    return Vpc(tuple(panels), chosen, unit, units, tuple(dict.fromkeys(remarks)))


def _outcome_panel(head: Head, seen: Floats, simulated: Floats, level: float) -> VpcPanel:
    levels = np.union1d(seen, simulated)
    return category_panel(head, seen, simulated, levels[np.isfinite(levels)], level)


def _natural(y: Floats, logarithmic: Mask) -> Floats:
    if not logarithmic.any():
        return y
    return np.where(logarithmic, np.exp(np.where(logarithmic, y, 0.0)), y)


def _typical(result: FitResult, rows: Rows) -> Floats:
    of = result.problem.individuals
    none = np.zeros_like(result.etas)
    x, _ = of.prepared.states(result.theta, none)
    f, _ = of.observations.predict(x, of.prepared.system_values(result.theta, none))
    return np.where(rows.likelihood, np.nan, rows.natural(f))


def _corrections(pred: Floats, place: NDArray[np.int64], corrected: bool) -> tuple[Floats, int]:
    """Return factors (median PRED of the bin over its own), and how many are not defined."""
    scale = np.ones(pred.size)
    if not corrected:
        return scale, 0
    for k in np.unique(place):
        here = place == k
        middle = np.nanmedian(pred[here])
        with np.errstate(all="ignore"):
            scale[here] = middle / pred[here]
    # before the first dose a prediction is 0 up to rounding: the factor would have no meaning
    floor = 1e-9 * np.nanmax(np.abs(pred), initial=0.0)
    undefined = ~(np.isfinite(scale) & (scale > 0) & (pred > floor))
    scale[undefined] = 1.0
    return scale, int(undefined.sum())
