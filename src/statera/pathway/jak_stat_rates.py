"""Constants of the compact JAK-STAT pathway that come with the program."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files

from statera.errors import UnknownNameError
from statera.library.read import read_document
from statera.pathway.jak_stat_model import JakStatRates

__all__ = ["CytokineRates", "cytokines_with_rates", "load_rates"]


@dataclass(frozen=True)
class CytokineRates:
    """Constants for one cytokine.

    Attributes
    ----------
    half_stimulus, unit
        Concentration at which receptors are half active without drug.
    status, source
        How they were obtained.
    """

    cytokine: str
    rates: JakStatRates
    half_stimulus: float
    unit: str
    status: str
    source: str


@lru_cache(maxsize=1)
def _all() -> dict[str, CytokineRates]:
    found = {}
    for file in (files("statera.pathway") / "rates").iterdir():
        if not file.name.endswith(".toml"):
            continue
        top = read_document(file, "statera.jak-stat-rates/1").table()
        top.text("schema")
        table = top.sub("rates")
        values = {f.name: table.number(f.name) for f in fields(JakStatRates)}
        table.finish()
        missing = [name for name, value in values.items() if value is None]
        if missing:
            top.fail("rates", f"{', '.join(missing)} is missing", "all constants of the model")
        half = top.number("half_stimulus")
        if half is None or half <= 0.0:
            top.fail("half_stimulus", "it is missing or not above 0", "a concentration")
        name = top.text("cytokine")
        found[name] = CytokineRates(
            name,
            JakStatRates(**{k: v for k, v in values.items() if v is not None}),
            half,
            top.text("half_stimulus_unit"),
            top.text("status"),
            top.text("source"),
        )
        top.finish()
    return found


def cytokines_with_rates() -> tuple[str, ...]:
    """Return the cytokines for which constants come with the program."""
    return tuple(_all())


def load_rates(cytokine: str) -> CytokineRates:
    """Return the constants for a cytokine.

    Raises
    ------
    UnknownNameError
        If none come with the program.
    """
    known = _all()
    if cytokine not in known:
        raise UnknownNameError("cytokine", cytokine, tuple(known))
    return known[cytokine]
