"""Put a plan together: protocol, options, dilutions and wells, with the expected inhibition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statera.assay.plan_experiment import AssayPlan, plan_experiment
from statera.assay.plan_options import PlanOptions
from statera.assay.protocol import Protocol
from statera.engagement import Potency
from statera.plan.expected import (
    Expected,
    KnownPotencies,
    expected_inhibition,
    known_potencies,
)

__all__ = ["BenchPlan", "plan_bench"]


@dataclass(frozen=True)
class BenchPlan:
    """A plan with its protocol and what is expected of it.

    Attributes
    ----------
    protocol, assay
    expected
        By cytokine and potency.
    known
        What the library knows of the drug.
    """

    protocol: Protocol
    assay: AssayPlan
    expected: tuple[Expected, ...]
    known: KnownPotencies

    @property
    def stock_mg_per_mL(self) -> float | None:
        """Concentration of the stock by mass; None where the molar mass is not known."""
        mass = self.known.molar_mass
        return None if mass is None else self.assay.options.doses.stock_mM * mass / 1000.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before the work begins."""
        own = self.protocol.drug.name.lower() == self.known.drug.lower()
        other = (
            ()
            if own
            else (
                f"The protocol was written for {self.protocol.drug.name}; stock, solvent and "
                f"doses of {self.known.drug} are not stated by it.",
            )
        )
        return (*other, *self.known.remarks, *self.assay.remarks)


def plan_bench(
    protocol: Protocol,
    options: PlanOptions,
    own: Sequence[Potency] = (),
    *,
    precision: bool = True,
) -> BenchPlan:
    """Return the plan of an experiment.

    Parameters
    ----------
    protocol, options
        See `statera.assay.plan_read`.
    own
        The user's potencies, beside those of the library.
    precision
        Whether precision is simulated.

    Raises
    ------
    InputError
        If the experiment cannot be laid out or pipetted as asked.
    """
    assay = plan_experiment(options, precision=precision)
    known = known_potencies(options.drug, own)
    doses = [d.reached_nM for d in assay.dilutions.doses]
    expected = expected_inhibition(known, options.layout.cytokines, doses)
    return BenchPlan(protocol, assay, expected, known)
