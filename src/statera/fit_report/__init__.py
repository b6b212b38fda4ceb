"""The report of a fit: estimates, goodness of fit, random effects and predictive checks."""

from statera.fit_report.build import fit_report
from statera.fit_report.options import FitReportOptions

__all__ = ["FitReportOptions", "fit_report"]
