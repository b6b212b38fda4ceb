"""The screen 'fit' in a browser: one click to a fit, live course, cancel, resume, reload."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from .running_server import RunningServer

SAMPLE = "sample-oral-one-compartment"
PATIENCE = 240_000  # ms; the first fit on a machine compiles its solver
STATIC = Path(__file__).parents[2] / "src/statera/web/static/index.html"

STREAM = """$PROBLEM one compartment
$INPUT ID TIME AMT DV
$DATA elsewhere.csv IGNORE=@
$SUBROUTINES ADVAN2 TRANS2
$PK
KA=THETA(1)
CL=THETA(2)*EXP(ETA(1))
V=THETA(3)
S2=V
$ERROR
Y=F*(1+EPS(1))
$THETA (0,1) (0,4) (0,40)
$OMEGA 0.1
$SIGMA 0.04
"""

pytestmark = pytest.mark.skipif(
    not STATIC.is_file(), reason="the front end is not built: npm --prefix frontend run build"
)


def shown(value: float, digits: int = 4) -> str:
    """A number as the front end writes it (formatNumber), between 0.001 and 1 000 000."""
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:.{max(digits - 1 - exponent, 0)}f}".replace("-", "\u2212")


def fixed(value: float, places: int) -> str:
    return f"{value:.{places}f}".replace("-", "\u2212")


def job_of(page: Any) -> str:
    page.wait_for_url(re.compile(r"job=[0-9a-f]{32}"))
    return str(re.search(r"job=([0-9a-f]{32})", page.url)[1])  # type: ignore[index]


def result_of(app: RunningServer, job: str) -> dict[str, Any]:
    answer: dict[str, Any] = app.request("GET", f"/jobs/{job}/result").json()
    return answer


def enlarged_sample(app: RunningServer, times: int) -> str:
    """Upload the sample several times over, so that a fit lasts long enough to be watched."""
    path = STATIC.parents[1] / "samples" / "oral-one-compartment.csv"
    heading, *rows = path.read_text("utf-8").splitlines()
    apart = [row.partition(",") for row in rows]
    most = max(int(subject) for subject, _, _ in apart)
    lines = [f"{int(i) + k * most},{rest}" for k in range(times) for i, _, rest in apart]
    answer = app.request(
        "POST", "/uploads", content="\n".join([heading, *lines]).encode(),
        headers={"X-File-Name": "enlarged.csv", "Content-Type": "application/octet-stream"},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_one_click_fits_the_sample_and_shows_the_numbers_of_the_interface(
    open_app: Any, app: RunningServer, violations: Any
) -> None:
    page = open_app("/fit")
    page.get_by_role("button", name="Fit a simulated study").click()
    page.locator("[data-test=aic]").wait_for(timeout=PATIENCE)
    answer = result_of(app, job_of(page))
    result = answer["result"]
    assert page.locator("[data-test=final-ofv]").inner_text() == fixed(result["ofv"], 3)
    assert page.locator("[data-test=aic]").inner_text() == fixed(result["criteria"]["aic"], 2)
    assert page.locator("[data-test=bic]").inner_text() == fixed(result["criteria"]["bic"], 2)
    for row in result["parameters"]:
        cells = page.locator(f"tr[data-name='{row['name']}'] td").all_inner_texts()
        assert cells[0] == shown(row["estimate"])
        assert cells[1] == shown(row["se"], 3)
        assert cells[2] == shown(row["rse"], 3)
        assert cells[3].split()[0] == shown(row["value"])
        low, high = row["value_low"] or row["low"], row["value_high"] or row["high"]
        assert cells[4] == f"{shown(low, 3)} to {shown(high, 3)}"
    assert violations(page) == []
    files = page.get_by_role("region", name="Fit", exact=True).get_by_role("link")
    assert "report.html" in files.all_inner_texts()

    page.get_by_role("tab", name="Search").click()
    last = answer["tables"]["course"]["rows"][-1]
    assert page.locator("[data-test=iteration]").inner_text() == str(last[0])
    assert page.locator("[data-test=ofv]").inner_text() == fixed(last[1], 3)

    page.get_by_role("tab", name="Goodness of fit").click()
    for name in ("DV against PRED", "DV against IPRED", "CWRES against TIME", "CWRES against PRED"):
        page.get_by_role("heading", name=name).wait_for()
    assert page.get_by_role("heading", level=3, name=re.compile("^Subject ")).count() == 9
    page.get_by_role("button", name="Next").click()
    page.get_by_text("page 2 of 6").wait_for()
    assert violations(page) == []

    page.get_by_role("tab", name="Predictive check").click()
    figures = page.get_by_role("figure", name=re.compile("^Visual predictive check of C, DOSE"))
    figures.first.wait_for()
    assert figures.count() == 3
    page.get_by_text("Show as table").first.click()
    panel = result["vpc"]["panels"][0]
    assert panel["stratum"] == "DOSE = 25"
    first = page.locator("table.data tbody tr").first
    first.wait_for()
    observed = {shown(s["observed"][0]) for s in panel["percentiles"]}
    assert observed <= set(first.locator("td").all_inner_texts())
    assert violations(page) == []
    assert page.errors == []
    outside = [u for u in page.requests if not u.startswith((app.url, "data:", "blob:"))]
    assert outside == []


def test_everything_can_be_asked_by_keyboard(open_app: Any, app: RunningServer) -> None:
    page = open_app(f"/fit?data={SAMPLE}&report=0&replicates=0&tab=model")
    field = page.get_by_label("Initial value of TVCL")
    field.wait_for(timeout=PATIENCE)
    field.focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("8")
    page.keyboard.press("Tab")
    page.get_by_label("Fix TVKA").focus()
    page.keyboard.press("Space")
    page.get_by_label("Method").focus()
    page.keyboard.type("FO")  # the first method of this name
    page.keyboard.press("Home")
    page.get_by_label("Method").press("ArrowDown")
    assert page.get_by_label("Method").input_value() == "foce"
    button = page.get_by_role("button", name="Fit", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    page.locator("[data-test=aic]").wait_for(timeout=PATIENCE)
    job = job_of(page)
    request = app.request("GET", f"/jobs/{job}/request").json()
    assert request["initial"] == {"TVCL": 8}
    assert request["fixed"] == ["TVKA"]
    assert request["method"] == "foce"
    assert page.locator("tr[data-name=TVKA]").get_by_text("fixed").is_visible()
    tab = page.get_by_role("tab", name="Estimates")
    tab.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="DV against PRED").wait_for()
    assert page.errors == []


def test_a_fit_is_watched_cancelled_reloaded_and_resumed(open_app: Any, app: RunningServer) -> None:
    data = enlarged_sample(app, 8)
    page = open_app(
        f"/fit?data={data}&method=saem&saemErrors=linearised&replicates=0&report=0&tab=course"
    )
    page.get_by_role("button", name="Fit", exact=True).click()
    iteration = page.locator("[data-test=iteration]")
    iteration.wait_for(timeout=PATIENCE)
    seen = int(iteration.inner_text())
    page.wait_for_function(
        "n => Number(document.querySelector('[data-test=iteration]').textContent) > n", arg=seen
    )  # it moves while the job runs
    page.reload()
    iteration.wait_for()
    assert int(iteration.inner_text()) >= seen
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("cancelled", exact=True).first.wait_for(timeout=60_000)
    job = job_of(page)
    told = app.request("GET", f"/jobs/{job}").json()
    assert told["status"] == "cancelled"
    stopped = [e["data"]["iteration"] for e in told["events"] if "iteration" in e["data"]][-1]
    page.wait_for_function(
        "n => Number(document.querySelector('[data-test=iteration]').textContent) === n",
        arg=stopped,
    )
    page.reload()  # the course of a fit that was cancelled is still there
    iteration.wait_for()
    assert int(iteration.inner_text()) == stopped

    page.get_by_role("button", name="Resume").click()
    page.locator("[data-test=aic]").wait_for(timeout=PATIENCE)
    answer = result_of(app, job)
    numbers = [row[0] for row in answer["tables"]["course"]["rows"]]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > stopped
    assert (
        page.locator("[data-test=final-ofv]")
        .inner_text()
        .startswith(fixed(answer["result"]["ofv"], 3))
    )
    page.get_by_role("tab", name="Search").click()
    page.get_by_text(re.compile("Resumed at iteration")).wait_for()
    assert int(iteration.inner_text()) == numbers[-1]
    assert page.errors == []


def test_a_cancelled_fit_reaches_the_minimum_of_one_that_was_not(app: RunningServer) -> None:
    request = {
        "data": SAMPLE, "model": {"kind": "template", "name": "oral-1"}, "method": "laplace",
        "initial": {"TVKA": 4.0, "TVCL": 15.0, "TVV": 15.0}, "standard_errors": "none",
        "replicates": 0, "report": False,
    }  # fmt: skip
    straight = app.start_job("fit", request)
    assert app.wait_for_job(straight)["status"] == "done"
    other = app.start_job("fit", request)
    seen = False
    while not seen:
        told = app.request("GET", f"/jobs/{other}").json()
        seen = told["status"] == "done" or any("iteration" in e["data"] for e in told["events"])
        time.sleep(0.05)  # a user may ask so often, and no more
    app.request("POST", f"/jobs/{other}/cancel")
    ended = app.wait_for_job(other)
    if ended["status"] == "done":
        pytest.skip("the fit ended before it could be cancelled")
    assert app.request("POST", f"/jobs/{other}/resume").status_code < 300
    ended = app.wait_for_job(other)
    assert ended["status"] == "done"
    assert ended["attempt"] == 2
    one, two = result_of(app, straight)["result"], result_of(app, other)["result"]
    assert two["ofv"] == pytest.approx(one["ofv"], abs=1e-3)
    for a, b in zip(one["parameters"], two["parameters"], strict=True):
        assert b["estimate"] == pytest.approx(a["estimate"], rel=0.01)


def test_uploaded_data_are_checked_at_once(
    open_app: Any, app: RunningServer, tmp_path: Path
) -> None:
    page = open_app("/fit")
    bad = tmp_path / "study.csv"
    bad.write_text("ID,TIME,AMT,DV\n1,0,100,.\n1,x,.,2\n1,2,.,<b>3</b>\n", encoding="utf-8")
    page.locator("input[type=file]").first.set_input_files(bad)
    page.get_by_text("cannot be used yet").first.wait_for(timeout=PATIENCE)
    rows = page.locator("table.data tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["3", "4"]
    assert page.get_by_role("button", name="Fit", exact=True).is_disabled()
    good = tmp_path / "study2.csv"
    good.write_text(
        "ID,TIME,AMT,DV\n1,0,100,.\n1,1,.,2.1\n1,9,.,0.04\n2,0,100,.\n2,1,.,1.7\n2,9,.,0.2\n",
        encoding="utf-8",
    )
    page.locator("input[type=file]").first.set_input_files(good)
    page.get_by_text("no problems found").wait_for()
    page.get_by_text("How the file is read").click()
    page.get_by_label("Limit of quantification").fill("0.1")
    below = page.locator("dt:has-text('Below the limit') + dd")
    page.wait_for_function(
        "() => [...document.querySelectorAll('dt')].some((t) => t.textContent.includes('Below')"
        " && t.nextElementSibling.textContent === '1')"
    )
    assert below.inner_text() == "1"
    page.wait_for_url(re.compile("read=.*lloq"))
    page.reload()  # data and the way they are read stand in the address
    page.get_by_role("heading", name="study2.csv").wait_for()
    assert below.inner_text() == "1"
    assert page.errors == []


def test_data_that_cannot_be_read_cannot_be_fitted(open_app: Any, tmp_path: Path) -> None:
    page = open_app("/fit")
    bad = tmp_path / "study.csv"
    bad.write_text("ID,TIME,AMT,CONC\n1,0,100,.\n1,1,.,2\n", encoding="utf-8")
    page.locator("input[type=file]").first.set_input_files(bad)
    said = page.get_by_role("alert").get_by_text("Columns called otherwise: DV=ITS NAME")
    said.wait_for(timeout=PATIENCE)
    page.get_by_text("The data cannot be read yet").wait_for()
    assert page.get_by_role("button", name="Fit", exact=True).is_disabled()
    page.get_by_text("How the file is read", exact=True).click()
    page.get_by_label("Columns called otherwise").fill("DV=CONC")
    page.get_by_label("Columns called otherwise").blur()
    page.get_by_role("heading", name="study.csv").wait_for(timeout=PATIENCE)


def test_a_control_stream_brings_its_parameters(open_app: Any, tmp_path: Path) -> None:
    stream = tmp_path / "run1.mod"
    stream.write_text(STREAM, encoding="utf-8")
    page = open_app("/fit")
    page.get_by_text("A model of your own").click()
    page.locator("input[type=file]").nth(1).set_input_files(stream)
    page.get_by_label("Initial value of THETA2").wait_for(timeout=PATIENCE)
    assert page.get_by_label("Initial value of THETA2").input_value() == "4"
    assert page.get_by_label("Lower bound of THETA2").input_value() == "0"
    assert page.get_by_label("Initial variance of ETA1").input_value() == "0.1"
    assert (
        page.get_by_label("Model", exact=True).locator("option:checked").inner_text() == "Your file"
    )
    stream.write_text(STREAM.replace("ADVAN2", "ADVAN99"), encoding="utf-8")
    page.locator("input[type=file]").nth(1).set_input_files(stream)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "run1.mod:4" in alert.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_on_a_phone(
    scheme: str, open_app: Any, app: RunningServer, violations: Any
) -> None:
    request = {"data": SAMPLE, "model": {"kind": "template", "name": "oral-1"}, "report": False}
    job = app.start_job("fit", request)
    assert app.wait_for_job(job)["status"] == "done"
    page = open_app(f"/fit?job={job}&tab=estimates", width=360, scheme=scheme)
    page.locator("[data-test=aic]").wait_for(timeout=PATIENCE)
    for name in ("Estimates", "Model", "Data", "Predictive check", "Compare"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert violations(page) == []
    assert page.get_by_role("region", name="Comparison of fits").is_visible()
    # a link that holds the job alone knows what was fitted
    assert page.get_by_text("oral-one-compartment.csv").first.is_visible()
