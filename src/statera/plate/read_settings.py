"""Read ``plate.toml``: what a plate analysis is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from statera.cytometry.panel import Panel
from statera.engagement.stated import MATRICES
from statera.errors import InputError
from statera.library.read import Table, read_document
from statera.plate.plate_map import Columns
from statera.plate.settings import (
    CompensationKind,
    CompensationSettings,
    FitSettings,
    GatingMethod,
    GatingSettings,
    Model,
    PlateSettings,
    QualitySettings,
    ResponseScale,
    StatisticsSettings,
    Weighting,
)

__all__ = ["SCHEMA", "read_settings"]

SCHEMA = "statera.plate/1"

_ABOUT = ("overview", "specimen", "instrument", "analysis")
_SCATTER = ("fsc_area", "fsc_height", "ssc_area", "live_dead", "time")


def read_settings(path: str | Path) -> PlateSettings:
    """Return the settings in a file; paths in it are taken from its own folder.

    Raises
    ------
    InputError
        With file, line and column, where something is not understood.
    """
    document = read_document(path, SCHEMA)
    top = document.table()
    folder = Path(path).resolve().parent
    gating = _gating(top, folder)
    panel = _panel(top, gating)
    matrix = top.text("matrix", "unknown")
    if matrix not in MATRICES:
        top.fail("matrix", f"'{matrix}' is not a matrix", f"one of: {', '.join(MATRICES)}")
    settings = PlateSettings(
        name=top.text("name", Path(path).stem),
        drug=top.text("drug"),
        path=Path(path),
        plate_map=folder / top.text("plate_map"),
        files=folder / top.text("files", "."),
        panel=panel,
        columns=_columns(top),
        matrix=matrix,
        gating=gating,
        compensation=_compensation(top, folder, gating.method),
        quality=_quality(top),
        statistics=_statistics(top),
        fit=_fit(top),
        about=_about(top),
    )
    top.finish("schema")
    return settings


def _optional(top: Table, key: str) -> Table:
    return top.sub(key) if key in top.data else Table(top.document, {}, (*top.path, key))


def _texts(table: Table) -> dict[str, str]:
    """Return a table that maps names to texts."""
    return {key: table.text(key) for key in table.data}


def _panel(top: Table, gating: GatingSettings) -> Panel:
    table = top.sub("panel")
    scatter = {name: table.text(name, "") for name in _SCATTER}
    markers = _texts(_optional(table, "markers"))
    if "readouts" not in table.data:
        table.fail("readouts", "the panel names no readout", '[panel.readouts] pSTAT3 = "APC-A"')
    readouts = _texts(table.sub("readouts"))
    if not readouts:
        table.fail("readouts", "the panel names no readout", 'pSTAT3 = "APC-A"')
    table.finish()
    automatic = gating.method is GatingMethod.AUTOMATIC
    populations: Mapping[str, str] = _texts(_optional(top, "populations"))
    if not populations:
        expected = 'CD4 = "CD3+ CD4+"' if automatic else 'CD4 = "name of its gate"'
        top.fail("populations", "no population is named", f"[populations] {expected}")
    try:
        return _made(scatter, markers, readouts, populations if automatic else {})
    except InputError as error:
        key = error.where if error.where in populations else next(iter(populations))
        place = top.document.place("populations", str(key))
        raise InputError(error.what, where=place, hint=error.hint) from error


def _made(
    scatter: Mapping[str, str],
    markers: Mapping[str, str],
    readouts: Mapping[str, str],
    populations: Mapping[str, str],
) -> Panel:
    return Panel(
        fsc_area=scatter["fsc_area"],
        fsc_height=scatter["fsc_height"],
        ssc_area=scatter["ssc_area"],
        live_dead=scatter["live_dead"],
        time=scatter["time"],
        markers=markers,
        readouts=readouts,
        populations=populations,
    )


def _columns(top: Table) -> Columns:
    table = _optional(top, "columns")
    default = Columns()
    names = {name: table.text(name, getattr(default, name)) for name in vars(default)}
    table.finish()
    return Columns(**names)


def _gating(top: Table, folder: Path) -> GatingSettings:
    table = _optional(top, "gating")
    default = GatingSettings()
    method = table.choice("method", GatingMethod, default.method)
    name = table.text("file", "")
    if method is not GatingMethod.AUTOMATIC and not name:
        table.fail("file", f"gating by {method.value} needs a file of gates", 'file = "gates.xml"')
    events = _count(table, "events", default.events, lowest=200)
    seed = _count(table, "seed", default.seed, lowest=0)
    group = table.text("group", "")
    counts = table.text("counts", "exact")
    if counts not in ("exact", "binned"):
        table.fail("counts", f"'counts' is '{counts}'", '"exact" or "binned"')
    table.finish()
    named: Mapping[str, str] = {}
    if method is not GatingMethod.AUTOMATIC:
        named = _texts(_optional(top, "populations"))
    return GatingSettings(
        method, folder / name if name else None, named, events, seed, group, counts == "binned"
    )


def _compensation(top: Table, folder: Path, method: GatingMethod) -> CompensationSettings:
    table = _optional(top, "compensation")
    kind = table.choice("from", CompensationKind, CompensationKind.FILE)
    name = table.text("file", "")
    if kind is CompensationKind.TABLE and not name:
        table.fail("file", "the table of spillover is not named", 'file = "spillover.csv"')
    if kind is CompensationKind.GATES and method is GatingMethod.AUTOMATIC:
        table.fail("from", "automatic gates bring no spillover matrix", '"file" or "table"')
    table.finish()
    return CompensationSettings(kind, folder / name if name else None)


def _quality(top: Table) -> QualitySettings:
    table = _optional(top, "quality")
    default = QualitySettings()
    found = QualitySettings(
        table.flag("remove", default.remove),
        _count(table, "min_events", default.min_events, lowest=1),
    )
    table.finish()
    return found


def _statistics(top: Table) -> StatisticsSettings:
    table = _optional(top, "statistics")
    default = StatisticsSettings()
    found = StatisticsSettings(
        _positive(table, "cofactor", default.cofactor),
        _positive(table, "percentile", default.percentile, below=100.0),
    )
    table.finish()
    return found


def _fit(top: Table) -> FitSettings:
    table = _optional(top, "fit")
    default = FitSettings()
    found = FitSettings(
        model=table.choice("model", Model, default.model),
        scale=table.choice("scale", ResponseScale, default.scale),
        weights=table.choice("weights", Weighting, default.weights),
        level=_positive(table, "level", default.level, below=1.0),
        absolute=_positive(table, "absolute", default.absolute, below=100.0),
        min_fold=_positive(table, "min_fold", default.min_fold),
        max_control_cv=_positive(table, "max_control_cv", default.max_control_cv),
    )
    table.finish()
    return found


def _about(top: Table) -> dict[str, dict[str, str]]:
    table = _optional(top, "about")
    found = {name: _texts(table.sub(name)) for name in _ABOUT if name in table.data}
    table.finish(*_ABOUT)
    return found


def _count(table: Table, key: str, default: int, *, lowest: int) -> int:
    value = table.number(key)
    if value is None:
        return default
    if value != int(value) or value < lowest:
        table.fail(key, f"'{key}' is {value:g}", f"a whole number of {lowest} or more")
    return int(value)


def _positive(table: Table, key: str, default: float, *, below: float = float("inf")) -> float:
    value = table.number(key)
    if value is None:
        return default
    if not 0.0 < value < below:
        said = "a number above 0" + (f" and below {below:g}" if below < float("inf") else "")
        table.fail(key, f"'{key}' is {value:g}", said)
    return value
