"""A simulation as a program and as commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from statera.simulate.distributions import Distribution
from statera.web.answer import Copies
from statera.web.requests.simulate import SimulateRequest
from statera.web.tasks.simulate_arm import Covariates, Prepared, Question

__all__ = ["copies", "covariate_text"]


def covariate_text(value: float | Distribution) -> str:
    """Return a covariate as `statera.simulate.parse_distribution` and the command read it."""
    if isinstance(value, float):
        return _short(value)
    kind = type(value).__name__.lower()
    numbers = (getattr(value, name) for name in value.__dataclass_fields__ if name != "form")
    return f"{kind}({', '.join(map(_short, numbers))})"


def copies(
    request: SimulateRequest,
    arms: Sequence[Prepared],
    questions: Sequence[Question],
    levels: Sequence[float],
) -> Copies:
    """Return the program and the commands, one for each arm."""
    return Copies(
        _python(request, arms, questions, levels),
        "\n".join(_command(request, a, q, levels) for a, q in zip(arms, questions, strict=True)),
    )


def _python(
    request: SimulateRequest,
    arms: Sequence[Prepared],
    questions: Sequence[Question],
    levels: Sequence[float],
) -> str:
    drawn = any(not isinstance(v, float) for a in arms for v in a.covariates.values())
    names = "parse_distribution, profile_times" if drawn else "profile_times"
    until = "" if request.until is None else f", end={request.until!r}"
    lines = [
        "import statera as st",
        f"from statera.simulate import {names}",
        "",
        "arms = {",
        *(_arm(a, q) for a, q in zip(arms, questions, strict=True)),
        "}",
        f"levels = {tuple(levels)!r}",
        "results = {}",
        "for name, (model, dose, options) in arms.items():",
        "    regimen = st.parse_regimen(dose)",
        f"    times = profile_times(regimen, start={request.start!r}{until}, "
        f"points={request.points})",
        "    result = st.simulate(",
        f"        st.load_model(model), regimen, n={request.n}, seed={request.seed}, times=times, "
        "**options",
        "    )",
        "    results[name] = result",
        "    print(name)",
        "    for row in result.summary(levels).values():",
        "        print(row)",
        "# bands of an output: results[name].percentiles(output, levels) at results[name].times",
        "",
    ]
    return "\n".join(lines)


def _arm(arm: Prepared, question: Question) -> str:
    options = [f"covariates={_covariates(arm.covariates)}", f"windows={list(question.windows)!r}"]
    if question.thresholds:
        held = {name: list(values) for name, values in question.thresholds}
        options.append(f"thresholds={held!r}")
    if question.inhibition:
        options.append(f"inhibition={dict(question.inhibition)!r}")
    return (
        f"    {arm.name!r}: ({arm.model.id!r}, {arm.regimen.text!r}, dict({', '.join(options)})),"
    )


def _covariates(covariates: Covariates) -> str:
    held = (
        f"{name!r}: {value!r}"
        if isinstance(value, float)
        else f"{name!r}: parse_distribution({covariate_text(value)!r})"
        for name, value in covariates.items()
    )
    return f"{{{', '.join(held)}}}"


def _command(
    request: SimulateRequest, arm: Prepared, question: Question, levels: Sequence[float]
) -> str:
    words = ["statera", "simulate", arm.model.id, "--dose", arm.regimen.text,
             "--n", str(request.n), "--seed", str(request.seed)]  # fmt: skip
    for name, value in arm.covariates.items():
        words += ["--covariate", f"{name}={covariate_text(value)}"]
    if tuple(levels) != (5.0, 50.0, 95.0):
        words += ["--percentiles", ",".join(map(_short, levels))]
    for start, end in question.windows:
        words += ["--window", f"{_short(start)},{_short(end)}"]
    for output, values in question.thresholds:
        for value in values:
            words += ["--above", f"{output}={_short(value)}"]
    for output, (ic50, hill) in question.inhibition:
        words += ["--inhibition", f"{output}={_short(ic50)},{_short(hill)}"]
    return " ".join(shlex.quote(w) for w in words)


def _short(number: float) -> str:
    """Return the shortest text of the same number."""
    return repr(float(number)).removesuffix(".0")
