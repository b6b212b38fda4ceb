"""Keywords of a file that tell how it was measured, without those that name persons."""

from __future__ import annotations

from collections.abc import Mapping

from statera.cytometry.read_fcs import FcsFile

__all__ = ["measurement_keywords"]

# Chosen one by one: an operator ($OP), an investigator ($EXP), a source ($SRC, often a patient),
# names of files and serial numbers are left out.
_SHOWN = ("$CYT", "$DATE", "$BTIM", "$ETIM", "$SYS", "CREATOR")


def measurement_keywords(file: FcsFile) -> Mapping[str, str]:
    """Return the keywords above that a file has, and under ``voltages`` those of its detectors."""
    found = {name: text.strip() for name in _SHOWN if (text := file.keywords.get(name, "")).strip()}
    voltages = []
    number = 1
    while name := file.keywords.get(f"$P{number}N", "").strip():
        volts = file.keywords.get(f"$P{number}V", "").strip()
        if volts not in ("", "0", "NA"):
            voltages.append(f"{name} {volts}")
        number += 1
    if voltages:
        found["voltages"] = ", ".join(voltages)
    return found
