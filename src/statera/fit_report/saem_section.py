"""How the chains of SAEM ran: traces, drift at the end of the burn-in, acceptance."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from statera.estimate.result import FitResult
from statera.estimate.saem_course import drifts_of, ways_of
from statera.fit_report.parts import cited, computed
from statera.plot.objective import IterationOptions, draw_iterations
from statera.report.document import Block, Figure, Inline, Paragraph, Section, Table

__all__ = ["saem_section"]

_METHOD = "diagnostic_saem"


def saem_section(result: FitResult) -> Section:
    """Return the course of a fit by SAEM."""
    burned, steps = int(result.extra.get("burn_in", 0)), len(result.iterations)
    blocks: list[Block] = [
        Paragraph(
            (
                "Chains move, statistics of their draws are averaged, parameters are maximised (",
                cited("Kuhn and Lavielle", "Kuhn_2005"),
                "). The burn-in took ",
                computed(burned, _METHOD),
                " iterations; ",
                computed(steps - burned, _METHOD),
                " more were averaged, with falling weights. Traces should be level before the "
                "dashed line, and quieter after it.",
            )
        )
    ]
    if steps > 1:
        blocks.append(_traces(result, burned))
    blocks += [_drifts(result), _acceptance(result)]
    return Section("saem", "Course of SAEM", tuple(blocks))


def _traces(result: FitResult, burned: int) -> Figure:
    title = "Estimates by iteration"
    alt = (
        f"Every estimate over {len(result.iterations)} iterations; a dashed line marks the end of "
        f"the burn-in at iteration {burned}."
    )
    options = IterationOptions(marks=(burned,) if 0 < burned < len(result.iterations) else ())
    svg = draw_iterations(result, options, key="saem-traces", title=title, alt=alt)
    names = result.problem.free_names
    free, entries = result.problem.theta.free, result.problem.omega.entries()
    rows = np.array(
        [[*it.theta[free], *(it.omega[i, j] for i, j in entries)] for it in result.iterations]
    )
    data = {"iteration": [it.number for it in result.iterations]}
    return Figure(
        "saem-traces", svg, title, alt, data=data | dict(zip(names, rows.T.tolist(), strict=True))
    )


def _drifts(result: FitResult) -> Table:
    ways, drifts = ways_of(result), drifts_of(result)
    rows: list[tuple[Inline, ...]] = []
    for name in result.problem.free_names:
        drift = drifts.get(name)
        told = "" if drift is None else ("level" if drift < 1.0 else "drifts")
        way = ways.get(name, "second moment of the random effects")
        rows.append((name, way, computed(drift, _METHOD), told))
    return Table(
        "Stationarity at the end of the burn-in",
        ("Parameter", "Estimated by", "Drift", "Below 1"),
        tuple(rows),
        numeric=(2,),
    )


def _acceptance(result: FitResult) -> Table:
    rates: Mapping[str, float] = result.extra.get("acceptance", {})
    rows: list[tuple[Inline, ...]] = [
        (name, computed(round(100.0 * rate, 1) if math.isfinite(rate) else None, _METHOD, "%"))
        for name, rate in rates.items()
    ]
    return Table(
        f"Moves accepted, {result.extra.get('chains', '?')} chains a subject",
        ("Move", "Accepted"),
        tuple(rows),
        numeric=(1,),
        foot=("Steps of the walks adapt during the burn-in towards 40 % (component) and 30 %.",),
    )
