"""What a user may choose for a monograph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from statera.errors import UsageError

__all__ = ["MonographOptions", "Progress"]

Progress = Callable[[str, float | None], None]
"""Called with the stage that begins and the fraction done."""


@dataclass(frozen=True)
class MonographOptions:
    """Options with their defaults.

    Attributes
    ----------
    n
        Simulated subjects behind each population band.
    seed
        Seed of the simulations.
    workers
        Threads; 0 takes all processors this process may use.
    concentration_nM
        Total plasma concentration, nM, at which the pathway is coloured and the cytokine table
        computed; None takes the typical average concentration at steady state of the highest
        once- or twice-daily label dose.
    potency_table
        A user's own potencies, a table (.csv) or those fitted from a plate (.toml), shown beside
        those of the library.
    """

    n: int = 1000
    seed: int = 1
    workers: int = 0
    concentration_nM: float | None = None
    potency_table: Path | None = None

    def __post_init__(self) -> None:
        if not 20 <= self.n <= 1_000_000:
            raise UsageError(f"{self.n} subjects: give 20 to 1000000", where="n")
        if self.workers < 0:
            raise UsageError("the number of workers cannot be negative", where="workers")
        if self.concentration_nM is not None and not 0 < self.concentration_nM < 1e9:
            raise UsageError(
                f"a concentration of {self.concentration_nM:g} nM cannot be used",
                where="concentration",
                hint="Give a total plasma concentration above zero, such as '50 nM'.",
            )
