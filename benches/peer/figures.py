"""What the measuring scripts share: running programs to their end, and tables."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("ZYZ_TARGET", ROOT / "target"))
RELEASE = TARGET / "release"
FONTS = ROOT / "assets" / "fonts"
PUBLIC_URL = "https://zyz.example.cn/"


@dataclass(frozen=True)
class Run:
    seconds: float
    peak: int  # bytes
    output: str
    busy: float = 0.0  # seconds of all processors together

    @property
    def megabytes(self) -> str:
        return f"{self.peak / 1e6:,.0f} MB"


def run(*command) -> Run:
    """Runs to the end; an exit other than 0 ends the measurement."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(map(str, command))}\nexit {process.returncode}\n{errors.read().decode()[-4000:]}")
        return Run(seconds, usage.ru_maxrss * 1024, out.read().decode(), usage.ru_utime + usage.ru_stime)


def typical(runs: list[Run]) -> Run:
    """The medians of several runs; the memory is the largest of all."""
    median = lambda figure: statistics.median(figure(one) for one in runs)
    return Run(median(lambda one: one.seconds), max(one.peak for one in runs), runs[-1].output, median(lambda one: one.busy))


def note(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


def table(*rows) -> None:
    head, *body = rows
    print(f"| {' | '.join(head)} |")
    print(f"|{'|'.join(' --- ' if at == 0 else ' ---: ' for at in range(len(head)))}|")
    for row in body:
        print(f"| {' | '.join(str(cell) for cell in row)} |")
    print()
