"""The committed scanner.wasm in an engine that is no page: Node runs what the page's module does."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_node_judges_and_decodes_with_the_committed_module():
    done = subprocess.run(
        [os.environ["ZYZ_NODE"], ROOT / "crates" / "scanner" / "wasm" / "test.mjs"],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
