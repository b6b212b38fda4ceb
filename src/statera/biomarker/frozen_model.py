"""A prediction model as plain JSON: written, read, and used on a new table without any library.

The file holds numbers and names only: coefficients or trees, what was learned of the predictors,
the rule of the outcome with the cuts it was applied with, and how the model was made.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.lod import LodPolicy
from statera.biomarker.marker_table import MarkerTable
from statera.biomarker.preprocessing import Preprocessing, apply_preprocessing
from statera.biomarker.score_model import (
    LinearScore,
    ScoreModel,
    TreeScore,
    importance,
    log_odds,
)
from statera.biomarker.tuned_model import TunedModel
from statera.errors import InputError, Place

__all__ = [
    "FROZEN_SCHEMA",
    "FrozenModel",
    "freeze",
    "frozen_text",
    "read_frozen_model",
    "score_new_table",
]

Floats = NDArray[np.float64]

FROZEN_SCHEMA = "statera.biomarker-model/1"
_BY_PREDICTOR = ("fill", "centre", "scale", "low", "high")


@dataclass(frozen=True)
class FrozenModel:
    """A model that predicts.

    Attributes
    ----------
    preprocessing, model
        As fitted.
    rule
        The outcome's rule as data, with ``cuts``: the numbers it was applied with.
    made
        Counts, performance and the manifest at the time, as data.
    """

    preprocessing: Preprocessing
    model: ScoreModel
    rule: Mapping[str, Any]
    made: Mapping[str, Any]


def freeze(final: TunedModel, rule: Mapping[str, Any], made: Mapping[str, Any]) -> FrozenModel:
    """Return a fitted model without the markers it does not use.

    Parameters
    ----------
    final
        From `statera.biomarker.predict.predict_response`.
    rule, made
        As data that JSON can hold.
    """
    fitted, model = final.preprocessing, final.model
    used = importance(model) != 0.0
    used[fitted.n_markers :] = True
    markers = used[: fitted.n_markers]
    slim = replace(
        fitted,
        names=tuple(n for n, u in zip(fitted.names, used.tolist(), strict=True) if u),
        n_markers=int(markers.sum()),
        floor=fitted.floor[markers],
        shift=fitted.shift[:, markers],
        **{name: getattr(fitted, name)[used] for name in _BY_PREDICTOR},
    )
    if isinstance(model, LinearScore):
        kept: ScoreModel = replace(model, coefficients=model.coefficients[used])
    else:
        place = np.cumsum(used) - 1
        feature = np.where(model.feature >= 0, place[model.feature], -1).astype(np.int64)
        kept = replace(model, feature=feature, gain=model.gain[used])
    return FrozenModel(slim, kept, rule, made)


def frozen_text(frozen: FrozenModel) -> str:
    """Return the model as JSON; the same model gives the same text."""
    kind = "linear" if isinstance(frozen.model, LinearScore) else "trees"
    content = {
        "schema": FROZEN_SCHEMA,
        "rule": dict(frozen.rule),
        "preprocessing": asdict(frozen.preprocessing),
        "model": {"kind": kind, **asdict(frozen.model)},
        "made": dict(frozen.made),
    }
    return json.dumps(_plain(content), allow_nan=False, indent=1, ensure_ascii=False) + "\n"


def read_frozen_model(path: str | Path) -> FrozenModel:
    """Return the model of a file.

    Raises
    ------
    InputError
        If it is no such file, or its parts do not fit each other.
    """
    place = Place(str(path))
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"the model cannot be read: {error.strerror or error}", where=place
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the model is no JSON: {error}", where=place) from error
    if not isinstance(content, dict) or content.get("schema") != FROZEN_SCHEMA:
        raise InputError(
            f"the file is no model of the layout {FROZEN_SCHEMA}",
            where=place,
            hint="Write one with: statera biomarker predict ... --save model.json",
        )
    try:
        found = FrozenModel(
            _preprocessing(content["preprocessing"]),
            _model(content["model"]),
            content["rule"],
            content["made"],
        )
        _check(found)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"the model is damaged: {error!r}", where=place) from error
    return found


def score_new_table(frozen: FrozenModel, table: MarkerTable) -> tuple[Floats, tuple[str, ...]]:
    """Return log odds (n,) of new samples, and what is to be known of them.

    Markers beyond the training range, gaps that were filled and batches the model never saw are
    counted.

    Raises
    ------
    InputError
        If a predictor of the model is absent.
    """
    fitted = frozen.preprocessing
    x = apply_preprocessing(fitted, table)
    notes = []
    raw = x * fitted.scale + fitted.centre
    slack = 1e-9 * np.maximum(np.abs(fitted.low), np.abs(fitted.high))
    outside = (raw < fitted.low - slack) | (raw > fitted.high + slack)
    beyond = int(outside.any(axis=1).sum())
    if beyond:
        names = [fitted.names[i] for i in np.flatnonzero(outside.sum(axis=0))]
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        notes.append(
            f"{beyond} of {len(table)} samples lie outside the range of the training samples: "
            f"{', '.join(names[:8])}{more}."
        )
    place = {name: i for i, name in enumerate(table.markers)}
    columns = [place[name] for name in fitted.names[: fitted.n_markers]]
    gaps = np.isnan(table.values[:, columns]) & ~table.below_lod[:, columns]
    if gaps.any():
        notes.append(f"{int(gaps.sum())} missing values were filled by the training median.")
    unknown = sorted(set(table.batches) - set(fitted.batches)) if len(fitted.batches) > 1 else []
    if len(fitted.batches) > 1 and (unknown or not table.batches):
        said = f"batches {', '.join(unknown[:8])}" if unknown else "samples without a batch"
        notes.append(f"The model never saw {said}: their values are not shifted.")
    return log_odds(frozen.model, x), tuple(notes)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _floats(value: Any) -> Floats:
    return np.array([math.nan if v is None else float(v) for v in value], dtype=float)


def _ints(value: Any) -> NDArray[np.int64]:
    return np.array([int(v) for v in value], dtype=np.int64)


def _preprocessing(data: Mapping[str, Any]) -> Preprocessing:
    batches = tuple(data["batches"])
    markers = int(data["n_markers"])
    shift = np.array([_floats(row) for row in data["shift"]]).reshape(len(batches), markers)
    policy = data["policy"]
    return Preprocessing(
        tuple(str(n) for n in data["names"]), markers, _floats(data["floor"]),
        _floats(data["fill"]), _floats(data["centre"]), _floats(data["scale"]), batches, shift,
        tuple((str(n), tuple(levels)) for n, levels in data["covariates"]),
        _floats(data["low"]), _floats(data["high"]),
        LodPolicy(policy["name"], policy["replacement"], float(policy["largest_share"])),
    )  # fmt: skip


def _model(data: Mapping[str, Any]) -> ScoreModel:
    if data["kind"] == "linear":
        return LinearScore(float(data["intercept"]), _floats(data["coefficients"]))
    return TreeScore(
        float(data["intercept"]), _ints(data["roots"]), _ints(data["feature"]),
        _floats(data["threshold"]), _ints(data["left"]), _ints(data["right"]),
        _floats(data["value"]), _floats(data["gain"]),
    )  # fmt: skip


def _check(found: FrozenModel) -> None:
    """Raise ValueError where parts do not fit: a file may have been changed by hand."""
    k = len(found.preprocessing.names)
    for name in _BY_PREDICTOR:
        part = getattr(found.preprocessing, name)
        if part.shape != (k,) or not np.isfinite(part).all():
            raise ValueError(f"{name} needs {k} finite numbers")
    if not (found.preprocessing.scale > 0.0).all():
        raise ValueError("a scale is not positive")
    model = found.model
    if isinstance(model, LinearScore):
        if model.coefficients.shape != (k,) or not np.isfinite(model.coefficients).all():
            raise ValueError(f"the model needs {k} coefficients")
        return
    nodes = model.feature.size
    leaf = model.feature < 0
    here = np.arange(nodes)
    forward = (model.left > here) & (model.right > here) & (model.left < nodes)
    if any(a.size != nodes for a in (model.threshold, model.left, model.right, model.value)):
        raise ValueError("the trees' nodes do not fit")
    if (model.feature >= k).any() or not (leaf | (forward & (model.right < nodes))).all():
        raise ValueError("a node of a tree leads nowhere")  # or back: that would never end
    if model.roots.size and not ((model.roots >= 0) & (model.roots < nodes)).all():
        raise ValueError("a tree has no root")
