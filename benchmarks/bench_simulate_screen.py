"""Time from a movement of the slider to new numbers, in the browser and in the worker.

    python benchmarks/bench_simulate_screen.py [URL]

Without a URL a server is started on a free port with an empty data folder; the front end must be
built. Each movement is another dose for 1 000 subjects in closed form. Three times are printed:

- in the page: from the input event to the change of the table's text;
- of the request as the browser saw it;
- in the worker: wall and, in this process, CPU time of the same task.

The least and the median of the movements are shown beside the limit of 100 ms; another load on the
machine lengthens all but the CPU time.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

from playwright.sync_api import sync_playwright

from statera.web.requests.simulate import SimulateRequest
from statera.web.tasks.simulate import run

LIMIT_MS = 100.0
MOVES = 40
_STATE = "/simulate?arms=%5B%7B%22model%22%3A%22baricitinib%2FDecker_2024%22%2C%22dose%22%3A%22"
_MEASURE = """
async (moves) => {
  const slider = document.querySelector('input[type=range]');
  const table = document.querySelector('[aria-label=Endpoints] tbody');
  const found = [];
  for (let i = 0; i < moves; i++) {
    slider.value = String(1 + (i % 15) + 0.2 * (1 + Math.floor(i / 15)));
    const changed = new Promise((resolve) => {
      const watcher = new MutationObserver(() => (watcher.disconnect(), resolve()));
      watcher.observe(table, {subtree: true, childList: true, characterData: true});
    });
    const began = performance.now();
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    await changed;
    found.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const calls = performance.getEntriesByType('resource')
    .filter((entry) => entry.name.endsWith('/tasks/simulate')).slice(-moves)
    .map((entry) => entry.duration);
  return {found, calls};
}
"""


def shown(name: str, values: list[float]) -> str:
    """Return the least, the median and the 90th percentile, ms."""
    ordered = sorted(values)
    ninetieth = ordered[int(0.9 * (len(ordered) - 1))]
    return f"{name:34} {ordered[0]:7.1f} {statistics.median(ordered):7.1f} {ninetieth:7.1f}"


def in_the_worker(dose: str) -> list[str]:
    """Return wall and CPU times of the task in this process."""
    work = SimpleNamespace()
    walls, processor = [], []
    for k in range(MOVES):
        arms = [{"dose": dose.replace("4", f"{1 + 0.1 * k:.1f}", 1)}]
        request = SimulateRequest(arms=arms)  # type: ignore[arg-type]
        wall, cpu = time.perf_counter(), time.process_time()
        run(request, work).to_json()  # type: ignore[arg-type]
        walls.append(1000 * (time.perf_counter() - wall))
        processor.append(1000 * (time.process_time() - cpu))
    return [shown(f"task, wall, {dose}", walls[2:]), shown(f"task, CPU, {dose}", processor[2:])]


def in_the_page(url: str) -> list[str]:
    """Return times of the page and of its requests."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.goto(f"{url}{_STATE}4%20mg%20q24h%20x7%22%7D%5D")
        page.get_by_role("region", name="Endpoints").wait_for()
        page.wait_for_timeout(500)
        found = page.evaluate(_MEASURE, MOVES)
        browser.close()
    return [shown("page, input to new numbers", found["found"]), shown("request", found["calls"])]


def main() -> None:
    """Measure and print."""
    print(f"{'ms (limit ' + format(LIMIT_MS, 'g') + ')':34} {'least':>7} {'median':>7} {'90 %':>7}")
    for dose in ("4 mg q24h x7", "4 mg q24h x14"):
        print("\n".join(in_the_worker(dose)))
    if len(sys.argv) > 1:
        print("\n".join(in_the_page(sys.argv[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        port = 18_765
        command = [sys.executable, "-m", "statera", "serve", "--port", str(port)]
        server = subprocess.Popen(
            [*command, "--data", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{url}/readyz")
                    break
                except OSError:
                    time.sleep(0.5)
            print("\n".join(in_the_page(url)))
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    assert Path("benchmarks").is_dir(), "run it in the root of the project"
    main()
