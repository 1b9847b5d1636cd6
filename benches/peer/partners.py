"""Measures the partner's side: the node under wrk, its memory and its syncing, the page's size and its core in Chromium.

Called by bench.py; each function is one name of `scripts/bench NAME`.
"""

import gzip
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import chromium
from fake_federation import FakeFederation
from figures import RELEASE, ROOT, note, run, table

HERE = Path(__file__).resolve().parent
CONNECTIONS = 32


class Program:
    """A server of ours in the background; `with` ends it."""

    def __init__(self, *command, address: str):
        self.address = address
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )

    def __enter__(self) -> "Program":
        until = time.monotonic() + 30
        host, port = self.address.split("/")[2].split(":")
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.log.seek(0)
                    sys.exit(f"{self.process.args} does not answer\n{self.log.read().decode()[-4000:]}")
                time.sleep(0.05)

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()

    def memory(self, field: str) -> float:
        """VmRSS or VmHWM, in millions of bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s*(\d+) kB", status).group(1)) * 1024 / 1e6


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def synthetic(folder: Path, cards: int, *more) -> Path:
    run(RELEASE / "examples" / "synthetic_bundle", folder, cards, int(time.time()), *more)
    return folder


@contextmanager
def node(folder: Path, data: Path):
    """`zyz-verify serve`, enrolled with a federation that has nothing but `folder`'s bundle."""
    federation = FakeFederation(folder)
    try:
        if not data.exists():
            run(RELEASE / "zyz-verify", "enrol", federation.link(), "--data", data)
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        command = [RELEASE / "zyz-verify", "serve", "--data", data, "--listen", f"127.0.0.1:{port}"]
        with Program(*command, address=address) as program:
            verdict = judged(address, (folder / "card.txt").read_text().strip(), patience=20)
            if verdict["verdict"] != "accept":
                sys.exit(f"not accepted: {verdict}")
            yield program, federation
    finally:
        federation.close()


def judged(address: str, code: str, patience: float) -> dict:
    """The verdict, asked for again until there is a bundle to judge by."""
    until = time.monotonic() + patience
    request = urllib.request.Request(
        f"{address}/v1/verify", json.dumps({"code": code}).encode(), {"Content-Type": "application/json"}
    )
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                verdict = json.load(answer)
        except urllib.error.HTTPError as error:
            verdict = {"verdict": f"HTTP {error.code}: {error.read().decode()[:300]}"}
        if verdict["verdict"] == "accept" or time.monotonic() > until:
            return verdict
        time.sleep(0.1)


def wrk(address: str, code: str, seconds: int) -> tuple[float, int]:
    """Requests a second, and how many; an answer other than 200 ends the measurement."""
    said = subprocess.check_output(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", HERE / "verify.lua", f"{address}/v1/verify", "--", code],
        text=True,
    )
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(said)
    return float(re.search(r"Requests/sec:\s*([\d.]+)", said).group(1)), int(re.search(r"(\d+) requests in", said).group(1))


def measure_rate(quick: bool, work: Path) -> None:
    note("the node beside an echo with one signature, under wrk")
    folder = synthetic(work / "rate", 1_000_000 // (100 if quick else 1))
    code = (folder / "card.txt").read_text().strip()
    turns, seconds = (3, 2) if quick else (9, 5)
    rates = {"node": [], "echo": []}
    port = free_port()
    echo = [RELEASE / "examples" / "echo_verify", f"127.0.0.1:{port}", code]
    with node(folder, work / "rate-node") as (program, _), Program(*echo, address=f"http://127.0.0.1:{port}") as bare:
        for turn in range(turns + 1):
            for name, address in (("node", program.address), ("echo", bare.address)):
                rate, _ = wrk(address, code, seconds)
                if turn:  # the first turn warms both
                    rates[name].append(rate)
    ours, bare = (statistics.median(rates[name]) for name in ("node", "echo"))
    # Both in one turn meet the same neighbours, so the ratio is taken turn by turn.
    ratio = statistics.median(a / b for a, b in zip(rates["node"], rates["echo"]))
    print("### The node's `POST /v1/verify`\n")
    print(f"`wrk -t1 -c{CONNECTIONS}` on the same cores, medians of {turns} turns of {seconds} s each, one after the other.\n")
    table(
        ["", "requests a second", "of the echo"],
        ["axum echo and one `verify_strict` with a cached key", f"{bare:,.0f}", "1"],
        ["`zyz-verify serve`", f"{ours:,.0f}", f"**{ratio:.2f}** (to reach: 0.75)"],
    )


def measure_memory(quick: bool, work: Path) -> None:
    cards, wanted = (10_000, 1_000) if quick else (1_000_000, 100_000)
    note(f"the node's memory with {cards:,} cards after {wanted:,} verifications")
    folder = synthetic(work / "memory", cards)
    code = (folder / "card.txt").read_text().strip()
    with node(folder, work / "memory-node") as (program, _):
        before, asked = program.memory("VmRSS"), 0
        while asked < wanted:
            asked += wrk(program.address, code, 1 if quick else 3)[1]
        after, most = program.memory("VmRSS"), program.memory("VmHWM")
    print(f"### The node's memory, bundle of {cards:,} cards\n")
    table(
        ["", "resident"],
        ["after the first sync", f"{before:.1f} MB"],
        [f"after {asked:,} verifications", f"**{after:.1f} MB** (to reach: 25)"],
        ["most at any time", f"{most:.1f} MB"],
    )


def measure_sync(quick: bool, work: Path) -> None:
    cards = 10_000 if quick else 1_000_000
    note(f"syncing a bundle of {cards:,} cards")
    folder = synthetic(work / "sync", cards, 42, 0)
    rows = [["", "answers for the bundle", "bytes on the wire, headers too"]]

    with node(folder, work / "sync-node") as (program, federation):

        def sync(what: str, goal: str) -> None:
            federation.answers.clear()
            urllib.request.urlopen(urllib.request.Request(f"{program.address}/v1/sync", b"", method="POST"), timeout=10)
            until = time.monotonic() + 30
            while not (seen := [answer for answer in federation.answers if "bundle" in answer[1]]):
                if time.monotonic() > until:
                    sys.exit(f"no sync: {federation.answers}")
                time.sleep(0.05)
            rows.append([what, ", ".join(str(answer[2]) for answer in seen), f"{sum(answer[3] for answer in seen):,}{goal}"])

        first = [answer for answer in federation.answers if "bundle" in answer[1]]
        rows.append(["enrolment and first start", ", ".join(str(one[2]) for one in first), f"{sum(one[3] for one in first):,}"])
        sync("nothing has changed", " (to reach: one 304)")
        synthetic(folder, cards, 43, 300 // (100 if quick else 1))
        sync("300 more revoked", " (to reach: 12,000)")
        sync("nothing has changed since", "")
    print(f"### Sync of a bundle of {cards:,} cards, 1 % revoked\n")
    print("A node that runs and is asked to sync at once (`POST /v1/sync`).\n")
    table(*rows)


def measure_page(quick: bool, work: Path) -> None:
    note("what the page weighs")
    folder = synthetic(work / "page", 10_000)
    rows, whole = [], 0
    with node(folder, work / "page-node") as (program, _):
        worker = fetch(f"{program.address}/scan/sw.js")[0].decode()
        names = [name for name, _ in json.loads(re.search(r"const FILES = (\[.*?\]);", worker, re.S).group(1))]
        for name in sorted({"", "sw.js", *names} - {"./"}):
            plain, sent = fetch(f"{program.address}/scan/{name}")
            rows.append((sent, f"`{name or 'scan/'}`", len(plain)))
            whole += sent
    wasm = next(sent for sent, name, _ in rows if "scanner.wasm" in name)
    others = sorted((row for row in rows if "wasm" not in row[1]), reverse=True)
    scripts = sum(sent for sent, name, _ in others if name.endswith(".js`"))
    icons = sum(sent for sent, name, _ in others if "icon" in name)
    print("### What the page weighs\n")
    print(f"{len(rows)} files, bytes of the bodies as sent to a browser that accepts gzip.\n")
    table(
        ["", "sent"],
        ["`scanner.wasm`", f"**{wasm:,}** (to reach: 90,000)"],
        ["modules and service worker", f"{scripts:,}"],
        ["icons", f"{icons:,}"],
        ["everything, as kept for use without a network", f"**{whole:,}** (to reach: 150,000)"],
    )


def fetch(address: str) -> tuple[bytes, int]:
    """The body unpacked, and how long it was on the wire."""
    request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip, br"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = answer.read()
        packed = answer.headers.get("Content-Encoding")
    if packed not in (None, "gzip"):
        sys.exit(f"{address}: {packed}")
    return gzip.decompress(body) if packed else body, len(body)


def measure_chromium(quick: bool, work: Path) -> None:
    note("the page's core in Chromium")
    folder = synthetic(work / "chromium", 10_000 if quick else 1_000_000)
    code, root = ((folder / name).read_text().strip() for name in ("card.txt", "root.hex"))
    with node(folder, work / "chromium-node") as (program, _):
        bundle = (folder / "bundle.cose").read_bytes()
        said = chromium.measure(f"{program.address}/scan/", root, bundle, code, int(time.time()), 20 if quick else 200)
    if said["verdict"]["verdict"] != "accept":
        sys.exit(f"not accepted: {said['verdict']}")
    everything = [ms for one in said["decoded"] for ms in one["ms"]]
    print(f"### The page's core in desktop Chromium {said['browser']}\n")
    print(f"Frames of 640 × 480; milliseconds, medians of {len(said['judged'])} each. A camera's frame goes through one pass.\n")
    rows = [["frame", "pass 1", "pass 2", "pass 3", "read by pass"]]
    for name in dict.fromkeys(one["name"] for one in said["decoded"]):
        cells = [f"{statistics.median(one['ms']):.1f}" for one in said["decoded"] if one["name"] == name]
        read = [str(number + 1) for number in range(3) if said["found"].get(f"{name} {number}")]
        rows.append([name, *cells, ", ".join(read) or "none, and there is none" * (name == "counter")])
    table(*rows)
    table(
        ["", "median"],
        ["a frame, over all of these", f"**{statistics.median(everything):.1f} ms** (to reach: 6)"],
        ["a verdict", f"**{statistics.median(said['judged']):.2f} ms** (to reach: 1)"],
    )


def measure_frames(quick: bool, work: Path) -> None:
    note("distorted frames, beside zxing-wasm")
    script = ROOT / "benches" / "peer" / "frames" / "run.sh"
    print(subprocess.check_output(["bash", script, *(["--quick"] if quick else [])], text=True, cwd=ROOT))
