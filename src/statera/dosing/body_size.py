"""All measures of body size for one person, each with its value or the reason why it has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statera.dosing.body_surface_area import BSA_FORMULAS, body_surface_area
from statera.dosing.body_weight import adjusted_body_weight, ideal_body_weight
from statera.dosing.lean_mass import (
    fat_free_mass,
    fat_free_mass_children,
    lean_body_mass_boer,
    lean_body_mass_hume,
    lean_body_mass_james,
)
from statera.dosing.person import Sex
from statera.errors import StateraError

__all__ = ["BodySize", "body_sizes"]

_BSA_SOURCES = {
    "DuBois": "DuBois D, DuBois EF. Arch Intern Med 1916;17:863-871",
    "Mosteller": "Mosteller RD. N Engl J Med 1987;317:1098",
    "Haycock": "Haycock GB et al. J Pediatr 1978;93:62-66",
    "Gehan-George": "Gehan EA, George SL. Cancer Chemother Rep 1970;54:225-235",
    "Boyd": "Boyd E. The growth of the surface area of the human body, 1935",
}


@dataclass(frozen=True)
class BodySize:
    """One measure of body size.

    Attributes
    ----------
    name
    value
        In `unit`; None where it cannot be given.
    unit
    source
        Where the formula was published.
    sentence
        Why there is no value; empty where there is one.
    """

    name: str
    value: float | None
    unit: str
    source: str
    sentence: str = ""


def body_sizes(
    *, weight_kg: float, height_cm: float, sex: Sex | None = None, age: float | None = None
) -> tuple[BodySize, ...]:
    """Return all measures of body size.

    Raises
    ------
    InputError
        If weight or height cannot be those of a person.
    """
    found = [
        BodySize(
            f"body surface area, {formula}",
            body_surface_area(formula=formula, weight_kg=weight_kg, height_cm=height_cm).value,
            "m2",
            _BSA_SOURCES[formula],
        )
        for formula in BSA_FORMULAS
    ]
    for name, source, uses_age, measure in _MASSES:
        needed = {"sex": sex, "age": age} if uses_age else {"sex": sex}
        missing = [key for key, value in needed.items() if value is None]
        if missing:
            sentence = f"Needs {' and '.join(missing)}."
            found.append(BodySize(name, None, "kg", source, sentence))
            continue
        try:
            kg = measure(weight_kg=weight_kg, height_cm=height_cm, **needed)
        except StateraError as error:  # one measure never stops the others
            found.append(BodySize(name, None, "kg", source, f"{error.what}."))
        else:
            found.append(BodySize(name, kg, "kg", source))
    return tuple(found)


def _ideal(*, weight_kg: float, height_cm: float, sex: Sex) -> float:
    del weight_kg  # ideal weight knows height and sex only
    return ideal_body_weight(height_cm=height_cm, sex=sex)


_DEVINE = "Devine BJ. Drug Intell Clin Pharm 1974;8:650-655"
# name, source, whether age enters, formula
_MASSES: tuple[tuple[str, str, bool, Callable[..., float]], ...] = (
    ("ideal body weight, Devine", _DEVINE, False, _ideal),
    ("adjusted body weight, factor 0.4", _DEVINE, False, adjusted_body_weight),
    (
        "fat-free mass, Janmahasatian",
        "Janmahasatian S et al. Clin Pharmacokinet 2005;44:1051-1065",
        False,
        fat_free_mass,
    ),
    (
        "fat-free mass, Al-Sallami",
        "Al-Sallami HS et al. Clin Pharmacokinet 2015;54:1169-1178",
        True,
        fat_free_mass_children,
    ),
    (
        "lean body mass, Hume",
        "Hume R. J Clin Pathol 1966;19:389-391",
        False,
        lean_body_mass_hume,
    ),
    (
        "lean body mass, James",
        "James WPT. Research on obesity, London 1976",
        False,
        lean_body_mass_james,
    ),
    (
        "lean body mass, Boer",
        "Boer P. Am J Physiol 1984;247:F632",
        False,
        lean_body_mass_boer,
    ),
)
