"""Abbreviated code ($PK, $PRED, $DES, $ERROR) as expressions, one per assignment."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from statera.model.nonmem.records import Problem, Record
from statera.numerics.expression import ExpressionError, parse, symbol

__all__ = ["UNSET", "Code", "UntranslatableError", "prune", "run"]

_FUNCTIONS = {
    "EXP": "exp", "LOG": "log", "SQRT": "sqrt", "ABS": "abs", "MIN": "min", "MAX": "max",
    "PHI": "normcdf", "GAMLN": "lgamma", "DEXP": "exp", "DLOG": "log", "DSQRT": "sqrt",
    "DABS": "abs", "PEXP": "exp", "PLOG": "log", "PSQRT": "sqrt",
}  # fmt: skip
_INDEXED = re.compile(r"\b(THETA|ETA|EPS|ERR|A|DADT|A_0)\s*\(\s*(\d+)\s*\)")
_WORDS = {
    ".EQ.": "==", ".NE.": "!=", ".LT.": "<", ".LE.": "<=", ".GT.": ">", ".GE.": ">=",
    ".EQN.": "==", ".NEN.": "!=", "/=": "!=",
}  # fmt: skip
_RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": sp.Eq, "<": sp.StrictLessThan, "<=": sp.LessThan, ">": sp.StrictGreaterThan,
    ">=": sp.GreaterThan,
}  # fmt: skip

UNSET = sp.Dummy("unset", real=True)
"""Value of a variable that no condition has set: 0, or in NONMEM that of the record before."""

Choose = Callable[[sp.Expr, sp.Expr], sp.Expr]
"""What a condition makes of the value where it holds and of that where it does not."""


class UntranslatableError(ValueError):
    """A piece of code that has no counterpart."""


@dataclass
class Code:
    """What code computes.

    Attributes
    ----------
    values
        Expression of each variable at the end of the code, over versions of variables.
    equations
        Expression of each version, in order of assignment; ``CL``, then ``CL_2`` if it is
        assigned again.
    variables
        Variable that each version belongs to.
    lines
        Line of each version.
    broken
        Reason why a version has no expression.
    """

    values: dict[str, str] = field(default_factory=dict)
    equations: dict[str, sp.Expr] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    broken: dict[str, Problem] = field(default_factory=dict)

    def assign(
        self, name: str, value: sp.Expr | Problem, line: int, taken: Collection[str]
    ) -> None:
        """Give a variable a new value."""
        version, number = name, 2
        while version in self.lines or version in taken:
            version, number = f"{name}_{number}", number + 1
        self.values[name] = version
        self.variables[version] = name
        self.lines[version] = line
        if isinstance(value, Problem):
            self.broken[version] = value
        else:
            self.equations[version] = value

    def settle(self) -> list[str]:
        """Take 0 where no condition has set a variable; return the variables where that may be."""
        open_ = {
            v
            for n, v in self.variables.items()
            if n in self.equations and UNSET in self.equations[n].free_symbols
        }
        found = [
            v
            for v in self.values
            if v in open_
            and UNSET in prune(self.inline(symbol(self.values[v]), ()), {}).free_symbols
        ]
        zero = {UNSET: sp.Integer(0)}
        self.equations = {n: e.xreplace(zero) for n, e in self.equations.items()}
        return found

    def needed(self, expressions: Collection[sp.Expr]) -> tuple[list[str], list[Problem]]:
        """Return the versions that expressions depend on, in order, and why some are missing."""
        wanted: set[str] = set()
        open_ = {s.name for e in expressions for s in e.free_symbols}
        problems = []
        while open_:
            name = open_.pop()
            if name in wanted or name not in self.lines:
                continue
            wanted.add(name)
            if name in self.broken:
                problems.append(self.broken[name])
            else:
                open_ |= {s.name for s in self.equations[name].free_symbols}
        return [n for n in self.equations if n in wanted], problems

    def inline(self, expression: sp.Expr, keep: Collection[str]) -> sp.Expr:
        """Return an expression with all versions written out but those to keep."""
        while True:
            known = {
                s: self.equations[s.name]
                for s in expression.free_symbols
                if s.name in self.equations and s.name not in keep
            }
            if not known:
                return expression
            expression = expression.xreplace(known)


def prune(expression: Any, known: Mapping[Any, bool]) -> Any:
    """Return an expression without the branches that known conditions rule out."""
    if not expression.has(sp.Piecewise):
        return expression
    if not isinstance(expression, sp.Piecewise):
        return expression.func(*(prune(a, known) for a in expression.args))
    pieces = []
    facts = dict(known)
    for value, condition in expression.args:
        truth = _truth(condition, facts)
        if truth is False:
            continue
        pieces.append((prune(value, {**facts, condition: True}), condition))
        if truth:
            pieces[-1] = (prune(value, facts), sp.true)
            break
        facts[condition] = False
    return sp.Piecewise(*pieces, evaluate=False) if len(pieces) > 1 else pieces[0][0]


def _truth(condition: Any, known: Mapping[Any, bool]) -> bool | None:
    """Return what is known of a condition; a name that equals one number equals no other."""
    if condition in (sp.true, sp.false):
        return bool(condition)
    if condition in known:
        return known[condition]
    if isinstance(condition, sp.Equality) and condition.rhs.is_number:
        for other, holds in known.items():
            same = isinstance(other, sp.Equality) and other.lhs == condition.lhs
            if holds and same and other.rhs.is_number and other.rhs != condition.rhs:
                return False
    return None


def run(
    record: Record,
    names: Collection[str],
    code: Code,
    problems: list[Problem],
    taken: Collection[str],
) -> None:
    """Follow the assignments of a record.

    Parameters
    ----------
    record
        The code.
    names
        Names that have a meaning from outside, such as ``THETA1`` and covariates.
    code
        What was computed before; it is extended.
    problems
        Statements that are no assignments and cannot be left out.
    taken
        Names that no version may have.
    """
    branches: list[tuple[Choose, Choose | None]] = []
    pending = ""
    for line, text in record.lines:
        if text.startswith('"'):
            problems.append(Problem(line, "verbatim code is not translated"))
            continue
        source = pending + text.upper()
        if source.endswith("&"):
            pending = source[:-1] + " "
            continue
        pending = ""
        try:
            _statement(source, line, names, code, branches, taken)
        except UntranslatableError as error:
            problems.append(Problem(line, f"'{text}': {error}"))
    if branches:
        problems.append(Problem(record.line, "an IF ... THEN has no ENDIF"))


def _statement(
    text: str,
    line: int,
    names: Collection[str],
    code: Code,
    branches: list[tuple[Choose, Choose | None]],
    taken: Collection[str],
) -> None:
    if re.match(r"(EXIT|CALL|DO\s*WHILE|ENDDO|RETURN|COMRES|CALLFL|WRITE|OPEN)\b", text):
        if re.match(r"EXIT|COMRES|CALLFL", text):
            return  # these stop a run or order calls; they compute nothing
        raise UntranslatableError("this statement is not translated")
    if re.fullmatch(r"END\s*IF", text):
        _last(branches)
        branches.pop()
        return
    if re.fullmatch(r"ELSE", text):
        choose, other = _last(branches)
        branches[-1] = (_both(other, _not(choose)), None)
        return
    if match := re.fullmatch(r"ELSE\s*IF\s*(\(.*\))\s*THEN", text):
        choose, other = _last(branches)
        before = _both(other, _not(choose))
        branches[-1] = (_both(before, _broken_or(match[1], names, code)), before)
        return
    if re.match(r"IF\s*\(", text):
        inside, rest = _bracket(text[text.index("(") :])
        if re.fullmatch(r"THEN", rest.strip()):
            branches.append((_broken_or(inside, names, code), None))
            return
        if re.match(r"EXIT\b", rest.strip()):
            return
        choose = _broken_or(inside, names, code)
        _assignment(rest.strip(), line, names, code, [*branches, (choose, None)], taken)
        return
    _assignment(text, line, names, code, branches, taken)


def _last(branches: list[tuple[Choose, Choose | None]]) -> tuple[Choose, Choose | None]:
    if not branches:
        raise UntranslatableError("there is no IF ... THEN before this")
    return branches[-1]


def _broken_or(inside: str, names: Collection[str], code: Code) -> Choose:
    """Return the choice of a condition; one that cannot be read breaks what is assigned by it."""
    try:
        return _condition(inside, names, code)
    except UntranslatableError as error:
        reason = str(error)

    def choose(yes: sp.Expr, no: sp.Expr) -> sp.Expr:
        raise UntranslatableError(reason)

    return choose


def _bracket(text: str) -> tuple[str, str]:
    """Return what stands in the first bracket, and what follows it."""
    depth = 0
    for i, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return text[1:i], text[i + 1 :]
    raise UntranslatableError("a bracket is not closed")


def _assignment(
    text: str,
    line: int,
    names: Collection[str],
    code: Code,
    branches: list[tuple[Choose, Choose | None]],
    taken: Collection[str],
) -> None:
    text = _INDEXED.sub(lambda m: f"{m[1]}{m[2]}", text)
    match = re.fullmatch(r"([A-Z_]\w*)\s*=(.*)", text)
    if match is None:
        raise UntranslatableError("this statement is not translated")
    name = match[1]
    try:
        value = _expression(match[2], names, code)
        before = code.values.get(name)
        if branches and before in code.broken:
            raise UntranslatableError(code.broken[before].what)
        old: sp.Expr = UNSET if before is None else symbol(before)
        for choose, _ in reversed(branches):
            value = choose(value, old)
    except UntranslatableError as error:
        code.assign(name, Problem(line, str(error)), line, taken)
        return
    code.assign(name, value, line, taken)


def _expression(text: str, names: Collection[str], code: Code) -> sp.Expr:
    text = _INDEXED.sub(lambda m: f"{m[1]}{m[2]}", text)
    text = re.sub(r"(\d\.?\d*|\.\d+)D([-+]?\d+)", r"\1E\2", text)
    text = re.sub(r"\bERR(\d+)\b", r"EPS\1", text)
    text = re.sub(r"\bD?LOG10\s*\(", "0.43429448190325182765*LOG(", text)

    def word(match: re.Match[str]) -> str:
        name = match[0]
        if text[match.end() :].lstrip().startswith("("):
            if name not in _FUNCTIONS:
                raise UntranslatableError(f"the function {name} is not translated")
            return _FUNCTIONS[name]
        return code.values.get(name, name)

    source = re.sub(r"(?<![\w.])[A-Z_]\w*", word, text)
    known = {*names, *code.lines}
    try:
        return parse(source.strip(), known)
    except ExpressionError as error:
        raise UntranslatableError(str(error)) from None


def _condition(text: str, names: Collection[str], code: Code) -> Choose:
    """Return the choice that a condition makes; AND, OR and NOT become nested choices."""
    text = text.strip()
    for operator, join in ((".OR.", _either), (".AND.", _both)):
        parts = _split(text, operator)
        if len(parts) > 1:
            choices = [_condition(p, names, code) for p in parts]
            whole = choices[0]
            for choice in choices[1:]:
                whole = join(whole, choice)
            return whole
    if text.startswith(".NOT."):
        return _not(_condition(text[5:], names, code))
    if text.startswith("("):
        inside, rest = _bracket(text)
        if not rest.strip():
            return _condition(inside, names, code)
    pattern = r"(\.(?:EQN|NEN|EQ|NE|LT|LE|GT|GE)\.|==|/=|<=|>=|<|>)"
    pieces = re.split(pattern, text)
    if len(pieces) != 3:
        raise UntranslatableError(f"the condition '{text}' is not translated")
    left, right = (_expression(pieces[i], names, code) for i in (0, 2))
    test = _WORDS.get(pieces[1], pieces[1])
    if test == "!=":
        return _not(_choice(sp.Eq(left, right)))
    return _choice(_RELATIONS[test](left, right))


def _split(text: str, operator: str) -> list[str]:
    """Cut a condition at an operator that stands outside of brackets."""
    parts, depth, start, i = [], 0, 0, 0
    while i < len(text):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0 and text.startswith(operator, i):
            parts.append(text[start:i])
            start = i = i + len(operator)
        else:
            i += 1
    return [*parts, text[start:]]


def _choice(condition: Any) -> Choose:
    def choose(yes: sp.Expr, no: sp.Expr) -> sp.Expr:
        return sp.Piecewise((yes, condition), (no, True))

    return choose


def _not(choice: Choose) -> Choose:
    return lambda yes, no: choice(no, yes)


def _both(first: Choose | None, second: Choose) -> Choose:
    if first is None:
        return second
    return lambda yes, no: first(second(yes, no), no)


def _either(first: Choose, second: Choose) -> Choose:
    return lambda yes, no: first(yes, second(yes, no))
