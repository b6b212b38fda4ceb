"""Initial values of a control stream: THETA, OMEGA and SIGMA."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from statera.model.nonmem.records import Problem, Record

__all__ = ["Block", "Theta", "read_blocks", "read_thetas"]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][-+]?\d+)?"
_REPEAT = re.compile(r"(\([^()]*\))\s*[Xx]\s*(\d+)")
_OPEN = 1e6  # NONMEM takes a bound of this size as none


@dataclass(frozen=True)
class Theta:
    """A fixed effect: initial value, ends (None for none), whether it is fixed, its comment."""

    value: float
    low: float | None
    high: float | None
    fixed: bool
    note: str
    line: int


@dataclass(frozen=True)
class Block:
    """Variances and covariances of some random effects.

    Attributes
    ----------
    values
        Lower triangle by rows; off the diagonal 0 where the record is diagonal.
    fixed
        Whether each row's variance is fixed.
    notes
        Comment of each row.
    same
        Whether the block repeats the one before it.
    """

    values: tuple[tuple[float, ...], ...]
    fixed: tuple[bool, ...]
    notes: tuple[str, ...]
    same: bool
    line: int

    @property
    def size(self) -> int:
        """Number of effects."""
        return len(self.values)


def _repeated(text: str) -> str:
    """Return a line with ``(0.1)x3`` written out."""
    return _REPEAT.sub(lambda m: " ".join([m[1]] * min(int(m[2]), 1000)), text)


def _number(text: str) -> float:
    return float(text.upper().replace("D", "E"))


def read_thetas(records: Sequence[Record], problems: list[Problem]) -> list[Theta]:
    """Return the fixed effects in order; what cannot be read goes to `problems`."""
    found: list[Theta] = []
    item = re.compile(
        rf"\((?P<list>[^)]*)\)(?P<after>\s*FIX\w*)?|(?P<one>{_NUMBER})(?P<fix>\s*FIX\w*)?",
        re.IGNORECASE,
    )
    for record in records:
        for line, text in record.lines:
            rest = re.sub(r"\bUNINT\w*|\bNAMES\s*\([^)]*\)|\b[A-Za-z]\w*\s*=", " ", _repeated(text))
            note = record.comments.get(line, "")
            for match in item.finditer(rest):
                theta = _theta(match, note, line)
                if theta is None:
                    problems.append(Problem(line, f"$THETA '{match[0]}' cannot be read"))
                else:
                    found.append(theta)
            if left := item.sub("", rest).replace(",", "").strip():
                problems.append(Problem(line, f"$THETA: '{left}' cannot be read"))
    return found


def _theta(match: re.Match[str], note: str, line: int) -> Theta | None:
    if match["one"]:
        return Theta(_number(match["one"]), None, None, bool(match["fix"]), note, line)
    inside = match["list"]
    fixed = bool(match["after"]) or bool(re.search(r"\bFIX", inside, re.IGNORECASE))
    inside = re.sub(r"\bFIX\w*", "", inside, flags=re.IGNORECASE).strip()
    parts = [p.strip() for p in (inside.split(",") if "," in inside else inside.split())]
    try:
        numbers = [_end(p) for p in parts]
    except ValueError:
        return None
    value = numbers[0] if len(numbers) == 1 else numbers[1] if len(numbers) in (2, 3) else None
    if value is None:
        return None
    low = numbers[0] if len(numbers) > 1 else None
    high = numbers[2] if len(numbers) > 2 else None
    return Theta(value, low, high, fixed, note, line)


def _end(text: str) -> float | None:
    """Return an end of a range, None for an open one."""
    if text.upper() in ("", "INF", "+INF", "-INF"):
        return None
    value = _number(text)
    return None if abs(value) >= _OPEN else value


def read_blocks(records: Sequence[Record], problems: list[Problem]) -> list[Block]:
    """Return the blocks of $OMEGA or $SIGMA records in order; one per diagonal record."""
    found: list[Block] = []
    for record in records:
        block = _block(record, found[-1] if found else None, problems)
        if block is not None:
            found.append(block)
    return found


def _block(record: Record, before: Block | None, problems: list[Problem]) -> Block | None:
    name = f"${record.name}"
    head = record.text.upper()
    if other := re.search(r"\b(STANDARD|SD|CORR\w*|CHOLESKY|VALUES)\b", head):
        problems.append(Problem(record.line, f"{name}: {other[0]} is not translated"))
        return None
    size = re.search(r"\bBLOCK\s*\(\s*(\d+)\s*\)", head)
    whole = bool(re.search(r"\bBLOCK\b", head))
    if whole and re.search(r"\bSAME\b", head):
        if before is None or re.search(r"\bSAME\s*\(", head):
            problems.append(Problem(record.line, f"{name}: this SAME is not translated"))
            return None
        return Block(before.values, before.fixed, before.notes, True, record.line)
    values, fixed, notes = [], [], []
    for value, fix, note in _entries(record, problems):
        values.append(value)
        fixed.append(fix)
        notes.append(note)
    if not whole:
        rows = tuple((*([0.0] * i), value) for i, value in enumerate(values))
        return Block(rows, tuple(fixed), tuple(notes), False, record.line)
    n = int(size[1]) if size else 1
    if len(values) != n * (n + 1) // 2:
        problems.append(Problem(
            record.line, f"{name} BLOCK({n}) needs {n * (n + 1) // 2} values, found {len(values)}"
        ))  # fmt: skip
        return None
    starts = [i * (i + 1) // 2 for i in range(n)]
    return Block(
        tuple(tuple(values[s : s + i + 1]) for i, s in enumerate(starts)),
        (any(fixed) or bool(re.search(r"\bFIX", head)),) * n,
        tuple(notes[s + i] for i, s in enumerate(starts)),
        False,
        record.line,
    )


def _entries(record: Record, problems: list[Problem]) -> Iterator[tuple[float, bool, str]]:
    item = re.compile(rf"\(?\s*(?P<before>FIX\w*\s+)?(?P<value>{_NUMBER})\s*(?P<fix>FIX\w*)?\s*\)?",
                      re.IGNORECASE)  # fmt: skip
    for line, text in record.lines:
        rest = re.sub(r"\b(BLOCK|DIAG\w*)\s*(\(\s*\d+\s*\))?", " ", text, flags=re.IGNORECASE)
        rest = _repeated(rest)
        rest = re.sub(
            r"\b(VARIANCE|COVARIANCE)\b|\b[A-Za-z]\w*\s*=", " ", rest, flags=re.IGNORECASE
        )
        for match in item.finditer(rest):
            yield (
                _number(match["value"]),
                bool(match["fix"] or match["before"]),
                record.comments.get(line, ""),
            )
        left = re.sub(r"\bFIX\w*", "", item.sub("", rest), flags=re.IGNORECASE).strip(" ,")
        if left:
            problems.append(Problem(line, f"${record.name}: '{left}' cannot be read"))
