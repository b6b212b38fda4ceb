"""Population estimation: nonlinear mixed-effects models fitted to data."""

from statera.estimate.bins import Binning
from statera.estimate.checkpoint import (
    Checkpoint,
    load_checkpoint,
    make_checkpoint,
    save_checkpoint,
)
from statera.estimate.diagnostics import DiagnosticOptions, Diagnostics, diagnose
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
from statera.estimate.grid import Curve, predict_curves
from statera.estimate.influence import Influence, influence
from statera.estimate.laplace import LaplaceOptions
from statera.estimate.npde import Npde, NpdeOptions, NpdeTests, npde, npde_tests
from statera.estimate.outer import OuterOptions
from statera.estimate.problem import Problem, ProblemOptions, make_problem
from statera.estimate.replicates import Replicates, simulate_replicates
from statera.estimate.result import FitResult, Iteration
from statera.estimate.saem import SaemOptions
from statera.estimate.summary import fit_manifest
from statera.estimate.table import ParameterRow, ParameterTable, parameter_table
from statera.estimate.vpc import Vpc, VpcOptions, vpc

__all__ = [
    "FIT_METHODS",
    "METHODS",
    "Binning",
    "Checkpoint",
    "Curve",
    "DiagnosticOptions",
    "Diagnostics",
    "FitMethod",
    "FitResult",
    "Influence",
    "Iteration",
    "LaplaceOptions",
    "Method",
    "Npde",
    "NpdeOptions",
    "NpdeTests",
    "OuterOptions",
    "ParameterRow",
    "ParameterTable",
    "Problem",
    "ProblemOptions",
    "Replicates",
    "SaemOptions",
    "Vpc",
    "VpcOptions",
    "diagnose",
    "fit",
    "fit_files",
    "fit_manifest",
    "fit_problem",
    "fit_tables",
    "fit_to_dict",
    "influence",
    "load_checkpoint",
    "make_checkpoint",
    "make_problem",
    "npde",
    "npde_tests",
    "objective_of",
    "parameter_table",
    "predict_curves",
    "save_checkpoint",
    "save_fit",
    "simulate_replicates",
    "vpc",
]
