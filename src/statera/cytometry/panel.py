"""What a panel's channels stand for, and populations described by signs of markers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from statera.cytometry.describe_fcs import FcsDescription
from statera.cytometry.read_fcs import FcsFile
from statera.errors import InputError, UnknownNameError

__all__ = ["BASES", "Panel", "PanelChannels", "parse_base", "parse_signs"]

BASES = ("cells", "singlets", "live", "lymphocytes", "monocytes")
"""Gates that a population may be said to lie in: ``lymphocytes CD3+ CD4+``."""

_POSITIVE, _NEGATIVE = "+⁺", "-−–⁻"
_SCATTER = ("fsc_area", "fsc_height", "ssc_area", "live_dead", "time")


def parse_signs(text: str) -> tuple[tuple[str, bool], ...]:
    """Return markers with True for positive, in order, from text such as ``CD3+ CD4+ CD8-``.

    A gate in front (see `BASES`) is left out; `parse_base` returns it. Commas may stand between.

    Raises
    ------
    InputError
        If a word has no sign, stands for no marker, or a marker stands twice.
    """
    found: dict[str, bool] = {}
    for word in _words(text):
        if word.lower() in BASES:
            continue
        name, sign = word[:-1], word[-1]
        if sign not in _POSITIVE + _NEGATIVE:
            raise InputError(
                f"'{word}' in '{text}' has no sign",
                hint="Write a marker with + or - behind it, such as CD3+ CD4+ CD8-.",
            )
        if not name:
            raise InputError(
                f"a sign in '{text}' has no marker",
                hint="Write the sign right behind its marker: CD3+, not CD3 +.",
            )
        if name in found:
            raise InputError(f"{name} stands twice in '{text}'", hint="Name each marker once.")
        found[name] = sign in _POSITIVE
    return tuple(found.items())


def parse_base(text: str) -> str:
    """Return the gate that a population is said to lie in; empty where the text names none.

    Raises
    ------
    InputError
        If it names two.
    """
    bases = [word.lower() for word in _words(text) if word.lower() in BASES]
    if len(bases) > 1:
        raise InputError(
            f"'{text}' names {len(bases)} gates to lie in", hint="Name one, such as lymphocytes."
        )
    return bases[0] if bases else ""


def _words(text: str) -> list[str]:
    return text.replace(",", " ").replace(":", " ").split()


@dataclass(frozen=True)
class PanelChannels:
    """Channels of one file by what they stand for.

    Attributes
    ----------
    fsc_area, fsc_height, ssc_area, live_dead, time
        Names (``$PnN``); empty where the panel names none or the file lacks it.
    markers, readouts
        Names of channels by marker and readout; those that the file lacks are left out.
    missing
        What was asked for, by role, such as ``marker CD3``: ``FITC-A``.
    problems
        A sentence for each.
    """

    fsc_area: str
    fsc_height: str
    ssc_area: str
    live_dead: str
    time: str
    markers: Mapping[str, str]
    readouts: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """What the channels of an experiment stand for.

    Attributes
    ----------
    fsc_area, fsc_height, ssc_area, live_dead, time
        Channels by name (``$PnN``) or label (``$PnS``); empty where there is none.
    markers
        Channel of each marker, such as ``CD3``: ``FITC-A``.
    readouts
        Channel of each measured signal, such as ``pSTAT3``: ``APC-A``.
    populations
        Signs of markers by population, such as ``CD4``: ``CD3+ CD4+``; a gate in front says where
        it lies: ``monocytes CD14+``. Empty where gates are given otherwise.
    """

    fsc_area: str
    fsc_height: str
    ssc_area: str
    live_dead: str
    time: str
    markers: Mapping[str, str]
    readouts: Mapping[str, str]
    populations: Mapping[str, str]

    def __post_init__(self) -> None:
        for name, text in self.populations.items():
            if name.lower() in BASES:
                raise InputError(
                    f"a population cannot be called '{name}': a gate has that name",
                    where=name,
                    hint="Choose another name.",
                )
            base, signs = parse_base(text), parse_signs(text)
            if not signs and not base:
                raise InputError(
                    f"the population '{name}' names no marker",
                    where=name,
                    hint="Write its markers with signs, such as CD3+ CD4+.",
                )
            for marker, _ in signs:
                if marker not in self.markers:
                    raise UnknownNameError("marker", marker, self.markers, where=name)

    def signs(self, population: str) -> tuple[tuple[str, bool], ...]:
        """Return the markers of a population with True for positive."""
        return parse_signs(self.populations[population])

    def base(self, population: str) -> str:
        """Return the gate that a population is said to lie in; empty where none is named."""
        return parse_base(self.populations[population])

    def resolve(self, file: FcsFile | FcsDescription) -> PanelChannels:
        """Return the file's channels by role; those it lacks are named in `missing`."""
        missing: dict[str, str] = {}
        problems: list[str] = []

        def find(role: str, name: str) -> str:
            if not name:
                return ""
            try:
                return file.channels[file.index(name)].name
            except UnknownNameError as error:
                missing[role] = name
                where = f"{file.path.name} has no channel '{name}' for {role}"
                problems.append(f"{where}. {error.hint}" if error.hint else f"{where}.")
                return ""

        plain = {role: find(role, getattr(self, role)) for role in _SCATTER}
        markers = {m: find(f"marker {m}", name) for m, name in self.markers.items()}
        readouts = {r: find(f"readout {r}", name) for r, name in self.readouts.items()}
        return PanelChannels(
            **plain,
            markers={m: name for m, name in markers.items() if name},
            readouts={r: name for r, name in readouts.items() if name},
            missing=missing,
            problems=tuple(problems),
        )
