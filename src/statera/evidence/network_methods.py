"""Names of the ways to fit a network of trials; imports nothing, so that help can list them."""

from __future__ import annotations

__all__ = ["COUNTS", "METHODS"]

#: Models of counts: what they are of.
COUNTS = {
    "mantel-haenszel": "OR",
    "hypergeometric": "OR",
    "binomial": "OR",
    "binomial-firth": "OR",
    "binomial-normal": "OR",
    "poisson": "IRR",
    "poisson-firth": "IRR",
    "poisson-normal": "IRR",
}
METHODS = ("inverse-variance", *COUNTS)
