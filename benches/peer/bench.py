"""Measures the programs end to end beside the peer and prints the tables of docs/PERFORMANCE.md.

Called by scripts/bench, which builds what is measured. Wall time and peak memory are those of the whole process, as the
kernel counts them (wait4), so interpreters and libraries being loaded count on both sides.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import partners
from figures import FONTS, HERE, PUBLIC_URL, RELEASE, ROOT, TARGET, Run, note, run, table, typical


class Federation:
    def __init__(self, folder: Path):
        self.data = folder / "data"
        self.passphrase = folder / "passphrase"
        self.config = folder / "config.toml"
        folder.mkdir(parents=True)
        self.passphrase.write_text("a passphrase for measurements only\n")
        self.passphrase.chmod(0o600)
        self.config.write_text(f'public_url = "{PUBLIC_URL}"\n')
        run(*self.command("init"))

    def command(self, *arguments) -> list:
        common = ["--data", self.data, "--config", self.config, "--passphrase-file", self.passphrase]
        return [RELEASE / "zyz", *common, *arguments]

    def roster(self, sheet: Path) -> list:
        return self.command("roster", "import", sheet, "--unit", "思茅区云岭虚构中学", "--county", "02", "--json")


def machine() -> str:
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
        model = found.group(1).strip() if found else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    rust = subprocess.check_output(["rustc", "--version"], text=True, cwd=ROOT).split(" (")[0]
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB; {platform.system()} {platform.release()}; "
        f"{rust}, release profile; Python {platform.python_version()}; {time.strftime('%Y-%m-%d')}"
    )


def sheet_of(rows: int, work: Path) -> Path:
    file = work / f"roster-{rows}.xlsx"
    note(f"writing a sheet of {rows:,} rows")
    run(sys.executable, HERE / "make_sheet.py", rows, file)
    return file


def measure_import(rows: int, work: Path) -> None:
    sheet = sheet_of(rows, work)
    note(f"importing {rows:,} rows")
    # In turns, so that a neighbour who comes or goes meets all alike.
    runs = {"range": [], "cells": [], "dry": [], "import": [], "again": []}
    for turn in range(7):
        for how in ("range", "cells"):
            runs[how].append(run(RELEASE / "examples" / "calamine_read", sheet, how))
        federation = Federation(work / f"import-{turn}")
        runs["dry"].append(run(*federation.roster(sheet), "--dry-run"))
        runs["import"].append(run(*federation.roster(sheet)))
        said = json.loads(runs["import"][-1].output)
        if said["imported"] != rows or said["refused"]:
            sys.exit(f"{said['imported']} of {rows} rows imported, {len(said['refused'])} refused")
        runs["again"].append(run(*federation.roster(sheet)))
    whole, cells = typical(runs["range"]), typical(runs["cells"])
    ratios = sorted(ours.seconds / one.seconds for ours, one in zip(runs["import"], runs["range"]))

    print(f"### A spreadsheet of {rows:,} rows into SQLite\n")
    print(f"`{sheet.name}`, {sheet.stat().st_size / 1e6:.1f} MB, ten columns. Medians of {len(ratios)} runs in turns, the largest memory.\n")
    def line(name: str, one: Run, note: str = "", room: str = "") -> list:
        return [name, f"{one.seconds:.2f}", f"{one.busy:.2f}", f"{one.seconds / whole.seconds:.2f}{note}",
                f"{one.seconds / cells.seconds:.2f}", one.megabytes + room]

    # What "calamine alone" costs depends on whether what it read is kept (a range, its usual way) or dropped cell by cell.
    table(
        ["", "seconds", "of all processors", "× calamine's range", "× calamine's bare cells", "peak memory"],
        line("calamine alone, into a range", whole),
        line("calamine alone, cell by cell, nothing kept", cells),
        line("`zyz roster import --dry-run`", typical(runs["dry"])),
        line("`zyz roster import`", typical(runs["import"]), " (to reach: 3)", " (to reach: 500 MB)"),
        line("the same again, all known", typical(runs["again"])),
    )
    print(f"Import against the range of its own turn: {ratios[0]:.2f} to {ratios[-1]:.2f} ×.\n")


def issue_and_print(federation: Federation, out: Path) -> tuple[Run, Run, int]:
    issued = run(*federation.command("issue", "--all", "--json"))
    count = len(json.loads(issued.output)["issued"])
    printed = run(*federation.command("print", "--all", "--layout", "a4-8up", "--out", out))
    return issued, printed, count


def pdf_megabytes(folder: Path) -> str:
    return f"{sum(file.stat().st_size for file in folder.rglob('*.pdf')) / 1e6:,.1f} MB"


def measure_cards(cards: int, work: Path) -> None:
    federation = Federation(work / "cards")
    run(*federation.roster(sheet_of(cards, work)))
    volunteers = work / "volunteers.json"
    volunteers.write_text(run(*federation.command("volunteer", "list", "--json")).output, encoding="utf-8")

    note(f"{cards:,} cards")
    issued, printed, count = issue_and_print(federation, work / "cards-pdf")
    if count != cards:
        sys.exit(f"{count} of {cards} cards issued")
    ours = issued.seconds + printed.seconds
    peers = {}
    for jobs in (1, 2):
        note(f"the peer, {jobs} process{'es' if jobs > 1 else ''}")
        out = work / f"peer-pdf-{jobs}"
        whole = run(sys.executable, HERE / "peer.py", volunteers, FONTS, out, "--jobs", jobs)
        said = json.loads(whole.output)
        peers[jobs] = (whole.seconds, said, pdf_megabytes(out))

    print(f"### {cards:,} registered volunteers → signed and printed\n")
    print("A4, eight to a sheet, both sides, files of 1,000 cards. The peer keeps no database, checks no code and writes no audit trail.\n")
    rows = [
        ["", "seconds", "cards a second", "peak memory", "PDF"],
        ["`zyz issue --all`", f"{issued.seconds:.2f}", f"{cards / issued.seconds:,.0f}", issued.megabytes, ""],
        ["`zyz print --all --layout a4-8up`", f"{printed.seconds:.2f}", f"{cards / printed.seconds:,.0f}", printed.megabytes, pdf_megabytes(work / "cards-pdf")],
        ["**both**", f"**{ours:.2f}**", f"{cards / ours:,.0f}", f"{max(issued.peak, printed.peak) / 1e6:,.0f} MB (to reach: 300)", ""],
    ]
    for jobs, (seconds, said, size) in peers.items():
        name = "peer (reportlab, segno, PyNaCl)" + ("" if jobs == 1 else f", {jobs} processes")
        rows.append([name, f"{seconds:.1f}", f"{cards / seconds:,.0f}", f"{said['peak_bytes'] / 1e6:,.0f} MB", size])
    table(*rows)
    ratios = [f"{seconds / ours:.1f} × faster than the peer" + ("" if jobs == 1 else f" with {jobs} processes") for jobs, (seconds, _, _) in peers.items()]
    print(f"{'; '.join(ratios)} (to reach: 20).\n")


def measure_many(cards: int, work: Path) -> None:
    federation = Federation(work / "many")
    run(*federation.roster(sheet_of(cards, work)))
    note(f"{cards:,} cards")
    issued, printed, count = issue_and_print(federation, work / "many-pdf")
    published = run(*federation.command("publish", "--out", work / "published"))
    print(f"### {count:,} cards\n")
    table(
        ["", "seconds", "cards a second", "peak memory"],
        ["`zyz issue --all`", f"{issued.seconds:.2f}", f"{count / issued.seconds:,.0f}", issued.megabytes],
        ["`zyz print --all --layout a4-8up`", f"{printed.seconds:.2f}", f"{count / printed.seconds:,.0f}", f"{printed.megabytes} (to reach: 300)"],
        ["`zyz publish`", f"{published.seconds:.2f}", "", published.megabytes],
    )
    print(f"{len(list((work / 'many-pdf').rglob('*.pdf'))):,} files, {pdf_megabytes(work / 'many-pdf')}.\n")


def measure_verify(cards: int, runs: int, work: Path) -> None:
    note(f"cold checks against a bundle of {cards:,} cards")
    folder = work / "synthetic"
    made = run(RELEASE / "examples" / "synthetic_bundle", folder, cards, int(time.time()))
    root = (folder / "root.hex").read_text().strip()
    text = (folder / "card.txt").read_text().strip()
    bundle = folder / "bundle.cose"
    command = [RELEASE / "zyz-verify", "check", text, "--root", root, "--bundle", bundle, "--json"]
    cold = [run(*command) for _ in range(runs)]
    if json.loads(cold[0].output)["verdict"] != "accept":
        sys.exit(f"not accepted: {cold[0].output}")
    stated = [run(*command, "--state", work / "state") for _ in range(runs)]
    nothing = [run(shutil.which("true")) for _ in range(runs)]

    def figures(name: str, of: list[Run], more: str = "") -> list[str]:
        times = sorted(one.seconds * 1000 for one in of)
        return [
            name, f"{statistics.median(times):.1f}{more}", f"{times[int(len(times) * 0.95)]:.1f}", f"{times[-1]:.1f}",
            f"{max(one.peak for one in of) / 1e6:.1f} MB",
        ]

    print(f"### `zyz-verify check`, process start to verdict, bundle of {cards:,} cards\n")
    print(f"{made.output.strip()} Milliseconds of {runs} runs.\n")
    table(
        ["", "median", "95 %", "longest", "peak memory"],
        figures("without a state folder", cold, " (to reach: 30)"),
        figures("with a state folder", stated),
        figures("`true`, a process that does nothing", nothing),
    )


def criterion() -> None:
    rows = []
    for file in sorted((TARGET / "criterion").rglob("new/estimates.json")):
        name = json.loads((file.parent / "benchmark.json").read_text())["full_id"]
        estimates = json.loads(file.read_text())
        typical = estimates.get("slope") or estimates["mean"]
        rows.append([f"`{name}`", human(typical["point_estimate"]), f"± {human(typical['standard_error'])}"])
    if rows:
        print("### Micro-benchmarks (`cargo bench --workspace`)\n")
        table(["", "time", "standard error"], *rows)


def human(nanoseconds: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


# What `scripts/bench NAME` measures, in the order of the whole.
NAMES = ("import", "cards", "many", "check", "core", "rate", "memory", "sync", "page", "frames", "chromium")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true", help="a hundredth of the sizes")
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"only these of {', '.join(NAMES)}")
    options = arguments.parse_args()
    wanted = options.names or NAMES
    if unknown := set(wanted) - set(NAMES):
        arguments.error(f"unknown: {', '.join(unknown)}; there is {', '.join(NAMES)}")
    share = 100 if options.quick else 1

    said = " ".join(["scripts/bench", *(["--quick"] if options.quick else []), *options.names])
    print(f"Machine: {machine()}. Command: `{said}`.\n")
    with tempfile.TemporaryDirectory(prefix="zyz-bench.") as folder:
        work = Path(folder)
        if "import" in wanted:
            measure_import(100_000 // share, work)
        if "cards" in wanted:
            measure_cards(10_000 // share, work)
        if "many" in wanted:
            measure_many(100_000 // share, work)
        if "check" in wanted:
            measure_verify(1_000_000 // share, 20 if options.quick else 100, work)
        for name in ("rate", "memory", "sync", "page", "frames", "chromium"):
            if name in wanted:
                getattr(partners, f"measure_{name}")(options.quick, work)
    if "core" in wanted:
        criterion()


if __name__ == "__main__":
    main()
