"""Our codes against `cwt`, and against `cbor2` + `PyNaCl` with every byte of the contract."""

import hashlib

import cbor2
import cwt
import pytest

import independent
from conftest import DAYS_SERVED, PUBLIC_URL


def cose_of(text: str) -> bytes:
    return independent.decode_digits(independent.digits_in(text))


def test_every_volunteer_has_a_card(world):
    assert len(world.issued) == len(world.people()) == len(set(world.issued))
    assert sorted(world.printed_names.values()) == sorted(person.name for person in world.people())


@pytest.fixture(scope="module")
def cwt_keys(world) -> list[cwt.COSEKey]:
    return [
        cwt.COSEKey.new({1: 1, 2: independent.key_id(key.public_key), 3: -19, -1: 6, -2: key.public_key})
        for key in world.issuing_keys()
    ]


def test_cwt_verifies_every_code(world, cwt_keys):
    for number, text in world.texts.items():
        # The library checks the signature, the key id, `exp` and `iat`.
        claims = cwt.decode(cose_of(text), cwt_keys)
        assert claims[2] == number


def test_cwt_refuses_a_changed_code(world, cwt_keys):
    data = bytearray(cose_of(next(iter(world.texts.values()))))
    star = data.index(bytes.fromhex("3a 00011170 83")) + 6
    data[star] ^= 1
    with pytest.raises(cwt.VerifyError):
        cwt.decode(bytes(data), cwt_keys)


def test_nacl_verifies_every_code_and_the_claims_are_the_contract(world, now):
    public = {independent.key_id(key.public_key): key.public_key for key in world.issuing_keys()}
    seen = set()
    for number, text in world.texts.items():
        card = independent.parse(cose_of(text))  # strict: the deterministic encoding, these claims, nothing else
        assert card.holds_under(public[card.kid])
        assert card.number == number
        name = world.printed_names[number]
        assert card.holder == name[0] + "*" * (len(name) - 1)
        assert now - 3600 < card.issued_at <= now + 1 < card.expires_at
        assert card.status < 2**20
        seen.add((card.kid, card.status))
    assert len(seen) == len(world.texts), "two cards share an index"


def test_indices_say_nothing_of_the_order(world):
    indices = [independent.parse(cose_of(world.texts[number])).status for number in sorted(world.texts)]
    neighbours = sum(abs(a - b) <= 16 for a, b in zip(indices, indices[1:]))
    assert neighbours <= 2, indices  # by chance: one pair in 30,000


def test_stars_follow_the_hours(world):
    number_of = {name: number for number, name in world.printed_names.items()}
    stars = [
        independent.parse(cose_of(world.texts[number_of[person.name]])).star for person in world.units[0].people
    ]
    assert stars[: len(DAYS_SERVED)] == [1, 2, 3, 4, 5, 0]
    assert not any(stars[len(DAYS_SERVED) :])


def test_text_is_prefix_and_digits(world):
    for text in world.texts.values():
        prefix, digits = text.split("#")
        assert prefix == PUBLIC_URL
        assert digits.isascii() and digits.isdigit()
        assert independent.encode_digits(cose_of(text)) == digits


def test_key_ids_are_rfc_9679_thumbprints(world):
    for key in world.keys:
        public = bytes.fromhex(key["public_key"])
        required = independent.deterministic({1: 1, -1: 6, -2: public})  # kty OKP, crv Ed25519, x
        assert hashlib.sha256(required).digest() == independent.thumbprint(public)
        assert key["kid"] == independent.key_id(public).hex()


def test_payload_is_a_plain_map_in_the_order_of_its_keys(world):
    for text in world.texts.values():
        claims = cbor2.loads(independent.parse(cose_of(text)).payload)
        assert list(claims) == [2, 4, 6, independent.PRIVATE_CLAIM]
