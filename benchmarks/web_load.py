"""Many users of the web app at once: how long they wait, what fails, and what memory does.

Run ``python benchmarks/web_load.py`` on a quiet machine: 200 users for two minutes. ``--short`` is
a rehearsal of a few seconds. The exit code is 1 where a limit is missed: 95 of 100 answers within
1 s, no error, and memory of server and workers at the end within a tenth of that at the middle.

Each user is signed in by a token of their own and keeps a connection open, as a browser does. They
read between actions (``--think``: mean seconds; the time is drawn evenly between a half and one and
a half of it), beginning at times spread over the first reading. Two users of three simulate
populations of 1 000 in closed form under doses and covariates of their own; the third edits the
concentrations of a patient and asks for a forecast, four times quickly (``quick``) and the fifth
time whole (``full``). No request is sent twice, so that no kept answer stands in for the engine.
The users run in this process, on the same processors as the server.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
LIMIT_SECONDS = 1.0
TIMEOUT = 60.0
_SERVER = """
import sys
from pathlib import Path
from statera.web.server.serve import serve
from statera.web.server.settings import Settings
folder = Path(sys.argv[1])
settings = Settings(folder, port=0, workers=int(sys.argv[2]), token_file=folder / "tokens")
serve(settings, lambda address: print(address, flush=True))
"""


@dataclass
class Found:
    """What users met."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)


class Connection:
    """One connection that stays open; just enough of HTTP/1.1 to cost the processors little."""

    def __init__(self, address: str, token: str) -> None:
        self._place = urlsplit(address)
        self._token = token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request and return status and body; a connection that was closed is renewed."""
        for last in (False, True):
            fresh = self._streams is None
            if self._streams is None:
                self._streams = await asyncio.open_connection(
                    self._place.hostname, self._place.port
                )
            try:
                return await self._ask(method, path, body)
            except (asyncio.IncompleteReadError, ConnectionError):
                await self.close()
                if last or fresh:
                    raise
        raise AssertionError

    async def _ask(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self._place.netloc}\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
        found = await reader.readexactly(length)
        if "connection: close" in head:
            await self.close()
        return status, found

    async def close(self) -> None:
        """Close the connection, if it is open."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class SimulatingUser:
    """Moves the dose and the renal function of a population."""

    def __init__(self, number: int, _: dict[str, Any]) -> None:
        self.chance = random.Random(number)

    def next(self) -> tuple[str, str, dict[str, Any]]:
        """Return a name for the table, the task and its request."""
        dose = f"{self.chance.uniform(1, 8):.5f} mg q24h x14"
        arm = {
            "model": "baricitinib/Decker_2024",
            "dose": dose,
            "covariates": {"EGFR": round(self.chance.uniform(20, 130), 4)},
        }
        return "simulate", "simulate", {"arms": [arm], "n": 1000, "seed": 1}


class ForecastingUser:
    """Edits the concentrations of a patient."""

    def __init__(self, number: int, case: dict[str, Any]) -> None:
        self.chance = random.Random(number)
        self.case = json.loads(json.dumps(case))
        self.case["person"]["weight_kg"] = round(self.chance.uniform(45, 80), 2)
        self.asked = number

    def next(self) -> tuple[str, str, dict[str, Any]]:
        """Return a name for the table, the task and its request."""
        for sample in self.case["samples"]:
            sample["value"] = round(sample["value"] * self.chance.uniform(0.9, 1.1), 4)
        self.asked += 1
        detail = "quick" if self.asked % 5 else "full"
        request = {"case": self.case, "detail": detail}
        return f"forecast, {detail}", "patient-forecast", request


async def act(connection: Connection, user: Any, found: Found) -> None:
    """Let a user do one thing and wait for the answer."""
    name, task, request = user.next()
    body = json.dumps(request).encode()
    begun = time.perf_counter()
    try:
        status, answer = await asyncio.wait_for(
            connection.ask("POST", f"/api/v1/tasks/{task}", body), TIMEOUT
        )
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        found.errors.append(f"{name}: {type(error).__name__}")
        await connection.close()
        return
    found.seconds[name].append(time.perf_counter() - begun)
    found.sizes[name] = len(answer)
    if status != 200 or not answer.startswith(b'{"schema"'):
        found.errors.append(f"{name}: {status} {answer[:200].decode('utf-8', 'replace')}")


async def live(connection: Connection, user: Any, think: float, end: float, found: Found) -> None:
    """Read, act, read, act ... until `end`."""
    await asyncio.sleep(random.uniform(0, think))
    while time.perf_counter() < end:
        await act(connection, user, found)
        await asyncio.sleep(random.uniform(0.5 * think, 1.5 * think))
    await connection.close()


def processes(server: int) -> dict[int, str]:
    """Return the server and what it has started, with their kinds."""
    command = ["ps", "-o", "pid=,args=", "--ppid", str(server)]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = {server: "server"}
    for line in lines.splitlines():
        pid, _, words = line.strip().partition(" ")
        if "statera.web.worker" in words:
            found[int(pid)] = "worker"
    return found


def memory(server: int) -> dict[str, list[float]]:
    """Return resident MB by kind of process."""
    found: dict[str, list[float]] = {"server": [], "worker": []}
    for pid, kind in processes(server).items():
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        found[kind].append(pages * os.sysconf("SC_PAGESIZE") / 1e6)
    return found


def cpu_seconds(server: int) -> float:
    """Return the CPU seconds of server and workers so far."""
    ticks = 0
    for pid in processes(server):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def start_server(folder: Path, users: int, workers: int) -> tuple[Any, str]:
    """Start a server whose users have tokens."""
    names = [f"user{number}:{_hash(number)}" for number in range(users)]
    (folder / "tokens").write_text("\n".join(names) + "\n")
    (folder / "tokens").chmod(0o600)
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(folder), str(workers)],
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("w"),
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert server.stdout is not None
    return server, server.stdout.readline().decode().strip()


def _token(number: int) -> str:
    return f"token-of-user-{number}-for-measurements"


def _hash(number: int) -> str:
    return hashlib.sha256(_token(number).encode()).hexdigest()


async def measure(asked: argparse.Namespace, folder: Path) -> bool:
    """Run everything, print a table, and return whether all limits are kept."""
    server, address = start_server(folder, asked.users, asked.workers)
    try:
        first = Connection(address, _token(0))
        await ready(first, asked.workers, server.pid)
        case = (await answer_of(first, "patient-options", {}))["sample"]
        print(f"idle: {shown(memory(server.pid))}")
        users = [
            (ForecastingUser if number % 3 == 2 else SimulatingUser)(number, case)
            for number in range(asked.users)
        ]
        warm = Found()  # the code of each task is loaded once by each worker
        await asyncio.gather(
            *(
                act(Connection(address, _token(n)), users[n], warm)
                for n in range(min(12, asked.users))
            )
        )
        found, records = Found(), []
        begun, cpu, own = time.perf_counter(), cpu_seconds(server.pid), time.process_time()
        lives = asyncio.gather(
            *(
                live(
                    Connection(address, _token(n)), user, asked.think, begun + asked.seconds, found
                )
                for n, user in enumerate(users)
            )
        )
        for _ in range(3):
            records.append(memory(server.pid))
            await asyncio.sleep(asked.seconds / 3)
        records.append(memory(server.pid))
        await lives
        lasted = time.perf_counter() - begun
        busy = (cpu_seconds(server.pid) - cpu) / lasted
        own = (time.process_time() - own) / lasted
        print(
            f"processors: {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f};"
            f" busy: server and workers {busy:.2f}, users {own:.2f}"
        )
        return report(found, records, lasted)
    finally:
        server.terminate()
        server.wait(60)


async def ready(connection: Connection, workers: int, server: int) -> None:
    """Wait until every worker is warm."""
    for _ in range(6000):
        _, body = await connection.ask("GET", "/metrics")
        if f'statera_workers{{what="ready"}} {workers}.0' in body.decode():
            return await settled(server)
        await asyncio.sleep(0.2)
        assert Path(f"/proc/{server}").exists(), "the server has ended"
    raise TimeoutError("the workers are not warm after 20 minutes")


async def settled(server: int) -> None:
    """Wait until the workers have done what they do while nobody asks."""
    before, quiet = cpu_seconds(server), 0
    while quiet < 3:
        await asyncio.sleep(1)
        now = cpu_seconds(server)
        quiet = quiet + 1 if now - before < 0.1 else 0
        before = now


async def answer_of(connection: Connection, task: str, request: dict[str, Any]) -> Any:
    """Return the result of a task."""
    status, body = await connection.ask(
        "POST", f"/api/v1/tasks/{task}", json.dumps(request).encode()
    )
    assert status == 200, body
    return json.loads(body)["result"]


def shown(found: dict[str, list[float]]) -> str:
    """Return memory as words."""
    workers = ", ".join(f"{each:.0f}" for each in found["worker"])
    return f"server {found['server'][0]:.0f} MB, workers {workers} MB"


def quantile(values: list[float], level: float) -> float:
    """Return the value below which the share `level` lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(level * len(ordered)))]


def report(found: Found, records: list[dict[str, list[float]]], lasted: float) -> bool:
    """Print what was found, and return whether the limits are kept."""
    everything = [second for each in found.seconds.values() for second in each]
    print(f"{len(everything)} answers in {lasted:.0f} s, {len(everything) / lasted:.1f} a second")
    print(f"{'':18}{'answers':>8}{'KB':>7}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'most':>9}")
    for name, values in [*sorted(found.seconds.items()), ("all", everything)]:
        kilobytes = f"{found.sizes[name] / 1000:.0f}" if name in found.sizes else ""
        figures = [1000 * quantile(values, level) for level in (0.5, 0.95, 0.99)]
        figures.append(1000 * max(values))
        row = "".join(f"{figure:9.0f}" for figure in figures)
        print(f"{name:18}{len(values):8}{kilobytes:>7}{row}")
    for place, record in zip(("begin", "1/3", "2/3", "end"), records, strict=True):
        print(f"memory, {place}: {shown(record)}")
    print(f"errors: {len(found.errors)}")
    for error in sorted(set(found.errors))[:10]:
        print(f"  {error}")
    total = [sum(map(sum, record.values())) for record in records]
    flat = total[3] <= 1.1 * statistics.mean(total[1:3])
    fast = quantile(everything, 0.95) < LIMIT_SECONDS
    for kept, words in (
        (fast, f"95 of 100 answers within {LIMIT_SECONDS:g} s"),
        (not found.errors, "no error"),
        (flat, "memory flat"),
    ):
        print(f"{'kept' if kept else 'MISSED'}: {words}")
    return fast and flat and not found.errors


def main() -> None:
    """Read the command line and measure."""
    read = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    read.add_argument("--users", type=int, default=200)
    read.add_argument("--seconds", type=float, default=120.0)
    read.add_argument("--think", type=float, default=5.0, help="mean seconds between actions")
    read.add_argument("--workers", type=int, default=2)
    read.add_argument("--short", action="store_true", help="10 users for 4 seconds")
    asked = read.parse_args()
    if asked.short:
        asked.users, asked.seconds, asked.think = 10, 4.0, 1.0
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        kept = asyncio.run(measure(asked, Path(folder)))
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
