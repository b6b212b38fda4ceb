"""Which inhibition follows from a model's concentrations."""

from __future__ import annotations

import pytest

from statera.errors import InputError
from statera.library import load_model
from statera.mechanism.readouts import own_readout, readouts_of

MASS = 371.42  # baricitinib, g/mol


def test_cytokines_are_inhibited_as_their_limiting_kinase_is() -> None:
    found = {c: r for r in readouts_of(load_model("baricitinib/Decker_2024")) for c in r.cytokines}
    # half of the drug is unbound: total 11.4 nM at JAK2, 11.8 nM at JAK1
    assert found["IL-6"].ic50 == pytest.approx(5.7 / 0.5 * MASS / 1000)
    assert found["IL-4"].ic50 == pytest.approx(5.9 / 0.5 * MASS / 1000)
    assert "JAK2" in found["IL-6"].basis
    assert "JAK1" in found["IL-4"].basis
    assert any("> 400 nM" in n for n in found["IL-4"].notes)
    assert any("slope" in n for n in found["IL-6"].notes)
    assert "STAT3" in found["IL-6"].stats


def test_potencies_in_blood_go_with_the_output_of_their_substance() -> None:
    parent, metabolite = readouts_of(load_model("filgotinib/Namour_2015"))
    assert (parent.output, parent.ic50, parent.hill) == ("CP", 293, 1.97)
    assert (metabolite.output, metabolite.ic50) == ("CM", 1686)
    assert metabolite.sources == ("NAMOUR",)


def test_without_potencies_there_is_no_readout() -> None:
    assert readouts_of(load_model("tofacitinib/Xie_2019")) == ()


def test_own_potencies_are_turned_into_the_unit_of_the_output() -> None:
    model = load_model("tofacitinib/Xie_2019")
    total = own_readout(model, "mine", 20.0, "nM", molar_mass=300.0)
    assert total.ic50 == pytest.approx(6.0)
    unbound = own_readout(model, "mine", 20.0, "nM", molar_mass=300.0, unbound=0.6, hill=1.2)
    assert unbound.ic50 == pytest.approx(10.0)
    assert unbound.hill == 1.2
    mass = own_readout(model, "mine", 0.02, "mg/L")
    assert mass.ic50 == pytest.approx(20.0)
    with pytest.raises(InputError, match="molar mass"):
        own_readout(model, "mine", 20.0, "nM")
