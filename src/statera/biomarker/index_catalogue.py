"""The clinical indices that a table can be turned into: columns, and what is computed of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from statera.biomarker import acr, cdai, das28, easi, jadas, jia_acr, salt, sledai
from statera.biomarker.core_sets import MissingRule
from statera.biomarker.value_ranges import ValueRange
from statera.errors import UnknownNameError

__all__ = ["INDICES", "Index", "IndexOptions", "index_called"]

Columns = Mapping[str, NDArray[np.float64]]
Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class IndexOptions:
    """Options of all indices; each index uses those that concern it.

    Attributes
    ----------
    cutoffs
        Named set of cut-offs of DAS28 or JADAS; the index's own first set where None.
    course
        ``oligo`` or ``poly``; without it JADAS has no state.
    missing
        Rule for missing components of responses; the index's own where None.
    jia
        Variant of JIA-ACR.
    crp_unit
        ``mg/L`` or ``mg/dL``.
    gh_scale, pga_scale
        Upper end of general health (DAS28) and of the physician's assessment (SRI).
    absent_as_zero
        Items of SLEDAI-2K without a column count as not present.
    """

    cutoffs: str | None = None
    course: Literal["oligo", "poly"] | None = None
    missing: MissingRule | None = None
    jia: jia_acr.JiaAcrOptions | None = None
    crp_unit: das28.CrpUnit = "mg/L"
    gh_scale: float = 100.0
    pga_scale: float = 3.0
    absent_as_zero: bool = False


@dataclass(frozen=True)
class Index:
    """One index.

    Attributes
    ----------
    name, title
        As asked for, and in words.
    ranges
        What the columns may hold, by column; depends on options.
    compute
        Columns and options to results by name.
    optional
        Columns that may be absent.
    responder
        Whether missing components can still give a verdict, by a rule.
    """

    name: str
    title: str
    ranges: Callable[[IndexOptions], Mapping[str, ValueRange]]
    compute: Callable[[Columns, IndexOptions], Outputs]
    optional: frozenset[str] = field(default_factory=frozenset)
    responder: bool = False


def index_called(name: str) -> Index:
    """Return the index called `name`.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    found = INDICES.get(name.lower())
    if found is None:
        raise UnknownNameError("clinical index", name, INDICES)
    return found


def _das28(reactant: str, three: bool) -> Index:
    def ranges(options: IndexOptions) -> dict[str, ValueRange]:
        found = {"tjc": das28.TENDER_28, "sjc": das28.SWOLLEN_28}
        found[reactant] = das28.ESR if reactant == "esr" else das28.CRP
        if not three:
            found["gh"] = ValueRange("general health", high=options.gh_scale)
        return found

    def compute(c: Columns, options: IndexOptions) -> Outputs:
        scale = options.gh_scale
        if reactant == "esr":
            score = das28.das28_esr(c["tjc"], c["sjc"], c["esr"], c.get("gh"), gh_scale=scale)
        else:
            score = das28.das28_crp(
                c["tjc"], c["sjc"], c["crp"], c.get("gh"), gh_scale=scale,
                crp_unit=options.crp_unit,
            )  # fmt: skip
        return {"das28": score, "state": das28.das28_state(score, options.cutoffs or "esr")}

    words = f"DAS28-{reactant.upper()}, {'three' if three else 'four'} variables"
    return Index(f"das28-{reactant}{'3' if three else ''}", words, ranges, compute)


def _eular(c: Columns, options: IndexOptions) -> Outputs:
    cutoffs = options.cutoffs or "esr"
    return {"response": das28.eular_response(c["das28_baseline"], c["das28"], cutoffs)}


def _cdai(c: Columns, _: IndexOptions) -> Outputs:
    score = cdai.cdai(c["tjc"], c["sjc"], c["ptg"], c["phg"])
    return {"cdai": score, "state": cdai.cdai_state(score)}


def _sdai(c: Columns, options: IndexOptions) -> Outputs:
    score = cdai.sdai(c["tjc"], c["sjc"], c["ptg"], c["phg"], c["crp"], crp_unit=options.crp_unit)
    return {"sdai": score, "state": cdai.sdai_state(score)}


_CDAI = {
    "tjc": das28.TENDER_28,
    "sjc": das28.SWOLLEN_28,
    "ptg": cdai.PATIENT_GLOBAL,
    "phg": cdai.PHYSICIAN_GLOBAL,
}


def _two_visits(ranges: Mapping[str, ValueRange]) -> dict[str, ValueRange]:
    """Return ``name_baseline`` and ``name`` for every component."""
    return {f"{name}{end}": one for name, one in ranges.items() for end in ("_baseline", "")}


def _visits(c: Columns, names: Mapping[str, ValueRange]) -> tuple[Columns, Columns]:
    return {n: c[f"{n}_baseline"] for n in names}, {n: c[n] for n in names}


def _acr(c: Columns, options: IndexOptions) -> Outputs:
    base, later = _visits(c, acr.ACR_COMPONENTS)
    found = acr.acr_response(base, later, missing=options.missing or "not-improved")
    return {f"acr{level}": value for level, value in found.response.items()}


def _jia(c: Columns, options: IndexOptions) -> Outputs:
    chosen = options.jia or jia_acr.JiaAcrOptions(missing=options.missing or "not-improved")
    base, later = _visits(c, jia_acr.JIA_COMPONENTS)
    found = jia_acr.jia_acr_response(base, later, chosen)
    each = {f"jia_acr{level}": value for level, value in found.response.items()}
    return {**each, "level": found.level, "flare": jia_acr.jia_flare(base, later)}


def _jadas(joints: jadas.Joints, reactant: str) -> Index:
    ranges = {
        "phg": jadas.PHYSICIAN_GLOBAL,
        "pag": jadas.PARENT_GLOBAL,
        "ajc": jadas.ACTIVE_JOINTS,
    }
    if reactant:
        ranges[reactant] = das28.ESR if reactant == "esr" else das28.CRP

    def compute(c: Columns, options: IndexOptions) -> Outputs:
        if reactant:
            score = jadas.jadas(
                c["phg"], c["pag"], c["ajc"], esr=c.get("esr"), crp=c.get("crp"), joints=joints,
                crp_unit=options.crp_unit,
            )  # fmt: skip
        else:
            score = jadas.cjadas(c["phg"], c["pag"], c["ajc"], joints=joints)
        if options.course is None:
            return {"jadas": score}
        cutoffs = options.cutoffs or "consolaro-2012"
        state = jadas.jadas_state(score, options.course, clinical=not reactant, cutoffs=cutoffs)
        return {"jadas": score, "state": state}

    name = f"jadas{joints}-{reactant}" if reactant else f"cjadas{joints}"
    title = f"JADAS{joints} with {reactant.upper()}" if reactant else f"clinical JADAS{joints}"
    return Index(name, title, lambda _: ranges, compute)


_VIEWS = ("vertex", "posterior", "left", "right")
_REGIONS = ("head", "upper", "trunk", "lower")
_PARTS = (*easi.SIGNS, "area")
_EASI = {
    **{f"{r}_{p}": easi.AREA if p == "area" else easi.SIGN for r in _REGIONS for p in _PARTS},
    "age": easi.AGE,
}


def _salt(c: Columns, _: IndexOptions) -> Outputs:
    score = salt.salt(*(c[view] for view in _VIEWS))
    return {"salt": score, "at_most_20": salt.salt_at_most(score)}


def _easi(c: Columns, _: IndexOptions) -> Outputs:
    parts = (np.stack([c[f"{r}_{p}"] for p in _PARTS], axis=-1) for r in _REGIONS)
    head, upper, trunk, lower = parts
    return {"easi": easi.easi(head, upper, trunk, lower, age=c.get("age", np.float64(8.0)))}


def _sledai(c: Columns, options: IndexOptions) -> Outputs:
    return {"sledai_2k": sledai.sledai_2k(c, absent_as_zero=options.absent_as_zero)}


def _sri_ranges(options: IndexOptions) -> dict[str, ValueRange]:
    physician = ValueRange("physician global", high=options.pga_scale)
    return {
        "sledai_baseline": sledai.SLEDAI, "sledai": sledai.SLEDAI,
        "new_bilag_a": sledai.NEW_A, "new_bilag_b": sledai.NEW_B,
        "pga_baseline": physician, "pga": physician,
        "failed": ValueRange("treatment failure", high=1, step=1),
    }  # fmt: skip


def _sri(c: Columns, options: IndexOptions) -> Outputs:
    failed = c.get("failed", np.zeros(1))
    found = sledai.sri_response(
        c["sledai_baseline"], c["sledai"], c["new_bilag_a"], c["new_bilag_b"],
        c["pga_baseline"], c["pga"], failed=np.nan_to_num(failed) > 0.0,
        pga_scale=options.pga_scale, missing=options.missing or "non-responder",
    )  # fmt: skip
    return {"sri4": found.response}


_VIEW_RANGES = {view: ValueRange(f"hair loss, {view} (%)", high=100) for view in _VIEWS}
_ITEMS = {n: ValueRange(f"item {n}", high=1, step=1) for n in sledai.SLEDAI_WEIGHTS}
_JOINTS: tuple[jadas.Joints, ...] = (10, 27, 71)

INDICES: Mapping[str, Index] = {
    one.name: one
    for one in (
        *(_das28(reactant, three) for reactant in ("esr", "crp") for three in (False, True)),
        Index("eular", "EULAR response by DAS28",
              lambda _: _two_visits({"das28": das28.DAS28}), _eular),
        Index("cdai", "CDAI", lambda _: _CDAI, _cdai),
        Index("sdai", "SDAI", lambda _: {**_CDAI, "crp": das28.CRP}, _sdai),
        Index("acr", "ACR20, ACR50, ACR70", lambda _: _two_visits(acr.ACR_COMPONENTS), _acr,
              responder=True),
        Index("jia-acr", "JIA-ACR30 to 100", lambda _: _two_visits(jia_acr.JIA_COMPONENTS), _jia,
              responder=True),
        *(_jadas(joints, reactant) for joints in _JOINTS for reactant in ("esr", "crp", "")),
        Index("salt", "SALT", lambda _: _VIEW_RANGES, _salt),
        Index("easi", "EASI", lambda _: _EASI, _easi, frozenset({"age"})),
        Index("sledai-2k", "SLEDAI-2K", lambda _: _ITEMS, _sledai),
        Index("sri4", "SRI-4", _sri_ranges, _sri, frozenset({"failed"}), responder=True),
    )
}  # fmt: skip
