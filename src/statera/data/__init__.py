"""What was given and what was observed: regimens and event records."""

from statera.data.events import EventTable, events_from_columns, events_from_regimen
from statera.data.read_events import EventData, EventReport, Problem, check_events, read_events
from statera.data.regimen import Dose, Regimen, parse_regimen

__all__ = [
    "Dose",
    "EventData",
    "EventReport",
    "EventTable",
    "Problem",
    "Regimen",
    "check_events",
    "events_from_columns",
    "events_from_regimen",
    "parse_regimen",
    "read_events",
]
