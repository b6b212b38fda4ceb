"""A server in a process of its own, with the small tasks of the unit tests, and a client."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = """
import json, logging, sys
from pathlib import Path
from statera.web.server.serve import serve
from statera.web.server.settings import Limits, OpenIdSettings, Settings
logging.basicConfig(stream=sys.stderr, level=logging.INFO)
given = json.loads(sys.argv[1])
limits = Limits(**given.pop("limits", {}))
tokens = given.pop("token_file", None)
provider = given.pop("open_id", None)
settings = Settings(
    Path(given.pop("folder")), port=given.pop("port", 0), limits=limits,
    token_file=Path(tokens) if tokens else None,
    open_id=OpenIdSettings(**provider) if provider else None, **given,
)
serve(settings, lambda address: print(address, flush=True))
"""
SMALL: dict[str, Any] = {
    "catalogue": "tests.unit.web.server.small_tasks:TASKS",
    "warm_up": "",
    "stop_seconds": 1.5,
}


@dataclass
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class SmallServer:
    """A running server."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        given = json.dumps({"folder": str(folder)} | SMALL | settings)
        paths = [str(ROOT / "src"), str(ROOT)]
        self.log = (folder / "log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, given],
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(paths)},
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().strip()
        assert self.address, (folder / "log").read_text()
        self._csrf = ""

    def ask(
        self, method: str, path: str, body: Any = None, token: str = "", seconds: float = 30
    ) -> Reply:
        """Send a request and return what came back, failures too."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        elif method not in ("GET", "HEAD"):
            if not self._csrf:
                self._csrf = self.ask("GET", "/api/v1/session").json["csrf"]
            headers["X-CSRF-Token"] = self._csrf
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=seconds) as found:
                return Reply(found.status, found.read(), found.headers)
        except urllib.error.HTTPError as refused:
            with refused:
                return Reply(refused.code, refused.read(), refused.headers)

    def post(self, path: str, body: Any = None, token: str = "") -> Reply:
        return self.ask("POST", f"/api/v1{path}", body, token)

    def get(self, path: str, token: str = "") -> Reply:
        return self.ask("GET", f"/api/v1{path}", token=token)

    def end(self, number: int = signal.SIGTERM, seconds: float = 40) -> int:
        """Send a signal and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()
        return code
