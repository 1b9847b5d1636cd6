"""Runs the two programs as a person or a script would: by their command lines."""

import json
import os
import subprocess
from pathlib import Path

ZYZ = os.environ.get("ZYZ_BIN", "zyz")
ZYZ_VERIFY = os.environ.get("ZYZ_VERIFY_BIN", "zyz-verify")

EXIT_FOR_VERDICT = {"accept": 0, "caution": 3, "reject": 4}


def run(command: list, expect: int | None = 0, stdin: str = "") -> subprocess.CompletedProcess:
    done = subprocess.run(
        [str(part) for part in command], input=stdin, capture_output=True, encoding="utf-8", timeout=600
    )
    if expect is not None and done.returncode != expect:
        shown = " ".join(str(part) for part in command)
        raise AssertionError(f"{shown}\nexit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done


class Federation:
    """One data folder of `zyz`."""

    def __init__(self, folder: Path, config: str):
        self.folder = folder
        self.data = folder / "data"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text("一句够长的口令 for tests only\n", encoding="utf-8")
        self.passphrase.chmod(0o600)
        self.config = folder / "config.toml"
        self.config.write_text(config, encoding="utf-8")

    def __call__(self, *arguments, expect: int | None = 0) -> subprocess.CompletedProcess:
        common = ["--data", self.data, "--config", self.config, "--passphrase-file", self.passphrase]
        return run([ZYZ, *common, *arguments], expect)

    def json(self, *arguments, expect: int | None = 0):
        return json.loads(self(*arguments, "--json", expect=expect).stdout)

    def text(self, number: str) -> str:
        return self("card", number, "--text").stdout.rstrip("\n")


class Partner:
    """One partner: a pinned root, a bundle, perhaps a state folder."""

    def __init__(self, root: str, bundle: Path, state: Path | None = None):
        self.options = ["--root", root, "--bundle", bundle]
        if state is not None:
            self.options += ["--state", state]

    def command(self, text: str, *more) -> list:
        return [ZYZ_VERIFY, "check", text, *self.options, *more]

    def check(self, text: str, *more, stdin: str = "") -> dict:
        """The verdict; the exit code must agree with it."""
        done = run(self.command(text, *more, "--json"), expect=None, stdin=stdin)
        assert done.returncode in EXIT_FOR_VERDICT.values(), f"exit {done.returncode}: {done.stdout}{done.stderr}"
        verdict = json.loads(done.stdout)
        assert done.returncode == EXIT_FOR_VERDICT[verdict["verdict"]]
        return verdict

    def reason(self, text: str, *more) -> tuple[str, str]:
        verdict = self.check(text, *more)
        return verdict["verdict"], verdict["reason"]
