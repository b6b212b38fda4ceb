"""Fits of the same data side by side."""

from __future__ import annotations

from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.fit import FitCompareRequest, FittedModel
from statera.web.work import Work

__all__ = ["run"]

_COLUMNS = (
    "label", "model", "method", "status", "parameters", "observations", "ofv", "d_ofv", "aic",
    "d_aic", "bic", "d_bic", "remark",
)  # fmt: skip


def run(request: FitCompareRequest, work: Work) -> Answer:
    """Return differences from the first fit; none where they would mean nothing."""
    del work
    first = request.fits[0]
    rows = [_row(first, fit) for fit in request.fits]
    known = {f.label: f.aic for f, r in zip(request.fits, rows, strict=True)
             if not r["remark"] and f.aic is not None}  # fmt: skip
    lowest = min(known, key=known.__getitem__) if len(known) > 1 else None
    result = {"rows": rows, "lowest_aic": lowest}
    table = Table([Column(name) for name in _COLUMNS], [[r[n] for n in _COLUMNS] for r in rows])
    copies = Copies("", "", "The numbers are those of the fits, each of which can be copied.")
    return Answer("statera.web.fit-compare/1", result, {"comparison": table}, copies)


def _row(first: FittedModel, fit: FittedModel) -> dict[str, object]:
    remark = _remark(first, fit)
    found: dict[str, object] = fit.model_dump()
    for name in ("ofv", "aic", "bic"):
        one, other = getattr(fit, name), getattr(first, name)
        told = not remark and one is not None and other is not None
        found[f"d_{name}"] = one - other if told else None
    return found | {"remark": remark}


def _remark(first: FittedModel, fit: FittedModel) -> str:
    """Return why a fit cannot be compared with the first one; empty where it can."""
    if fit.data != first.data or fit.observations != first.observations:
        return "other data: not comparable"
    if fit.method != first.method:
        return "another method: not comparable"
    if fit.status not in ("converged", "evaluated"):
        return f"did not converge ({fit.status})"
    return ""
