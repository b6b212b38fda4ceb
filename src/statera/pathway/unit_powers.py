"""Units as powers of bases with a factor: multiplied, raised and compared."""

from __future__ import annotations

from dataclasses import dataclass

from statera.pathway.sbml_functions import AVOGADRO

__all__ = ["UnitPowers"]

_SAME_FACTOR = 1e-9  # relative; factors are written with a few digits


@dataclass(frozen=True)
class UnitPowers:
    """A factor and the exponents of base units, sorted by name; none is zero.

    Bases are those of the SI and ``item``.
    """

    factor: float = 1.0
    exponents: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of_kind(cls, kind: str) -> UnitPowers:
        """Return a unit by the name that SBML gives it.

        Raises
        ------
        KeyError
            If there is no such unit.
        """
        factor, exponents = _KINDS[kind]
        return cls(factor, tuple(sorted(exponents.items())))

    def __mul__(self, other: UnitPowers) -> UnitPowers:
        total = dict(self.exponents)
        for base, exponent in other.exponents:
            total[base] = total.get(base, 0.0) + exponent
        kept = tuple(sorted((base, e) for base, e in total.items() if abs(e) > 1e-12))
        return UnitPowers(self.factor * other.factor, kept)

    def __pow__(self, exponent: float) -> UnitPowers:
        kept = tuple((base, e * exponent) for base, e in self.exponents if e * exponent)
        return UnitPowers(self.factor**exponent, kept)

    def __str__(self) -> str:
        above = [_power(base, e) for base, e in self.exponents if e > 0]
        below = [_power(base, -e) for base, e in self.exponents if e < 0]
        if not above and not below:
            return "no unit" if self.factor == 1.0 else f"({self.factor:g})"
        text = "/".join([" ".join(above) or "1", *below])
        return text if self.factor == 1.0 else f"{self.factor:g} {text}"

    def same_dimension(self, other: UnitPowers) -> bool:
        """Return True where the two differ by a factor at most."""
        return self.exponents == other.exponents

    def same(self, other: UnitPowers) -> bool:
        """Return True where the two are one."""
        ratio = self.factor / other.factor
        return self.same_dimension(other) and abs(ratio - 1.0) < _SAME_FACTOR


def _power(base: str, exponent: float) -> str:
    return base if exponent == 1.0 else f"{base}^{exponent:g}"


_KINDS: dict[str, tuple[float, dict[str, float]]] = {
    "ampere": (1.0, {"A": 1.0}),
    "avogadro": (AVOGADRO, {}),
    "becquerel": (1.0, {"s": -1.0}),
    "candela": (1.0, {"cd": 1.0}),
    "Celsius": (1.0, {"K": 1.0}),
    "coulomb": (1.0, {"A": 1.0, "s": 1.0}),
    "dimensionless": (1.0, {}),
    "farad": (1.0, {"A": 2.0, "s": 4.0, "kg": -1.0, "m": -2.0}),
    "gram": (1e-3, {"kg": 1.0}),
    "gray": (1.0, {"m": 2.0, "s": -2.0}),
    "henry": (1.0, {"kg": 1.0, "m": 2.0, "s": -2.0, "A": -2.0}),
    "hertz": (1.0, {"s": -1.0}),
    "item": (1.0, {"item": 1.0}),
    "joule": (1.0, {"kg": 1.0, "m": 2.0, "s": -2.0}),
    "katal": (1.0, {"mol": 1.0, "s": -1.0}),
    "kelvin": (1.0, {"K": 1.0}),
    "kilogram": (1.0, {"kg": 1.0}),
    "liter": (1e-3, {"m": 3.0}),
    "litre": (1e-3, {"m": 3.0}),
    "lumen": (1.0, {"cd": 1.0}),
    "lux": (1.0, {"cd": 1.0, "m": -2.0}),
    "meter": (1.0, {"m": 1.0}),
    "metre": (1.0, {"m": 1.0}),
    "mole": (1.0, {"mol": 1.0}),
    "newton": (1.0, {"kg": 1.0, "m": 1.0, "s": -2.0}),
    "ohm": (1.0, {"kg": 1.0, "m": 2.0, "s": -3.0, "A": -2.0}),
    "pascal": (1.0, {"kg": 1.0, "m": -1.0, "s": -2.0}),
    "radian": (1.0, {}),
    "second": (1.0, {"s": 1.0}),
    "siemens": (1.0, {"A": 2.0, "s": 3.0, "kg": -1.0, "m": -2.0}),
    "sievert": (1.0, {"m": 2.0, "s": -2.0}),
    "steradian": (1.0, {}),
    "tesla": (1.0, {"kg": 1.0, "s": -2.0, "A": -1.0}),
    "volt": (1.0, {"kg": 1.0, "m": 2.0, "s": -3.0, "A": -1.0}),
    "watt": (1.0, {"kg": 1.0, "m": 2.0, "s": -3.0}),
    "weber": (1.0, {"kg": 1.0, "m": 2.0, "s": -2.0, "A": -1.0}),
}
