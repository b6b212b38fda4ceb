"""What a file may not hold, each named; what is passed over, each noted."""

from __future__ import annotations

from statera.errors import InputError, Place
from statera.pathway.sbml_file import SbmlFile

__all__ = ["check_supported"]


def check_supported(file: SbmlFile) -> list[str]:
    """Return notes on what is passed over.

    Raises
    ------
    InputError
        If the file needs a package of SBML.
    """
    notes = []
    for key, value in file.root.items():
        prefix, _, attribute = key.partition(":")
        if attribute != "required" or prefix == "l3v2extendedmath":
            continue
        if value in {"true", "1"}:
            raise InputError(
                f"the file needs the SBML package '{prefix}', which is not supported",
                where=Place(file.name, file.document.getLine() or None),
                hint="Only files that can be understood by the SBML core alone are read.",
            )
        notes.append(f"the package '{prefix}' is passed over")
    constraints = file.model.getNumConstraints()
    if constraints:
        notes.append(f"constraints are not checked ({constraints})")
    return notes
