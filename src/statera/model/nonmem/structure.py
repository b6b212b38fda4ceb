"""What the ADVAN routines stand for, as equations of amounts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from statera.model.nonmem.records import Problem, Record

__all__ = ["Structure", "read_structure"]

# rate constants by routine: from compartment, to compartment (0 is out), constant of TRANS1
_FLOWS: dict[int, list[tuple[int, int, str]]] = {
    1: [(1, 0, "K")],
    2: [(1, 2, "KA"), (2, 0, "K")],
    3: [(1, 0, "K"), (1, 2, "K12"), (2, 1, "K21")],
    4: [(1, 2, "KA"), (2, 0, "K"), (2, 3, "K23"), (3, 2, "K32")],
    11: [(1, 0, "K"), (1, 2, "K12"), (2, 1, "K21"), (1, 3, "K13"), (3, 1, "K31")],
    12: [
        (1, 2, "KA"), (2, 0, "K"), (2, 3, "K23"), (3, 2, "K32"), (2, 4, "K24"), (4, 2, "K42"),
    ],
}  # fmt: skip
_TRANS: dict[tuple[int, int], dict[str, str]] = {
    (1, 2): {"K": "CL/V"},
    (2, 2): {"K": "CL/V"},
    (3, 3): {"K": "CL/V", "K12": "Q/V", "K21": "Q/(VSS - V)"},
    (4, 3): {"K": "CL/V", "K23": "Q/V", "K32": "Q/(VSS - V)"},
    (3, 4): {"K": "CL/V1", "K12": "Q/V1", "K21": "Q/V2"},
    (4, 4): {"K": "CL/V2", "K23": "Q/V2", "K32": "Q/V3"},
    (11, 4): {"K": "CL/V1", "K12": "Q2/V1", "K21": "Q2/V2", "K13": "Q3/V1", "K31": "Q3/V3"},
    (12, 4): {"K": "CL/V2", "K23": "Q3/V2", "K32": "Q3/V3", "K24": "Q4/V2", "K42": "Q4/V4"},
}  # fmt: skip
_ODE = (6, 8, 9, 13, 14, 15, 18)


@dataclass(frozen=True)
class Structure:
    """Compartments and how they are connected.

    Attributes
    ----------
    n
        Number of compartments; 0 for $PRED.
    dose, observed
        Default compartments, from 1.
    rates
        Derivative of each amount as code over PK variables; empty where $DES gives them.
    """

    n: int
    dose: int
    observed: int
    rates: tuple[str, ...]


def read_structure(records: list[Record], problems: list[Problem]) -> Structure | None:
    """Return the structure, None where it cannot be translated; reasons go to `problems`."""
    if any(r.name == "PRED" for r in records):
        return Structure(0, 1, 1, ())
    subroutines = [r for r in records if r.name == "SUBROUTINES"]
    text = " ".join(r.text for r in subroutines).upper()
    line = subroutines[0].line if subroutines else 1
    advan = re.search(r"\bADVAN\s*=?\s*(?:ADVAN)?(\d+)", text)
    if advan is None:
        problems.append(Problem(line, "there is neither $PRED nor an ADVAN routine"))
        return None
    if other := re.search(r"\b(OTHER|INFN|PRED|MODEL|PK|ERROR|SS\d+)\s*=\s*\S+", text):
        problems.append(Problem(line, f"$SUBROUTINES {other[0]} is not translated"))
    number = int(advan[1])
    if number in _ODE:
        return _compartments([r for r in records if r.name == "MODEL"], line, problems)
    flows = _FLOWS.get(number)
    if flows is None:
        problems.append(Problem(line, f"ADVAN{number} is not translated"))
        return None
    trans = re.search(r"\bTRANS\s*=?\s*(?:TRANS)?(\d+)", text)
    kind = int(trans[1]) if trans else 1
    if kind != 1 and (number, kind) not in _TRANS:
        problems.append(Problem(line, f"ADVAN{number} TRANS{kind} is not translated"))
        return None
    written = _TRANS.get((number, kind), {})
    n = max(max(a, b) for a, b, _ in flows)
    terms: list[list[str]] = [[] for _ in range(n)]
    for source, target, name in flows:
        rate = f"{written.get(name, name)}*A({source})"
        terms[source - 1].append(f"-{rate}")
        if target:
            terms[target - 1].append(f"+{rate}")
    observed = 2 if flows[0][2] == "KA" else 1
    return Structure(n, 1, observed, tuple("".join(t) for t in terms))


def _compartments(models: list[Record], line: int, problems: list[Problem]) -> Structure | None:
    text = " ".join(r.text for r in models).upper()
    found = re.findall(r"\bCOMP(?:ARTMENT)?\s*=?\s*(\([^)]*\)|\w+)", text)
    size = re.search(r"\bNCOMP\w*\s*=\s*(\d+)", text)
    n = max(len(found), int(size[1]) if size else 0)
    if n == 0:
        problems.append(Problem(line, "$MODEL names no compartment"))
        return None
    options = [set(re.findall(r"\w+", c)) for c in found]
    return Structure(
        n,
        _first(options, "DEFDOSE", "DEPOT"),
        _first(options, "DEFOBSERVATION", "DEFOBS", "CENTRAL"),
        (),
    )


def _first(options: list[set[str]], *wanted: str) -> int:
    """Return the first compartment with the first of the options that any has; else the first."""
    for option in wanted:
        for i, have in enumerate(options, start=1):
            if option in have:
                return i
    return 1
