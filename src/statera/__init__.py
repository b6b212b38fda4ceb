"""Statera: a quantitative-pharmacology workbench for JAK inhibitors.

Research software: not a medical device.

>>> import statera as st
>>> model = st.load_model("baricitinib/Decker_2024")
>>> result = st.simulate(model, "4 mg q24h ss", typical=True)
>>> round(float(result.endpoint("AUC")[0]))
412
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statera._version import __version__

if TYPE_CHECKING:
    from statera.data import FitData, Regimen, parse_regimen, read_data, read_events
    from statera.estimate import FitResult, fit
    from statera.library import drugs, load_drug, load_model, model_ids, read_model
    from statera.model import Model, build_model, structure
    from statera.monograph import MonographOptions, build
    from statera.simulate import (
        EventsResult,
        GradientResult,
        OdeOptions,
        SimulationResult,
        check_expectations,
        gradients,
        simulate,
        simulate_events,
        simulate_to_parquet,
    )

__all__ = [
    "EventsResult",
    "FitData",
    "FitResult",
    "GradientResult",
    "Model",
    "MonographOptions",
    "OdeOptions",
    "Regimen",
    "SimulationResult",
    "__version__",
    "build",
    "build_model",
    "check_expectations",
    "drugs",
    "fit",
    "gradients",
    "load_drug",
    "load_model",
    "model_ids",
    "parse_regimen",
    "read_data",
    "read_events",
    "read_model",
    "simulate",
    "simulate_events",
    "simulate_to_parquet",
    "structure",
]

# Where each public name lives. Loaded on first use, so that `import statera` costs nothing.
_HOMES = {
    "EventsResult": "simulate",
    "GradientResult": "simulate",
    "FitData": "data",
    "FitResult": "estimate",
    "Model": "model",
    "MonographOptions": "monograph",
    "OdeOptions": "simulate",
    "Regimen": "data",
    "SimulationResult": "simulate",
    "build": "monograph",
    "build_model": "model",
    "check_expectations": "simulate",
    "drugs": "library",
    "gradients": "simulate",
    "fit": "estimate",
    "load_drug": "library",
    "load_model": "library",
    "model_ids": "library",
    "parse_regimen": "data",
    "read_events": "data",
    "read_data": "data",
    "read_model": "library",
    "simulate": "simulate",
    "simulate_events": "simulate",
    "simulate_to_parquet": "simulate",
    "structure": "model",
}


def __getattr__(name: str) -> Any:
    """Return a public name, loading its package on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'statera' has no attribute '{name}'")
    from importlib import import_module  # noqa: PLC0415

    package = import_module(f"statera.{_HOMES[name]}")
    # the package `simulate` is itself callable: one object under the one name
    value = package if name == "simulate" else getattr(package, name)
    globals()[name] = value
    return value
