"""Events of all wells of a plate by what their channels stand for, for automatic gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.channel_limits import at_limit
from statera.cytometry.compensation import Spillover, spillover_of
from statera.cytometry.fcs_layout import Channel
from statera.cytometry.gates import FROM_FILE, UNCOMPENSATED
from statera.cytometry.panel import Panel, PanelChannels
from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.scales import PlainArcsinh, Scale
from statera.errors import InputError

__all__ = ["PlateEvents"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

PLATE_MATRIX = "plate"
"""Name of a spillover matrix that was handed in, in the gating strategies."""


class PlateEvents:
    """Files of a plate with a panel and a compensation.

    Attributes
    ----------
    files
    channels
        Of each file by role.
    matrix
        Name of the compensation for gates.
    unreadable
        Why a well's matrix cannot be used, by well; its values are taken as read.
    """

    def __init__(
        self, files: Mapping[str, FcsFile], panel: Panel, compensation: str | Spillover
    ) -> None:
        self.files = files
        self.panel = panel
        self.channels: dict[str, PanelChannels] = {w: panel.resolve(f) for w, f in files.items()}
        self.given = compensation if isinstance(compensation, Spillover) else None
        self.matrix = PLATE_MATRIX if isinstance(compensation, Spillover) else compensation
        self.unreadable: dict[str, str] = {}
        self._spillovers: dict[str, Spillover | None] = {}
        for well, file in files.items():
            try:
                spillover = self._spillover(file)
                if spillover is not None:
                    spillover.rows(file)
            except InputError as error:
                self.unreadable[well] = f"the spillover matrix cannot be used: {error.what}"
                spillover = None
            self._spillovers[well] = spillover

    def channel_name(self, well: str, role: str) -> str:
        """Return the channel of a role in a well; empty where it has none.

        A role is a field of the panel, or ``marker`` and a name.
        """
        found = self.channels[well]
        if role.startswith("marker "):
            return found.markers.get(role.removeprefix("marker "), "")
        name: str = getattr(found, role)
        return name

    def common_name(self, role: str) -> str:
        """Return the channel that most wells have for a role; empty where none has one."""
        names = Counter(n for n in (self.channel_name(w, role) for w in self.files) if n)
        return names.most_common(1)[0][0] if names else ""

    def channel(self, role: str) -> Channel | None:
        """Return the channel of a role as the first well that has it declares it."""
        name = self.common_name(role)
        for well, file in self.files.items():
            if name and self.channel_name(well, role) == name:
                return file.channels[file.index(name)]
        return None

    def raw(self, well: str, role: str) -> Floats | None:
        """Return values as read, (n_events,); None where the well lacks the channel."""
        name = self.channel_name(well, role)
        return self.files[well].channel(name) if name else None

    def compensated(self, well: str, role: str) -> Floats | None:
        """Return compensated values, (n_events,); None where the well lacks the channel."""
        name = self.channel_name(well, role)
        return self.compensated_channel(well, name) if name else None

    def compensated_channel(self, well: str, name: str) -> Floats:
        """Return compensated values of a channel by its own name, (n_events,)."""
        file = self.files[well]
        spillover = self._spillovers[well]
        if spillover is not None:
            for names in (spillover.dyes, spillover.detectors):
                if name in names:
                    row = spillover.unmixing[names.index(name)]
                    found: Floats = row @ file.events[spillover.rows(file)]
                    return found
        return file.channel(name)

    def _spillover(self, file: FcsFile) -> Spillover | None:
        if self.given is not None:
            return self.given
        return spillover_of(file) if self.matrix == FROM_FILE else None

    def compensation(self, *, scatter: bool) -> str:
        """Return the compensation that a gate's dimension names."""
        return UNCOMPENSATED if scatter else self.matrix

    def within_limits(self, well: str, role: str) -> Mask:
        """Return which events lie within the limits of a channel, (n_events,).

        Events piled up at a limit would look like a population.
        """
        file = self.files[well]
        channel = file.channels[file.index(self.channel_name(well, role))]
        below, above = at_limit(file.channel(channel.name), channel)
        return ~(below | above)

    def for_density(self, values: Floats, scale: Scale) -> Floats:
        """Return values on a scale; whole counts of mass cytometry are spread over their bin."""
        if isinstance(scale, PlainArcsinh) and values.size and (values == np.rint(values)).all():
            # seeded by the events: the same ones are always spread alike, and no two wells are
            seed = crc32(np.ascontiguousarray(values).tobytes())
            values = values + np.random.default_rng(seed).uniform(-0.5, 0.5, values.size)
        return scale(values)
