"""A user's own potencies, from a table (CSV) or from the potencies fitted from a plate (TOML)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from statera.engagement.potency import Potency
from statera.engagement.potency_csv import read_potency_csv
from statera.engagement.potency_record import PotencyFile, RefusedPotency
from statera.engagement.potency_toml import SCHEMA, read_potency_toml
from statera.errors import InputError

__all__ = ["GivenPotencies", "read_potencies"]

_TABLES = (".csv", ".tsv", ".txt")
_SAYS_SCHEMA = re.compile(rb"^\s*schema\s*=", re.MULTILINE)
_BEGIN = 4096
BOTH = f'a table (.csv), or a potency file (.toml) that begins with: schema = "{SCHEMA}"'


@dataclass(frozen=True)
class GivenPotencies:
    """What a user gave.

    Attributes
    ----------
    potencies
        In the order of the file.
    plate
        What the potency file says besides; None for a table.
    """

    potencies: tuple[Potency, ...]
    plate: PotencyFile | None = None

    @property
    def refused(self) -> tuple[RefusedPotency, ...]:
        """Curves of the plate that gave no potency."""
        return self.plate.refused if self.plate is not None else ()


def read_potencies(path: str | Path, drug: str = "") -> GivenPotencies:
    """Read potencies from a table or a potency file; its ending decides, or what it says itself.

    Parameters
    ----------
    path
        ``.toml``, or any file that names its schema: a potency file. All others: a table.
    drug
        Drug of rows of a table that name none.

    Raises
    ------
    InputError
        As the readers of both kinds; where the kind is in doubt, the hint names both.
    """
    place = Path(path)
    if place.suffix.lower() == ".toml" or _says_schema(place):
        try:
            plate = read_potency_toml(place)
        except InputError as error:
            if "schema" not in error.what:
                raise
            raise InputError(error.what, where=error.where, hint=f"Give {BOTH}.") from error
        return GivenPotencies(tuple(r.potency() for r in plate.potencies), plate)
    try:
        return GivenPotencies(read_potency_csv(place, drug))
    except InputError as error:
        if place.suffix.lower() in _TABLES:
            raise
        hint = f"{error.hint} Potencies are given as {BOTH}.".strip()
        raise InputError(error.what, where=error.where, hint=hint) from error


def _says_schema(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _SAYS_SCHEMA.search(file.read(_BEGIN)) is not None
    except OSError:
        return False  # said by the reader, with the reason
