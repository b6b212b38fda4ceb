"""Models from NONMEM control streams."""

from statera.model.nonmem.read_control_stream import ControlStream, read_control_stream

__all__ = ["ControlStream", "read_control_stream"]
