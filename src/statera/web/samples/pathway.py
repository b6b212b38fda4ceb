"""The sample network: the compact JAK-STAT pathway of IL-6 as an SBML file, and its marks."""

from __future__ import annotations

from pathlib import Path

from statera.library import find_cytokine
from statera.pathway.jak_stat_model import jak_stat_marks, jak_stat_network
from statera.pathway.jak_stat_rates import load_rates
from statera.pathway.sbml_write import write_sbml

__all__ = ["STIMULUS", "write_marks", "write_model"]

_CYTOKINE = "IL-6"
STIMULUS = 40.0
"""ng/mL of IL-6 in the file."""


def write_model(target: Path) -> None:
    """Write the network, the same bytes each time."""
    rates = load_rates(_CYTOKINE)
    network = jak_stat_network(
        rates.rates, cytokine=_CYTOKINE, stimulus=STIMULUS / rates.half_stimulus
    )
    write_sbml(network, target)


def write_marks(target: Path) -> None:
    """Write which of its reactions the kinases of the receptor catalyse."""
    marks = jak_stat_marks(find_cytokine(_CYTOKINE).jaks)
    lines = [
        "# What Janus kinases catalyse in the compact pathway of IL-6.",
        'schema = "statera.jak/1"',
        f'network = "{marks.network}"',
        'source = "the compact JAK-STAT pathway of this program"',
    ]
    for each in marks.inhibited:
        kinases = ", ".join(f'"{k}"' for k in each.kinases)
        lines += ["", "[[inhibited]]", f'reaction = "{each.reaction}"', f"kinases = [{kinases}]"]
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
