"""Parameters of a sample in a FlowJo workspace: channels, compensation, scales and keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from statera.cytometry.compensation import Spillover
from statera.cytometry.flowjo_scales import local, number, read_scale
from statera.cytometry.gates import FROM_FILE, Dimension
from statera.cytometry.scales import Scale
from statera.errors import InputError

__all__ = ["Compensation", "Parameters", "Untranslated", "read_parameters"]

Element = ElementTree.Element


@dataclass(frozen=True)
class Untranslated:
    """What of a workspace is not taken over as it stands.

    Attributes
    ----------
    where
        Sample or group.
    what
        Gate, scale, matrix or statistic.
    reason
        Why, or what was done instead.
    kept
        Whether it was taken over nevertheless, as the reason says.
    """

    where: str
    what: str
    reason: str
    kept: bool = False


@dataclass(frozen=True)
class Compensation:
    """A matrix of FlowJo; its dyes are the compensated names, such as ``Comp-FITC-A``."""

    name: str
    spillover: Spillover


@dataclass(frozen=True)
class Parameters:
    """What gates of a sample refer to.

    Attributes
    ----------
    channels
        Names in the file by FlowJo's names, which write ``_`` for ``/``; empty if not known.
    derived
        Parameters that FlowJo computes.
    compensations
    scales
        By parameter as gates name it.
    refused
        Reasons, by parameter, why a scale is not known.
    refused_matrices
        Reasons, by name, why a matrix is not taken over.
    """

    channels: Mapping[str, str]
    derived: frozenset[str]
    compensations: tuple[Compensation, ...]
    scales: Mapping[str, Scale]
    refused: Mapping[str, str]
    refused_matrices: Mapping[str, str]

    def dimension(self, name: str) -> Dimension:
        """Return what a gate looks at.

        Raises
        ------
        InputError
            If it is a derived parameter, or compensated by a matrix that is not taken over.
        """
        if name in self.derived:
            raise InputError(f"looks at the derived parameter {name}, which is not computed")
        scale = self.scales.get(name)
        for made in self.compensations:
            if name in made.spillover.dyes:
                return Dimension(name, scale, made.name)
        plain = name.removeprefix("Comp-")
        if plain != name and name not in self.channels:
            if self.refused_matrices:
                reason = next(iter(self.refused_matrices.values()))
                raise InputError(f"looks at {name}, whose matrix is not taken over: {reason}")
            return Dimension(self.channels.get(plain, plain), scale, FROM_FILE)
        return Dimension(self.channels.get(name, name), scale)


def read_parameters(
    sample: Element, keywords: Mapping[str, str], where: str
) -> tuple[Parameters, list[Untranslated]]:
    """Return the parameters of a ``Sample`` element and what of them is not taken over."""
    lost: list[Untranslated] = []
    names = [
        v
        for k, v in keywords.items()
        if k[:2].upper() == "$P" and k[-1:].upper() == "N" and k[2:-1].isdigit()
    ]
    channels = {name.replace("/", "_"): name for name in names} | {name: name for name in names}
    derived = set()
    for element in sample.iter():
        if local(element.tag) == "DerivedParameter":
            name = element.get("name", "")
            derived.add(name)
            lost.append(Untranslated(where, f"derived parameter {name}", "is not computed"))
    compensations, refused_matrices = _compensations(sample, channels)
    scales, refused, remarks = _scales(sample, keywords)
    for compensation in compensations:  # a scale of the plain channel serves where there is none
        for dye, detector in zip(
            compensation.spillover.dyes, compensation.spillover.detectors, strict=False
        ):
            if dye not in scales and dye not in refused and detector in scales:
                scales[dye] = scales[detector]
    lost += [Untranslated(where, f"matrix {k}", v) for k, v in refused_matrices.items()]
    lost += [Untranslated(where, f"scale of {k}", v) for k, v in refused.items()]
    lost += [Untranslated(where, f"gain of {k}", v, kept=True) for k, v in remarks.items()]
    made = Parameters(
        channels, frozenset(derived), compensations, scales, refused, refused_matrices
    )
    return made, lost


def _compensations(
    sample: Element, channels: Mapping[str, str]
) -> tuple[tuple[Compensation, ...], dict[str, str]]:
    """Return the matrices of a sample, and reasons by name why others are not taken over."""
    found: list[Compensation] = []
    refused: dict[str, str] = {}
    for element in sample:
        if local(element.tag) == "spilloverMatrix":
            try:
                found.append(_compensation(element, channels, [made.name for made in found]))
            except InputError as error:
                refused[element.get("name", "")] = error.what
    return tuple(found), refused


def _scales(
    sample: Element, keywords: Mapping[str, str]
) -> tuple[dict[str, Scale], dict[str, str], dict[str, str]]:
    """Return scales, reasons why others are not known and remarks on gains, by parameter."""
    scales: dict[str, Scale] = {}
    refused: dict[str, str] = {}
    remarks: dict[str, str] = {}
    for element in (e for g in sample if local(g.tag) == "Transformations" for e in g):
        name = _parameter(element)
        remark = _gain(element, name, keywords)
        if remark:
            remarks[name] = remark
        try:
            scales[name] = read_scale(element)
        except InputError as error:
            refused[name] = error.what
    return scales, refused, remarks


def _gain(element: Element, name: str, keywords: Mapping[str, str]) -> str:
    """Return what to say of a gain that differs from how files are read here."""
    try:
        gain = float(element.get("gain", "1"))
        step = float(keywords.get("$TIMESTEP", "1")) if name.lower() == "time" else 1.0
    except ValueError:
        return ""
    if abs(gain - step) <= 1e-6 * abs(step):
        return ""
    plain = f"times are read with $TIMESTEP = {step:g}" if name.lower() == "time" else "not applied"
    return f"FlowJo has a gain of {gain:g}; {plain}"


def _parameter(element: Element) -> str:
    for child in element.iter():
        if local(child.tag) == "parameter":
            return _attribute(child, "name")
    return ""


def _attribute(element: Element, name: str) -> str:
    return next((v for k, v in element.attrib.items() if local(k) == name), "")


def _compensation(
    element: Element, channels: Mapping[str, str], taken: Sequence[str]
) -> Compensation:
    """Return a matrix; each row of it lists a coefficient for each detector."""
    name = element.get("name") or _attribute(element, "id") or "matrix"
    if name in taken:
        name = f"{name} ({len(taken) + 1})"
    prefix, suffix = element.get("prefix", "Comp-"), element.get("suffix", "")
    algorithm = element.get("weightOptAlgorithmType", "OLS")
    if element.get("spectral") == "1" and algorithm != "OLS":
        raise InputError(f"spectral unmixing by '{algorithm}' is not known, only least squares is")
    rows: list[dict[str, float]] = []
    dyes: list[str] = []
    for row in element:
        if local(row.tag) != "spillover":
            continue
        dye = _attribute(row, "parameter")
        dyes.append(row.get("userProvidedCompInfix") or f"{prefix}{dye}{suffix}")
        rows.append(
            {
                _attribute(c, "parameter"): number(c, "value")
                for c in row
                if local(c.tag) == "coefficient"
            }
        )
    if not rows or any(set(row) != set(rows[0]) for row in rows):
        raise InputError("its rows are missing or do not list the same detectors")
    detectors = list(rows[0])
    matrix = np.array([[row[d] for d in detectors] for row in rows])
    names = tuple(channels.get(d, d) for d in detectors)
    return Compensation(name, Spillover(names, tuple(dyes), matrix, name))
