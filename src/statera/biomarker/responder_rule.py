"""What counts as a (super-)responder: a rule that is given, checked and kept with the result.

No definition is built in. A rule is one or more conditions on columns of a table of visits::

    jadas27 <= 1 @ 24
    change(jadas27, 0, 24) <= -10
    percent(das28, 0, 24) <= -50
    jia_acr90 = 1 @ 24 and jadas27 <= 1 @ 24
    lowest 25 % of adjusted(jadas27, 0, 24)
    lower cluster of change(jadas27, 0, 24)

``change`` is the later value less the earlier one, ``percent`` that in per cent of the earlier one,
``adjusted`` the residual of the later value on the earlier one by least squares, which is free of
regression to the mean. ``lowest`` and ``highest`` take a share of the subjects; ``lower cluster``
and ``higher cluster`` split at the gap that makes the two groups tightest. Nothing is evaluated.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from statera.errors import InputError, Place, UsageError

__all__ = [
    "MISSING_POLICIES",
    "Condition",
    "ResponderRule",
    "Term",
    "frozen_rule",
    "parse_conditions",
    "read_rule",
    "rule_text",
]

#: What becomes of subjects for whom the rule cannot be decided.
MISSING_POLICIES: Mapping[str, str] = {
    "exclude": "subjects whose response cannot be decided are left out",
    "non-responder": "subjects whose response cannot be decided count as non-responders",
    "refuse": "a subject whose response cannot be decided stops the analysis",
}

_KINDS: Mapping[str, tuple[type, ...]] = {
    "conditions": (str, list),
    "gate": (str, list),
    "contains": (dict,),
    "columns": (dict,),
    "index_options": (dict,),
}
_KIND_WORDS: Mapping[type, str] = {str: "a text", list: "a list", dict: "a table"}

_TERM = re.compile(r"(?:(change|percent|adjusted)\s*\(([^()]*)\)|([\w.\-]+))")
_COMPARED = re.compile(r"(.+?)\s*(<=|>=|<|>|=)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(?:@\s*(.+))?")
_SHARE = re.compile(r"(lowest|highest)\s+([\d.]+)\s*%\s+of\s+(.+)")
_CLUSTER = re.compile(r"(lower|higher)\s+cluster\s+of\s+(.+)")


@dataclass(frozen=True)
class Term:
    """What a condition looks at.

    Attributes
    ----------
    index
        Column of the table.
    measure
        ``value``, ``change``, ``percent`` or ``adjusted``.
    since, at
        Earlier and later visit; empty where the table has one row a subject.
    """

    index: str
    measure: Literal["value", "change", "percent", "adjusted"] = "value"
    since: str = ""
    at: str = ""

    def __str__(self) -> str:
        if self.measure == "value":
            return f"{self.index} at {self.at}" if self.at else self.index
        return f"{self.measure}({self.index}, {self.since}, {self.at})"


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes
    ----------
    term
        What is looked at.
    kind
        ``compared`` with a number, a ``share`` of the subjects, or a ``cluster``.
    relation
        ``<=``, ``>=``, ``<``, ``>`` or ``=``; of shares and clusters the side that responds.
    number
        What is compared with; of a share, the share from 0 to 1.
    """

    term: Term
    kind: Literal["compared", "share", "cluster"]
    relation: str
    number: float = float("nan")

    def __str__(self) -> str:
        low = self.relation in ("<", "<=")
        if self.kind == "share":
            return f"{'lowest' if low else 'highest'} {100.0 * self.number:g} % of {self.term}"
        if self.kind == "cluster":
            return f"{'lower' if low else 'higher'} cluster of {self.term}"
        if self.term.measure == "value" and self.term.at:
            return f"{self.term.index} {self.relation} {self.number:g} @ {self.term.at}"
        return f"{self.term} {self.relation} {self.number:g}"


@dataclass(frozen=True)
class ResponderRule:
    """A rule and the table it reads.

    Attributes
    ----------
    name
        For people.
    conditions : tuple of Condition
    combine
        ``all`` or ``any`` of them.
    missing
        One of `MISSING_POLICIES`.
    subject, visit
        Columns of the table; without a visit it has one row a subject.
    gate
        Columns by which subjects were admitted or randomised.
    contains
        Acute-phase reactants inside an index, by column, as ``{"jadas27": ("ESR",)}``.
    index, columns
        A clinical index computed from the table first, as ``jia-acr``, and its columns by entry;
        its results join the table under their names.
    index_options
        Options of that index, as in `statera.biomarker.index_catalogue.IndexOptions`.
    """

    name: str
    conditions: tuple[Condition, ...]
    combine: Literal["all", "any"] = "all"
    missing: Literal["exclude", "non-responder", "refuse"] = "exclude"
    subject: str = "subject"
    visit: str = ""
    gate: tuple[str, ...] = ()
    contains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    index: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    index_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.conditions:
            raise UsageError("the rule has no condition", where="rule")
        if self.missing not in MISSING_POLICIES:
            raise UsageError(
                f"no policy for missing outcomes is called '{self.missing}'",
                where="missing",
                hint=f"Known: {', '.join(MISSING_POLICIES)}.",
            )
        if self.combine not in ("all", "any"):
            raise UsageError(f"conditions are combined by all or any, not '{self.combine}'")
        for one in self.conditions:
            changes = one.term.measure != "value"
            if (changes or one.term.at) and not self.visit:
                raise UsageError(
                    f"'{one}' speaks of visits, and no column of visits is named",
                    where="visit",
                    hint='Name it: visit = "week" in the file, or --visit week.',
                )
            if self.visit and not one.term.at:
                raise UsageError(
                    f"'{one}' does not say at which visit",
                    where="rule",
                    hint=f"Write {one.term.index} ... @ 24, or name no column of visits.",
                )

    def as_dict(self) -> dict[str, Any]:
        """Return the rule as plain data, with its conditions as text."""
        found = asdict(self)
        found["conditions"] = [str(c) for c in self.conditions]
        found["gate"] = list(self.gate)
        found["contains"] = {k: list(v) for k, v in self.contains.items()}
        return found


def rule_text(rule: ResponderRule) -> str:
    """Return the conditions as one line."""
    return (" and " if rule.combine == "all" else " or ").join(str(c) for c in rule.conditions)


def parse_conditions(text: str) -> tuple[tuple[Condition, ...], Literal["all", "any"]]:
    """Return conditions joined by ``and`` or by ``or``, and how they are combined.

    Raises
    ------
    UsageError
        If a part is not understood, or both words stand in it.
    """
    both = [re.split(rf"\s+{word}\s+", text.strip()) for word in ("and", "or")]
    if len(both[0]) > 1 and len(both[1]) > 1:
        raise UsageError(
            f"'{text}' mixes 'and' with 'or'",
            where="rule",
            hint="Use one of them; make a column of the other.",
        )
    parts = both[0] if len(both[0]) > 1 else both[1]
    combine: Literal["all", "any"] = "any" if len(both[1]) > 1 else "all"
    return tuple(_condition(part) for part in parts), combine


def read_rule(source: str | Path, **given: Any) -> ResponderRule:
    """Return a rule from a TOML file, or from the text of its conditions.

    A file holds the fields of `ResponderRule`; ``conditions`` is a list of texts, or one text.

    Parameters
    ----------
    source
        A path that ends in .toml, or conditions.
    given
        Fields that replace those of the file where they are not None.

    Raises
    ------
    InputError
        If the file cannot be read or has a field that is not known.
    UsageError
        If a condition is not understood.
    """
    text = str(source)
    found: dict[str, Any] = {"name": text, "conditions": text}
    if text.lower().endswith(".toml"):
        found = _read_toml(Path(text))
    found |= {k: v for k, v in given.items() if v is not None}
    conditions = found.pop("conditions", "")
    if isinstance(conditions, str):
        found["conditions"], combine = parse_conditions(conditions)
        found.setdefault("combine", combine)
    else:
        parsed = [parse_conditions(str(one)) for one in conditions]
        if any(len(one) > 1 for one, _ in parsed):
            raise UsageError("a list of conditions holds one condition a text", where="conditions")
        found["conditions"] = tuple(one[0] for one, _ in parsed)
    found.setdefault("name", " and ".join(str(c) for c in found["conditions"]))
    gate = found.get("gate", ())
    found["gate"] = (gate,) if isinstance(gate, str) else tuple(gate)
    found["contains"] = {
        k: (v,) if isinstance(v, str) else tuple(v) for k, v in found.get("contains", {}).items()
    }
    return ResponderRule(**found)


def frozen_rule(data: Mapping[str, Any], **given: Any) -> ResponderRule:
    """Return a rule from what `ResponderRule.as_dict` gave, with its recorded ``cuts``.

    Shares and clusters become comparisons with the number they were applied with, so that new
    subjects are judged as those the model was made from.

    Parameters
    ----------
    data
        The rule as data, and ``cuts`` by condition.
    given
        Fields that replace those of the data where they are not None.
    """
    fields_of = {k: v for k, v in data.items() if k != "cuts"} | {
        k: v for k, v in given.items() if v is not None
    }
    combine = fields_of.get("combine")
    rule = read_rule("recorded", **fields_of)
    fixed = tuple(
        replace(one, kind="compared", number=float(cut))
        for one, cut in zip(rule.conditions, data["cuts"], strict=True)
    )
    return replace(rule, conditions=fixed, combine=combine or rule.combine)


def _read_toml(path: Path) -> dict[str, Any]:
    place = Place(str(path))
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"the rule cannot be read: {error.strerror or error}", where=place
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the rule is no TOML: {error}", where=place) from error
    known = {f.name for f in fields(ResponderRule)}
    unknown = [name for name in found if name not in known]
    if unknown:
        raise InputError(
            f"a rule has no field {', '.join(unknown)}",
            where=place,
            hint=f"Known: {', '.join(sorted(known))}.",
        )
    for name, value in found.items():
        kinds = _KINDS.get(name, (str,))
        if not isinstance(value, kinds):
            said = " or ".join(_KIND_WORDS[kind] for kind in kinds)
            raise InputError(f"{name} is not {said}", where=place)
    if "conditions" not in found:
        raise InputError(
            "the rule has no conditions",
            where=place,
            hint='Write conditions = ["jadas <= 1 @ 24"].',
        )
    return found


def _condition(text: str) -> Condition:
    part = text.strip()
    if found := _SHARE.fullmatch(part):
        share = _number(found[2], part) / 100.0
        if not 0.0 < share < 1.0:
            raise UsageError(f"'{part}' is no share between 0 and 100 %", where="rule")
        return Condition(
            _term(found[3], ""), "share", "<=" if found[1] == "lowest" else ">=", share
        )
    if found := _CLUSTER.fullmatch(part):
        return Condition(_term(found[2], ""), "cluster", "<=" if found[1] == "lower" else ">=")
    if found := _COMPARED.fullmatch(part):
        term = _term(found[1], (found[4] or "").strip())
        return Condition(term, "compared", found[2], _number(found[3], part))
    raise UsageError(
        f"the condition '{part}' is not understood",
        where="rule",
        hint="Write jadas27 <= 1 @ 24, change(jadas27, 0, 24) <= -10, "
        "lowest 25 % of adjusted(jadas27, 0, 24) or lower cluster of change(jadas27, 0, 24).",
    )


def _number(text: str, part: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"'{text}' in '{part}' is not a number", where="rule") from None


def _term(text: str, at: str) -> Term:
    inner, sign, visit = text.strip().partition("@")
    if sign:
        at = visit.strip()
    found = _TERM.fullmatch(inner.strip())
    if found is None:
        raise UsageError(f"'{text.strip()}' names no column and no change of one", where="rule")
    if found[3]:
        return Term(found[3], at=at)
    pieces = [piece.strip() for piece in found[2].split(",")]
    if len(pieces) != 3 or not all(pieces) or at:
        raise UsageError(
            f"'{text.strip()}' needs a column, an earlier and a later visit",
            where="rule",
            hint=f"Write {found[1]}(jadas27, 0, 24).",
        )
    measure: Any = found[1]
    return Term(pieces[0], measure, pieces[1], pieces[2])
