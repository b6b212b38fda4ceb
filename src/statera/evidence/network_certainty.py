"""Judgements of comparisons carried along: certainty of evidence, and risk of bias of its studies.

Certainty (GRADE, or the domains of CINeMA) is a judgement of a comparison. It comes from a table
with ``treatment_1`` and ``treatment_2``, either its own or that of the contrasts. Nothing is judged
here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from statera.errors import InputError, Place
from statera.evidence.network_table import (
    pairs_of_table,
    studies_of_table,
    study_pairs_of_table,
)
from statera.evidence.read_table import StudyTable

__all__ = ["PairJudgements", "judgements_of_certainty_table", "judgements_of_network_table"]

_NAMES = frozenset({"treatment1", "treatment2", "treat1", "treat2", "first", "second", "t1", "t2"})


@dataclass(frozen=True)
class PairJudgements:
    """Judgements by pair of treatments.

    `certainty` and `risk_of_bias` name the columns they came from; `by_pair` has the texts of a
    pair, whichever of its treatments stands first, `by_study` the risk of bias by column and
    study; `notes` say what was left out.
    """

    certainty: tuple[str, ...] = ()
    risk_of_bias: tuple[str, ...] = ()
    by_pair: Mapping[frozenset[str], Mapping[str, str]] = field(default_factory=dict)
    by_study: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_pair", MappingProxyType(dict(self.by_pair)))

    def of(self, first: str, second: str) -> dict[str, str]:
        """Return the texts of a pair by column; empty where none were given."""
        return dict(self.by_pair.get(frozenset((first, second)), {}))

    def joined(self, other: PairJudgements) -> PairJudgements:
        """Return both, the texts of `other` where both have one."""
        pairs = {
            pair: {**self.by_pair.get(pair, {}), **other.by_pair.get(pair, {})}
            for pair in (*self.by_pair, *other.by_pair)
        }
        return PairJudgements(
            tuple(dict.fromkeys((*self.certainty, *other.certainty))),
            tuple(dict.fromkeys((*self.risk_of_bias, *other.risk_of_bias))),
            pairs,
            {**self.by_study, **other.by_study},
            (*self.notes, *other.notes),
        )


def judgements_of_network_table(table: StudyTable) -> PairJudgements:
    """Return what the columns of certainty and risk of bias of a table of a network say.

    Certainty is taken over where all rows of a pair agree, else all of its texts stand side by
    side; rows of arms belong to no pair, and a note says that their certainty is left out. Of the
    risk of bias, studies are counted by judgement.
    """
    if not table.certainty and not table.risk_of_bias:
        return PairJudgements()
    rows, by_comparison = study_pairs_of_table(table)
    certainty = table.certainty if by_comparison else {}
    texts: dict[frozenset[str], dict[str, list[str]]] = {}
    for name, column in (*certainty.items(), *table.risk_of_bias.items()):
        for row, first, second in rows:
            text = column[row].strip()
            if text:
                pair = texts.setdefault(frozenset((first, second)), {})
                pair.setdefault(name, []).append(text)
    notes: tuple[str, ...] = ()
    if table.certainty and not by_comparison:
        notes = (
            f"Certainty in column {', '.join(table.certainty)} is left out: it judges comparisons, "
            "and the table has rows of arms.",
        )
    return PairJudgements(
        tuple(certainty),
        tuple(table.risk_of_bias),
        {
            pair: {
                name: _counted(given) if name in table.risk_of_bias else _agreed(given)
                for name, given in columns.items()
            }
            for pair, columns in texts.items()
        },
        {name: _first_of(studies_of_table(table), c) for name, c in table.risk_of_bias.items()},
        notes,
    )


def judgements_of_certainty_table(table: StudyTable, treatments: tuple[str, ...]) -> PairJudgements:
    """Return the judgements of a table with a row a comparison; every other column is one.

    Raises
    ------
    InputError
        If a treatment is not in the network, a pair stands twice, or nothing is judged.
    """
    first, second = pairs_of_table(table)
    names = [n for n in table.carried if n.lower().replace("_", "").replace(" ", "") not in _NAMES]
    if not names:
        raise InputError(
            "no column judges the comparisons",
            where=Place(table.source, 1),
            hint="Add a column such as 'certainty'.",
        )
    pairs: dict[frozenset[str], dict[str, str]] = {}
    for row, (a, b) in enumerate(zip(first, second, strict=True)):
        for name in (a, b):
            if name not in treatments:
                raise InputError(
                    f"treatment {name} is not in the network",
                    where=Place(table.source, table.lines[row]),
                    hint=f"Use {', '.join(treatments)}.",
                )
        if frozenset((a, b)) in pairs or a == b:
            raise InputError(
                f"{a} against {b} stands twice" if a != b else f"{a} is compared with itself",
                where=Place(table.source, table.lines[row]),
                hint="Give each comparison once.",
            )
        pairs[frozenset((a, b))] = {n: table.carried[n][row] for n in names}
    return PairJudgements(tuple(names), (), pairs)


def _agreed(texts: list[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _first_of(studies: Sequence[str], column: Sequence[str]) -> dict[str, str]:
    """Return the first text that stands beside each study."""
    found: dict[str, str] = {}
    for study, text in zip(studies, column, strict=True):
        if text.strip():
            found.setdefault(study, text.strip())
    return found


def _counted(texts: list[str]) -> str:
    return ", ".join(f"{text} {count}" for text, count in sorted(Counter(texts).items()))
