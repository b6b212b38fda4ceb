"""Models as descriptions: parameters with origin, equations, random effects, domain."""

from statera.model.build import SCHEMA, build_model
from statera.model.fields import SpecError
from statera.model.model import (
    Covariate,
    Equation,
    Expectation,
    InputProcess,
    Likelihood,
    Mixture,
    Model,
    Output,
    Parameter,
    Prior,
    RandomEffect,
    Range,
    Residual,
)
from statera.model.structures import structure, structure_names, structure_parameters

__all__ = [
    "SCHEMA",
    "Covariate",
    "Equation",
    "Expectation",
    "InputProcess",
    "Likelihood",
    "Mixture",
    "Model",
    "Output",
    "Parameter",
    "Prior",
    "RandomEffect",
    "Range",
    "Residual",
    "SpecError",
    "build_model",
    "structure",
    "structure_names",
    "structure_parameters",
]
