"""Constants that come with the program."""

from __future__ import annotations

import pytest

from statera.errors import UnknownNameError
from statera.pathway.jak_stat_rates import cytokines_with_rates, load_rates


def test_constants_say_where_they_come_from() -> None:
    for name in cytokines_with_rates():
        found = load_rates(name)
        assert found.status == "derived"
        assert "doi" in found.source
        assert found.unit == "ng/mL"


def test_unknown_cytokines() -> None:
    with pytest.raises(UnknownNameError, match="IL-99"):
        load_rates("IL-99")
