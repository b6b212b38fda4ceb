"""What is read from SBML, solved by the compiled engine and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from tests.network_course import course
from tests.sbml_texts import event, reaction, sbml

from statera.pathway.compiled_network import compile_network
from statera.pathway.initial_states import initial_states
from statera.pathway.sbml_read import read_sbml
from statera.pathway.solve import PathwayOptions, solve

T = np.array([0.0, 0.4, 1.7, 2.6, 3.3, 4.1])
XY = (
    '<parameter id="x" value="0.3" constant="false"/>'
    '<parameter id="y" value="0.2" constant="false"/>'
)
CELL = (
    '<compartment id="c" size="2" constant="false"/><parameter id="k" value="0.5"/>'
    '<species id="A" compartment="c" initialConcentration="3"/>'
    '<species id="B" compartment="c" initialAmount="1"/>' + reaction("r", "c * k * A", "A", "2 B")
)
RATE = '<rateRule variable="{}"><m>{}</m></rateRule>'
CASES = {
    "growing volume": CELL + RATE.format("c", "0.1"),
    "volume and concentration jump": CELL + event("time > 1.25", "c = 4; A = A + 3"),
    "computed volume": CELL.replace(' size="2"', "")
    + '<assignmentRule variable="c"><m>2 + time</m></assignmentRule>',
    "circular and hyperbolic": XY
    + RATE.format("x", "0.1 * (sin(x) + cos(time) + tanh(x) + abs(sin(3 * time)))")
    + RATE.format("y", "0.1 * (arctan(y) + arcsinh(y) + arccosh(2 + y))"),
    "steps": XY + RATE.format("x", "floor(2 * time) + ceil(time)")
    + RATE.format("y", "rem(time, 1)"),
    "pieces and powers": XY
    + RATE.format("x", "piecewise(1, time &lt; 1.25, x &gt; 0.2 &amp;&amp; time &lt; 3, 2, 0.5)")
    + RATE.format("y", "factorial(y) - y^1.5"),
    "delay at the trigger's values": XY + RATE.format("y", "1")
    + event("time >= 1", "x = y", delay="y"),
    "delay at its own values": XY + RATE.format("y", "1")
    + event("time >= 1", "x = y", delay="y", attributes='useValuesFromTriggerTime="false"'),
    "at the start, taken back": XY + event("time >= 0", "x = 3", at='initialValue="false"')
    + event("time >= 1 && time < 2", "y = 3", delay="2", at='persistent="false"'),
    "priorities": XY + event("time >= 1", "x = 1", priority="2")
    + event("time >= 1", "x = 7 * x", priority="1", attributes='useValuesFromTriggerTime="false"'),
    "again and again": XY + RATE.format("x", "1.1") + event("x >= 1", "x = 0; y = y + 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_same_course(name: str) -> None:
    network = read_sbml(sbml(CASES[name]))
    compiled = compile_network(network)
    values = np.array([[network.parameters[p] for p in compiled.parameters]])
    start, _ = initial_states(compiled, values)
    found = solve(compiled, values, start, [T], options=PathwayOptions(rtol=1e-9, atol=1e-11))
    assert found.ok, found.message
    np.testing.assert_allclose(
        found.states[0], course(network, T, compiled.states), rtol=1e-6, atol=1e-7
    )
