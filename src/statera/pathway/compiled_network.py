"""A network as compiled functions and tables, kept on disk by content."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
from numba.core.errors import NumbaExperimentalFeatureWarning
from numpy.typing import NDArray

from statera.errors import InputError
from statera.numerics.codegen import generated_module
from statera.numerics.compiled import cache_directory, kernel_key
from statera.numerics.expression import symbol
from statera.pathway.network import TIME, Network
from statera.pathway.network_source import HEAD, Formulas, Pattern
from statera.pathway.switches import Flags

__all__ = ["CompiledNetwork", "compile_network"]

_FUNCTIONS = ("rates", "jacobian", "linear", "curvature", "factor", "solve")
_AT_INSTANTS = ("roots", "root_slopes", "triggers", "urgencies", "assign", "delays")


@dataclass(frozen=True, eq=False)
class CompiledNetwork:
    """What the solver needs of a network.

    Attributes
    ----------
    states, parameters
        Names, in the order of the columns of ``initial`` and ``values``.
    values : (n_parameters,) float64
        What the network gives its parameters.
    functions
        Compiled functions of `solve_conditions`, in its order.
    table, layout : int64
        Tables of sparse matrices, flags and events, and where they begin.
    rows, columns, own_rows, own_columns, bend_own : int64
        Patterns of the slopes of the rates by states and by parameters, and which of the latter a
        direction bends.
    start : Any
        Compiled function that writes initial states and their slopes.
    start_rows, start_columns : int64
        Where those slopes stand: states, and parameters with time behind them.
    timeless
        Whether neither rates nor switches hold time.
    fixed_instants
        Whether nothing moves the instants of jumps: no events, and switches of time alone.
    flags
        Number of switches.
    events
        Their names.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    values: NDArray[np.float64]
    functions: tuple[Any, ...]
    table: NDArray[np.int64]
    layout: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    own_rows: NDArray[np.int64]
    own_columns: NDArray[np.int64]
    bend_own: NDArray[np.int64]
    start: Any
    start_rows: NDArray[np.int64]
    start_columns: NDArray[np.int64]
    timeless: bool
    fixed_instants: bool
    flags: int
    events: tuple[str, ...] = ()
    _index: dict[str, int] = field(default_factory=dict)

    def index(self, parameter: str) -> int:
        """Return the column of a parameter."""
        if not self._index:
            self._index.update({name: i for i, name in enumerate(self.parameters)})
        return self._index[parameter]


def compile_network(network: Network) -> CompiledNetwork:
    """Compile a network; what was compiled before, in any process, is taken from disk.

    Raises
    ------
    InputError
        Where the network refers to a name that it does not have, or an event's trigger asks for
        equality.
    """
    return _compile(_content(network), _Held(network))


class _Held:
    """A network beside its content, which alone decides whether two are the same."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


def _content(network: Network) -> str:
    """Return all that the compiled form depends on, as text."""
    events = [
        [
            e.id, sp.srepr(e.trigger.condition), e.trigger.at_start, e.trigger.persistent,
            {k: sp.srepr(v) for k, v in e.assignments.items()},
            sp.srepr(e.delay) if e.delay is not None else None,
            sp.srepr(e.priority) if e.priority is not None else None,
            e.values_at_trigger,
        ]
        for e in network.events
    ]  # fmt: skip
    return json.dumps(
        [
            network.states,
            [sp.srepr(e) for e in network.rates],
            {k: sp.srepr(v) for k, v in network.initial.items()},
            dict(network.parameters),
            {k: sp.srepr(v) for k, v in network.assigned.items()},
            events,
        ]
    )


@lru_cache(maxsize=64)
def _compile(content: str, held: _Held) -> CompiledNetwork:
    key = hashlib.sha256(f"{_generator_key()}\n{content}".encode()).hexdigest()[:32]
    path = cache_directory() / f"statera_network_{key}.json"
    described = _read(path)
    if described is None:
        described = _describe(held.network)
        _write(path, described)
    return _load(described, held.network)


@lru_cache(maxsize=1)
def _generator_key() -> str:
    """Return a hash of what turns formulas into text."""
    digest = hashlib.sha256(kernel_key("pathway").encode())
    here = Path(__file__).resolve().parent
    numerics = here.parent / "numerics"
    for file in (
        Path(__file__), here / "network_source.py", here / "switches.py",
        numerics / "printing.py", numerics / "derivative.py", numerics / "sparse_lu.py",
    ):  # fmt: skip
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> Any:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("whole") else None


def _write(path: Path, described: Mapping[str, Any]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({**described, "whole": True}, file)
    os.replace(temporary, path)


def _flat(network: Network) -> dict[sp.Symbol, sp.Expr]:
    """Return every assigned name written out."""
    flat: dict[sp.Symbol, sp.Expr] = {}
    for name, formula in network.assigned.items():
        flat[symbol(name)] = formula.xreplace(flat)
    return flat


def _check_names(network: Network, formulas: Mapping[str, sp.Basic]) -> None:
    known = {TIME, *map(symbol, network.states), *map(symbol, network.parameters)}
    for place, formula in formulas.items():
        unknown = sorted(s.name for s in formula.free_symbols - known)
        if unknown:
            raise InputError(
                f"'{unknown[0]}' is neither a state, a parameter nor an assigned name",
                where=f"network '{network.id}', {place}",
                hint="give it a value or a rule",
            )


def _initial(network: Network, flat: Mapping[sp.Symbol, sp.Expr]) -> list[sp.Expr]:
    """Return initial values over parameters and time alone."""
    found: dict[sp.Symbol, sp.Expr] = {}

    def written(name: str, above: tuple[str, ...]) -> sp.Expr:
        if symbol(name) in found:
            return found[symbol(name)]
        if name in above:
            raise InputError(
                f"the initial value of '{name}' depends on itself", where=f"network '{network.id}'"
            )
        formula = sp.sympify(network.initial.get(name, sp.nan)).xreplace(flat)
        parts = {
            symbol(s): written(s, (*above, name))
            for s in network.states
            if symbol(s) in formula.free_symbols
        }
        found[symbol(name)] = formula.xreplace(parts)
        return found[symbol(name)]

    return [written(name, ()) for name in network.states]


def _describe(network: Network) -> dict[str, Any]:
    """Return source text and tables."""
    flat = _flat(network)
    rates = [sp.sympify(e).xreplace(flat) for e in network.rates]
    _check_names(network, {f"d {s}/dt": e for s, e in zip(network.states, rates, strict=True)})
    flags = Flags(network.states)
    rates = [flags.without(e) for e in rates]
    events = _events(network, flat, flags)
    start = _initial(network, flat)
    _check_names(network, {f"initial {s}": e for s, e in zip(network.states, start, strict=True)})
    formulas = Formulas(rates, network.states, list(network.parameters), len(flags.switches))
    texts, tables = formulas.dynamics()
    quantities = [s.quantity for s in flags.switches]
    patterns: dict[str, Pattern] = {}
    if quantities:
        text, patterns["root_slopes"] = formulas.with_slopes("root_slopes", quantities)
        texts += [formulas.function("roots", quantities), text]
    if events["triggers"]:
        texts += [
            formulas.function("triggers", events["triggers"]),
            formulas.function("urgencies", events["urgencies"]),
        ]
        text, patterns["assign"] = formulas.with_slopes("assign", events["assign"])
        texts.append(text)
        text, patterns["delays"] = formulas.with_slopes("delays", events["delays"])
        texts.append(text)
    text, patterns["start"] = formulas.with_slopes("start", start)
    texts.append(text)
    known: dict[sp.Expr, int] = {}
    return {
        **tables,
        "text": "\n\n\n".join([HEAD, *texts]) + "\n",
        "patterns": patterns,
        "group": [known.setdefault(q, len(known)) for q in quantities],
        "strict": [int(s.strict) for s in flags.switches],
        "timed": [int(s.timed) for s in flags.switches],
        "kinds": events["kinds"],
        "assign_first": events["assign_first"],
        "assign_state": events["assign_state"],
        "n_assigned": len(events["assign"]),
        "timeless": not any(TIME in e.free_symbols for e in [*rates, *quantities]),
    }


def _events(network: Network, flat: Mapping[sp.Symbol, sp.Expr], flags: Flags) -> dict[str, Any]:
    """Return the formulas of events over flags, and what kind each is."""
    place = {name: i for i, name in enumerate(network.states)}
    found: dict[str, Any] = {
        "triggers": [], "urgencies": [], "assign": [], "delays": [], "kinds": [],
        "assign_first": [0], "assign_state": [],
    }  # fmt: skip
    for event in network.events:
        condition = sp.sympify(event.trigger.condition).xreplace(flat)
        written = flags.trigger(condition, event.id)
        found["triggers"].append(sp.Piecewise((1, written), (0, True)))
        parts = {"delays": event.delay, "urgencies": event.priority}
        for name, formula in parts.items():
            value = sp.Integer(0) if name == "delays" else sp.Float(-1e300)
            if formula is not None:
                value = flags.without(sp.sympify(formula).xreplace(flat))
            found[name].append(value)
        for name, formula in event.assignments.items():
            if name not in place:
                raise InputError(
                    f"event '{event.id}' assigns to '{name}', which is no state",
                    where=f"network '{network.id}'",
                )
            found["assign"].append(flags.without(sp.sympify(formula).xreplace(flat)))
            found["assign_state"].append(place[name])
        found["assign_first"].append(len(found["assign"]))
        found["kinds"].append(
            int(event.trigger.at_start)
            + 2 * int(event.trigger.persistent)
            + 4 * int(event.values_at_trigger)
            + 8 * int(event.delay is not None)
        )
        _check_names(network, {f"event '{event.id}'": condition, **{
            f"event '{event.id}', {name}": sp.sympify(formula).xreplace(flat)
            for name, formula in event.assignments.items()
        }})  # fmt: skip
    return found


def _load(described: Mapping[str, Any], network: Network) -> CompiledNetwork:
    """Return the compiled form of what `_describe` has written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        from statera.numerics.equation_call import MODEL_CALL, no_model  # noqa: PLC0415  compiles
        from statera.numerics.pointers import Pointer  # noqa: PLC0415
        from statera.numerics.rodas5p_columns import column_table  # noqa: PLC0415
    n, n_p = len(network.states), len(network.parameters)
    module = generated_module(described["text"])
    nothing = Pointer(no_model, MODEL_CALL)
    functions = [getattr(module, name) for name in _FUNCTIONS]
    functions += [getattr(module, name, nothing) for name in _AT_INSTANTS]
    pattern = [(i, k) for i, k in described["by_state"]]
    table = column_table(pattern, [(i, k) for i, k in described["bend"]], n).tolist()
    n_flags, n_events = len(described["strict"]), len(described["kinds"])
    at: dict[str, int] = {}
    counts = {"root_slopes": n_flags, "assign": described["n_assigned"], "delays": n_events}
    for name, count in counts.items():
        entries = described["patterns"].get(name, [])
        at[name] = len(table)
        firsts = np.searchsorted([i for i, _ in entries], np.arange(count + 1))
        table += [int(first) + len(table) + count + 1 for first in firsts]
        table += [column for _, column in entries]
    for name in ("group", "strict", "timed", "kinds", "assign_first", "assign_state"):
        at[name] = len(table)
        table += described[name]
    sizes = [len(described["patterns"].get(name, [])) + count for name, count in counts.items()]
    firsts = described["assign_first"]
    layout = [
        n, n_p, n_flags, n_events, described["n_assigned"], described["n_factors"],
        at["root_slopes"], at["assign"], at["delays"], at["group"], at["strict"], at["timed"],
        at["kinds"], at["assign_first"], at["assign_state"],
        max([1, *sizes]), int(np.diff(firsts).max(initial=0)), len(described["bend"]),
    ]  # fmt: skip
    start = described["patterns"]["start"]
    return CompiledNetwork(
        states=tuple(network.states),
        parameters=tuple(network.parameters),
        values=np.array([float(v) for v in network.parameters.values()]),
        functions=tuple(functions),
        table=np.array(table, dtype=np.int64),
        layout=np.array(layout, dtype=np.int64),
        rows=_whole([i for i, _ in pattern]),
        columns=_whole([k for _, k in pattern]),
        own_rows=_whole([i for i, _ in described["by_parameter"]]),
        own_columns=_whole([c for _, c in described["by_parameter"]]),
        bend_own=_whole(described["bend_parameters"]),
        start=module.start,
        start_rows=_whole([i for i, _ in start]),
        start_columns=_whole([c - n for _, c in start]),
        timeless=described["timeless"],
        fixed_instants=n_events == 0
        and all(described["timed"])
        and all(column == n + n_p for _, column in described["patterns"].get("root_slopes", [])),
        flags=n_flags,
        events=tuple(e.id for e in network.events),
    )


def _whole(numbers: list[int]) -> NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)
