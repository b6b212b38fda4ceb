"""Make the PEtab problem in ``jak_stat``: a compact JAK-STAT pathway with simulated data.

Phosphorylated STAT and SOCS mRNA at three concentrations of a cytokine and under a drug that leaves
30 % of the receptor's kinase activity, each measured three times with errors of 8 %. The values to
be found are in the column ``nominalValue``; the data are ours, drawn with a fixed seed.

    python examples/make_pathway_problem.py examples/jak_stat
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from statera.numerics.expression import symbol
from statera.pathway.compiled_network import compile_network
from statera.pathway.initial_states import initial_states
from statera.pathway.jak_stat_model import jak_stat_network
from statera.pathway.jak_stat_rates import load_rates
from statera.pathway.network import Network, Parameter
from statera.pathway.outputs import Outputs
from statera.pathway.sbml_write import write_sbml
from statera.pathway.solve import solve

MINUTES = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0)
CONDITIONS = {"low": (0.1, 1.0), "middle": (0.3, 1.0), "high": (1.0, 1.0), "drug": (1.0, 0.3)}
ESTIMATED = {"k_off": 0.07, "k_phos": 0.5, "k_deph": 0.2, "k_mdeg": 0.12, "g": 700.0}
SPREAD = 0.08


def network() -> Network:
    """Return the pathway; ``activity`` is the share of kinase activity that is left."""
    rates = replace(load_rates("IL-6").rates, **ESTIMATED)
    plain = jak_stat_network(rates, cytokine="a cytokine")
    changed = []
    for reaction in plain.reactions:
        law = reaction.law
        if reaction.id == "phosphorylation":
            law = law * symbol("activity")
        changed.append(replace(reaction, law=law))
    rates_of = dict.fromkeys(plain.states, 0)
    for reaction in changed:
        for name, number in reaction.reactants:
            rates_of[name] -= number * reaction.law
        for name, number in reaction.products:
            rates_of[name] += number * reaction.law
    return replace(
        plain,
        reactions=tuple(changed),
        rates=tuple(rates_of[name] for name in plain.states),
        parameters={**plain.parameters, "activity": 1.0},
        parameter_list=(*plain.parameter_list, Parameter("activity", 1.0)),
    )


def measured(model: Network, seed: int = 7) -> list[tuple[str, str, float, float]]:
    """Return observable, condition, time and value of each measurement."""
    compiled = compile_network(model)
    rows = np.array(
        [
            [{**model.parameters, "L": level, "activity": left}[p] for p in compiled.parameters]
            for level, left in CONDITIONS.values()
        ]
    )
    starts, _ = initial_states(compiled, rows)
    times = np.array(MINUTES)
    courses = solve(compiled, rows, starts, [times] * len(rows))
    read = Outputs(model, ["total_pSTAT", "mRNA"])
    source = np.random.default_rng(seed)
    found = []
    for name, row, states in zip(CONDITIONS, rows, courses.states, strict=True):
        values = read(times, states, dict(zip(compiled.parameters, row, strict=True)))
        for observable, output in (("pSTAT", "total_pSTAT"), ("SOCS_mRNA", "mRNA")):
            for k, time in enumerate(MINUTES):
                for _ in range(3):
                    value = values[output][k] * np.exp(SPREAD * source.standard_normal())
                    found.append((observable, name, time, float(value)))
    return found


def write(folder: Path) -> None:
    """Write the problem into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model = network()
    write_sbml(model, folder / "model.xml")
    lines = {
        "problem.yaml": [
            "format_version: 1",
            "parameter_file: parameters.tsv",
            "problems:",
            "  - sbml_files: [model.xml]",
            "    condition_files: [conditions.tsv]",
            "    observable_files: [observables.tsv]",
            "    measurement_files: [measurements.tsv]",
        ],
        "conditions.tsv": ["conditionId\tL\tactivity"]
        + [f"{name}\t{level:g}\t{left:g}" for name, (level, left) in CONDITIONS.items()],
        "observables.tsv": [
            "observableId\tobservableName\tobservableFormula\tobservableTransformation\tnoiseFormula",
            "pSTAT\tpSTAT\ttotal_pSTAT\tlog\tsd",
            "SOCS_mRNA\tSOCS mRNA\tmRNA\tlog\tsd",
        ],
        "parameters.tsv": [
            "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate",
            *(f"{n}\tlog10\t{v / 100:g}\t{v * 100:g}\t{v:g}\t1" for n, v in ESTIMATED.items()),
            f"sd\tlog10\t0.01\t1\t{SPREAD:g}\t1",
        ],
        "measurements.tsv": ["observableId\tsimulationConditionId\ttime\tmeasurement"]
        + [f"{o}\t{c}\t{t:g}\t{v:.6g}" for o, c, t, v in measured(model)],
    }
    for name, rows in lines.items():
        (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "jak_stat"))
