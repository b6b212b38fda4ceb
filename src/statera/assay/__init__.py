"""Assay: structured protocols and the dilutions that follow from them."""

from statera.assay.dilution import Dilution, dilution, log_dilution_series
from statera.assay.protocol import (
    Protocol,
    load_protocol,
    protocol_names,
    read_protocol,
)

__all__ = [
    "Dilution",
    "Protocol",
    "dilution",
    "load_protocol",
    "log_dilution_series",
    "protocol_names",
    "read_protocol",
]
