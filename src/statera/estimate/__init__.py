"""Population estimation: nonlinear mixed-effects models fitted to data."""

from statera.estimate.checkpoint import (
    Checkpoint,
    load_checkpoint,
    make_checkpoint,
    save_checkpoint,
)
from statera.estimate.export import fit_files, fit_tables, fit_to_dict, save_fit
from statera.estimate.fit import (
    FIT_METHODS,
    METHODS,
    FitMethod,
    Method,
    fit,
    fit_problem,
    objective_of,
)
from statera.estimate.laplace import LaplaceOptions
from statera.estimate.outer import OuterOptions
from statera.estimate.problem import Problem, ProblemOptions, make_problem
from statera.estimate.result import FitResult, Iteration
from statera.estimate.saem import SaemOptions
from statera.estimate.summary import fit_manifest
from statera.estimate.table import ParameterRow, ParameterTable, parameter_table

__all__ = [
    "FIT_METHODS",
    "METHODS",
    "Checkpoint",
    "FitMethod",
    "FitResult",
    "Iteration",
    "LaplaceOptions",
    "Method",
    "OuterOptions",
    "ParameterRow",
    "ParameterTable",
    "Problem",
    "ProblemOptions",
    "SaemOptions",
    "fit",
    "fit_files",
    "fit_manifest",
    "fit_problem",
    "fit_tables",
    "fit_to_dict",
    "load_checkpoint",
    "make_checkpoint",
    "make_problem",
    "objective_of",
    "parameter_table",
    "save_checkpoint",
    "save_fit",
]
