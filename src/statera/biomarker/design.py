"""Factors and formulas to design matrices, and the contrasts of every term.

A formula is a sum of terms: ``treatment * time + age``. ``a * b`` stands for ``a + b + a:b``; a
leading ``0 +`` leaves the intercept out. Names are those of the columns given; nothing is
evaluated. Columns of text are factors with their levels in sorted order, unless levels are given.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UnknownNameError

__all__ = [
    "Design",
    "Factor",
    "build_design",
    "coded_terms",
    "multiplied",
    "parse_formula",
    "type_three",
]

Floats = NDArray[np.float64]
Term = tuple[str, ...]


@dataclass(frozen=True)
class Factor:
    """A column of labels with its levels; the first level is the baseline."""

    labels: tuple[str, ...]
    levels: tuple[str, ...]

    @staticmethod
    def of(labels: Sequence[object], levels: Sequence[str] | None = None) -> Factor:
        """Return the factor of `labels`, levels sorted unless given."""
        texts = tuple(str(label) for label in labels)
        known = tuple(levels) if levels is not None else tuple(sorted(set(texts)))
        for text in texts:
            if text not in known:
                raise UnknownNameError("level", text, known)
        return Factor(texts, known)

    def coded(self, coding: str) -> tuple[Floats, tuple[str, ...]]:
        """Return columns (n, c) by ``treatment``, ``sum`` or ``full`` coding, and their names."""
        index = np.array([self.levels.index(label) for label in self.labels], dtype=int)
        full = np.eye(len(self.levels))[index]
        if coding == "full":
            return full, self.levels
        if coding == "treatment":
            return full[:, 1:], self.levels[1:]
        return full[:, :-1] - full[:, -1:], self.levels[:-1]


@dataclass(frozen=True)
class Design:
    """A design matrix and the columns of each term.

    Attributes
    ----------
    matrix : (n, p) float64
    columns : tuple of str
    terms : tuple of str
        Terms beside the intercept, as ``a:b``.
    term_columns : tuple of tuple of int
    coding
        ``treatment`` or ``sum``.
    """

    matrix: Floats
    columns: tuple[str, ...]
    terms: tuple[str, ...]
    term_columns: tuple[tuple[int, ...], ...]
    coding: str

    def contrast(self, weights: Mapping[str, float]) -> Floats:
        """Return weights (p,) of the columns from a mapping of column names."""
        vector = np.zeros(len(self.columns))
        for name, weight in weights.items():
            if name not in self.columns:
                raise UnknownNameError("column", name, self.columns)
            vector[self.columns.index(name)] = weight
        return vector


def parse_formula(formula: str) -> tuple[bool, tuple[Term, ...]]:
    """Return whether there is an intercept, and the terms with the lower orders first.

    Raises
    ------
    InputError
        If a term is empty.
    """
    intercept, terms = True, dict[Term, None]()
    for part in formula.split("+"):
        text = part.strip()
        if text in ("0", "1"):
            intercept = text == "1"
            continue
        factors = [tuple(name.strip() for name in piece.split(":")) for piece in text.split("*")]
        if any(not name for names in factors for name in names):
            raise InputError(
                f"a term of the formula {formula!r} is empty",
                where="formula",
                hint="Write terms joined by +, * and :, as in treatment * time + age.",
            )
        for size in range(1, len(factors) + 1):
            for chosen in itertools.combinations(factors, size):
                names = dict.fromkeys(name for piece in chosen for name in piece)
                if not any(set(names) == set(term) for term in terms):
                    terms[tuple(names)] = None
    return intercept, tuple(sorted(terms, key=len))


def build_design(
    formula: str, data: Mapping[str, Sequence[object] | Floats | Factor], coding: str = "treatment"
) -> Design:
    """Return the design matrix of a formula.

    A factor in a term is coded by contrasts where the term without it is in the model, else by
    one column for each level, so that the columns do not depend on each other.

    Parameters
    ----------
    formula
        Such as ``treatment * time``.
    data
        Columns of n values: numbers, texts or a `Factor`.
    coding
        ``treatment`` (first level is the baseline) or ``sum``.

    Raises
    ------
    UnknownNameError
        If a name is no column.
    InputError
        If columns differ in length, a number is not finite, a factor has one level, or the
        design cannot be estimated because combinations of levels do not occur.
    """
    if coding not in ("treatment", "sum"):
        raise UnknownNameError("coding", coding, ("treatment", "sum"))
    intercept, terms = parse_formula(formula)
    columns = _columns(terms, data)
    lengths = {_length(column) for column in columns.values()}
    if len(lengths) > 1:
        raise InputError("the columns differ in length", where=formula)
    n = lengths.pop() if lengths else (len(next(iter(data.values()))) if data else 0)  # type: ignore[arg-type]
    parts: list[Floats] = [np.ones((n, 1))] if intercept else []
    names: list[str] = ["(Intercept)"] if intercept else []
    places: list[tuple[int, ...]] = []
    for term, blocks in _coded_terms(intercept, terms, columns, coding):
        labels = [""]
        for name in term:
            tags = blocks[name][1]
            labels = [f"{old}:{tag}".lstrip(":") for tag in tags for old in labels]
        places.append(tuple(range(len(names), len(names) + len(labels))))
        parts.append(multiplied([blocks[name][0] for name in term]))
        names.extend(labels)
    if not parts:
        raise InputError("the formula has no term", where=formula)
    matrix = np.hstack(parts)
    if np.linalg.matrix_rank(matrix) < min(matrix.shape[1], n + 1):
        raise InputError(
            "the design cannot be estimated: its columns depend on each other",
            where=formula,
            hint="A combination of levels does not occur, or two columns say the same.",
        )
    return Design(matrix, tuple(names), tuple(":".join(t) for t in terms), tuple(places), coding)


def _coded_terms(
    intercept: bool, terms: Sequence[Term], columns: Mapping[str, Floats | Factor], coding: str
) -> Iterator[tuple[Term, dict[str, tuple[Floats, tuple[str, ...]]]]]:
    """Yield each term with the coded columns of its names and their labels."""
    present = {frozenset(term) for term in terms} | ({frozenset[str]()} if intercept else set())
    for term in terms:
        yield (
            term,
            {
                name: _code(columns[name], name, frozenset(term) - {name} in present, coding)
                for name in term
            },
        )
        # the columns of this term are known from here on to every higher one
        present.add(frozenset(term))


def coded_terms(
    formula: str, data: Mapping[str, Sequence[object] | Floats | Factor], coding: str = "sum"
) -> dict[Term, dict[str, Floats]]:
    """Return the coded columns (n, c) of each name of each term; `multiplied` they are its block.

    Raises
    ------
    UnknownNameError
        If a name is no column.
    """
    intercept, terms = parse_formula(formula)
    columns = _columns(terms, data)
    return {
        term: {name: block for name, (block, _) in blocks.items()}
        for term, blocks in _coded_terms(intercept, terms, columns, coding)
    }


def multiplied(blocks: Sequence[Floats]) -> Floats:
    """Return the products (..., n, c) of the columns of blocks, the first block running fastest."""
    found = blocks[0]
    for more in blocks[1:]:
        product = found[..., None, :] * more[..., :, None]
        found = product.reshape(*product.shape[:-2], -1)
    return found


def _columns(
    terms: Sequence[Term], data: Mapping[str, Sequence[object] | Floats | Factor]
) -> dict[str, Floats | Factor]:
    """Return the columns of the terms as numbers or factors."""
    found: dict[str, Floats | Factor] = {}
    for name in dict.fromkeys(name for term in terms for name in term):
        if name not in data:
            raise UnknownNameError("column", name, tuple(data))
        column = data[name]
        if not isinstance(column, Factor):
            array = np.asarray(column)
            if array.dtype.kind not in "fiub":
                column = Factor.of(list(column))
            elif not np.isfinite(array.astype(float)).all():
                raise InputError("a number is not finite", where=name)
            else:
                found[name] = array.astype(float)
                continue
        if len(column.levels) < 2:
            raise InputError(
                f"the factor has one level ({column.levels[0] if column.levels else 'none'})",
                where=name,
                hint="Leave it out of the formula.",
            )
        found[name] = column
    return found


def _length(column: Floats | Factor) -> int:
    return len(column.labels) if isinstance(column, Factor) else column.shape[0]


def _code(
    column: Floats | Factor, name: str, contrasts: bool, coding: str
) -> tuple[Floats, tuple[str, ...]]:
    if isinstance(column, Factor):
        block, levels = column.coded(coding if contrasts else "full")
        return block, tuple(f"{name}[{level}]" for level in levels)
    return column[:, None], (name,)


def type_three(
    formula: str, data: Mapping[str, Sequence[object] | Floats | Factor], design: Design
) -> dict[str, Floats]:
    """Return the hypothesis (q, p) of every term by type III.

    Coefficients of a term are tested as they are under sum coding, so that a main effect is the
    unweighted mean over the levels of the other factors, whatever the coding of `design`.
    """
    reference = build_design(formula, data, "sum")
    # both codings span the same columns: reference coefficients = change @ coefficients
    solved = np.linalg.lstsq(reference.matrix, design.matrix, rcond=None)[0]
    change: Floats = np.asarray(solved, dtype=np.float64)
    change[np.abs(change) < 1e-12] = 0.0
    return {
        term: change[list(places)]
        for term, places in zip(reference.terms, reference.term_columns, strict=True)
    }
