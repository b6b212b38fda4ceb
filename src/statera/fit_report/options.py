"""What a user may choose for the report of a fit."""

from __future__ import annotations

from dataclasses import dataclass, field

from statera.errors import UsageError
from statera.estimate.npc import NpcOptions
from statera.estimate.npde import NpdeOptions
from statera.estimate.vpc import VpcOptions

__all__ = ["FitReportOptions"]


@dataclass(frozen=True)
class FitReportOptions:
    """Options with their defaults.

    Attributes
    ----------
    logarithmic
        Whether values are drawn on logarithmic axes.
    pages
        Pages of individual fits, 16 subjects each; the report says how many subjects it leaves out.
    vpc
        Visual predictive checks, one figure each; none where empty. All are made from the same
        replicates, whose number and seed are those of the first.
    npc
        The numerical predictive check, from the same replicates; None for none.
    influence
        Whether the deletion of each subject is approximated.
    """

    logarithmic: bool = False
    pages: int = 2
    vpc: tuple[VpcOptions, ...] = field(default_factory=lambda: (VpcOptions(),))
    npc: NpcOptions | None = field(default_factory=NpcOptions)
    influence: bool = True

    def __post_init__(self) -> None:
        if self.pages < 0:
            raise UsageError("the number of pages cannot be negative", where="pages")

    @property
    def npde(self) -> NpdeOptions:
        """Options of prediction distribution errors, by the replicates of the checks."""
        first = self.vpc[0] if self.vpc else VpcOptions()
        return NpdeOptions(n=first.n, seed=first.seed)
