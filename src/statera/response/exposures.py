"""Exposures of subjects at their dose, simulated from a population model.

An exposure predicted from covariates leaves out what makes a person differ from others with the
same covariates. The true exposure scatters about the predicted one (Berkson's error; Berkson, J
Am Stat Assoc 1950;45:164-180): a straight line is hardly bent by it, but a curve that saturates
is flattened, EC50 is moved, and standard errors do not know of it. With `draws` the exposures of
each subject are drawn from the model, and the fit integrates the likelihood over them. Nothing
here corrects the error of exposures estimated from the subject's own samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.data import parse_regimen
from statera.errors import InputError, UnknownNameError
from statera.model import Model
from statera.numerics.streams import normals
from statera.simulate import model_covariate, sentence, simulate

__all__ = ["METRICS", "SubjectExposures", "simulate_exposures", "steady_state_regimens"]

Floats = NDArray[np.float64]

METRICS = ("AUC24", "AUCtau", "Cavg", "Cmax", "Ctrough", "Cmin")
"""Metrics of the last dosing interval; ``time above 20`` (h) with any level is one more.

``AUC24`` is the area of a day (24 h times the mean concentration), so that regimens of different
intervals can stand beside each other; ``AUCtau`` is the area of the interval. ``AUC`` is AUC24.
"""

_ABOVE = "time above "
_ENDPOINT = {"AUC24": "Cavg", "AUCtau": "AUC"}
_PER_INTERVAL = ("AUCtau", _ABOVE)


@dataclass(frozen=True)
class SubjectExposures:
    """Exposures of n subjects over the last dosing interval of their regimen.

    Attributes
    ----------
    regimen : (n,) tuple of str
    metric, unit, model_id
        What was simulated, from which model.
    typical : (n,) float64
        Of a person with the subject's covariates and no random effects; 0 on placebo, NaN where
        the model could not be solved.
    draws : (n, m) float64 or None
        With random effects drawn from the model.
    status : (n,) tuple of str
        ``ok`` or why there is no exposure.
    notes
        Sentences a reader must see.
    """

    regimen: tuple[str, ...]
    metric: str
    unit: str
    model_id: str
    typical: Floats
    draws: Floats | None
    status: tuple[str, ...]
    notes: tuple[str, ...]


def steady_state_regimens(doses: ArrayLike, interval: str = "24 h") -> tuple[str, ...]:
    """Return regimens at steady state, such as ``4 mg q24h ss``; ``placebo`` for a dose of 0.

    Parameters
    ----------
    doses : (n,) float64, mg
    interval
        Between doses.

    Raises
    ------
    InputError
        If a dose is negative or not a number.
    """
    amounts = np.asarray(doses, dtype=np.float64)
    if not np.isfinite(amounts).all() or (amounts < 0).any():
        raise InputError("a dose is negative or not a number", where="dose")
    every = interval.replace(" ", "")
    return tuple(f"{a:.10g} mg q{every} ss" if a > 0 else "placebo" for a in amounts)


def simulate_exposures(
    model: Model,
    regimens: Sequence[str],
    covariates: Mapping[str, ArrayLike] | None = None,
    *,
    metric: str = "AUC24",
    output: str | None = None,
    draws: int = 0,
    seed: int = 1,
    workers: int = 1,
) -> SubjectExposures:
    """Return the exposure of every subject.

    Parameters
    ----------
    model
        From the library or a file.
    regimens : (n,)
        Such as ``4 mg q24h ss``; ``placebo`` is exposure 0. A regimen that is not at steady state
        is taken over its last dosing interval.
    covariates
        Values (n,) by name; those not given take the reference of the model, which is noted.
    metric
        One of `METRICS` or ``time above LEVEL``, in the unit of the output.
    output
        Of the model; its first unless given.
    draws
        Exposures to draw for each subject; 0 for none.
    seed, workers
        As of `statera.simulate.simulate`.

    Raises
    ------
    UnknownNameError
        If there is no such metric or output.
    InputError, DomainError
        If a regimen or covariate cannot be used.
    """
    n = len(regimens)
    values = {k: np.asarray(v, dtype=np.float64) for k, v in (covariates or {}).items()}
    for name, column in values.items():
        if column.shape != (n,):
            raise InputError(f"covariate {name} has not one value for each subject", where=name)
    if draws < 0:
        raise InputError(f"{draws} draws are not possible", where="draws")
    key, thresholds = _asked(metric, model, output)
    endpoint, factor = _ENDPOINT.get(key, key), 24.0 if key == "AUC24" else 1.0
    typical, drawn = np.zeros(n), np.zeros((n, draws))
    status, notes = ["ok"] * n, list(_at_reference(model, values))
    unit, intervals = "", set()
    etas = normals(seed, "exposures of subjects", n * draws, np.asarray(model.omega))
    of_subject = np.repeat(np.arange(n), draws)
    texts = np.array([_plain(text) for text in regimens])
    for text in dict.fromkeys(texts.tolist()):
        if text == "placebo":
            continue
        regimen = parse_regimen(text)
        intervals.add(regimen.last.interval or 24.0)
        own = np.flatnonzero(texts == text)
        rows = np.isin(of_subject, own)
        everyone = np.concatenate([own, of_subject[rows]])
        effects = np.vstack([np.zeros((own.size, etas.shape[1])), etas[rows]])
        result = simulate(
            model, regimen,
            covariates={name: v[everyone] for name, v in values.items()},
            etas=effects, times=[0.0], thresholds=thresholds, workers=workers,
        )  # fmt: skip
        found = factor * result.endpoint(endpoint, output)
        typical[own] = found[: own.size]
        drawn[own] = found[own.size :].reshape(own.size, draws)
        area = "AUC" if key == "AUC24" else endpoint
        unit = result.unit_of(area, output or next(iter(result.units)))
        notes += result.warnings
        for row, code in zip(own.tolist(), result.statuses.tolist(), strict=False):
            status[row] = sentence(code) if code else "ok"
    if len(intervals) > 1 and key.startswith(_PER_INTERVAL):
        told = ", ".join(f"{tau:g} h" for tau in sorted(intervals))
        notes.append(
            f"{key} is counted over the dosing interval, and the regimens have several ({told}): "
            "it is not comparable between them. AUC24 and Cavg are."
        )
    broken = np.isnan(drawn).any(axis=1) & ~np.isnan(typical)
    for row in np.flatnonzero(broken).tolist():
        status[row] = "a draw of the random effects could not be solved"
    return SubjectExposures(
        tuple(texts.tolist()), key, unit, model.id, typical, drawn if draws else None,
        tuple(status), tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _plain(text: str) -> str:
    bare = text.strip()
    return "placebo" if bare.lower() in ("placebo", "0", "0 mg") else bare


def _asked(
    metric: str, model: Model, output: str | None
) -> tuple[str, dict[str, tuple[float, ...]]]:
    """Return the name of the endpoint and the thresholds that it needs."""
    names = [o.name for o in model.outputs]
    if output is not None and output not in names:
        raise UnknownNameError(f"output of {model.id}", output, names)
    bare = metric.strip()
    known = {"auc": "AUC24", **{name.lower(): name for name in METRICS}}
    if bare.lower() in known:
        return known[bare.lower()], {}
    if bare.lower().startswith(_ABOVE):
        try:
            level = float(bare[len(_ABOVE) :])
        except ValueError:
            level = np.nan
        if np.isfinite(level) and level > 0:
            return f"{_ABOVE}{level:g}", {output or names[0]: (level,)}
    raise UnknownNameError("metric of exposure", metric, (*METRICS, "time above 20"))


def _at_reference(model: Model, given: Mapping[str, Floats]) -> tuple[str, ...]:
    named = {model_covariate(model, name) or name for name in given}
    left = [
        f"{c.name} = {c.reference:g} {c.unit}".strip()
        for c in model.covariates.values()
        if c.name not in named
    ]
    if not left:
        return ()
    return (f"Covariates of {model.id} at their reference in all subjects: {', '.join(left)}.",)
