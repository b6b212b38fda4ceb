"""Figures become SVG that can stand beside others in a page."""

from __future__ import annotations

import re

import pytest

from statera.plot.svg import clean, number, open_tag, to_svg
from statera.plot.theme import new_figure, theme


def _drawing(key: str) -> str:
    with theme():
        figure = new_figure(3.0, 2.0)
        axes = figure.add_axes((0.2, 0.2, 0.7, 0.7))
        axes.fill_between([0, 1], [0, 1], [1, 2], hatch="//", facecolor="none", edgecolor="red")
        axes.set_title("$not$ mathematics")
        return to_svg(figure, key, "T", "D")


def test_ids_of_two_drawings_never_meet() -> None:
    first, second = (set(re.findall(r'id="([^"]+)"', _drawing(key))) for key in ("a", "b"))
    assert first
    assert not first & second


def test_same_figure_gives_same_bytes_and_no_date() -> None:
    assert _drawing("a") == _drawing("a")
    assert not re.search(r"20\d\d-\d\d", _drawing("a"))


def test_no_prolog_style_sheet_or_metadata(checked: object) -> None:
    svg = _drawing("a")
    assert svg.startswith("<svg ")
    for word in ("<?xml", "<!DOCTYPE", "<style", "metadata", "rdf"):
        assert word not in svg


def test_a_users_own_settings_do_not_change_a_figure() -> None:
    import matplotlib

    before = _drawing("a")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert _drawing("a") == before


def test_settings_are_put_back() -> None:
    import matplotlib

    size = matplotlib.rcParams["font.size"]
    _drawing("a")
    assert matplotlib.rcParams["font.size"] == size


def test_pyplot_is_never_loaded() -> None:
    import subprocess
    import sys

    code = (
        "import sys; import statera.plot.forest as f; assert 'matplotlib' not in sys.modules;"
        "rows = [f.ForestGroup('g', (f.ForestRow('r', 1.0),))];"
        "f.draw_forest(rows, key='k', title='t', alt='a');"
        "assert 'matplotlib.pyplot' not in sys.modules; print('done')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin", "HOME": "/tmp"},
    )
    assert done.stdout.strip() == "done", done.stderr


@pytest.mark.parametrize("key", ["", "1a", "a b", 'a"', "a<"])
def test_keys_that_cannot_be_anchors_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="cannot be an anchor"):
        open_tag(key, "t", "a", (1, 1), natural=1)


def test_small_helpers() -> None:
    assert number(1.0) == "1"
    assert number(-0.001) == "0"
    assert number(1.236) == "1.24"
    assert clean('a<b>&"\x00') == "a&lt;b&gt;&amp;&quot;"
