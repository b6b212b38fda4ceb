"""The frame around all screens: navigation, theme, sign-in, jobs; by keyboard and by mouse."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .running_server import RunningServer, start_server

HOMES = {
    "/": "Quantitative pharmacology of JAK inhibitors",
    "/jobs": "Jobs",
    "/evidence": "Evidence",
    "/nowhere": "Not found",
}
NAMES = ("Drug", "Simulate", "One patient", "Plate", "Fit", "Evidence", "Pathway", "Jobs")
NOTICE = "Research software. Not a medical device."


def heading(page: Any) -> str:
    page.wait_for_selector("h1")
    return str(page.inner_text("h1"))


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.id"))


def is_wide(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("path", HOMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_frame_is_accessible_and_asks_nobody_else(
    open_app: Callable[..., Any], app: RunningServer, violations: Any, path: str, scheme: str
) -> None:
    page = open_app(path, scheme=scheme)
    assert heading(page) == HOMES[path]
    assert page.get_by_text(NOTICE).is_visible()
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    assert page.errors == []
    assert [url for url in page.requests if not url.startswith(app.url)] == []


@pytest.mark.parametrize("path", HOMES)
def test_phone_is_wide_enough(open_app: Callable[..., Any], path: str) -> None:
    page = open_app(path, width=360)
    heading(page)
    assert not is_wide(page)


def test_keyboard_leads_past_the_navigation_and_to_each_screen(
    open_app: Callable[..., Any],
) -> None:
    page = open_app("/jobs")
    heading(page)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert focused(page) != "Skip to the content"
    assert page.evaluate("document.activeElement.id") == "main"
    links = page.get_by_role("navigation", name="Screens").get_by_role("link")
    assert links.all_inner_texts() == list(NAMES)
    links.first.focus()
    for _ in range(5):
        page.keyboard.press("Tab")
    assert focused(page) == "Evidence"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.wait_for_url("**/evidence")
    assert heading(page) == "Evidence"
    assert page.title() == "Evidence · Statera"
    assert links.nth(5).get_attribute("aria-current") == "page"
    page.go_back()
    page.get_by_role("heading", level=1, name="Jobs").wait_for()


def test_first_page_leads_to_all_screens(open_app: Callable[..., Any]) -> None:
    page = open_app("/")
    heading(page)
    names = page.get_by_role("main").get_by_role("heading", level=2).all_inner_texts()
    assert names == list(NAMES)
    page.get_by_role("main").get_by_role("link", name="Jobs").click()
    page.wait_for_url("**/jobs")


def test_colours_follow_the_system_until_chosen_and_are_kept(open_app: Callable[..., Any]) -> None:
    page = open_app("/", scheme="dark")
    heading(page)

    def background() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = background()
    page.emulate_media(color_scheme="light")
    light = background()
    assert dark != light
    button = page.get_by_role("button", name="Colours")
    button.press("Enter")  # light
    button.press("Enter")  # dark
    assert background() == dark
    page.reload()
    heading(page)
    assert background() == dark
    page.get_by_role("button", name="Colours").click()
    assert background() == light


def test_a_job_is_found_again_and_deleted(open_app: Callable[..., Any], app: RunningServer) -> None:
    table = {"columns": ["study", "estimate", "low", "high"],
             "rows": [["A", "1.2", "0.9", "1.6"], ["B", "1.1", "0.8", "1.5"]]}  # fmt: skip
    job = app.start_job("evidence-pairwise", {"table": table, "measure": "HR"})
    app.wait_for_job(job)
    page = open_app(f"/jobs?job={job}")
    panel = page.get_by_role("region", name="evidence-pairwise")
    panel.get_by_text("finished").wait_for()
    page.reload()
    panel.get_by_text("finished").wait_for()
    row = page.get_by_role("row").filter(has_text="evidence-pairwise").first
    row.wait_for()
    assert row.get_by_role("link", name="Open").count() == 0  # its screen shows no job
    page.once("dialog", lambda d: d.accept())
    page.get_by_role("button", name="Delete the job evidence-pairwise").first.press("Enter")
    page.wait_for_url(lambda url: "job=" not in url)
    assert app.request("GET", f"/jobs/{job}").status_code == 404
    assert page.errors == []


def test_a_failed_job_says_why(open_app: Callable[..., Any], app: RunningServer) -> None:
    table = {"columns": ["study", "estimate", "low", "high"], "rows": [["A", "one", "0.9", "1.6"]]}
    job = app.start_job("evidence-pairwise", {"table": table, "measure": "HR"})
    page = open_app(f"/jobs?job={job}")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "is not a number" in alert.inner_text()
    assert "row 1, column 'estimate'" in alert.inner_text()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with sign-in by token; anna's is 'a' forty times."""
    folder = tmp_path_factory.mktemp("guarded")
    tokens = Path(folder / "tokens")
    tokens.write_text(f"anna:{hashlib.sha256(b'a' * 40).hexdigest()}\n", encoding="utf-8")
    tokens.chmod(0o600)
    arguments = ("--token-file", str(tokens), "--workers", "1")
    with start_server(folder, arguments) as server:
        yield server


def test_signing_in_by_token_leads_to_the_page_asked_for(
    browser: Any, guarded: RunningServer, violations: Any
) -> None:
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{guarded.url}/jobs")
    assert heading(page) == "Sign in"
    assert page.get_by_text(NOTICE).is_visible()
    assert violations(page) == []
    field = page.get_by_label("Access token")
    field.fill("not the token")
    field.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "token is not known" in page.get_by_role("alert").inner_text()
    field.fill("a" * 40)
    field.press("Enter")
    page.get_by_role("heading", level=1, name="Jobs").wait_for()
    assert page.get_by_text("anna").is_visible()
    assert "a" * 40 not in page.url
    assert page.evaluate("document.cookie") == ""  # scripts cannot read it
    page.reload()
    page.get_by_role("heading", level=1, name="Jobs").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", level=1, name="Sign in").wait_for()
    context.close()


def test_changes_of_the_address_fetch_no_icon(open_app: Any) -> None:
    page = open_app("/simulate")
    page.get_by_role("figure").first.wait_for()
    page.get_by_label("Subjects").fill("200")
    page.wait_for_url("**n=200*")
    assert not [url for url in page.requests if "icon" in url and not url.startswith("data:")]
