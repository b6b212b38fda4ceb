"""Population estimation: nonlinear mixed-effects models fitted to data."""

from statera.estimate.bins import Binning
from statera.estimate.bootstrap import Bootstrap, BootstrapOptions, bootstrap
from statera.estimate.checkpoint import (
    Checkpoint,
    load_checkpoint,
    make_checkpoint,
    save_checkpoint,
)
from statera.estimate.compare import RatioTest, information_criteria, likelihood_ratio
from statera.estimate.covariance import Covariance, CovarianceOptions, covariance
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
from statera.estimate.importance import ImportanceOptions, ImportanceResult, importance_sampling
from statera.estimate.influence import Influence, influence
from statera.estimate.its import ItsOptions, fit_its
from statera.estimate.laplace import LaplaceOptions
from statera.estimate.log_density import LogDensity, PriorOptions
from statera.estimate.membership import Membership, membership_of
from statera.estimate.npc import Npc, NpcOptions, npc
from statera.estimate.npde import Npde, NpdeOptions, NpdeTests, npde, npde_tests
from statera.estimate.nuts import NutsOptions, Posterior, sample_posterior
from statera.estimate.outer import OuterOptions
from statera.estimate.posterior_export import posterior_files, posterior_to_dict
from statera.estimate.problem import Problem, ProblemOptions, make_problem
from statera.estimate.profile import Profile, ProfileOptions, profile
from statera.estimate.replicates import Replicates, simulate_replicates
from statera.estimate.result import FitResult, Iteration
from statera.estimate.saem import SaemOptions
from statera.estimate.scm import Candidate, ScmOptions, covariate_search
from statera.estimate.shrinkage import Shrinkage, shrinkage
from statera.estimate.sir import Sir, SirOptions, importance_resampling
from statera.estimate.summary import fit_manifest
from statera.estimate.table import ParameterRow, ParameterTable, parameter_table
from statera.estimate.vpc import Vpc, VpcOptions, vpc
from statera.estimate.wald import wald_intervals

__all__ = [
    "FIT_METHODS",
    "METHODS",
    "Binning",
    "Bootstrap",
    "BootstrapOptions",
    "Candidate",
    "Checkpoint",
    "Covariance",
    "CovarianceOptions",
    "Curve",
    "DiagnosticOptions",
    "Diagnostics",
    "FitMethod",
    "FitResult",
    "ImportanceOptions",
    "ImportanceResult",
    "Influence",
    "Iteration",
    "ItsOptions",
    "LaplaceOptions",
    "LogDensity",
    "Membership",
    "Method",
    "Npc",
    "NpcOptions",
    "Npde",
    "NpdeOptions",
    "NpdeTests",
    "NutsOptions",
    "OuterOptions",
    "ParameterRow",
    "ParameterTable",
    "Posterior",
    "PriorOptions",
    "Problem",
    "ProblemOptions",
    "Profile",
    "ProfileOptions",
    "RatioTest",
    "Replicates",
    "SaemOptions",
    "ScmOptions",
    "Shrinkage",
    "Sir",
    "SirOptions",
    "Vpc",
    "VpcOptions",
    "bootstrap",
    "covariance",
    "covariate_search",
    "diagnose",
    "fit",
    "fit_files",
    "fit_its",
    "fit_manifest",
    "fit_problem",
    "fit_tables",
    "fit_to_dict",
    "importance_resampling",
    "importance_sampling",
    "influence",
    "information_criteria",
    "likelihood_ratio",
    "load_checkpoint",
    "make_checkpoint",
    "make_problem",
    "membership_of",
    "npc",
    "npde",
    "npde_tests",
    "objective_of",
    "parameter_table",
    "posterior_files",
    "posterior_to_dict",
    "predict_curves",
    "profile",
    "sample_posterior",
    "save_checkpoint",
    "save_fit",
    "shrinkage",
    "simulate_replicates",
    "vpc",
    "wald_intervals",
]
