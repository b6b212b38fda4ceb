"""Files that are refused: what is said, and where."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest
from tests.sbml_texts import reaction, sbml

from statera.errors import InputError, UsageError
from statera.pathway import sbml_file
from statera.pathway.sbml_read import read_sbml

CELL = '<compartment id="c" size="2"/><species id="A" compartment="c" initialAmount="1"/>'


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_sbml(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "line", "says"),
    [
        (
            '<parameter id="x"/><algebraicRule><m>x - 2</m></algebraicRule>',
            8, "algebraic rule is not supported",
        ),
        (
            CELL + '<reaction id="r" fast="true"><listOfReactants><speciesReference species="A" '
            'stoichiometry="1"/></listOfReactants></reaction>', 11,
            "reaction 'r' is fast, which is not supported",
        ),
        (
            '<parameter id="x"/><assignmentRule variable="x"><m>2</m></assignmentRule>',
            8, "assignment rule of 'x' sets something that is constant",
        ),
        (
            '<assignmentRule variable="x"><m>2</m></assignmentRule>',
            5, "assignment rule of 'x' sets what is not in the model",
        ),
        (
            '<species id="A" compartment="d" initialAmount="1"/>',
            5, "species 'A' is in a compartment that is not in the model",
        ),
        (
            CELL + reaction("r", "1", "B"), 11,
            "species reference to 'B' in reaction 'r' refers to a species that is not in the model",
        ),
        (CELL + reaction("r", "k", "A"), 11, "the kinetic law of reaction 'r' uses 'k', which"),
        (CELL + '<parameter id="A"/>', 11, "parameter 'A' has the id of another element"),
        (
            CELL + '<initialAssignment symbol="B"><m>2</m></initialAssignment>',
            11, "initial assignment of 'B' sets what is not in the model",
        ),
        (
            CELL + '<reaction id="r"><listOfReactants><speciesReference species="A"/>'
            "</listOfReactants></reaction>", 11,
            "species reference to 'A' in reaction 'r' has no stoichiometry",
        ),
    ],
)  # fmt: skip
def test_an_element_that_is_refused_is_named_with_its_line(body: str, line: int, says: str) -> None:
    version = 1 if "fast" in body else 2
    told = refusal(sbml(body, 3, version))
    assert says in told
    assert told.startswith(f"<text>:{line}")


def test_circles_are_shown() -> None:
    three = "".join(f'<parameter id="{n}" constant="false"/>' for n in "xyz")
    rule = '<assignmentRule variable="{}"><m>{} + 1</m></assignmentRule>'
    circle = "".join(rule.format(a, b) for a, b in ("xy", "yz", "zx"))
    assert "x needs y needs z needs x" in refusal(sbml(three + circle))
    start = '<initialAssignment symbol="{}"><m>{} + 1</m></initialAssignment>'
    circle = "".join(start.format(a, b) for a, b in ("xy", "yz", "zx"))
    assert "values at the start form a circle: x needs y needs z" in refusal(sbml(three + circle))
    rate = '<rateRule variable="{}"><m>rateOf({}) + 1</m></rateRule>'
    circle = "".join(rate.format(a, b) for a, b in ("xy", "yz", "zx"))
    assert "rates need each other in a circle: y needs z needs x" in refusal(sbml(three + circle))


def test_a_species_has_one_cause_of_change() -> None:
    rule = '<rateRule variable="A"><m>1</m></rateRule>'
    assert "species 'A' is changed by a rule and by a reaction" in refusal(
        sbml(CELL + rule + reaction("r", "1", "A"))
    )
    constant = CELL.replace("<species", '<species constant="true"')
    assert "species 'A' is constant, and changed by a reaction" in refusal(
        sbml(constant + reaction("r", "1", "A"))
    )


def test_the_rate_of_a_computed_name_is_refused() -> None:
    body = '<parameter id="x" constant="false"/><parameter id="y" constant="false"/>'
    body += '<assignmentRule variable="x"><m>time</m></assignmentRule>'
    body += '<assignmentRule variable="y"><m>rateOf(x)</m></assignmentRule>'
    assert "'rateOf' of 'x', which an assignment rule computes" in refusal(sbml(body))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<sbml><model></sbml>", "<text>:1:16: this is not well-formed XML: mismatched tag"),
        ("<sbml>\n<model", "<text>:2:1: this is not well-formed XML: unclosed token"),
        ("< 3", "<text>:1:2: this is not well-formed XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entity declarations are not read"),
        ("<a>" * 400 + "</a>" * 400, "elements are nested deeper than 300"),
        ('<?xml version="1.0" encoding="x"?><sbml/>', "the encoding that the file declares is not"),
        ("<html/>", "<text>:1:1: the root element is 'html': this is no SBML"),
    ],
)
def test_what_is_no_sbml(text: str, says: str) -> None:
    assert says in refusal(text)


def test_level_1_is_refused_by_name() -> None:
    text = '<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model/></sbml>'
    assert "SBML level '1' is not read" in refusal(text)


def test_a_package_that_changes_the_meaning_is_refused() -> None:
    uri = 'xmlns:{0}="http://www.sbml.org/sbml/level3/version1/{0}/version1" {0}:required="{1}"'
    needed = sbml(CELL, head=uri.format("comp", "true"))
    assert "the file needs the SBML package 'comp', which is not supported" in refusal(needed)
    unknown = sbml(CELL, head='xmlns:zz="http://example.org/zz" zz:required="true"')
    assert "the file needs the SBML package 'zz'" in refusal(unknown)
    passed = read_sbml(sbml(CELL, head=uri.format("layout", "false")))
    assert passed.notes == ("the package 'layout' is passed over",)


def test_missing_and_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "the file cannot be read: No such file" in refusal(str(tmp_path / "none.xml"))
    monkeypatch.setattr(sbml_file, "LARGEST", 1_000_000)
    large = tmp_path / "large.xml"
    large.write_text("<" + "a" * 2_000_000, encoding="utf-8")
    assert "the file has 2 MB; at most 1 MB are read" in refusal(str(large))
    assert "at most 1 MB are read" in refusal(large.read_text(encoding="utf-8"))


def test_text_in_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "latin.xml"
    text = sbml('<parameter id="k" value="2" name="für"/>').replace("UTF-8", "ISO-8859-1")
    path.write_bytes(text.encode("latin-1"))
    assert read_sbml(path).parameter_list[0].name == "für"
    path.write_bytes(text.replace("ISO-8859-1", "utf-8").encode("latin-1"))
    assert "not well-formed XML" in refusal(str(path))


def test_without_libsbml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "libsbml":
            raise ImportError(name)
        return true_import(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    sbml_file.sbml_library.cache_clear()
    with pytest.raises(UsageError, match="python-libsbml") as caught:
        read_sbml("<sbml/>")
    assert "statera[sbml]" in str(caught.value)
