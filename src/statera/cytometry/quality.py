"""Quality of one well's events: what is left out before gating, and what is only said.

Each rule counts what it finds; nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.automatic_scale import is_mass_channel
from statera.cytometry.channel_limits import at_limit
from statera.cytometry.compensation import Spillover
from statera.cytometry.flow_rate import MIN_EVENTS, FlowAnomaly, find_flow_anomalies
from statera.cytometry.panel import Panel
from statera.cytometry.plate_events import PlateEvents
from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.signal_drift import find_drift

__all__ = ["QualityFlag", "QualityOptions", "QualityReport", "check_quality", "few_events"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MARGIN, FLOW, DRIFT = "margin", "flow_rate", "drift"
FEW, SATURATED, TIME = "few_events", "saturated", "time"


@dataclass(frozen=True)
class QualityOptions:
    """What counts as an anomaly.

    Attributes
    ----------
    compensation
        ``FCS`` for the file's own matrix, ``uncompensated``, or a matrix: drift is sought in
        compensated signals.
    negative_floor
        Value at or below which fluorescence is off scale, for instruments that cut it off there
        without saying so in the file.
    flow_deviations, flow_step
        Standard deviations of a burst or gap, and change of the rate that makes a step.
    drift_deviations, drift_run, drift_least
        See `find_drift`.
    most_drift
        Share of events beyond which drift is said but nothing is left out: no part of the file is
        then the usual one.
    few
        Kept events below which a file or population is flagged.
    saturated
        Share of events at the top of a readout that is flagged.
    """

    compensation: str | Spillover = "FCS"
    negative_floor: float = -np.inf
    flow_deviations: float = 5.0
    flow_step: float = 0.4
    drift_deviations: float = 6.0
    drift_run: int = 5
    drift_least: float = 0.1
    most_drift: float = 0.5
    few: int = 200
    saturated: float = 0.01


@dataclass(frozen=True)
class QualityFlag:
    """Something to know of a well.

    Attributes
    ----------
    rule
        ``margin``, ``flow_rate``, ``drift``, ``few_events``, ``saturated`` or ``time``.
    channel
        Empty where it concerns none.
    sentence
    """

    rule: str
    channel: str
    sentence: str


@dataclass(frozen=True)
class QualityReport:
    """What was found in one file.

    Attributes
    ----------
    keep : (n_events,) bool
        Events that no rule leaves out.
    removed
        (n_events,) bool by rule; an event may be in several.
    counts
        Number of events by rule, and ``total`` of those left out by any.
    flags
    """

    keep: Mask
    removed: Mapping[str, Mask]
    counts: Mapping[str, int]
    flags: tuple[QualityFlag, ...]


def check_quality(
    file: FcsFile, panel: Panel, options: QualityOptions | None = None
) -> QualityReport:
    """Return which events of a file to leave out, by rule, and what else to know of it.

    Margins: at or beyond the declared limits of scatter, markers and the stain for dead cells.
    Readouts are only flagged: leaving out the brightest events would lower their median. Flow
    rate: bursts, gaps and steps. Drift: runs of bins in which a signal lies off.

    Parameters
    ----------
    file
        As read, not compensated, with all of its events.
    panel
        Channels that the file lacks are not checked.
    options
    """
    chosen = options or QualityOptions()
    events = PlateEvents({"": file}, panel, chosen.compensation)
    flags: list[QualityFlag] = []
    removed = {MARGIN: _margins(events, chosen, flags)}
    _saturation(events, chosen, flags)
    time = _time(file, events, flags)
    removed[FLOW] = _flow(time, file.n_events, chosen, flags)
    removed[DRIFT] = _drift(events, time, chosen, flags)
    out = removed[MARGIN] | removed[FLOW] | removed[DRIFT]
    counts = {rule: int(mask.sum()) for rule, mask in removed.items()}
    counts["total"] = int(out.sum())
    flags += few_events({"kept events": int((~out).sum())}, chosen.few)
    return QualityReport(~out, removed, counts, tuple(flags))


def few_events(counts: Mapping[str, int], least: int = 200) -> tuple[QualityFlag, ...]:
    """Return a flag for each population with fewer events than needed for a steady median."""
    return tuple(
        QualityFlag(FEW, "", f"{name}: {n} events, fewer than {least}; statistics are uncertain")
        for name, n in counts.items()
        if n < least
    )


def _roles(events: PlateEvents) -> dict[str, str]:
    """Return channel by role, of those that the file has."""
    panel = events.panel
    roles = ["fsc_area", "fsc_height", "ssc_area", "live_dead"]
    roles += [f"marker {m}" for m in panel.markers]
    found = {role: events.channel_name("", role) for role in roles}
    return {role: name for role, name in found.items() if name}


def _margins(events: PlateEvents, options: QualityOptions, flags: list[QualityFlag]) -> Mask:
    file = events.files[""]
    out = np.zeros(file.n_events, dtype=bool)
    for role, name in _roles(events).items():
        values = file.channel(name)
        below, above = at_limit(values, file.channels[file.index(name)])
        fluorescence = role == "live_dead" or role.startswith("marker ")
        if fluorescence:
            # cells without the marker may lie at the floor of a logarithmic amplifier, or count 0
            low = int(below.sum())
            if low > 0.05 * file.n_events:
                share = 100.0 * low / file.n_events
                said = f"{share:.1f} % of events lie at the floor of {name}; they are kept"
                flags.append(QualityFlag(MARGIN, name, said))
            below = values <= options.negative_floor
        n = int((below | above).sum())
        if n:
            share = 100.0 * n / file.n_events
            counted = f"{n} events" if n > 1 else "1 event"
            said = f"{counted} ({share:.2f} %) at the limits of {name} left out"
            if share > 5.0:
                said += "; that is many: lower the detector's voltage"
            flags.append(QualityFlag(MARGIN, name, said))
        out |= below | above
    return out


def _saturation(events: PlateEvents, options: QualityOptions, flags: list[QualityFlag]) -> None:
    file = events.files[""]
    for readout, name in events.channels[""].readouts.items():
        _, above = at_limit(file.channel(name), file.channels[file.index(name)])
        share = float(above.mean()) if file.n_events else 0.0
        if share > options.saturated:
            said = (
                f"{100.0 * share:.1f} % of events lie at the top of {readout} ({name}): it is "
                "saturated, and high values are higher than measured; they are kept"
            )
            flags.append(QualityFlag(SATURATED, name, said))


def _time(file: FcsFile, events: PlateEvents, flags: list[QualityFlag]) -> Floats | None:
    name = events.channels[""].time or next((c.name for c in file.channels if c.is_time), "")
    if not name:
        said = "the file has no time channel: flow rate and drift are not checked"
        flags.append(QualityFlag(TIME, "", said))
        return None
    time = file.channel(name)
    if not file.n_events or not np.isfinite(time).all() or not time.max() > time.min():
        said = f"{name} does not tell the time: flow rate and drift are not checked"
        flags.append(QualityFlag(TIME, name, said))
        return None
    back = int((np.diff(time) < 0).sum())
    if back:
        said = f"{name} goes back {back} times: events are put in order of time"
        flags.append(QualityFlag(TIME, name, said))
    return time


def _flow(time: Floats | None, n: int, options: QualityOptions, flags: list[QualityFlag]) -> Mask:
    if time is None:
        return np.zeros(n, dtype=bool)
    if n < MIN_EVENTS:
        said = f"{n} events are too few to check the flow rate (fewer than {MIN_EVENTS})"
        flags.append(QualityFlag(FLOW, "", said))
        return np.zeros(n, dtype=bool)
    mask, anomalies = find_flow_anomalies(
        time, deviations=options.flow_deviations, step=options.flow_step
    )
    flags += [QualityFlag(FLOW, "", _flow_sentence(a)) for a in anomalies]
    return mask


def _flow_sentence(anomaly: FlowAnomaly) -> str:
    what = {"burst": "a burst of events", "gap": "a gap in the flow"}.get(
        anomaly.kind, "another flow rate"
    )
    done = "left out" if anomaly.removed else "kept, as it lasts too long to be told from the usual"
    return (
        f"{what} from {anomaly.start:.3g} to {anomaly.end:.3g} s, at {100 * anomaly.rate:.0f} % of "
        f"the usual rate: {done}"
    )


def _drift(
    events: PlateEvents, time: Floats | None, options: QualityOptions, flags: list[QualityFlag]
) -> Mask:
    file = events.files[""]
    out = np.zeros(file.n_events, dtype=bool)
    if time is None:
        return out
    for why in events.unreadable.values():
        flags.append(QualityFlag(DRIFT, "", f"{why}; drift is sought in signals as read"))
    order = np.argsort(time, kind="stable")
    roles = _roles(events) | {f"readout {r}": c for r, c in events.channels[""].readouts.items()}
    seen: set[str] = set()
    for role, name in roles.items():
        if name in seen:
            continue
        seen.add(name)
        mask, drift = find_drift(
            _signal(events, role, name), order,
            deviations=options.drift_deviations, run=options.drift_run, least=options.drift_least,
        )  # fmt: skip
        if drift is None:
            continue
        kept = drift.share > options.most_drift
        done = "nothing is left out, as no part is the usual one" if kept else "left out"
        said = (
            f"{name} drifts by up to {100 * np.expm1(drift.largest):.0f} % in "
            f"{100 * drift.share:.0f} % of the events: {done}"
        )
        flags.append(QualityFlag(DRIFT, name, said))
        if not kept:
            out |= mask
    return out


def _signal(events: PlateEvents, role: str, name: str) -> Floats:
    """Return a signal on a scale of logarithms; without spillover for fluorescence."""
    file = events.files[""]
    if role in ("fsc_area", "fsc_height", "ssc_area"):
        values = file.channel(name)
        return np.asarray(np.log(np.maximum(values, 1.0)))
    found = events.compensated_channel("", name)
    cofactor = 5.0 if is_mass_channel(file.channels[file.index(name)]) else 150.0
    return np.asarray(np.arcsinh(np.nan_to_num(found) / cofactor))
