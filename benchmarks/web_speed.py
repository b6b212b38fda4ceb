"""How fast one user of the web app gets numbers, and what the server weighs.

Run ``python benchmarks/web_speed.py`` on a quiet machine, with the front end built and Chromium for
the figures of the browser. Limits: first chart 1 s after the page is asked for; a moved slider to
new numbers 100 ms, for 1 000 subjects in closed form; JavaScript 250 KB compressed in all; server
200 MB when idle. No request is sent twice, so that each number is computed anew. Of times the
median of the repeats is held against the limit; the largest is shown beside it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from web_load import ROOT, Connection, _token, memory, ready, start_server

REPEATS = 60
PAGES = 7
STATIC = ROOT / "src" / "statera" / "web" / "static"
_WATCH = """
window.firstChart = null;
new MutationObserver((_, watching) => {
  const canvas = document.querySelector('canvas');
  if (canvas && canvas.width > 0) {
    watching.disconnect();
    requestAnimationFrame(() => (window.firstChart = performance.now()));
  }
}).observe(document, { childList: true, subtree: true, attributes: true });
"""
_TYPE = """
async (text) => {
  const field = [...document.querySelectorAll('input')].find((each) => / mg q/.test(each.value));
  const shown = () => [...document.querySelectorAll('td')].map((each) => each.textContent).join();
  const before = shown();
  const begun = performance.now();
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  field.dispatchEvent(new Event('change', { bubbles: true }));
  while (shown() === before) {
    if (performance.now() - begun > 10000) throw new Error('the numbers stay as they are');
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - begun;
}
"""


def row(words: str, values: list[float], limit: float, unit: str) -> bool:
    """Print a line of the table, and return whether the limit is kept."""
    middle = statistics.median(values)
    kept = middle <= limit
    most = f" (most {max(values):.0f})" if len(values) > 1 else ""
    print(
        f"{words:52}{middle:8.0f}{most:14} {unit:3} limit {limit:.0f}{'' if kept else ': MISSED'}"
    )
    return kept


async def round_trips(address: str) -> list[float]:
    """Return ms from a request with a new dose to its answer."""
    connection, chance, found = Connection(address, _token(0)), random.Random(1), []
    for number in range(REPEATS + 5):
        arm = {"dose": f"{chance.uniform(1, 8):.5f} mg q24h x14"}
        body = json.dumps({"arms": [arm], "n": 1000}).encode()
        begun = time.perf_counter()
        status, answer = await connection.ask("POST", "/api/v1/tasks/simulate", body)
        if number >= 5:
            found.append(1000 * (time.perf_counter() - begun))
        assert status == 200, answer
    await connection.close()
    return found


def in_browser(address: str) -> tuple[list[float], list[float]]:
    """Return ms to the first chart of pages, and from a new dose to new numbers in the page."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    charts, numbers = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        headers = {"Authorization": f"Bearer {_token(0)}"}
        for number in range(PAGES):
            context = browser.new_context(extra_http_headers=headers)
            page = context.new_page()
            page.add_init_script(_WATCH)
            page.goto(f"{address}/simulate?seed={number + 2}")
            page.wait_for_selector("canvas", timeout=60_000)
            while page.evaluate("window.firstChart") is None:
                page.wait_for_timeout(20)
            charts.append(page.evaluate("window.firstChart"))
            if number == PAGES - 1:
                page.wait_for_load_state("networkidle")
                for dose in range(25):
                    numbers.append(page.evaluate(_TYPE, f"{2 + dose / 7:.3f} mg q24h x7"))
            context.close()
        browser.close()
    return charts, numbers[5:]


def javascript() -> list[float]:
    """Return KB of all JavaScript, compressed."""
    files = STATIC.rglob("*.js")
    return [sum(len(gzip.compress(file.read_bytes())) for file in files) / 1000]


async def measured(server: Any, address: str, workers: int) -> tuple[list[float], list[float]]:
    """Return MB of the idle server, and round trips."""
    await ready(Connection(address, _token(0)), workers, server.pid)
    return memory(server.pid)["server"], await round_trips(address)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        server, address = start_server(Path(folder), 1, 2)
        try:
            idle, trips = asyncio.run(measured(server, address, 2))
            kept = [row("server when idle", idle, 200, "MB")]
            kept.append(row("new dose to new numbers over HTTP", trips, 100, "ms"))
            if (STATIC / "index.html").is_file() and shutil.which("chromium"):
                charts, numbers = in_browser(address)
                kept.append(row("page asked for to first chart", charts, 1000, "ms"))
                kept.append(row("new dose to new numbers in the page", numbers, 100, "ms"))
                kept.append(row("JavaScript, compressed", javascript(), 250, "KB"))
            else:
                print("the front end is not built, or there is no Chromium: no figures of pages")
        finally:
            server.terminate()
            server.wait(60)
    raise SystemExit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
