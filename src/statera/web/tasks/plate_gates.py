"""Gates in all their forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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

MAX_BYTES = 5_000_000


def run(request: PlateGatesRequest, work: Work) -> Answer:
    """Read gates in the form that is given, and write them in all forms."""
    strategy = _read(request, work)
    text = gates_toml_text(strategy)
    result: dict[str, Any] = {
        "strategy": gates_json(strategy),
        "populations": list(strategy.populations),
        "toml": text,
        "gatingml": "",
    }
    warnings: list[str] = []
    try:
        result["gatingml"], conversions = gatingml_text(strategy)
        warnings += [f"{c.gate}, in Gating-ML: {c.sentence}" for c in conversions]
    except StateraError as error:
        warnings.append(f"{error.what}. {error.hint}".strip())
    return Answer("statera.web.plate_gates/1", result, {}, _copies(text), warnings)


def _read(request: PlateGatesRequest, work: Work) -> GatingStrategy:
    given = [request.gates is not None, bool(request.text), request.upload is not None]
    if sum(given) != 1:
        raise InputError(
            "the gates should come in one form",
            where="gates",
            hint="Give gates, text or upload, and only one of them.",
        )
    if request.gates is not None:
        return strategy_of(request.gates)
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
        return read_gates_toml(file) if toml else read_gatingml(file)
    except InputError as error:
        raise InputError(error.what, where=_place(error, file, shown), hint=error.hint) from error


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
