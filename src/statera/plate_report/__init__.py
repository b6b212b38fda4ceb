"""The report of one plate: IC50s with their status, curves, gates, quality and origin."""

from statera.plate_report.build import build_plate_report
from statera.plate_report.options import PlateReportOptions

__all__ = ["PlateReportOptions", "build_plate_report"]
