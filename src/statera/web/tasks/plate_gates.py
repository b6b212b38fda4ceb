"""Gates in all their forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from statera.cytometry.flowjo import read_flowjo
from statera.cytometry.gates_toml import read_gates_toml
from statera.cytometry.gates_toml_write import gates_toml_text
from statera.cytometry.gatingml import read_gatingml
from statera.cytometry.gatingml_write import gatingml_text
from statera.cytometry.strategy import GatingStrategy
from statera.errors import InputError, Place, StateraError
from statera.web.answer import Answer, Copies
from statera.web.requests.plate import PlateGatesRequest
from statera.web.tasks.plate_strategy import gates_json, strategy_of
from statera.web.work import Work

__all__ = ["run"]

MAX_BYTES = 20_000_000


def run(request: PlateGatesRequest, work: Work) -> Answer:
    """Read gates in the form that is given, and write them in all forms."""
    strategy, remarks = _read(request, work)
    warnings = list(remarks)
    text = gates_toml_text(strategy)
    result: dict[str, Any] = {
        "strategy": gates_json(strategy),
        "populations": list(strategy.populations),
        "remarks": remarks,
        "toml": text,
        "gatingml": "",
    }
    try:
        result["gatingml"], conversions = gatingml_text(strategy)
        warnings += [f"{c.gate}, in Gating-ML: {c.sentence}" for c in conversions]
    except StateraError as error:
        warnings.append(f"{error.what}. {error.hint}".strip())
    return Answer("statera.web.plate_gates/1", result, {}, _copies(text), warnings)


def _read(request: PlateGatesRequest, work: Work) -> tuple[GatingStrategy, list[str]]:
    """Return the gates, and what was not taken over."""
    given = [request.gates is not None, bool(request.text), request.upload is not None]
    if sum(given) != 1:
        raise InputError(
            "the gates should come in one form",
            where="gates",
            hint="Give gates, text or upload, and only one of them.",
        )
    if request.gates is not None:
        return strategy_of(request.gates), []
    shown, toml = "gates", request.form == "toml"
    content = request.text.encode()
    if request.upload is not None:
        upload = work.upload(request.upload)
        if upload.size > MAX_BYTES:
            raise InputError(
                f"{upload.name} is larger than {MAX_BYTES // 10**6} MB: it is no file of gates",
                where="upload",
            )
        shown, content = upload.name, upload.path.read_bytes()
        toml = b"<" not in content[:200].lstrip()[:1]
    file = work.folder / ("gates.toml" if toml else "gates.xml")
    file.write_bytes(content)
    try:
        if not toml and b"<Workspace" in content[:4000]:
            return _of_workspace(file)
        return (read_gates_toml(file) if toml else read_gatingml(file)), []
    except InputError as error:
        raise InputError(error.what, where=_place(error, file, shown), hint=error.hint) from error


def _of_workspace(file: Path) -> tuple[GatingStrategy, list[str]]:
    """Return the gates of the largest group of a FlowJo workspace, else of its first sample.

    The gates of an editor are the same in all wells; those that a sample has for itself are not
    taken over.
    """
    workspace = read_flowjo(file)
    groups = [g for g in workspace.groups if g.strategy is not None and g.strategy.gates]
    samples = [s for s in workspace.samples if s.strategy.gates]
    if groups:
        group = max(groups, key=lambda one: len(one.sample_ids))
        found, origin = group.strategy, f"the group '{group.name}'"
    elif samples:
        found, origin = samples[0].strategy, f"the sample '{samples[0].name}'"
    else:
        raise InputError(
            "the workspace holds no gates", where=Place(str(file)),
            hint="Save it from FlowJo 10 with its gates, or export them as Gating-ML.",
        )  # fmt: skip
    assert found is not None
    told = [f"these are the gates of {origin}; they are the same in all wells"]
    own = sorted({name for s in workspace.samples for name in s.own_gates})
    if own and groups:
        said = ", ".join(own[:6]) + (" …" if len(own) > 6 else "")
        told.append(f"samples have gates of their own, which are left out: {said}")
    told += [
        f"{u.where}: {u.what}: {u.reason}"
        for u in workspace.untranslated
        if not u.kept and not u.what.startswith("Statistic")  # numbers, which are computed anew
    ]
    return found, told[:40]


def _place(error: InputError, file: Path, shown: str) -> Place | str:
    """Return where the error is, by the name that the user knows."""
    where = error.where
    if isinstance(where, Place):
        return Place(shown, where.line, where.column)
    return shown if where is None else str(where).replace(str(file), shown)


def _copies(text: str) -> Copies:
    python = (
        "from pathlib import Path\n\n"
        "from statera.cytometry.gates_toml import read_gates_toml\n\n"
        f"Path('gates.toml').write_text({text!r})\n"
        "print(read_gates_toml('gates.toml').populations)\n"
    )
    why = "gates are applied with a plate: [gating] of plate.toml, and statera assay run"
    return Copies(python, "", why)
