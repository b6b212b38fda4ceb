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
    document, notes = file.document, list[str]()
    level_3 = document.getLevel() >= 3  # level 2 has no packages: what looks so is annotation
    packages: list[tuple[str, str]] = [
        (document.getPlugin(i).getPackageName(), document.getPlugin(i).getPrefix())
        for i in range(document.getNumPlugins() if level_3 else 0)
    ]
    for name, prefix in packages:
        if name in {"l3v2extendedmath", ""} or not document.isSetPackageRequired(name):
            continue
        if document.getPackageRequired(name):
            raise _package(file, prefix or name)
        notes.append(f"the package '{name}' is passed over")
    for index in range(document.getNumUnknownPackages()):
        prefix = document.getUnknownPackagePrefix(index)
        if document.getPackageRequired(prefix):
            raise _package(file, prefix)
        notes.append(f"the package '{prefix}' is passed over")
    constraints = file.model.getNumConstraints()
    if constraints:
        notes.append(f"constraints are not checked ({constraints})")
    return notes


def _package(file: SbmlFile, name: str) -> InputError:
    return InputError(
        f"the file needs the SBML package '{name}', which is not supported",
        where=Place(file.name, file.document.getLine() or None),
        hint="Only files that can be understood by the SBML core alone are read.",
    )
