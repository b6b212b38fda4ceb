"""What was given and what was observed: regimens and event records."""

from statera.data.events import EventTable, events_from_columns, events_from_regimen
from statera.data.fit_data import DataReport, Excluded, Finding, FitData
from statera.data.read_data import check_data, read_data
from statera.data.read_events import EventData, EventReport, Problem, check_events, read_events
from statera.data.regimen import Dose, Regimen, parse_regimen, regimen_text

__all__ = [
    "DataReport",
    "Dose",
    "EventData",
    "EventReport",
    "EventTable",
    "Excluded",
    "Finding",
    "FitData",
    "Problem",
    "Regimen",
    "check_data",
    "check_events",
    "events_from_columns",
    "events_from_regimen",
    "parse_regimen",
    "read_data",
    "read_events",
    "regimen_text",
]
