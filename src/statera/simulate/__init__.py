"""From a model, a regimen and subjects to profiles and endpoints."""

import sys
from types import ModuleType
from typing import Any

from statera.simulate.check_models import check_models
from statera.simulate.disposition import terminal_half_life
from statera.simulate.distributions import Choice, LogNormal, Normal, Uniform, parse_distribution
from statera.simulate.events_result import EventsResult
from statera.simulate.expectations import ExpectationResult, check_expectations
from statera.simulate.gradient import gradients
from statera.simulate.gradient_result import GradientResult
from statera.simulate.implied_covariates import implied_covariates
from statera.simulate.ode_options import OdeOptions
from statera.simulate.prepared import Columns, Prepared, full_formula, prepare_records
from statera.simulate.profile_times import profile_times
from statera.simulate.result import ENDPOINTS, SimulationResult
from statera.simulate.segments import Interpolation
from statera.simulate.simulate import default_times, default_windows, simulate, structure_of
from statera.simulate.simulate_events import simulate_events
from statera.simulate.status import sentence
from statera.simulate.stream import simulate_to_parquet
from statera.simulate.streamed import StreamedSimulation
from statera.simulate.structure import depends_on_time
from statera.simulate.subjects import model_covariate

__all__ = [
    "ENDPOINTS",
    "Choice",
    "Columns",
    "EventsResult",
    "ExpectationResult",
    "GradientResult",
    "Interpolation",
    "LogNormal",
    "Normal",
    "OdeOptions",
    "Prepared",
    "SimulationResult",
    "StreamedSimulation",
    "Uniform",
    "check_expectations",
    "check_models",
    "default_times",
    "default_windows",
    "depends_on_time",
    "full_formula",
    "gradients",
    "implied_covariates",
    "model_covariate",
    "parse_distribution",
    "prepare_records",
    "profile_times",
    "sentence",
    "simulate",
    "simulate_events",
    "simulate_to_parquet",
    "structure_of",
    "terminal_half_life",
]


class _Callable(ModuleType):
    """Lets ``st.simulate(...)`` work whether or not this package was imported before.

    Importing a package binds it to its name in the parent, where the verb of the same name lives.
    """

    def __call__(self, *arguments: Any, **options: Any) -> SimulationResult:
        return simulate(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
