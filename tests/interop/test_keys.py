"""Issuing and bundle keys come and go: cards of a retired key stay good, those of a stolen one do not.

A federation of its own goes through it; after each step it publishes, and a partner with a state folder follows.
"""

from dataclasses import dataclass, field
from pathlib import Path

import cbor2
import pytest

import independent
import people
from commands import Federation, Partner, run
from conftest import facts_of_issuing_keys, statuses_in

STEPS = ["began", "rotated", "bundle-key-rotated", "stolen", "reissued"]


@dataclass
class History:
    root: str
    first: dict[str, str]  # codes by number: signed by the first issuing key
    second: dict[str, str] = field(default_factory=dict)  # signed by the second, which is stolen later
    third: dict[str, str] = field(default_factory=dict)  # the same people again
    published: dict[str, Path] = field(default_factory=dict)
    keys: dict[str, list[dict]] = field(default_factory=dict)
    to_reissue: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> History:
    folder = tmp_path_factory.mktemp("keys")
    federation = Federation(folder, 'public_url = "https://zyz.example.cn/"\n')
    federation("init")
    folk = people.invent(5, 7)

    def issue(some: list[people.Person], *how: str) -> dict[str, str]:
        if some:
            unit = people.Unit("江城县虚构小学", "26", some, "csv")
            sheet = folder / "roster.csv"
            people.write_sheet(sheet, people.rows_of(unit))
            federation("roster", "import", sheet, "--unit", unit.name, "--county", unit.county)
        return {number: federation.text(number) for number in federation.json("issue", "--all", *how)["issued"]}

    def publish(step: str) -> None:
        history.published[step] = folder / step
        federation("publish", "--out", folder / step)
        history.keys[step] = federation.json("key", "list")

    (root,) = [key["public_key"] for key in federation.json("key", "list") if key["role"] == "root"]
    history = History(root, issue(folk[:4]))
    publish("began")
    federation("key", "rotate", "issuing")
    history.second = issue(folk[4:])
    publish("rotated")
    federation("key", "rotate", "bundle")
    publish("bundle-key-rotated")
    (stolen,) = [
        key["kid"] for key in history.keys["rotated"] if (key["role"], key["state"]) == ("issuing", "active")
    ]
    said = federation("key", "compromise", stolen, "--json").stdout
    history.to_reissue = [number for number in history.second if number in said]
    assert not [number for number in history.first if number in said]
    publish("stolen")
    history.third = issue([], "--reissue")
    publish("reissued")
    return history


def test_each_key_signed_its_own(history):
    signed = (history.first, history.second, history.third)
    kids = [{independent.read(text).kid for text in texts.values()} for texts in signed]
    assert [len(kid) for kid in kids] == [1, 1, 1]
    assert len(set.union(*kids)) == 3
    assert (len(history.first), len(history.second)) == (4, 3)
    assert set(history.third) == set(history.second) == set(history.to_reissue)


@pytest.mark.parametrize("step", STEPS)
def test_verdicts_after_each_step(history, step, now):
    folder = history.published[step]
    partner = Partner(history.root, folder / "bundle.cose")
    keys, lists = facts_of_issuing_keys(history.keys[step]), statuses_in(folder)
    at = STEPS.index(step)
    expected = [("accept", "ok")] * 3
    if at < STEPS.index("rotated"):
        expected[1] = ("reject", "unknown_key")
    if at >= STEPS.index("stolen"):
        expected[1] = ("reject", "key_compromised")
    if at < STEPS.index("stolen"):
        expected[2] = ("reject", "unknown_key")
    for texts, verdict in zip((history.first, history.second, history.third), expected, strict=True):
        for text in texts.values():
            assert partner.reason(text) == independent.judge(text, keys, lists, now) == verdict


@pytest.mark.parametrize("step", STEPS)
def test_one_list_for_each_key_that_is_not_stolen(history, step):
    good = {
        bytes.fromhex(key["kid"])
        for key in history.keys[step]
        if key["role"] == "issuing" and key["state"] != "compromised"
    }
    assert good <= set(statuses_in(history.published[step]))


def test_a_partner_follows_through_all_of_it(history, tmp_path):
    """Through two bundle keys with one state folder; and back to none of the bundles before."""
    state, text = tmp_path / "state", next(iter(history.first.values()))
    signers = []
    for step in STEPS:
        bundle = history.published[step] / "bundle.cose"
        assert Partner(history.root, bundle, state).reason(text) == ("accept", "ok"), step
        signers.append(cbor2.loads(cbor2.loads(bundle.read_bytes()).value[0])[4])
    assert len(set(signers)) == 2
    for step in STEPS[:-1]:
        older = Partner(history.root, history.published[step] / "bundle.cose", state)
        assert run(older.command(text), expect=None).returncode == 1, step
