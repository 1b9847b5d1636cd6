"""One federation, made once with the real program, that all tests read; see `World`."""

import datetime
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import cbor2
import pytest
from nacl.signing import SigningKey

import independent
import people
from commands import ZYZ, ZYZ_VERIFY, Federation, Partner

PUBLIC_URL = "https://zyz.example.cn/"  # 23 characters, the longest prefix that keeps the symbol at version 8
YEAR = datetime.date.today().year - 1  # of the service hours: all of its days lie behind us
DAYS_SERVED = [13, 38, 75, 125, 188, 12]  # of eight hours: one to five stars, and just short of one


@dataclass
class World:
    """What the federation has done, and what came out.

    `before` and `after` are publications; between them some cards changed, as `changed` says by number.
    `texts` holds the code of every card as first issued, `texts_now` as it is at the end (replaced cards differ).
    """

    federation: Federation
    root: str
    units: list[people.Unit]
    imports: list[dict]
    issued: list[str]
    texts: dict[str, str]
    before: Path
    printed: dict[str, Path]
    printed_names: dict[str, str]  # by number
    changed: dict[str, str] = field(default_factory=dict)
    after: Path | None = None
    texts_now: dict[str, str] = field(default_factory=dict)
    volunteers: list[dict] = field(default_factory=list)
    keys: list[dict] = field(default_factory=list)

    def people(self) -> list[people.Person]:
        return [person for unit in self.units for person in unit.people]

    def issuing_keys(self) -> list[independent.KeyFacts]:
        return facts_of_issuing_keys(self.keys)

    def partner(self, state: Path | None = None) -> Partner:
        return Partner(self.root, self.after / "bundle.cose", state)

    def statuses(self) -> dict[bytes, independent.StatusList]:
        return statuses_in(self.after)


def facts_of_issuing_keys(listed: list[dict]) -> list[independent.KeyFacts]:
    """What `zyz key list` says of the issuing keys."""
    return [
        independent.KeyFacts(
            bytes.fromhex(key["public_key"]), seconds(key["not_before"]), seconds(key["not_after"]),
            key["state"] == "compromised",
        )
        for key in listed
        if key["role"] == "issuing"
    ]


def statuses_in(published: Path) -> dict[bytes, independent.StatusList]:
    """The published lists by the id of the key that signed them."""
    lists = {}
    for token in sorted((published / "status-lists").glob("*.cwt")):
        header, claims = open_unchecked(token.read_bytes())
        lists[header[4]] = independent.StatusList(claims[65533]["lst"])
    return lists


def seconds(rfc3339: str) -> int:
    return int(datetime.datetime.fromisoformat(rfc3339).timestamp())


def open_unchecked(token: bytes) -> tuple[dict, dict]:
    """Protected header and claims of a COSE_Sign1 whose signature another test looks at."""
    protected, _, payload, _ = cbor2.loads(token).value
    return cbor2.loads(protected), cbor2.loads(payload)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("federation")
    federation = Federation(folder, f'public_url = "{PUBLIC_URL}"\n')
    root = re.search(r"\b[0-9a-f]{64}\b", federation("init").stdout).group()

    units = people.units()
    imports = []
    for at, unit in enumerate(units):
        sheet = folder / f"roster-{at}.{unit.suffix}"
        people.write_sheet(sheet, people.rows_of(unit))
        imports.append(federation.json("roster", "import", sheet, "--unit", unit.name, "--county", unit.county))

    hours = folder / "hours.xlsx"
    people.write_sheet(hours, people.hours_rows(units[0].people, DAYS_SERVED, YEAR))
    federation("hours", "import", hours)
    federation("stars", "certify", "--year", YEAR)

    issued = federation.json("issue", "--all")["issued"]
    texts = {number: federation.text(number) for number in issued}
    names = {row["number"]: row["name"] for row in federation.json("volunteer", "list")}

    printed = {}
    for layout in ("a4-8up", "a4-10up", "cr80"):
        printed[layout] = folder / layout
        federation("print", "--all", "--layout", layout, "--out", printed[layout])

    before = folder / "published-before"
    federation("publish", "--out", before)
    world = World(federation, root, units, imports, issued, texts, before, printed, names)

    # Something of everything that can happen to a card, to cards far apart.
    numbers = sorted(issued)
    for number in numbers[0:3]:
        federation("revoke", number, "--reason", "exit")
        world.changed[number] = "revoked"
    for number in numbers[10:13]:
        federation("suspend", number, "--reason", "misuse")
        world.changed[number] = "suspended"
    for number in numbers[20:23]:
        federation("replace", number, "--reason", "lost")
        world.changed[number] = "superseded"
    federation("suspend", numbers[30], "--reason", "misuse")
    federation("resume", numbers[30], "--reason", "error")

    world.after = folder / "published-after"
    federation("publish", "--out", world.after)
    world.volunteers = federation.json("volunteer", "list")
    world.keys = federation.json("key", "list")
    for row in world.volunteers:
        number = row["number"]
        if world.changed.get(number) not in ("revoked", "suspended"):
            world.texts_now[number] = federation.text(number)
    return world


@pytest.fixture(scope="session")
def issuing_key(world) -> SigningKey:
    """The federation's own issuing key, opened with OpenSSL: what is signed with it is signed as if by `zyz`."""
    public = {key.public_key for key in world.issuing_keys()}
    for pem in sorted((world.federation.data / "keys").rglob("*.pem")):
        der = subprocess.run(
            ["openssl", "pkey", "-in", pem, "-passin", f"file:{world.federation.passphrase}", "-outform", "DER"],
            capture_output=True,
        )
        if der.returncode == 0 and len(der.stdout) == 48:
            key = SigningKey(der.stdout[-32:])  # PKCS#8 version 1: the seed is its end
            if bytes(key.verify_key) in public:
                return key
    raise AssertionError(f"openssl opens no issuing key in {world.federation.data / 'keys'}")


@pytest.fixture(scope="session")
def now(world) -> int:
    """A time after everything that was done in `world`, however long that took."""
    return int(time.time())


def pytest_report_header() -> list[str]:
    return [f"zyz: {ZYZ}", f"zyz-verify: {ZYZ_VERIFY}"]
