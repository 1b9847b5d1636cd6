"""Both servers called as their own OpenAPI documents invite to, and as they forbid, by schemathesis."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from servers import add_partner, enrol, enrolment_link, node, serve

EXAMPLES = 60  # an operation and phase
SEED = 20_181_201
LONGEST = 120  # seconds


def test_the_federation_keeps_its_word(world, tmp_path):
    partner = add_partner(world.federation, "晨光便利店")
    with serve(world.federation) as server:
        token = enrol(server, enrolment_link(world.federation, partner, server))["token"]
        schemathesis(server, tmp_path, token)
        assert server.get("/readyz").status_code == 200
        assert token not in server.said()


def test_the_node_keeps_its_word(world, tmp_path):
    partner = add_partner(world.federation, "云岭诊所")
    with serve(world.federation) as server:
        with node(enrolment_link(world.federation, partner, server), tmp_path / "node") as running:
            schemathesis(running, tmp_path)
            assert running.get("/readyz").status_code == 200


def schemathesis(server, folder: Path, token: str | None = None) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    headers = ["--header", f"Authorization: Bearer {token}"] if token else []
    # Limits of rate are the server's to set; a tester who meets one waits as long as it says.
    command = [
        program, "run", f"{server.url}/openapi.json", "--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES,
        "--generation-deterministic", "--phases", "examples,coverage,fuzzing",
        "--rate-limit", "auto", "--no-color", *headers,
    ]
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, encoding="utf-8", timeout=LONGEST,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, f"{done.stdout[-12000:]}\n{done.stderr[-2000:]}\n{server.said()[-2000:]}"
