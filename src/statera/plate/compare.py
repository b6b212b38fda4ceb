"""Compare curves of a plate: whether donors are alike, and which needs lower doses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from statera.assay.fit_curves import Curves, make_curves
from statera.assay.ic50 import Determination
from statera.assay.joint_fits import JointOptions
from statera.assay.parallelism import equal_ic50s
from statera.assay.relative_potency import RelativePotency, relative_potency
from statera.errors import StateraError
from statera.plate.problem import Problem
from statera.plate.result import CurveResult
from statera.plate.settings import FitSettings, Model, fixed_parameters

__all__ = ["CurveComparison", "compare_curves"]


@dataclass(frozen=True)
class CurveComparison:
    """Curves that differ in one thing only.

    Attributes
    ----------
    what
        ``donors``, ``cytokines`` or ``populations``.
    name
        What they share, such as ``IL-6, CD4, pSTAT3``.
    names
        Of the curves.
    parallel, p_parallel
        Whether slopes and limits may be the same, by an F test.
    equal, p_equal
        Whether IC50s may be the same.
    sentences
        Both verdicts in words, with AICc.
    ratios
        Potencies relative to the first curve, refused where curves are not parallel.
    """

    what: str
    name: str
    names: tuple[str, ...]
    parallel: bool
    p_parallel: float
    equal: bool
    p_equal: float
    sentences: tuple[str, str]
    ratios: tuple[RelativePotency, ...]


def compare_curves(
    curves: Sequence[CurveResult], fit: FitSettings
) -> tuple[tuple[CurveComparison, ...], tuple[Problem, ...]]:
    """Compare donors, cytokines within a donor, and populations within donor and cytokine.

    Curves whose IC50 is refused or not determined at either end take no part.
    """
    usable = [
        c
        for c in curves
        if c.ic50.determination not in (Determination.REFUSED, Determination.NOT_DETERMINED)
    ]
    found: list[CurveComparison] = []
    problems: list[Problem] = []
    for what, fields in (
        ("donors", ("plate", "cytokine", "population", "readout")),
        ("cytokines", ("plate", "donor", "population", "readout")),
        ("populations", ("plate", "donor", "cytokine", "readout")),
    ):
        groups: dict[tuple[str, ...], list[CurveResult]] = {}
        for curve in usable:
            groups.setdefault(tuple(getattr(curve, f) for f in fields), []).append(curve)
        for key, some in groups.items():
            name = ", ".join(part for part in key if part)
            if len(some) < 2:
                continue
            labels = [getattr(c, what.removesuffix("s")) or "not stated" for c in some]
            try:
                found.append(_compared(what, name, labels, some, fit))
            except StateraError as error:
                problems.append(Problem.of(error, f"comparison of {what}, {name}"))
    return tuple(found), tuple(problems)


def _compared(
    what: str, name: str, labels: Sequence[str], curves: Sequence[CurveResult], fit: FitSettings
) -> CurveComparison:
    points: Curves = make_curves(
        [c.dose for c in curves], [c.response for c in curves], names=labels
    )
    fixed = fixed_parameters(fit.model)
    options = JointOptions(
        d=fixed.get("d", "free"), f="free" if fit.model is Model.FIVE else fixed.get("f", 1.0)
    )
    ratios = relative_potency(points, labels[0], options, level=fit.level)
    alike = ratios[0].parallelism
    # within the model that holds, as relative potency is, so that both say the same
    d = options.d if isinstance(options.d, float) else "shared"
    within = replace(options, b="shared", c="shared", d=d) if alike.holds else options
    same = equal_ic50s(points, within)
    return CurveComparison(
        what,
        name,
        tuple(labels),
        alike.holds,
        alike.test.p_value,
        same.holds,
        same.test.p_value,
        (alike.sentence, same.sentence),
        ratios,
    )
