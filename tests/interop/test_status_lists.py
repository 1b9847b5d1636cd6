"""The published Token Status Lists: signed as the standard says, and saying of every card what we say."""

import base64
import json
import os
import subprocess
from pathlib import Path

import cbor2
import cwt
import pytest

import independent
from conftest import open_unchecked

STATUS_LIST, TTL, TYP = 65533, 65534, 16

# What `zyz volunteer list` calls the state of a card whose index has this status.
STATE_OF_STATUS = {
    independent.VALID: "valid",
    independent.REVOKED: "revoked",
    independent.SUSPENDED: "suspended",
    independent.SUPERSEDED: "superseded",
}


@pytest.fixture(scope="module", params=["before", "after"])
def folder(world, request) -> Path:
    return getattr(world, request.param) / "status-lists"


def test_cwt_verifies_the_cwt_form(world, folder, now):
    tokens = sorted(folder.glob("*.cwt"))
    assert tokens
    keys = [
        cwt.COSEKey.new({1: 1, 2: bytes.fromhex(key["kid"]), 3: -19, -1: 6, -2: bytes.fromhex(key["public_key"])})
        for key in world.keys
    ]
    for token in tokens:
        claims = cwt.decode(token.read_bytes(), keys)
        check_claims(
            claims[2], claims[6], claims[4], claims[TTL], claims[STATUS_LIST]["bits"], claims[STATUS_LIST]["lst"], now
        )


def test_nacl_verifies_the_cwt_form(world, folder):
    public = {bytes.fromhex(key["kid"]): bytes.fromhex(key["public_key"]) for key in world.keys}
    for token in folder.glob("*.cwt"):
        data = token.read_bytes()
        assert independent.deterministic(cbor2.loads(data)) == data
        header, claims = open_unchecked(data)
        assert header[1] == independent.ED25519
        assert header[TYP] == "application/statuslist+cwt"
        assert independent.deterministic(claims) == cbor2.loads(data).value[2]
        protected, _, payload, signature = cbor2.loads(data).value
        independent.VerifyKey(public[header[4]]).verify(independent.to_be_signed(protected, payload), signature)


def test_jose_verifies_the_jwt_form(world, folder, now):
    tokens = sorted(folder.glob("*.jwt"))
    assert {token.stem for token in tokens} == {token.stem for token in folder.glob("*.cwt")}
    keys = [
        {
            "kty": "OKP", "crv": "Ed25519", "kid": key["kid"],
            "x": base64.urlsafe_b64encode(bytes.fromhex(key["public_key"])).rstrip(b"=").decode(),
        }
        for key in world.keys
    ]
    for token in tokens:
        # The library checks the signature, `typ`, the algorithm by its own name, `exp` and `iat`.
        verified = jose(token.read_text().strip(), keys)
        assert verified["protectedHeader"]["alg"] == "Ed25519"
        payload = verified["payload"]
        packed = payload["status_list"]["lst"]
        assert "=" not in packed
        compressed = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        check_claims(
            payload["sub"], payload["iat"], payload["exp"], payload["ttl"], payload["status_list"]["bits"],
            compressed, now,
        )
        # Both forms of a list say the same.
        _, claims = open_unchecked(token.with_suffix(".cwt").read_bytes())
        assert claims[2] == payload["sub"]
        assert independent.StatusList(claims[STATUS_LIST]["lst"]).packed == independent.StatusList(compressed).packed


def test_jose_refuses_a_changed_jwt(world, folder):
    keys = [
        {
            "kty": "OKP", "crv": "Ed25519", "kid": key["kid"],
            "x": base64.urlsafe_b64encode(bytes.fromhex(key["public_key"])).rstrip(b"=").decode(),
        }
        for key in world.keys
    ]
    header, payload, signature = next(iter(folder.glob("*.jwt"))).read_text().strip().split(".")
    changed = payload[:10] + ("A" if payload[10] != "A" else "B") + payload[11:]
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        jose(f"{header}.{changed}.{signature}", keys)
    assert "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" in refusal.value.stderr


def test_lists_say_of_every_card_what_the_register_says(world):
    lists = world.statuses()
    for row in world.volunteers:
        number = row["number"]
        first = independent.parse(independent.decode_digits(independent.digits_in(world.texts[number])))
        status = STATE_OF_STATUS[lists[first.kid][first.status]]
        assert status == world.changed.get(number, "valid"), f"{number}: the list says {status} of its first card"
        if number in world.texts_now:
            current = independent.parse(independent.decode_digits(independent.digits_in(world.texts_now[number])))
            assert (current.status != first.status) == (world.changed.get(number) == "superseded")
        else:
            current = first
        assert STATE_OF_STATUS[lists[current.kid][current.status]] == row["certificate"]["state"], number


def test_lists_say_nothing_else(world):
    lists = world.statuses()
    marked = sum(len(one.not_valid()) for one in lists.values())
    assert marked == len(world.changed)
    for one in lists.values():
        assert len(one) == 2**20


def test_before_the_changes_no_card_was_marked(world):
    for token in (world.before / "status-lists").glob("*.cwt"):
        _, claims = open_unchecked(token.read_bytes())
        assert not independent.StatusList(claims[STATUS_LIST]["lst"]).not_valid()


def check_claims(sub, issued_at, expires_at, ttl, bits, compressed, now) -> None:
    assert sub.startswith("https://") and "/status-lists/" in sub
    assert now - 3600 < issued_at <= now + 60 < expires_at
    assert 0 < ttl <= expires_at - issued_at
    assert bits == 2
    assert len(independent.StatusList(compressed)) == 2**20


def jose(token: str, keys: list[dict]) -> dict:
    """Verifies with npm's `jose`; an error of the library ends the process with 1."""
    done = subprocess.run(
        [os.environ["ZYZ_NODE"], Path(__file__).parent / "verify_jwt.mjs"],
        input=json.dumps({"token": token, "keys": keys, "typ": "statuslist+jwt"}),
        capture_output=True, encoding="utf-8", check=True, timeout=60,
    )
    return json.loads(done.stdout)
