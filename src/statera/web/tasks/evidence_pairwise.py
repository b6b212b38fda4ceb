"""Effects of several studies pooled, outcome by outcome, with what a page draws of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from statera.evidence.analysis_data import findings_of, result_dict
from statera.evidence.analysis_request import Asked, options_of, unused_options
from statera.evidence.findings_formats import findings_data, findings_text
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.print_methods import print_synthesis
from statera.evidence.table_analysis import Analysis, Failed, analyse
from statera.manifest import manifest
from statera.numerics.intervals_exact import normal_quantile
from statera.plot.synthesis_forest import stepwise_forest, synthesis_forest
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.evidence import PairwiseRequest
from statera.web.tasks.evidence_regression import coefficients_table, regression_outcome
from statera.web.tasks.evidence_table import (
    as_on_page,
    options_text,
    python_table,
    reader,
    rows_table,
    without_lines,
)
from statera.web.work import Work

__all__ = ["run"]

Outcomes = Sequence[Analysis | Failed]
_MOST = {"inverse": 300, "cm.el": 60, "cm.al": 60, "um.fs": 0, "um.rs": 0, "three-level": 60}
"""Rows up to which each study is left out in turn, by method: each time a model is fitted."""
_OTHERS = 120


def run(request: PairwiseRequest, work: Work) -> Answer:
    """Pool each outcome of the table."""
    with as_on_page(request.table):
        text, read = reader(request.table)
        asked = _asked(request)
        found = analyse(read, asked, options_of(asked))
    data = result_dict(found)
    every = data["outcomes"] if len(found) > 1 else [data]
    outcomes = [
        one if isinstance(part, Failed) else _outcome(part, one, request.arms)
        for part, one in zip(found, every, strict=True)
    ]
    findings = findings_of(found)
    worth = len(found) > 1 or any(row.certainty is not None for row in findings)
    result = {
        "outcomes": outcomes,
        "summary_of_findings": findings_data(findings),
        "findings_text": findings_text(findings) if worth and not request.moderators else "",
    }
    many = [_too_many(request)] if _wants(request) and not _is_diagnosed(request) else []
    warnings = without_lines(
        [*many, *unused_options(asked), *(w for part in found for w in _warnings(part, len(found)))]
    )
    tables = {"effects": _effects_table(found, request.level)}
    if request.moderators:
        tables["coefficients"] = coefficients_table(found)
    else:
        tables["pooled"] = _pooled_table(found)
    tables["studies"] = rows_table(request.table)
    return Answer(
        "statera.web.evidence-pairwise/1",
        result,
        tables,
        _copies(request, asked, text),
        tuple(sentence.replace("--", "") for sentence in warnings),
        manifest({"studies.csv": text}, request.seed),
    )


def _asked(request: PairwiseRequest) -> Asked:
    more = _is_diagnosed(request)
    inverse = more and request.method == "inverse"  # the other methods have no such diagnostics
    return Asked(
        request.measure, request.method, request.tau2, request.ci, request.prediction,
        request.level, by=request.by, moderators=request.moderators, add_to=request.add_to,
        seed=request.seed, leave_one_out=more, influence=inverse, bias=inverse,
    )  # fmt: skip


def _wants(request: PairwiseRequest) -> bool:
    return request.diagnostics and not request.moderators


def _is_diagnosed(request: PairwiseRequest) -> bool:
    return _wants(request) and len(request.table.rows) <= _MOST.get(request.method, _OTHERS)


def _too_many(request: PairwiseRequest) -> str:
    most = _MOST.get(request.method, _OTHERS)
    if not most:
        return (
            "Leaving out each study in turn is not made here with this method, since each takes a "
            "search of its own: ask the command for --leave-one-out."
        )
    return (
        f"Leaving out each study in turn is made up to {most} rows with this method: ask the "
        "command for --leave-one-out."
    )


def _warnings(found: Analysis | Failed, count: int) -> list[str]:
    if isinstance(found, Failed):
        return [found.sentence]
    head = f"{found.outcome}: " if count > 1 else ""
    return [f"{head}{sentence}" for sentence in without_lines(found.warnings)]


def _outcome(found: Analysis, data: dict[str, Any], arms: tuple[str, str]) -> dict[str, Any]:
    """Return the data of an outcome with its drawings and its text."""
    if found.regression is not None:
        return regression_outcome(found, data, found.regression.options.level)
    whole = found.synthesis
    assert whole is not None  # several outcomes together are not asked for
    pooled = whole.pooled
    groups, options = synthesis_forest(
        pooled, found.effects, groups=found.groups, risk=found.table.risk_of_bias, arms=arms
    )
    leave = None
    if found.diagnostics is not None and found.diagnostics.leave_one_out is not None:
        steps, step_options = stepwise_forest(
            found.diagnostics.leave_one_out, pooled, word="without"
        )
        leave = {"groups": steps, "options": step_options}
    return {
        **data,
        "measure_name": pooled.effects.definition.name,
        "log": pooled.effects.definition.ratio,
        "method_name": pooled.method,
        "tau": math.sqrt(pooled.tau2) if math.isfinite(pooled.tau2) else None,
        "forest": {"groups": groups, "options": options},
        "leave_one_out_forest": leave,
        "funnel": _funnel(pooled),
        "text": print_synthesis(whole),
    }


def _funnel(pooled: PooledEffect) -> dict[str, Any] | None:
    """Return points and the region in which 95 % of studies lie without heterogeneity."""
    effects = pooled.effects.usable()
    if len(effects) < 2 or not math.isfinite(pooled.estimate):
        return None
    widest = float(effects.se.max()) * 1.05
    reach = normal_quantile(pooled.level) * widest
    ends = pooled.effects.natural([pooled.estimate - reach, pooled.estimate + reach])
    return {
        "points": [
            {"study": name, "x": x, "se": se}
            for name, x, se in zip(
                effects.names, effects.natural(effects.y), effects.se, strict=True
            )
        ],
        "centre": pooled.natural[0],
        "widest": widest,
        "low": ends[0],
        "high": ends[1],
        "level": pooled.level,
    }


def _effects_table(found: Outcomes, level: float) -> Table:
    columns = [
        Column(name)
        for name in ("outcome", "study", "measure", "estimate", "low", "high", "y", "se", "weight",
                     "status")
    ]  # fmt: skip
    columns[8] = Column("weight", "%")
    rows: list[list[Any]] = []
    for part in found:
        if isinstance(part, Failed):
            rows.append([part.outcome, *[None] * 8, part.reason])
            continue
        pooled = part.regression if part.synthesis is None else part.synthesis.pooled
        assert pooled is not None
        effects = part.effects
        reach = normal_quantile(level)
        used = list(pooled.effects.names)
        shares = iter([None] * pooled.k if pooled.weights is None else pooled.weights)
        reasons = dict(effects.omitted())
        for i, name in enumerate(effects.names):
            there = bool(used) and used[0] == name
            if there:
                used.pop(0)
            share = next(shares, None) if there else None
            y, se = float(effects.y[i]), float(effects.se[i])
            natural = effects.take([i]).natural([y, y - reach * se, y + reach * se])
            status = "" if there else f"left out: {reasons.get(name, 'not used by the method')}"
            rows.append([part.outcome, name, effects.measure, *natural, y, se, share, status])
    return Table(columns, rows)


def _pooled_table(found: Outcomes) -> Table:
    names = ("outcome", "measure", "method", "studies", "estimate", "low", "high", "p",
             "prediction_low", "prediction_high", "tau2", "i2", "q", "q_df", "q_p")  # fmt: skip
    rows: list[list[Any]] = []
    for part in found:
        if isinstance(part, Failed) or part.synthesis is None:
            rows.append([part.outcome, *[None] * 14])
            continue
        one = part.synthesis.pooled
        limits = one.natural_prediction or (None, None)
        rows.append([part.outcome, one.measure, one.method, one.k, *one.natural, one.p, *limits,
                     one.tau2, one.i2, one.q, one.q_df, one.q_p])  # fmt: skip
    return Table([Column(n, "%" if n == "i2" else "") for n in names], rows)


def _copies(request: PairwiseRequest, asked: Asked, text: str) -> Copies:
    plain = Asked()
    given = {
        "--measure": asked.measure, "--method": asked.method, "--tau2": asked.tau2,
        "--ci": asked.ci, "--prediction": asked.prediction, "--level": asked.level,
        "--add-to": asked.add_to, "--by": asked.by, "--moderator": asked.moderators,
        "--leave-one-out": asked.leave_one_out, "--influence": asked.influence,
        "--bias": asked.bias, "--seed": asked.seed,
    }  # fmt: skip
    defaults = {option: getattr(plain, _argument(option)) for option in given}
    words = options_text(given, defaults)
    command = f"statera meta pairwise studies.csv {words}".rstrip()
    names = {
        _argument(option): value for option, value in given.items() if value != defaults[option]
    }
    arguments = ", ".join(f"{name}={value!r}" for name, value in names.items())
    show, module, part = (
        ("print_pairwise", "print_text", "regression")
        if request.moderators
        else ("print_synthesis", "print_methods", "synthesis")
    )
    python = (
        "from statera.evidence.analysis_request import Asked, options_of\n"
        f"from statera.evidence.{module} import {show}\n"
        "from statera.evidence.read_table import parse_table\n"
        "from statera.evidence.table_analysis import Failed, analyse\n\n"
        f"{python_table(text)}\n"
        f"asked = Asked({arguments})\n"
        'found = analyse(lambda rows: parse_table(TABLE, "table", rows), asked, '
        "options_of(asked))\n"
        "for one in found:\n"
        "    print(one.outcome)\n"
        f"    print(one.sentence if isinstance(one, Failed) else {show}(one.{part}))\n"
    )
    return Copies(python, command, "studies.csv is the table 'studies', copied as CSV.")


def _argument(option: str) -> str:
    """Return what an option of the command is called in `Asked`."""
    return {"--moderator": "moderators"}.get(option, option.removeprefix("--").replace("-", "_"))
