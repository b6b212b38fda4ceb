"""Population estimation: nonlinear mixed-effects models fitted to data."""

from statera.estimate.fit import METHODS, Method, fit, fit_problem, objective_of
from statera.estimate.laplace import LaplaceOptions
from statera.estimate.outer import OuterOptions
from statera.estimate.problem import Problem, ProblemOptions, make_problem
from statera.estimate.result import FitResult, Iteration

__all__ = [
    "METHODS",
    "FitResult",
    "Iteration",
    "LaplaceOptions",
    "Method",
    "OuterOptions",
    "Problem",
    "ProblemOptions",
    "fit",
    "fit_problem",
    "make_problem",
    "objective_of",
]
