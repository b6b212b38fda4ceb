"""The same person by the label rules of every region."""

from __future__ import annotations

from statera.dosing.decide import decide
from statera.dosing.decision import Decision
from statera.dosing.indications import resolve_indication
from statera.dosing.label_coverage import label_coverage
from statera.dosing.patient import Patient
from statera.errors import DomainError
from statera.library.drug import load_drug

__all__ = ["compare_regions"]


def compare_regions(drug: str, patient: Patient, *, indication: str) -> tuple[Decision, ...]:
    """Return the decision of every region that has a rule for the indication.

    Raises
    ------
    UnknownNameError
        If drug or indication are not known.
    DomainError
        If no region has a rule for the indication.
    """
    known, wanted = load_drug(drug), resolve_indication(indication)
    covered = [row for row in label_coverage() if row.drug == known.name]
    regions = [row.region for row in covered if wanted in row.indications]
    if not regions:
        named = sorted({i for row in covered for i in row.indications})
        raise DomainError(
            f"the library holds no rule of {known.name} for {wanted} in any region",
            where="indication",
            hint=f"It holds rules for: {', '.join(named)}." if named else "It holds none at all.",
        )
    return tuple(decide(known.name, region, patient, indication=wanted) for region in regions)
