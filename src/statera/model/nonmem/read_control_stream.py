"""NONMEM control streams as models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sympy as sp

from statera.errors import InputError, Place
from statera.model.build import build_model
from statera.model.fields import SpecError
from statera.model.model import Model
from statera.model.nonmem.code import Code, run
from statera.model.nonmem.data_options import DATA_ITEMS, read_data_options
from statera.model.nonmem.error_model import ErrorModel, error_models
from statera.model.nonmem.formula_text import formula_text
from statera.model.nonmem.mixture_code import MIXNUM, read_mixture_code
from statera.model.nonmem.occasions import Occasions, find_occasions
from statera.model.nonmem.records import Problem, Record, cut
from statera.model.nonmem.rows import effect_rows, parameter_rows, sigma_names
from statera.model.nonmem.structure import Structure, read_structure
from statera.model.nonmem.values import Block, Theta, read_blocks, read_thetas
from statera.numerics.expression import symbol

__all__ = ["ControlStream", "read_control_stream"]

_TRANSLATED = {
    "PROBLEM", "INPUT", "DATA", "SUBROUTINES", "MODEL", "PK", "PRED", "DES", "ERROR", "THETA",
    "OMEGA", "SIGMA", "MIX",
}  # fmt: skip
_LEFT_OUT = {
    "ESTIMATION", "COVARIANCE", "TABLE", "SIZES", "SCATTERPLOT", "SIMULATION", "MSFI", "TOL",
    "NONPARAMETRIC", "WARNINGS", "DESIGN", "RCOV", "RCOVI", "DEFAULT",
}  # fmt: skip
"""Records that say nothing of the model."""

_NEVER = ("NPDE_MODE", "COMACT", "COMSAV")


@dataclass(frozen=True)
class ControlStream:
    """A translated control stream.

    Attributes
    ----------
    model
        The model; ``THETA1``, ``ETA1``, ``SIGMA11`` and ``A1`` keep NONMEM's numbers.
    data
        Arguments of `statera.data.read_data`; ``source`` is the file.
    outputs
        Output of each value of DVID.
    remarks
        What a reader must know, with lines.
    spec
        What the model is built from, as in a model file.
    """

    model: Model
    data: Mapping[str, Any]
    outputs: Mapping[int, str]
    remarks: tuple[str, ...]
    spec: Mapping[str, Any]


def read_control_stream(
    path: str | Path,
    *,
    references: Mapping[str, float] | None = None,
    time_unit: str = "h",
    amount_unit: str = "mg",
) -> ControlStream:
    """Read a NONMEM control stream.

    Translated are ADVAN1 to 4, 11 and 12 with the usual TRANS, the routines for differential
    equations with $DES, and $PRED; assignments and IF in the code; F, ALAG, R, D, S and A_0 of
    compartments; bounds and FIX; blocks, and SAME as effects of occasions. Only what Y depends on
    is translated. For the rest see ``docs/control-streams.md``.

    Parameters
    ----------
    path
        File of the control stream.
    references
        Typical value of covariates, 1 where not given: a control stream holds none.
    time_unit, amount_unit
        Units of TIME and AMT.

    Raises
    ------
    InputError
        If the file cannot be read, or anything that matters cannot be translated: every such
        statement is listed with its line.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise InputError(f"cannot open the file: {reason}", where=str(file)) from None
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8 text", where=str(file)) from None
    draft = _Draft(file, cut(text), references or {})
    spec = draft.spec(time_unit, amount_unit) if not draft.problems else {}
    _refuse(file, draft.problems)
    try:
        model = build_model(spec)
    except SpecError as error:
        raise InputError(
            f"the translation is not a model: {error.what}", where=str(file), hint=str(error.where)
        ) from None
    return ControlStream(model, draft.data, draft.outputs, tuple(draft.remarks), spec)


def _refuse(file: Path, problems: list[Problem]) -> None:
    if not problems:
        return
    first, *rest = sorted(set(problems))
    raise InputError(
        first.what + (f" ({len(rest) + 1} statements in all)" if rest else ""),
        where=Place(str(file), first.line),
        hint="\n  ".join(f"line {p.line}: {p.what}" for p in rest),
    )


class _Draft:
    """A control stream while it is translated."""

    def __init__(self, file: Path, records: list[Record], references: Mapping[str, float]) -> None:
        self.file = file
        self.references = {k.upper(): v for k, v in references.items()}
        self.problems: list[Problem] = []
        self.remarks: list[str] = []
        self.outputs: dict[int, str] = {}
        self.records = self._records(records)
        self.data, self.columns = read_data_options(
            self.records, file.parent, self.problems, self.remarks
        )
        self.thetas: list[Theta] = read_thetas(self._named("THETA"), self.problems)
        self.omegas: list[Block] = read_blocks(self._named("OMEGA"), self.problems)
        self.sigmas: list[Block] = read_blocks(self._named("SIGMA"), self.problems)
        self.sigma = sigma_names(self.sigmas)
        self.structure = read_structure(self.records, self.problems)
        self.code = Code()

    def _named(self, *names: str) -> list[Record]:
        return [r for r in self.records if r.name in names]

    def _records(self, records: list[Record]) -> list[Record]:
        kept = []
        problems = 0
        for record in records:
            problems += record.name == "PROBLEM"
            if problems > 1:
                self.problems.append(Problem(record.line, "a second $PROBLEM is not translated"))
                break
            if record.name in _TRANSLATED:
                kept.append(record)
            elif record.name in _LEFT_OUT:
                self.remarks.append(f"line {record.line}: ${record.name} is not part of the model")
            else:
                self.problems.append(Problem(record.line, f"${record.name} is not translated"))
        return kept

    def _etas(self) -> int:
        return sum(b.size for b in self.omegas)

    def spec(self, time_unit: str, amount_unit: str) -> dict[str, Any]:
        """Return the model as plain data, or leave problems."""
        structure, code = self.structure, self.code
        assert structure is not None
        states = [f"A{i + 1}" for i in range(max(structure.n, 1))]
        self.covariates = [c for c in self.columns if c not in DATA_ITEMS]
        names = {f"THETA{i + 1}" for i in range(len(self.thetas))}
        self.mixture = read_mixture_code(
            self._named("MIX"), names | set(self.covariates), self.problems
        )
        names |= {MIXNUM} if self.mixture else set()
        names |= {f"ETA{i + 1}" for i in range(self._etas())} | set(self.covariates)
        taken = {*names, *states, "F", "Y", "t", "AMT"}
        eps = {f"EPS{i}" for pair in self.sigma for i in pair}
        for record in self._named("PK"):
            run(record, names, code, self.problems, taken)
        self.unset = {name: code.values[name] for name in code.settle()}
        kept = set(code.lines)  # what stays by name: individual parameters
        dynamics = self._dynamics(structure, states, names, taken)
        inputs, initial = self._inputs(structure, states)
        more = {*eps, "DV", *({"CMT"} & set(self.columns))}
        for name in _NEVER:  # variables that NONMEM sets, 0 while it estimates
            code.assign(name, sp.Integer(0), 1, ())
        for record in self._named("ERROR", "PRED"):
            run(record, {*names, *more, *states, "F"} if structure.n else names | more, code,
                self.problems, taken)  # fmt: skip
        code.settle()
        line = next((r.line for r in self._named("ERROR", "PRED")), 1)
        errors, column, limit = error_models(
            code, self._predictions(structure), self.sigma, kept, states, line, self.problems
        )
        if "CMT" in self.columns and column != "CMT" and structure.n:
            self.remarks.append(
                f"F is that of compartment {structure.observed}, whatever CMT of an observation"
            )
        if limit is not None:
            self.data["lloq"] = limit
            self.remarks.append(
                f"F_FLAG: DV below {limit:g} is taken as below the limit of quantification: use M3"
            )
        return self._assembled(
            time_unit, amount_unit, states, dynamics, inputs, initial, errors, column, kept, line
        )

    def _dynamics(
        self, structure: Structure, states: list[str], names: set[str], taken: set[str]
    ) -> list[sp.Expr]:
        if structure.n == 0:
            return [sp.Integer(0)]
        code, places = Code(), [Problem(1, "")]
        code.values, code.equations = dict(self.code.values), dict(self.code.equations)
        code.lines, code.broken = dict(self.code.lines), dict(self.code.broken)
        code.values.setdefault("T", "t")
        line = next((r.line for r in self._named("SUBROUTINES")), 1)
        record = Record("DES", line, [(line, f"DADT({i + 1})={rate}")
                                      for i, rate in enumerate(structure.rates)])  # fmt: skip
        records = [record] if structure.rates else self._named("DES")
        if not records:
            self.problems.append(Problem(line, "there is no $DES"))
        places.clear()
        for r in records:
            run(r, {*names, *states, "t"}, code, places, taken)
        code.settle()
        self.problems += places
        kept, found = set(self.code.lines), []
        for i in range(structure.n):
            version = code.values.get(f"DADT{i + 1}")
            if version is None:
                self.problems.append(Problem(line, f"DADT({i + 1}) is not computed"))
                continue
            _, broken = code.needed([symbol(version)])
            self.problems += broken
            found.append(code.inline(symbol(version), kept))
        return found

    def _variable(self, name: str) -> sp.Expr | None:
        version = self.code.values.get(name)
        return None if version is None else symbol(version)

    def _predictions(self, structure: Structure) -> dict[int, sp.Expr]:
        """Return what F stands for in each compartment, that of 0 by default; none with $PRED."""
        found = {}
        for k in range(1, structure.n + 1):
            scale = self._variable(f"S{k}")
            if scale is None and k == structure.observed:
                scale = self._variable("SC")
            amount = symbol(f"A{k}")
            found[k] = amount if scale is None else amount / scale
        if found:
            found[0] = found[structure.observed]
        return found

    def _inputs(
        self, structure: Structure, states: list[str]
    ) -> tuple[dict[str, Any], dict[str, sp.Expr]]:
        """Return one route per compartment with a property of its own, the default one first."""
        inputs: dict[str, Any] = {}
        initial: dict[str, sp.Expr] = {}
        for k in [structure.dose, *(i for i in range(1, len(states) + 1) if i != structure.dose)]:
            keys = {"bioavailability": f"F{k}", "lag": f"ALAG{k}", "duration": f"D{k}",
                    "rate": f"R{k}"}  # fmt: skip
            given = {key: v for key, n in keys.items() if (v := self._variable(n)) is not None}
            start = self._variable(f"A_0{k}")
            if start is not None:
                initial[states[k - 1]] = start
            if not given and k != structure.dose:
                continue
            timed = "duration" in given or "rate" in given
            if timed and structure.n:
                self.remarks.append(
                    f"compartment {k} has D{k} or R{k}: a dose with RATE 0 takes it as well"
                )
            inputs[f"compartment{k}"] = [
                {"kind": "zero_order" if timed else "bolus", "into": states[k - 1], **given}
            ]
        return inputs, initial

    def _assembled(
        self,
        time_unit: str,
        amount_unit: str,
        states: list[str],
        dynamics: list[sp.Expr],
        inputs: dict[str, Any],
        initial: dict[str, sp.Expr],
        errors: list[ErrorModel],
        column: str,
        kept: set[str],
        line: int,
    ) -> dict[str, Any]:
        targets = [*dynamics, *initial.values(), *(e.mean for e in errors)]
        targets += [e.variance for e in errors]
        targets += [
            v for routes in inputs.values() for p in routes for v in p.values()
            if isinstance(v, sp.Expr)
        ]  # fmt: skip
        order, broken = self.code.needed(targets)
        self.problems += broken
        y = self.code.values.get("Y")
        if y is not None:
            self.problems += self.code.needed([symbol(y)])[1]
        occasions = find_occasions(self.code, order, self.omegas, self.covariates, self.problems)
        if self.problems:
            return {}
        equations = {
            n: self.code.equations[n].xreplace(occasions.merged) for n in order if n in kept
        }
        swap = occasions.merged
        used = {s.name for e in [*equations.values(), *targets] for s in e.free_symbols}
        used |= set(re.findall(r"[A-Z_]\w*", " ".join(self._probabilities())))
        self._remark_differences(order, occasions)
        self._remark_errors(errors, column)
        texts = {
            route: [
                {k: formula_text(v.xreplace(swap)) if isinstance(v, sp.Expr) else v
                 for k, v in p.items()} for p in processes
            ]
            for route, processes in inputs.items()
        }  # fmt: skip
        if occasions.column and occasions.column != "OCC":
            self.data["columns"] = {**self.data.get("columns", {}), "OCC": occasions.column}
        return {
            "id": f"user/{self.file.stem}",
            "title": re.sub(r"\s+", " ", " ".join(r.text for r in self._named("PROBLEM"))).strip(),
            "units": {"time": time_unit, "amount": amount_unit},
            "covariates": {
                c: {"reference": self._reference(c)} for c in self.covariates if c in used
            },
            "parameters": parameter_rows(self.thetas, self.sigmas),
            **effect_rows(self.omegas, occasions.effects),
            **self.mixture,
            "individual": {n: formula_text(e) for n, e in equations.items()},
            "dynamics": {
                s: formula_text(e.xreplace(swap)) for s, e in zip(states, dynamics, strict=True)
            },
            "initial": {s: formula_text(e.xreplace(swap)) for s, e in initial.items()},
            "inputs": texts,
            "outputs": {
                e.name: {"expression": formula_text(e.mean.xreplace(swap))} for e in errors
            },
            "residual": {
                e.name: {"variance": formula_text(e.variance.xreplace(swap))} for e in errors
            },
        }  # fmt: skip

    def _probabilities(self) -> list[str]:
        return list(self.mixture.get("mixture", {}).get("probabilities", {}).values())

    def _remark_differences(self, order: list[str], occasions: Occasions) -> None:
        self.remarks += [
            f"line {self.code.lines[version]}: {name} is 0 where no condition sets it; "
            "NONMEM keeps the value of the record before"
            for name, version in self.unset.items()
            if version in order
        ]
        if occasions.others:
            self.remarks.append(
                f"all values of {occasions.column} that no condition names are one occasion in the "
                "control stream, and one each here: check that the data hold one of them"
            )

    def _remark_errors(self, errors: list[ErrorModel], column: str) -> None:
        for e in errors:
            if e.linearised:
                self.remarks.append(
                    f"{e.name}: an EPS enters other than linearly; its error is that at EPS 0"
                )
            if e.kind is not None:
                self.outputs[e.kind] = e.name
            elif column:
                self.remarks.append(f"{e.name} is for all values of {column} that Y does not name")
        if not column and errors:
            self.outputs[1] = errors[0].name
        if column == "CMT":
            self.data["columns"] = {**self.data.get("columns", {}), "DVID": "CMT"}

    def _reference(self, name: str) -> float:
        if name in self.references:
            return float(self.references[name])
        self.remarks.append(f"the typical value of {name} is not given: 1 is taken")
        return 1.0
