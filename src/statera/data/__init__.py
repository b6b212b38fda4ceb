"""What was given and what was observed: regimens and event records."""

from statera.data.events import EventTable, events_from_columns, events_from_regimen
from statera.data.regimen import Dose, Regimen, parse_regimen

__all__ = [
    "Dose",
    "EventTable",
    "Regimen",
    "events_from_columns",
    "events_from_regimen",
    "parse_regimen",
]
