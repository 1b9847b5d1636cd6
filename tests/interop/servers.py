"""Both servers as processes on free ports of this machine, and a partner enrolled at the federation's."""

import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from commands import ZYZ, ZYZ_VERIFY, Federation, run

PATIENCE = 30  # seconds until a server must answer


class Server:
    """A running server; `with` ends it."""

    def __init__(self, command: list, port: int):
        self.url = f"http://127.0.0.1:{port}"
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )

    def __enter__(self) -> "Server":
        until = time.monotonic() + PATIENCE
        while True:
            try:
                if requests.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return self
            except requests.ConnectionError:
                pass
            if self.process.poll() is not None or time.monotonic() > until:
                said = self.said()
                self.__exit__()
                raise AssertionError(f"{self.process.args}: no answer from {self.url}\n{said}")
            time.sleep(0.05)

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def get(self, path: str, **more) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=30, **more)

    def post(self, path: str, body, **more) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, timeout=30, **more)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def serve(federation: Federation, *more) -> Server:
    """`zyz serve` for this federation."""
    port = free_port()
    common = ["--data", federation.data, "--config", federation.config, "--passphrase-file", federation.passphrase]
    # A tester asks more often than a partner, and does not want to wait until a change is noticed.
    plenty = ["--anonymous-per-minute", 1_000_000, "--device-per-minute", 1_000_000, "--poll-ms", 50]
    return Server([ZYZ, *common, "serve", "--listen", f"127.0.0.1:{port}", *plenty, *more], port)


def add_partner(federation: Federation, name: str) -> str:
    """A partner with one offer for everybody; its id."""
    agreement = ["--agreement", f"普志联〔2026〕{name}", "--from", "2020-01-01", "--to", "2090-12-31"]
    partner = str(federation.json("partner", "add", name, *agreement)["id"])
    federation("offer", "add", partner, "--kind", "discount", "--title", "全场九折", "--per-day", "1")
    return partner


def enrolment_link(federation: Federation, partner: str, server: Server) -> str:
    """A one-time link to this server, whatever address the federation publishes."""
    link = federation.json("partner", "enrol", partner)["link"]
    return f"{server.url}/scan#{link.partition('#')[2]}"


def enrol(server: Server, link: str) -> dict:
    """What the page does with the link: a token for its one-time code."""
    fields = parse_qs(urlsplit(link).fragment)
    answer = server.post("/v1/enrolments", {"code": fields["enrol"][0], "device": "收银台1"})
    assert answer.status_code == 201, answer.text
    enrolment = answer.json()
    assert re.fullmatch(r"zyzp_[A-Za-z0-9_-]{43}", enrolment["token"])
    return enrolment


def node(link: str, folder: Path) -> Server:
    """`zyz-verify serve`, enrolled with the link."""
    run([ZYZ_VERIFY, "enrol", link, "--data", folder])
    port = free_port()
    return Server([ZYZ_VERIFY, "serve", "--data", folder, "--listen", f"127.0.0.1:{port}"], port)
