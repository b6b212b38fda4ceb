"""The screen for evidence: study rows by keyboard, mouse and paste; what is drawn of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .running_server import RunningServer

JAK = "/evidence?sample=jak-safety&measure=HR&ci=hartung-knapp"
NETWORK = "/evidence?sample=network&kind=network&measure=OR&reference=placebo&better=low"
PASTED = (
    "study\tevents_1\ttotal_1\tevents_2\ttotal_2\n"
    "A\t7\t312\t9\t170\nB\t6\t381\t7\t200\nC\t10\t362\t5\t280\n"
)


def rows_of(app: RunningServer, sample: str) -> dict[str, Any]:
    found = app.ask("evidence-sample", {"name": sample})["result"]
    return {"columns": found["columns"], "rows": found["rows"]}


def forest(page: Any) -> Any:
    table = page.get_by_role("region", name="Forest plot")
    table.wait_for()
    return table


def cell(page: Any, row: int, column: int) -> Any:
    return page.locator(f"#cell-{row}-{column}")


def put(page: Any, row: int, column: int, text: str) -> None:
    """Write into a cell as a reader does: focus, type, Enter."""
    cell(page, row, column).focus()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_one_click_pools_published_ratios_with_the_numbers_of_the_api(
    open_app: Callable[..., Any], app: RunningServer
) -> None:
    page = open_app("/evidence")
    page.get_by_role("button", name="Safety of JAK inhibitors").click()
    text = forest(page).inner_text()
    answer = app.ask(
        "evidence-pairwise",
        {"table": rows_of(app, "jak-safety"), "measure": "HR", "ci": "hartung-knapp"},
    )
    one = answer["result"]["outcomes"][0]
    middle, low, high = (one["pooled"]["natural"][key] for key in ("estimate", "low", "high"))
    assert f"{middle:.2f} ({low:.2f} to {high:.2f})" in text
    prediction = one["pooled"]["prediction"]
    assert f"{prediction['natural_low']:.2f} to {prediction['natural_high']:.2f}" in text
    for study in one["forest"]["groups"][0]["studies"]:
        assert study["label"] in text
        assert f"{study['weight']:.1f} %" in text
    assert f"Q(df = {one['q_df']}) = {one['q']:.2f}" in page.inner_text("main")
    assert "sample=jak-safety" in page.url
    assert page.errors == []


def test_link_reproduces_the_view(open_app: Callable[..., Any]) -> None:
    page = open_app(f"{JAK}&outcome=malignancy&tab=without&left=drug")
    table = page.get_by_role("region", name="Pooled effect without each study")
    table.wait_for()
    before = table.inner_text()
    assert page.get_by_label("Outcome", exact=True).input_value() == "malignancy"
    page.reload()
    table.wait_for()
    assert table.inner_text() == before
    assert "favours drug" in page.inner_text("main")


def test_wrong_cell_is_marked_where_it_stands_and_mended(open_app: Callable[..., Any]) -> None:
    page = open_app("/evidence?sample=rare-event&measure=OR")
    before = forest(page).inner_text()
    put(page, 1, 2, "many")
    page.get_by_text("to be mended").wait_for()
    assert cell(page, 1, 2).get_attribute("aria-invalid") == "true"
    assert "'many' in column 'total_1' is not a number" in page.get_by_role("grid").inner_text()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "row 2, column 'total_1'" in alert.inner_text()
    assert forest(page).inner_text() == before  # the last good result stays
    put(page, 1, 2, "381")
    page.get_by_text("nothing to remark").wait_for()
    alert.wait_for(state="detached")
    assert forest(page).inner_text() == before


def test_grid_is_walked_and_edited_by_keyboard(open_app: Callable[..., Any]) -> None:
    page = open_app("/evidence?sample=rare-event&measure=OR")
    forest(page)
    cell(page, 0, 0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "cell-1-1"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.id") == "cell-1-5"
    page.keyboard.press("F2")
    page.keyboard.type("9")
    page.keyboard.press("Escape")
    assert cell(page, 1, 5).inner_text() == "2017"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "cell--1-5"


def test_row_without_a_tick_is_not_used(open_app: Callable[..., Any], app: RunningServer) -> None:
    page = open_app("/evidence?sample=rare-event&measure=OR")
    forest(page)
    page.get_by_label("Use row 3").uncheck()
    table = rows_of(app, "rare-event")
    table["rows"].pop(2)
    one = app.ask("evidence-pairwise", {"table": table, "measure": "OR"})["result"]["outcomes"][0]
    middle, low, high = (one["pooled"]["natural"][key] for key in ("estimate", "low", "high"))
    forest(page).get_by_text(f"{middle:.2f} ({low:.2f} to {high:.2f})").wait_for()
    assert "trial 3" not in forest(page).inner_text()


def test_pasted_rows_are_pooled_and_survive_a_reload(open_app: Callable[..., Any]) -> None:
    page = open_app("/evidence")
    page.get_by_label("Paste study rows").fill(PASTED)
    page.get_by_role("button", name="Take these rows").press("Enter")
    before = forest(page).inner_text()
    assert "7 / 312" in before
    page.wait_for_url("**table=*")
    assert "312" not in page.url  # the address names the table, it does not hold it
    page.get_by_label("Method").select_option("mh")
    page.wait_for_url("**method=mh*")
    page.reload()
    assert "7 / 312" in forest(page).inner_text()
    assert page.get_by_label("Method").input_value() == "mh"
    forest(page).get_by_text("Mantel-Haenszel").wait_for()


def test_file_is_read(open_app: Callable[..., Any]) -> None:
    page = open_app("/evidence")
    page.get_by_label("Or a file").set_input_files(
        {"name": "s.tsv", "mimeType": "text/plain", "buffer": PASTED.encode()}
    )
    assert "10 / 362" in forest(page).inner_text()


def test_script_in_a_name_stays_text(open_app: Callable[..., Any]) -> None:
    page = open_app("/evidence")
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    evil = "<img src=x onerror=alert(1)>"
    page.get_by_label("Paste study rows").fill(PASTED.replace("\nA\t", f"\n{evil}\t"))
    page.get_by_role("button", name="Take these rows").click()
    assert evil in forest(page).inner_text()
    assert page.locator("img").count() == 0


def test_network_by_keyboard_has_the_numbers_of_the_api(
    open_app: Callable[..., Any], app: RunningServer
) -> None:
    page = open_app(f"{NETWORK}&tab=network")
    page.get_by_role("tab", name="Network").focus()
    page.get_by_role("img", name="4 treatments").wait_for()
    answer = app.ask(
        "evidence-network",
        {"table": rows_of(app, "network"), "measure": "OR", "reference": "placebo",
         "better": "low"},
    )  # fmt: skip
    part = answer["result"]["parts"][0]
    page.keyboard.press("ArrowRight")
    table = page.get_by_role("region", name="Treatments against placebo")
    table.wait_for()
    for one in part["treatments"]:
        if one["treatment"] != "placebo":
            natural = one["natural"]
            told = f"{natural['estimate']:.2f} ({natural['low']:.2f} to {natural['high']:.2f})"
            assert told in table.inner_text()
            assert f"{one['p_score']:.2f}" in table.inner_text()
    page.keyboard.press("ArrowRight")
    league = page.get_by_role("region", name="League table")
    league.wait_for()
    assert league.get_by_role("cell").count() >= len(part["league"])
    page.keyboard.press("ArrowRight")
    ranks = page.get_by_role("region", name="Ranks")
    ranks.wait_for()
    for one in part["treatments"]:
        assert f"{one['sucra']:.2f}" in ranks.inner_text()
    page.keyboard.press("ArrowRight")
    page.get_by_role("region", name="Direct against indirect evidence").wait_for()
    assert f"{part['q']:.2f}" in page.inner_text("main")
    page.keyboard.press("ArrowRight")
    page.get_by_role("img", name="Comparison-adjusted funnel plot").locator("svg").wait_for()
    assert "tab=funnel" in page.url or page.wait_for_url("**tab=funnel*") is None
    assert page.errors == []


def test_copies_are_those_of_the_api(open_app: Callable[..., Any], app: RunningServer) -> None:
    page = open_app("/evidence?sample=rare-event&measure=OR", permissions=["clipboard-read",
                    "clipboard-write"])  # fmt: skip
    forest(page)
    answer = app.ask("evidence-pairwise", {"table": rows_of(app, "rare-event"), "measure": "OR"})

    def copied(name: str) -> str:
        page.get_by_role("group", name="Copy the result").get_by_role("button", name=name).click()
        page.get_by_text("Copied:").wait_for()
        return str(page.evaluate("navigator.clipboard.readText()"))

    assert copied("Command") == answer["copies"]["command"]
    assert copied("Python") == answer["copies"]["python"]
    lines = copied("CSV: effects").splitlines()
    assert len(lines) == 1 + len(answer["tables"]["effects"]["rows"])
    assert json.dumps(answer["tables"]["effects"]["rows"][0][3]) in lines[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "region"),
    [
        (JAK, "Forest plot"),
        (f"{NETWORK}&tab=inconsistency", "Direct against indirect evidence"),
        (f"{NETWORK}&tab=league", "League table"),
    ],
)
def test_screen_is_accessible(
    open_app: Callable[..., Any], app: RunningServer, violations: Any, path: str, region: str,
    scheme: str,
) -> None:  # fmt: skip
    page = open_app(path, scheme=scheme)
    page.get_by_role("region", name=region).wait_for()
    assert violations(page) == []
    assert [url for url in page.requests if not url.startswith(app.url)] == []
    assert page.errors == []


@pytest.mark.parametrize("path", [JAK, NETWORK])
def test_phone_is_wide_enough(open_app: Callable[..., Any], path: str) -> None:
    page = open_app(path, width=360)
    page.get_by_role("tablist", name="Results").wait_for()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


MODERATED = (
    "study\tevents_1\ttotal_1\tevents_2\ttotal_2\tlatitude\n"
    "A\t4\t123\t11\t139\t44\nB\t6\t306\t29\t303\t55\nC\t3\t231\t11\t220\t42\n"
    "D\t62\t1359\t248\t1286\t52\nE\t33\t506\t47\t580\t13\nF\t29\t749\t45\t727\t27\n"
)


def test_moderators_are_chosen_by_keyboard_and_a_reload_keeps_them(
    open_app: Callable[..., Any], app: RunningServer
) -> None:
    page = open_app("/evidence")
    page.get_by_label("Paste study rows").fill(MODERATED)
    page.get_by_role("button", name="Take these rows").click()
    forest(page)
    page.get_by_text("Regress on moderators").press("Enter")
    page.get_by_label("latitude", exact=True).press("Space")
    page.get_by_role("tab", name="Regression").wait_for()
    page.wait_for_url(lambda url: "mods=" in url and "table=" in url)
    page.reload()
    table = page.get_by_role("table", name="Coefficients")
    table.wait_for()
    columns, *rows = (line.split("\t") for line in MODERATED.strip().splitlines())
    asked = {"table": {"columns": columns, "rows": rows}, "measure": "OR"}
    found = app.ask("evidence-pairwise", {**asked, "moderators": ["latitude"]})
    slope = found["tables"]["coefficients"]["rows"][1][2]
    assert f"{abs(slope):.3g}" in table.inner_text()
    assert page.get_by_label("latitude", exact=True).is_checked()
    page.get_by_label("Subgroups by").select_option("latitude")  # instead of the regression
    page.get_by_role("tab", name="Forest").wait_for()
    assert not page.get_by_label("latitude", exact=True).is_checked()
    assert page.errors == []


def test_decimal_commas_are_read_by_one_click(open_app: Callable[..., Any]) -> None:
    page = open_app("/evidence")
    page.get_by_label("Paste study rows").fill(
        "study;estimate;low;high\nA;1,20;0,90;1,60\nB;0,80;0,60;1,10\nC;1,05;0,80;1,38\n"
    )
    page.get_by_role("button", name="Take these rows").click()
    page.get_by_role("alert").get_by_text("is not a number").wait_for()
    assert page.locator(".stale").count() == 0  # there is no earlier result to mark
    page.get_by_role("button", name="Read 9 commas as decimal points").click()
    assert "1.20 (0.90 to 1.60)" in forest(page).inner_text()


def test_a_forest_plot_becomes_narrower_with_its_window(open_app: Callable[..., Any]) -> None:
    page = open_app("/evidence?sample=rare-event&measure=OR", width=1900)
    table = forest(page)
    page.wait_for_timeout(300)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_timeout(500)
    assert table.evaluate("e => e.scrollWidth <= e.clientWidth + 1")


def test_findings_with_certainty_have_a_tab(open_app: Callable[..., Any]) -> None:
    page = open_app("/evidence")
    page.get_by_label("Paste study rows").fill(
        "study\testimate\tlow\thigh\tcertainty\nA\t1.2\t0.9\t1.6\tlow\nB\t0.8\t0.6\t1.1\tlow\n"
    )
    page.get_by_role("button", name="Take these rows").click()
    page.get_by_role("tab", name="Summary of findings").click()
    text = page.get_by_role("region", name="Summary of findings").inner_text()
    assert "Certainty is judged by the authors" in text
