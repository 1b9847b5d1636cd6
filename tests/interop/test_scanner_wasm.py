"""The committed scanner.wasm in an engine that is no page, Node: one verdict with `zyz-verify` on every card."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "crates" / "http" / "page"


@pytest.fixture(scope="module")
def judged(world, now) -> dict:
    texts = list(world.texts.values()) + ["https://elsewhere.example/", "1" * 40]
    question = {
        "folder": str(PAGE), "root": world.root, "texts": texts, "now": now,
        "bundle": base64.b64encode((world.after / "bundle.cose").read_bytes()).decode(),
    }
    done = subprocess.run(
        [os.environ["ZYZ_NODE"], Path(__file__).parent / "judge_in_wasm.mjs"],
        input=json.dumps(question), capture_output=True, encoding="utf-8", timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout), texts=texts)


def test_the_page_and_the_program_reach_one_verdict(world, judged):
    partner = world.partner()
    for text, ours in zip(judged["texts"], judged["verdicts"]):
        theirs = partner.check(text)
        for name in ("verdict", "reason", "message", "certificate"):
            assert ours.get(name) == theirs.get(name), text
    reasons = {verdict["reason"] for verdict in judged["verdicts"]}
    assert reasons == {"ok", "revoked", "suspended", "superseded", "malformed"}


def test_numbers_are_read_before_anything_is_judged(world, judged):
    assert judged["numbers"] == [*world.texts, None, None]


def test_a_bundle_is_new_once_and_a_broken_one_is_refused(judged):
    assert (judged["first"]["new"], judged["again"]["new"]) == (True, False)
    assert judged["ratchet"] > 0 and judged["refused"]


def test_the_module_of_its_own_accord():
    """The vectors that Rust wrote for it, with Node's test runner."""
    script = PAGE.parents[1] / "scanner" / "wasm" / "test.mjs"
    done = subprocess.run([os.environ["ZYZ_NODE"], script], capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
