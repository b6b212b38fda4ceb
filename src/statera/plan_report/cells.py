"""Numbers of the bench sheet as they are pipetted."""

from __future__ import annotations

from statera.report.document import Cell

__all__ = ["amount", "dose", "percent", "volume"]


def volume(microlitres: float, method: str = "dilutions") -> Cell:
    """Return a volume in µL."""
    return Cell(f"{microlitres:g} µL", "computed", method=method, value=microlitres, unit="uL")


def dose(nanomolar: float, like_nM: float | None = None, method: str = "dilutions") -> Cell:
    """Return a concentration with four digits, in the unit in which `like_nM` reads well."""
    like = nanomolar if like_nM is None else like_nM
    units = (("mM", 1e6), ("µM", 1e3), ("nM", 1.0), ("pM", 1e-3))
    unit, size = next((u for u in units if like >= u[1] * (1 - 1e-3)), units[-1])
    text = f"{float(f'{nanomolar / size:.4g}'):g} {unit}"
    return Cell(text, "computed", method=method, value=nanomolar, unit="nM")


def percent(value: float, method: str = "dilutions", digits: int = 3) -> Cell:
    """Return a share in %."""
    text = f"{float(f'{value:.{digits}g}'):g} %"
    return Cell(text, "computed", method=method, value=value, unit="%")


def amount(value: float, unit: str, method: str = "totals") -> Cell:
    """Return an amount with three digits."""
    shown = (
        f"{value:.3g}" if value < 1e4 or value >= 1e6 else f"{value:,.0f}".replace(",", "\u202f")
    )
    return Cell(f"{shown} {unit}".rstrip(), "computed", method=method, value=value, unit=unit)
