"""The bench sheet of a planned assay as a page."""

from statera.plan_report.build import bench_sheet

__all__ = ["bench_sheet"]
