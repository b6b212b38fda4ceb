"""The screen of a plate: by mouse and keyboard, with the numbers of the interface."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cytometry.workspace_xml import (
    dimension,
    group,
    population,
    rectangle,
    sample,
    scale,
    workspace,
)

from statera.web import samples

from .running_server import RunningServer

PANEL = {
    "fsc_area": "FSC-A",
    "fsc_height": "FSC-H",
    "ssc_area": "SSC-A",
    "live_dead": "APC-Cy7-A",
    "time": "Time",
    "markers": {"CD3": "FITC-A", "CD11b": "PE-A", "CD8": "PE-Cy7-A", "CD4": "BV421-A"},
    "readouts": {"pSTAT3": "APC-A"},
}
Open = Callable[..., Any]


def number(text: str) -> int:
    """Return a whole number as the screen writes it."""
    return int(re.sub(r"\D", "", text))


@pytest.fixture(scope="module")
def job(app: RunningServer) -> str:
    """The sample plate, analysed."""
    found = app.start_job(
        "plate-run",
        {
            "name": "Plate of the test",
            "drug": "baricitinib",
            "files": ["sample-plate-files"],
            "plate_map": "sample-plate-map",
            "well": {"panel": PANEL},
            "populations": [
                {"name": "CD4", "definition": "CD3+ CD4+ CD8-"},
                {"name": "CD8", "definition": "CD3+ CD8+ CD4-"},
                {"name": "CD11b", "definition": "CD3- CD11b+"},
            ],
        },
    )
    ended = app.wait_for_job(found)
    assert ended["status"] == "done", ended
    return found


@pytest.fixture
def editor(open_app: Open, job: str) -> Any:
    """The editor of gates with one gate chosen, in well A05."""
    page = open_app(f"/plate?job={job}&well=A05&gate=CD3-&within=live&x=FITC-A&y=PE-A")
    page.wait_for_selector(".gate.chosen .handle")
    assert shown(page)["Events"] > 0
    return page


def shown(page: Any) -> dict[str, Any]:
    """Return what the panel of the chosen gate says."""
    page.wait_for_selector("[aria-busy=false] .frame")
    entries = page.locator(".about dl > div").all()
    found = {e.locator("dt").inner_text(): e.locator("dd").inner_text() for e in entries}
    return {**found, "Events": number(found["Events"])}


def counted(page: Any, act: Callable[[], None], name: str) -> dict[str, Any]:
    """Do something that asks for new counts, and return those of one gate from the interface."""
    with page.expect_response(lambda r: "/tasks/plate-well" in r.url and r.ok) as waited:
        act()
    page.wait_for_timeout(700)  # one that was under way may be followed by the newest
    del waited
    page.wait_for_selector("[aria-busy=false] .frame")
    populations = page.answers[-1]["result"]["populations"]
    found: dict[str, Any] = next(p for p in populations if p["name"] == name)
    return found


def keep_answers(page: Any) -> None:
    """Keep all answers on the well of the page."""
    page.answers = []
    page.on(
        "response",
        lambda r: page.answers.append(r.json()) if "/tasks/plate-well" in r.url and r.ok else None,
    )


def test_a_first_user_sees_ic50s_by_one_click(open_app: Open, app: RunningServer) -> None:
    page = open_app("/plate")
    page.get_by_role("button", name="Simulated plate").click()
    page.get_by_text("10 of 12 IC50 determined").wait_for()
    page.get_by_role("tab", name="Curves").click()
    page.get_by_role("region", name="IC50 of all curves").wait_for()
    job = re.search(r"job=([0-9a-z]+)", page.url)
    assert job is not None
    result = app.request("GET", f"/jobs/{job.group(1)}/result").json()["result"]
    rows = page.get_by_role("region", name="IC50 of all curves").locator("tbody tr").all()
    assert len(rows) == len(result["curves"]) == 12
    for row, curve in zip(rows, result["curves"], strict=True):
        cells = row.locator("th, td").all_inner_texts()
        if curve["status"] == "refused":
            assert cells[4:6] == ["–", "–"]
            assert cells[6] == "refused"
            assert cells[7] == curve["sentence"]
        else:
            assert float(cells[4]) == pytest.approx(curve["ic50"], rel=5e-3)
            assert cells[6] == "determined"
    report = page.get_by_role("link", name="Report (HTML)").get_attribute("href")
    assert "Simulated plate" in app.request("GET", "/" + report).text
    assert page.errors == []
    assert all(url.startswith((app.url, "data:", "blob:")) for url in page.requests)


def test_a_corner_is_moved_by_keys_and_the_counts_follow(editor: Any) -> None:
    page = editor
    keep_answers(page)
    before = shown(page)
    handle = page.get_by_role("button", name=re.compile("Upper end of CD3"))
    handle.focus()
    found = counted(page, lambda: page.keyboard.press("Shift+ArrowLeft"), "CD3-")
    for _ in range(5):
        found = counted(page, lambda: page.keyboard.press("Shift+ArrowLeft"), "CD3-")
    after = shown(page)
    assert after["Events"] == found["count"] < before["Events"]
    assert after["Of live"] == f"{100 * found['of_parent']:.2f}\u00a0%"
    assert float(after["Median pSTAT3"]) == pytest.approx(found["medians"]["pSTAT3"], rel=1e-3)
    tree = page.get_by_role("button", name="CD3-", exact=True).locator("xpath=..")
    assert number(tree.locator(".number").inner_text().split("·")[0]) == found["count"]
    counted(page, lambda: page.keyboard.press("Escape"), "CD3-")
    assert shown(page) == before
    counted(page, lambda: page.keyboard.press("Control+z"), "CD3-")
    assert shown(page)["Events"] == after["Events"]
    page.get_by_text("Edits saved.").wait_for()
    page.wait_for_timeout(300)
    page.reload()
    page.wait_for_selector(".gate.chosen .handle")
    page.get_by_text("Saved edits loaded.").wait_for()
    page.wait_for_timeout(500)
    assert shown(page)["Events"] == after["Events"]
    assert page.errors == []


def test_a_polygon_is_drawn_by_mouse_and_changed(editor: Any) -> None:
    page = editor
    page.get_by_role("button", name="Polygon").click()
    box = page.locator(".sheet").bounding_box()

    def place(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    corners = [(0.6, 0.4), (0.95, 0.4), (0.95, 0.95), (0.6, 0.95)]
    for corner in corners:
        page.mouse.click(*place(*corner))
    page.mouse.click(*place(*corners[0]))
    page.get_by_role("button", name="Corner 1 of 4 of Gate 1").wait_for()
    page.wait_for_timeout(500)
    whole = shown(page)["Events"]
    assert whole > 500
    page.mouse.move(*place(*corners[1]))
    page.mouse.down()
    page.mouse.move(*place(0.65, 0.9), steps=5)
    page.mouse.up()
    page.wait_for_timeout(600)
    cut = shown(page)["Events"]
    assert cut < whole
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Corner 5 of 5").wait_for()
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Corner 4 of 4").wait_for()
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    page.wait_for_timeout(600)
    assert shown(page)["Events"] == whole
    page.get_by_role("button", name="Redo").click()
    page.wait_for_timeout(600)
    assert shown(page)["Events"] == cut
    page.get_by_label("Name of the gate").fill("<img src=x onerror=alert(1)>")
    page.get_by_label("Name of the gate").press("Enter")
    page.get_by_role("button", name="<img src=x onerror=alert(1)>", exact=True).wait_for()
    assert page.locator("img").count() == 0
    page.get_by_role("button", name="Remove gate").click()
    assert page.locator(".gate").count() == 2
    assert page.errors == []


def test_gates_are_made_by_keys_alone_and_analysed(editor: Any, app: RunningServer) -> None:
    page = editor
    page.get_by_role("button", name="Show events inside CD3-").click()
    page.get_by_text("Events of CD3- in well A05").wait_for()
    page.get_by_role("button", name="Range").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Lower end of CD3 (FITC-A) of Gate 1").wait_for()
    page.wait_for_function("document.activeElement.ariaLabel?.startsWith('Lower end')")
    for _ in range(12):
        page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_timeout(600)
    assert "open" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert shown(page)["Events"] > 300
    page.get_by_role("checkbox", name="Curves and IC50 of Gate 1").check()
    page.get_by_role("checkbox", name="Curves and IC50 of CD8").uncheck()
    with page.expect_response(lambda r: "/jobs/plate-run" in r.url) as started:
        page.get_by_role("button", name="Analyse with these gates").click()
    new = started.value.json()["id"]
    ended = app.wait_for_job(new)
    assert ended["status"] == "done", ended
    result = app.request("GET", f"/jobs/{new}/result").json()["result"]
    assert {c["population"] for c in result["curves"]} == {"CD4", "CD11b", "Gate 1"}
    page.wait_for_url(re.compile(new))
    page.get_by_role("button", name="Gate 1", exact=True).wait_for()
    page.get_by_text("Gates as analysed.").wait_for()
    gates = app.request("GET", f"/jobs/{new}/files/gates.toml").text
    assert 'name = "Gate 1"' in gates
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Gates as TOML").click()
    assert Path(fetched.value.path()).read_text() == gates
    assert page.errors == []


def test_the_heat_map_is_read_by_keys(open_app: Open, app: RunningServer, job: str) -> None:
    page = open_app(f"/plate?job={job}&tab=plate&statistic=median&population=CD8")
    page.get_by_role("grid", name="Median fluorescence, CD8, pSTAT3").wait_for()
    rows = app.request("GET", f"/jobs/{job}/result").json()["result"]["statistics"]
    medians = {r["well"]: r["median"] for r in rows if r["population"] == "CD8"}
    for well, value in medians.items():
        text = page.locator(f"[data-well={well}] span").inner_text().rstrip("!")
        assert float(text) == pytest.approx(value, rel=5e-3, abs=0.51)
    page.locator("[data-well=A01]").focus()
    for key in ("ArrowRight", "ArrowDown", "End"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.dataset.well") == "B12"
    page.get_by_role("heading", name="Well B12: D1, IL-15, 3000 nM").wait_for()
    page.wait_for_timeout(300)
    page.reload()
    page.get_by_role("heading", name="Well B12: D1, IL-15, 3000 nM").wait_for()
    page.get_by_role("button", name="Gates of this well").click()
    page.get_by_text("in well B12 (D1, IL-15, 3000 nM)").wait_for()
    assert page.errors == []


def test_a_refused_curve_is_points_and_a_reason(open_app: Open, job: str) -> None:
    page = open_app(f"/plate?job={job}&tab=curves&population=CD11b&cytokine=IL-15")
    page.get_by_role("heading", name="pSTAT3 of CD11b under IL-15").wait_for()
    page.wait_for_selector(".canvas canvas")
    assert page.locator("li .status[data-status=bad]").count() == 2
    page.get_by_text("stimulation does not raise the signal").first.wait_for()
    page.get_by_role("tab", name="Plate").click()
    assert page.locator("[data-well=B05] span").inner_text().startswith("–")
    assert page.locator("[data-well=A05] span").inner_text() != "–"
    assert page.errors == []


def test_a_corner_beyond_the_plot_is_moved(open_app: Open, job: str) -> None:
    page = open_app(f"/plate?job={job}&gate=singlets&within=cells&x=FSC-A&y=FSC-H")
    page.wait_for_selector(".gate.chosen .handle")
    before = shown(page)["Events"]
    corner = page.get_by_role("button", name=re.compile("beyond the plot")).last
    corner.focus()
    for _ in range(8):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_timeout(800)
    assert shown(page)["Events"] != before
    page.keyboard.press("Escape")
    page.wait_for_timeout(800)
    assert shown(page)["Events"] == before
    assert page.errors == []


def test_own_files_are_dropped_and_analysed(
    open_app: Open, app: RunningServer, tmp_path: Path
) -> None:
    page = open_app("/plate")
    with zipfile.ZipFile(samples.path("sample-plate-files", tmp_path).path) as archive:
        wells = [f"A{k:02d}.fcs" for k in range(1, 13)]
        archive.extractall(tmp_path / "fcs", wells)
    lines = samples.path("sample-plate-map", tmp_path).path.read_text().splitlines()
    (tmp_path / "map.csv").write_text("\n".join(lines[:13]) + "\n")
    files = [tmp_path / "map.csv", *sorted((tmp_path / "fcs").iterdir())]
    page.locator("input[type=file]").first.set_input_files(files)
    page.get_by_text("12 FCS files, 12 wells in the plate map, 12 of them matched").wait_for()
    page.get_by_label("APC-A stands for").select_option("marker")
    page.get_by_text("Name at least one channel as readout.").wait_for()
    page.get_by_label("APC-A stands for").select_option("readout")
    page.get_by_label("Name of APC-A").fill("pS3")
    page.get_by_label("Name of APC-A").press("Enter")
    page.get_by_role("button", name="Leave out CD11b").click()
    page.wait_for_timeout(1200)
    page.reload()
    page.get_by_text("12 of them matched").wait_for()
    assert page.get_by_label("Name of APC-A").input_value() == "pS3"
    assert page.get_by_role("button", name="Leave out CD11b").count() == 0
    page.get_by_role("button", name="Analyse the plate").click()
    page.get_by_text("2 of 2 IC50 determined").wait_for(timeout=120_000)
    page.get_by_role("button", name="CD8", exact=True).wait_for()
    assert page.errors == []


def test_a_file_that_is_none_is_said(open_app: Open, tmp_path: Path) -> None:
    page = open_app("/plate")
    (tmp_path / "slides.pdf").write_bytes(b"%PDF-1.7")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "slides.pdf")
    page.get_by_role("alert").get_by_text("neither an FCS file nor a zip archive").wait_for()


def test_files_of_no_well_are_named_and_not_analysed(open_app: Open, tmp_path: Path) -> None:
    page = open_app("/plate")
    with zipfile.ZipFile(samples.path("sample-plate-files", tmp_path).path) as archive:
        whole = archive.read("A01.fcs")
    (tmp_path / "cut.fcs").write_bytes(whole[: len(whole) // 2])
    shown_map = samples.path("sample-plate-map", tmp_path).path
    files = page.locator("input[type=file]")
    files.nth(0).set_input_files(tmp_path / "cut.fcs")
    rows = shown_map.read_bytes() + b"Z1,q.fcs,D1,IL-6,dose,1"
    files.nth(1).set_input_files({"name": "my map.csv", "mimeType": "text/csv", "buffer": rows})
    page.get_by_text("No file belongs to a well of the plate map.").wait_for()
    assert page.get_by_role("button", name="Analyse the plate").is_disabled()
    page.get_by_text("remarks on this result").click()
    told = page.locator(".note").inner_text()
    assert "The file is cut off: copy it again." in told
    assert "My map.csv:50: 'Z1' is not a well." in told
    assert "48 wells of the plate map without a file" in told
    page.get_by_label("Compensation").select_option("single_stains")
    page.get_by_text("its column stain names the channel").wait_for()


def test_gates_of_a_flowjo_workspace_replace_those_on_screen(
    open_app: Open, job: str, tmp_path: Path
) -> None:
    scales = scale("linear", "FSC-A", minRange=0, maxRange=262144)
    gates = population("cells", rectangle(dimension("FSC-A", 30000, 200000)), group="G")
    file = tmp_path / "plate.wsp"
    file.write_text(workspace(sample(1, "A01.fcs", gates, scales=scales), group("G", (1,), gates)))
    page = open_app(f"/plate?job={job}&well=A05")
    page.wait_for_selector(".gate.chosen .handle")
    page.get_by_text("Gates from a file").click()
    page.get_by_label("FlowJo workspace").set_input_files(file)
    page.get_by_text("These are the gates of the group 'G'").wait_for()
    page.get_by_text("Tick at least one population.").wait_for()  # those with curves are gone
    assert page.get_by_role("button", name="Analyse with these gates").is_disabled()
    page.get_by_role("button", name="cells", exact=True).click()
    assert shown(page)["Events"] > 0
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Analyse with these gates").click()
    page.get_by_text("of 4 IC50 determined").wait_for(timeout=120_000)
    assert page.errors == []


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (360, "dark")])
def test_no_serious_barrier_and_no_overflow(
    open_app: Open, violations: Any, job: str, width: int, scheme: str
) -> None:
    page = open_app("/plate", width=width, scheme=scheme)
    page.get_by_text("What is needed").wait_for()
    assert violations(page) == []
    for tab, mark in (
        ("gates", ".gate.chosen .handle"),
        ("plate", "[data-well=A01]"),
        ("curves", ".canvas canvas"),
        ("remarks", "text=plate-input.zip"),
    ):
        page.goto(re.sub(r"/plate.*", f"/plate?job={job}&tab={tab}", page.url))
        page.wait_for_selector(mark)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.errors == []
