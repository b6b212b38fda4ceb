"""Events: when they start, wait, and what they set."""

from __future__ import annotations

import numpy as np
import pytest
from tests.network_course import course
from tests.sbml_texts import event, sbml

from statera.errors import InputError
from statera.pathway.sbml_read import read_sbml

T = np.array([0.0, 0.5, 1.5, 2.5, 3.5, 4.5])
BASE = (
    '<parameter id="x" value="0" constant="false"/><parameter id="y" value="0" constant="false"/>'
)


def run(body: str, *names: str, level: int = 3, version: int = 2) -> list[list[float]]:
    found = course(read_sbml(sbml(BASE + body, level, version)), T, names)
    return np.round(found.T, 9).tolist()


def test_an_assignment_at_an_instant() -> None:
    assert run(event("time >= 1", "x = 3"), "x") == [[0, 0, 3, 3, 3, 3]]


def test_a_delay() -> None:
    assert run(event("time >= 1", "x = 3", delay="2"), "x") == [[0, 0, 0, 0, 3, 3]]


def test_values_belong_to_the_trigger_or_to_the_end_of_the_delay() -> None:
    rate = '<parameter id="s" value="0" constant="false"/>'
    rate += '<rateRule variable="s"><m>1</m></rateRule>'
    early = event("time >= 1", "x = s", delay="2")
    late = event(
        "time >= 1", "y = s", delay="2", attributes='id="late" useValuesFromTriggerTime="false"'
    )
    assert run(rate + early + late, "x", "y") == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 3, 3]]


@pytest.mark.parametrize(("at_start", "value"), [("true", 0), ("false", 3)])
def test_a_trigger_that_holds_from_the_start(at_start: str, value: float) -> None:
    found = run(event("time >= 0", "x = 3", at=f'initialValue="{at_start}"'), "x")
    assert found == [[value] * len(T)]


def test_level_2_triggers_held_before_the_start() -> None:
    assert run(event("time >= 0", "x = 3"), "x", level=2, version=4) == [[0] * len(T)]


@pytest.mark.parametrize(("persistent", "value"), [("true", 3), ("false", 0)])
def test_a_trigger_that_turns_false_within_the_delay(persistent: str, value: float) -> None:
    body = event("time >= 1 && time < 2", "x = 3", delay="2", at=f'persistent="{persistent}"')
    assert run(body, "x") == [[0, 0, 0, 0, value, value]]


@pytest.mark.parametrize(("first", "second", "value"), [(2, 1, 7), (1, 2, 1)])
def test_the_higher_priority_goes_first(first: int, second: int, value: float) -> None:
    body = event("time >= 1", "x = 1", priority=str(first))
    body += event(
        "time >= 1", "x = 7 * (x + 0) + 7 * (x == 0)", priority=str(second),
        attributes='useValuesFromTriggerTime="false"',
    )  # fmt: skip
    assert run(body, "x") == [[0, 0, value, value, value, value]]


def test_one_event_starts_another() -> None:
    body = event("time >= 1", "x = 3") + event("x > 2", "y = x + 1")
    assert run(body, "y") == [[0, 0, 4, 4, 4, 4]]


def test_a_state_crosses_a_threshold_again_and_again() -> None:
    body = '<rateRule variable="x"><m>1</m></rateRule>' + event("x >= 1", "x = 0; y = y + 1")
    assert run(body, "x", "y") == [[0, 0.5, 0.5, 0.5, 0.5, 0.5], [0, 0, 1, 2, 3, 4]]


def test_assignments_of_one_event_are_simultaneous() -> None:
    body = event("time >= 1", "x = 5") + event("time >= 2", "x = y; y = x")
    assert run(body, "x", "y") == [[0, 0, 5, 0, 0, 0], [0, 0, 0, 5, 5, 5]]


def test_what_an_event_sets_is_a_state() -> None:
    network = read_sbml(sbml(BASE + event("time >= 1", "x = 3")))
    assert network.states == ("x",)
    assert network.rates == (0,)
    assert network.parameters == {"y": 0.0}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<parameter id="k"/>' + event("time > 1", "k = 2"), "'k' sets something that is constant"),
        (event("time > 1", "z = 2"), "'z' sets what is not in the model"),
        (
            '<assignmentRule variable="y"><m>1</m></assignmentRule>' + event("time > 1", "y = 2"),
            "'y' sets what an assignment rule sets",
        ),
        (event("time > 1", "y = 2; y = 3"), "'y' sets the same variable twice"),
    ],
)
def test_what_no_event_may_set(body: str, says: str) -> None:
    with pytest.raises(InputError, match=f"event assignment of {says}"):
        read_sbml(sbml(BASE + body))


def test_a_concentration_from_before_a_delay_in_a_volume_that_jumps_is_refused() -> None:
    body = '<compartment id="c" size="1" constant="false"/>'
    body += '<species id="A" compartment="c" initialConcentration="2"/>'
    body += event("time > 1", "c = 2") + event("time > 2", "A = A + 1", delay="1")
    with pytest.raises(InputError, match="event_2' sets the concentration 'A' by a value from"):
        read_sbml(sbml(body))
