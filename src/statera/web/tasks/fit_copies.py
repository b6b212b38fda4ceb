"""A fit as a command and as a Python program, which make the same numbers."""

from __future__ import annotations

import shlex
from typing import Any

from statera.web.requests.fit import FitRequest, Reading

__all__ = ["fit_command", "fit_program", "reading_arguments"]

_MATRIX = {"sandwich": "sandwich", "r": "R", "s": "S"}


def reading_arguments(reading: Reading) -> dict[str, Any]:
    """Return what differs from the defaults of `statera.data.read_data`."""
    found: dict[str, Any] = {}
    for key in ("columns", "ignore", "accept"):
        value = getattr(reading, key)
        if value:
            found[key] = value
    if reading.lloq is not None:
        found["lloq"] = reading.lloq
    if reading.log_dv:
        found["dv_scale"] = "log"
    for key, usual in (("time_unit", "h"), ("amount_unit", "mg")):
        if getattr(reading, key) != usual:
            found[key] = getattr(reading, key)
    return found


def fit_command(request: FitRequest, model: str, data: str) -> str:
    """Return the command; files stand in the folder it is given in."""
    reading, words = request.reading, ["statera", "fit", model, data, "--method", request.method]
    repeated = {
        "--column": [f"{name}={value}" for name, value in reading.columns.items()],
        "--ignore": reading.ignore,
        "--accept": reading.accept,
        "--output": [f"{name}={value}" for name, value in request.outputs.items()],
        "--init": [f"{name}={number!r}" for name, number in request.initial.items()],
        "--bounds": [f"{name}={_end(low)}:{_end(high)}" for name, (low, high) in
                     request.bounds.items()],
        "--fix": request.fixed,
        "--lloq": [] if reading.lloq is None else [repr(reading.lloq)],
    }  # fmt: skip
    for option, texts in repeated.items():
        for text in texts:
            words += [option, text]
    if reading.log_dv:
        words.append("--log-dv")
    for option, value, usual in _single(request):
        if value != usual:
            words += [option, str(value)]
    if request.corrected and request.report and request.replicates:
        words.append("--corrected")
    return shlex.join(words)


def _end(value: float | None) -> str:
    return "" if value is None else repr(value)


def _single(request: FitRequest) -> list[tuple[str, object, object]]:
    """Return options that stand once: name, value, and the value that need not be given."""
    bayes = request.method == "bayes"
    found: list[tuple[str, object, object]] = [
        ("--time-unit", request.reading.time_unit, "h"),
        ("--amount-unit", request.reading.amount_unit, "mg"),
        ("--blq", request.blq, "M3"),
        ("--seed", request.seed, 1),
    ]
    if bayes:
        found += [("--draws", request.draws, 1000), ("--tune", request.tune, 500),
                  ("--chains", request.chains, 4)]  # fmt: skip
    else:
        found += [("--covariance", request.standard_errors, "sandwich"),
                  ("--saem-errors", request.saem_errors, "sampled"),
                  ("--iterations", request.iterations, 300)]  # fmt: skip
    if request.report:
        found.append(("--out", "report.html", ""))
        if request.replicates and not bayes:
            found.append(("--replicates", request.replicates, 500))
            cuts = ",".join(f"{cut!r}" for cut in request.cuts)
            found.append(("--stratify", f"{request.stratify}:{cuts}".rstrip(":"), ""))
    return found


def fit_program(request: FitRequest, model: str, data: str, *, stream: bool) -> str:
    """Return the program; files stand in the folder it is run in."""
    bayes = request.method == "bayes"
    lines = ["import statera as st", *_imports(request, stream=stream), ""]
    arguments = reading_arguments(request.reading)
    if stream:
        units = [
            f"{key}={arguments[key]!r}" for key in ("time_unit", "amount_unit") if key in arguments
        ]
        lines.append(f"stream = read_control_stream({', '.join([repr(model), *units])})")
        lines.append("model = stream.model")
        asked = _asked(request)
        lines.append("file = ModelFile(model, stream.data, stream.outputs)")
        lines.append(f"read = read_model_and_data(file, Path({data!r}), Asked({asked}))")
        lines.append("data, outputs = read.table, read.outputs")
    else:
        lines.append(f"model = st.load_model({model!r})")
        text = "".join(f", {key}={value!r}" for key, value in arguments.items())
        lines.append(f"data = st.read_data({data!r}{text})")
        if request.outputs:
            lines.append("numbers = {label: number for number, label in data.dvid_labels.items()}")
            lines.append(
                f"outputs = {{numbers[label]: name for label, name in {request.outputs!r}.items()}}"
            )
    lines.append(f"options = ProblemOptions({_options(request, stream=stream)})")
    lines += _bayes_lines(request) if bayes else _search_lines(request)
    return "\n".join([*lines, ""])


def _imports(request: FitRequest, *, stream: bool) -> list[str]:
    found = []
    if stream:
        found = [
            "from pathlib import Path",
            "from statera.estimate.model_and_data import Asked, ModelFile, read_model_and_data",
            "from statera.model.nonmem import read_control_stream",
        ]
    if request.method == "bayes":
        return [*found,
                "from statera.estimate import NutsOptions, ProblemOptions, sample_posterior",
                "from statera.estimate.chains_start import chains_start"]  # fmt: skip
    names = ["OuterOptions", "ProblemOptions", *(["SaemOptions"] * (request.method == "saem"))]
    found.append(f"from statera.estimate import {', '.join(names)}")
    return [*found, "from statera.estimate.compare import information_criteria",
            "from statera.estimate.outcome import fit_outcome"]  # fmt: skip


def _asked(request: FitRequest) -> str:
    arguments = reading_arguments(request.reading)
    if request.outputs:
        arguments["outputs"] = request.outputs
    return ", ".join(f"{key}={value!r}" for key, value in arguments.items())


def _options(request: FitRequest, *, stream: bool) -> str:
    parts = []
    for key in ("initial", "bounds", "fixed"):
        value = getattr(request, key)
        if value:
            parts.append(f"{key}={value!r}")
    if stream or request.outputs:
        parts.append("outputs=outputs")
    if request.blq != "M3":
        parts.append(f"blq={request.blq!r}")
    return ", ".join(parts)


def _search_lines(request: FitRequest) -> list[str]:
    words = [f"method={request.method!r}", "options=options",
             f"outer=OuterOptions(max_iterations={request.iterations})"]  # fmt: skip
    if request.method == "saem":
        words.append(f"saem=SaemOptions(seed={request.seed})")
    errors = f"matrix={_MATRIX.get(request.standard_errors)!r}"
    if request.method == "saem":
        errors += f", likelihood={request.saem_errors!r}"
    return [
        f"result = st.fit(model, data, {', '.join(words)})",
        f"found = fit_outcome(result, data, {errors})",
        "print(found.told.summary(found.errors, found.shrunk))",
        "print(information_criteria(result))",
    ]


def _bayes_lines(request: FitRequest) -> list[str]:
    lengths = f"{request.draws}, {request.tune}, {request.chains}, {request.seed}"
    return [
        "problem, start, _ = chains_start(model, data, options)",
        f"posterior = sample_posterior(problem, NutsOptions({lengths}), start)",
        "print(posterior)",
    ]
