"""Damaged files: each is read, or refused by an error that says what and where."""

from __future__ import annotations

import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sbml_texts import event, reaction, sbml

from statera.errors import StateraError
from statera.pathway.describe import describe
from statera.pathway.sbml_read import read_sbml
from statera.pathway.sbml_write import sbml_text

TEXT = sbml(
    '<compartment id="c" size="2" constant="false"/><parameter id="k" value="0.5"/>'
    '<functionDefinition id="f"><m>lambda(x, y, x * y)</m></functionDefinition>'
    '<species id="A" compartment="c" initialConcentration="3"/>'
    '<species id="B" compartment="c" initialAmount="1"/>'
    '<parameter id="x" constant="false"/><parameter id="q"/>'
    '<assignmentRule variable="x"><m>piecewise(A, time &lt; 2, rateOf(c))</m></assignmentRule>'
    '<rateRule variable="c"><m>0.1 * c</m></rateRule>'
    '<initialAssignment symbol="q"><m>A + k</m></initialAssignment>'
    + reaction("r", "c * f(k, A)^1.5 / (1 + x)", "A", "2 B", local="h=2")
    + event("time >= 1 && A < q", "B = A + 1; c = 3", priority="2 * k")
)
_PIECE = re.compile(r'<[^<>]+>|"[^"]*"|<ci>[^<]*</ci>|<cn[^<]*</cn>')
_WORDS = ("A", "c", "k", "x", "r", "-1", "NaN", "true", "", "1e999", "t", "item")


def damaged(seed: int) -> str:
    """Return the text with one or two pieces lost, repeated or changed."""
    draw, text = random.Random(seed), TEXT
    for _ in range(draw.choice((1, 2))):
        pieces = list(_PIECE.finditer(text))
        piece = draw.choice(pieces)
        new = draw.choice(("", draw.choice(pieces)[0], f'"{draw.choice(_WORDS)}"', None))
        if new is None:
            new = re.sub(r' \w+="[^"]*"', "", piece[0], count=1)
        text = text[: piece.start()] + new + text[piece.end() :]
    return text


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_damage_ends_in_a_sentence(seed: int) -> None:
    try:
        network = read_sbml(damaged(seed))
    except StateraError:
        return  # refused; any other exception fails here
    assert str(describe(network))
    try:
        again = read_sbml(sbml_text(network))
    except StateraError:
        return
    assert again.states == network.states


def test_most_damage_is_noticed_and_some_is_none() -> None:
    refused = 0
    for seed in range(100):
        try:
            read_sbml(damaged(seed))
        except StateraError:
            refused += 1
    assert 20 < refused < 95


def test_the_whole_file_is_read() -> None:
    network = read_sbml(TEXT)
    assert network.states == ("A_amount", "B_amount", "c")
