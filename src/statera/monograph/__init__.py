"""The executable monograph: a drug's cited facts turned into a computed page."""

from statera.monograph.build import build
from statera.monograph.options import MonographOptions, Progress

__all__ = ["MonographOptions", "Progress", "build"]
