"""A run of a pathway as a program and as a command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from statera.web.answer import Copies
from statera.web.requests.pathway import PathwayRequest
from statera.web.tasks.pathway_source import Source

__all__ = ["pathway_copies"]


def pathway_copies(
    request: PathwayRequest, source: Source, outputs: Sequence[str], model: str
) -> Copies:
    """Return the program, and the command where there is one.

    Parameters
    ----------
    outputs
        Names that are shown.
    model
        Id of the population model; empty where none is used.
    """
    python = "\n".join((*_imports(request, source, model), "", *_sample_files(request, source),
                        *_network(request, source), *_call(request, source, outputs, model),
                        ""))  # fmt: skip
    if source.is_compact:
        return Copies(python, why="the command reads SBML files; this network is none")
    if request.concentrations:
        return Copies(python, why="the command takes regimens, not constant concentrations")
    why = "The program writes the files of the sample, which the command reads."
    sample = _sample_files(request, source)
    return Copies(python, _command(request, source, outputs, model), why if sample else "")


def _sample_files(request: PathwayRequest, source: Source) -> list[str]:
    """Return lines that write those files which are samples: nobody has them otherwise."""
    made = []
    for upload, function, name in (
        (request.sbml, "write_model", source.file),
        (request.marks_file, "write_marks", source.marks_file),
    ):
        if upload is not None and upload.startswith("sample-"):
            made.append((function, name))
    if not made:
        return []
    return [
        "from pathlib import Path",
        f"from statera.web.samples.pathway import {', '.join(sorted(f for f, _ in made))}",
        "",
        *(f"{function}(Path({name!r}))" for function, name in made),
    ]


def _imports(request: PathwayRequest, source: Source, model: str) -> list[str]:
    lines = ["import numpy as np", ""]
    library = [n for n, used in (("find_cytokine", source.is_compact), ("load_model", model))
               if used]  # fmt: skip
    if library:
        lines.append(f"from statera.library import {', '.join(library)}")
    if request.concentrations:
        lines.append("from statera.mechanism.constant_concentration import run_constant")
    if request.drug is not None:
        lines.append("from statera.mechanism.drug_potencies import potencies_of_drug")
    if model:
        lines.append("from statera.mechanism.scenario import Scenario, run_scenarios")
    elif request.drug is None:
        lines.append("from statera.mechanism.scenario import run_alone")
    if source.is_compact:
        lines += [
            "from statera.pathway.jak_stat_model import jak_stat_marks, jak_stat_network",
            "from statera.pathway.jak_stat_rates import load_rates",
        ]
        return lines
    if source.marks is not None and request.drug is not None:
        if request.marks_file is None:
            lines.append("from statera.mechanism.shipped_marks import load_marks")
        else:
            lines.append("from statera.pathway.jak_inhibition import read_jak_marks")
    lines.append("from statera.pathway.sbml_read import read_sbml")
    return lines


def _network(request: PathwayRequest, source: Source) -> list[str]:
    if source.is_compact:
        return [
            f"rates = load_rates({request.cytokine!r})",
            "network = jak_stat_network(",
            f"    rates.rates, cytokine={request.cytokine!r}, "
            f"stimulus={request.stimulus!r} / rates.half_stimulus",
            ")",
            f"marks = jak_stat_marks(find_cytokine({request.cytokine!r}).jaks)",
        ]
    lines = [f"network = read_sbml({source.file!r})"]
    if source.marks is not None and request.drug is not None:
        read = "load_marks" if request.marks_file is None else "read_jak_marks"
        lines.append(f"marks = {read}({source.marks_file!r})")
    return lines


def _call(request: PathwayRequest, source: Source, outputs: Sequence[str], model: str) -> list[str]:
    times = f"np.linspace(0.0, {request.until!r}, {request.points})"
    numbers = f"    parameters={dict(request.parameters)!r},"
    shown = ["for r in run.runs:", "    print(r.scenario.label, r.status, r.area_inhibition)"]
    if request.drug is None:
        return [f"run = run_alone(network, {times}, {list(outputs)!r},", numbers, ")", *shown]
    options = [f"basis={request.basis!r}"] if request.ic50 else []
    options += [f"{n}={getattr(request, n)!r}" for n in ("unbound", "molar_mass")
                if getattr(request, n) is not None]  # fmt: skip
    own = f", ic50={dict(request.ic50)!r}" if request.ic50 else ""
    more = "".join(f", {o}" for o in options)
    lines = [f"potencies = potencies_of_drug({request.drug!r}, marks.kinases{own}{more})"]
    if request.concentrations:
        fraction = 1.0 if request.unbound is None else request.unbound
        return [
            *lines,
            f"run = run_constant(network, marks, potencies, {list(request.concentrations)!r},",
            f"    {times}, {list(outputs)!r},",
            numbers,
            f"    unbound={fraction!r}, rule={request.rule!r},",
            ")",
            *shown,
        ]
    return [
        *lines,
        f"doses = {list(request.doses)!r}",
        f"scenarios = [Scenario(d, d, {dict(request.covariates)!r}, {request.before!r}) "
        "for d in doses]",
        f"run = run_scenarios(network, marks, load_model({model!r}), potencies, scenarios,",
        f"    {times}, {list(outputs)!r},",
        numbers,
        f"    time_unit={request.time_unit or None!r}, unbound={request.unbound!r}, "
        f"molar_mass={request.molar_mass!r}, rule={request.rule!r},",
        ")",
        *shown,
    ]


def _command(request: PathwayRequest, source: Source, outputs: Sequence[str], model: str) -> str:
    words = ["statera", "pathway", "simulate", source.file, "--until", repr(request.until),
             "--points", str(request.points)]  # fmt: skip
    for name in outputs:
        words += ["--output", name]
    for name, value in request.parameters.items():
        words += ["--parameter", f"{name}={value!r}"]
    if request.drug is not None:
        words += ["--marks", source.marks_file, "--drug", request.drug, "--model", model]
        for dose in request.doses:
            words += ["--dose", dose]
        words += ["--before", repr(request.before), "--rule", request.rule]
        for name, value in request.covariates.items():
            words += ["--covariate", f"{name}={value!r}"]
        for kinase, value in request.ic50.items():
            words += ["--ic50", f"{kinase}={value!r}"]
        if request.ic50:
            words += ["--basis", request.basis]
        for option, number in (
            ("--unbound", request.unbound),
            ("--molar-mass", request.molar_mass),
        ):
            if number is not None:
                words += [option, repr(number)]
        if request.time_unit:
            words += ["--time-unit", request.time_unit]
    return " ".join(shlex.quote(w) for w in words)
