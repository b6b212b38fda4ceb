"""A network in short."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sbml_texts import event, reaction, sbml

from statera.pathway.describe import describe
from statera.pathway.sbml_read import read_sbml

TEXT = sbml(
    '<compartment id="c" size="2" spatialDimensions="3"/><parameter id="k" value="0.5"/>'
    '<parameter id="x" constant="false"/><parameter id="lost"/>'
    '<species id="A" compartment="c" initialConcentration="3"/>'
    '<species id="B" compartment="c" initialAmount="1"/>'
    '<species id="D" compartment="c" initialAmount="1"/>'
    '<assignmentRule variable="x"><m>piecewise(1, time &lt; 2, 0)</m></assignmentRule>'
    + reaction("r", "c * k * A * x", "A", "2 B")
    + event("A < 1", "D = 3", delay="k", attributes='id="e"'),
    model='name="A test" timeUnits="second" substanceUnits="mole" volumeUnits="litre"',
)


def test_what_it_says() -> None:
    found = describe(read_sbml(TEXT))
    assert dict(found.counts) == {
        "states": 3, "reactions": 1, "compartments": 1, "species": 3, "parameters": 3,
        "computed constants": 0, "assignment rules": 1, "events": 1,
    }  # fmt: skip
    assert found.states == (("A", "mol/L", 3.0), ("B", "mol/L", 0.5), ("D", "mol/L", 0.5))
    assert found.conserved == (("2 A + B", 13.0),)
    assert found.switches == 1
    text = str(found)
    assert text.startswith("A test (m)\n3 states, 1 reaction, 1 compartment, 3 species,")
    assert "1 condition in formulas" in text
    assert "time in s" in text
    assert "x = Piecewise((1, t < 2), (0, True))" in text
    assert "event e: when A < 1, k later: D = 3" in text
    assert "conserved: 2 A + B = 13" in text
    assert "note: parameter 'lost' has no value" in text


def test_an_empty_network() -> None:
    assert str(describe(read_sbml(sbml("")))) == "m\nnothing in it\ntime in no unit"


@pytest.mark.reference
def test_many_notes_are_counted(reference: Path) -> None:
    files = sorted((reference / "pathway").glob("*__MODEL2307050001.xml"))
    if not files:
        pytest.skip("no model MODEL2307050001")
    found = describe(read_sbml(files[0]))
    assert found.conserved == (("STAT3 + tpSTAT3 + nSTAT3", pytest.approx(389.97042217)),)
    assert len(found.notes) == 47  # its time is in seconds where its rates are per minute
    assert str(found).endswith("and 41 notes more")
