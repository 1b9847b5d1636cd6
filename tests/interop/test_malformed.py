"""Signed with the federation's own key and wrong all the same: each must be `malformed`, whatever the signature says.

The key is the federation's, opened with OpenSSL, so only the strictness of the reader stands between these and accept.
"""

import re

import cbor2
import pytest

import independent
from independent import ED25519, PRIVATE_CLAIM, deterministic

NUMBER, KID = "0200012349", "kid"


class Maker:
    """Builds a good credential and lets each case spoil one thing before it is signed."""

    def __init__(self, key, now: int):
        self.key = key
        self.kid = independent.key_id(bytes(key.verify_key))
        self.claims = independent.claims_map(NUMBER, 3, 5, "张**", now, now + 86400)
        self.header = {1: ED25519, 4: self.kid}

    def sealed(self, protected: bytes | None = None, payload: bytes | None = None, unprotected=None) -> bytes:
        """The envelope of these bytes, signed over exactly these bytes."""
        protected = deterministic(self.header) if protected is None else protected
        payload = deterministic(self.claims) if payload is None else payload
        signature = independent.sign(protected, payload, self.key)
        return deterministic(cbor2.CBORTag(18, [protected, unprotected or {}, payload, signature]))

    def with_claims(self, **changes) -> bytes:
        names = {"sub": 2, "exp": 4, "iat": 6, "private": PRIVATE_CLAIM}
        return self.sealed(payload=deterministic(self.claims | {names[k]: v for k, v in changes.items()}))

    def without_claim(self, key: int) -> bytes:
        return self.sealed(payload=deterministic({k: v for k, v in self.claims.items() if k != key}))

    def with_header(self, header: dict) -> bytes:
        return self.sealed(protected=deterministic(header))

    def raw_claims(self, *pairs: bytes, head: int | None = None) -> bytes:
        """A map of these encoded pairs in this order."""
        return self.sealed(payload=bytes([0xA0 + len(pairs) if head is None else head]) + b"".join(pairs))

    def pairs(self) -> list[bytes]:
        return [deterministic(k) + deterministic(v) for k, v in self.claims.items()]


def long_uint(value: int) -> bytes:
    return b"\x1b" + value.to_bytes(8, "big")


def spoiled_outer(maker: Maker, old: bytes, new: bytes) -> bytes:
    """The envelope itself is not signed, so a change there leaves the signature good."""
    good = maker.sealed()
    assert good.startswith(old)
    return new + good[len(old) :]


def members(maker: Maker) -> list:
    return cbor2.loads(maker.sealed()).value


CASES = {
    # the envelope
    "trailing_byte": lambda m: m.sealed() + b"\x00",
    "trailing_item": lambda m: m.sealed() + m.sealed(),
    "cut_short": lambda m: m.sealed()[:-1],
    "no_tag": lambda m: m.sealed()[1:],
    "another_tag": lambda m: spoiled_outer(m, b"\xd2", b"\xd1"),
    "cwt_tag_around": lambda m: b"\xd8\x3d" + m.sealed(),
    "longer_tag": lambda m: spoiled_outer(m, b"\xd2", b"\xd8\x12"),
    "indefinite_array": lambda m: spoiled_outer(m, b"\xd2\x84", b"\xd2\x9f") + b"\xff",
    "longer_array_head": lambda m: spoiled_outer(m, b"\xd2\x84", b"\xd2\x98\x04"),
    "three_members": lambda m: deterministic(cbor2.CBORTag(18, members(m)[:3])),
    "five_members": lambda m: deterministic(cbor2.CBORTag(18, [*members(m), b""])),
    "unprotected_key_id": lambda m: m.sealed(unprotected={4: m.kid}),
    "unprotected_address": lambda m: m.sealed(unprotected={35: "https://example.cn/key"}),
    "detached_payload": lambda m: deterministic(cbor2.CBORTag(18, [*members(m)[:2], None, members(m)[3]])),
    "short_signature": lambda m: deterministic(cbor2.CBORTag(18, [*members(m)[:3], members(m)[3][:63]])),
    "long_signature": lambda m: deterministic(cbor2.CBORTag(18, [*members(m)[:3], members(m)[3] + b"\x00"])),
    "chunked_payload": lambda m: chunked(m),
    # the protected header
    "empty_header": lambda m: m.sealed(protected=b""),
    "alg_eddsa": lambda m: m.with_header({1: -8, 4: m.kid}),
    "alg_as_text": lambda m: m.with_header({1: "Ed25519", 4: m.kid}),
    "no_alg": lambda m: m.with_header({4: m.kid}),
    "no_kid": lambda m: m.with_header({1: ED25519}),
    "short_kid": lambda m: m.with_header({1: ED25519, 4: m.kid[:3]}),
    "long_kid": lambda m: m.with_header({1: ED25519, 4: m.kid + b"\x00"}),
    "kid_as_text": lambda m: m.with_header({1: ED25519, 4: "abcd"}),
    "key_in_header": lambda m: m.with_header({1: ED25519, 4: m.kid, -101: {1: 1, -1: 6, -2: bytes(m.key.verify_key)}}),
    "content_type": lambda m: m.with_header({1: ED25519, 3: 61, 4: m.kid}),
    "unsorted_header": lambda m: m.sealed(protected=b"\xa2\x04\x44" + m.kid + b"\x01\x32"),
    "longer_alg": lambda m: m.sealed(protected=b"\xa2\x01\x38\x12\x04\x44" + m.kid),
    "longer_kid_head": lambda m: m.sealed(protected=b"\xa2\x01\x32\x04\x58\x04" + m.kid),
    "indefinite_header": lambda m: m.sealed(protected=b"\xbf\x01\x32\x04\x44" + m.kid + b"\xff"),
    "duplicate_alg": lambda m: m.sealed(protected=b"\xa3\x01\x32\x01\x32\x04\x44" + m.kid),
    "trailing_byte_in_header": lambda m: m.sealed(protected=deterministic(m.header) + b"\x00"),
    # the claims' encoding
    "trailing_byte_in_claims": lambda m: m.sealed(payload=deterministic(m.claims) + b"\x00"),
    "indefinite_claims": lambda m: m.sealed(payload=b"\xbf" + b"".join(m.pairs()) + b"\xff"),
    "unsorted_claims": lambda m: m.raw_claims(m.pairs()[1], m.pairs()[0], *m.pairs()[2:]),
    "duplicate_claim": lambda m: m.raw_claims(m.pairs()[0], m.pairs()[0], *m.pairs()[1:]),
    "duplicate_expiry": lambda m: m.raw_claims(*m.pairs()[:2], b"\x04" + deterministic(2**31), *m.pairs()[2:]),
    "longer_time": lambda m: m.raw_claims(m.pairs()[0], b"\x04" + long_uint(m.claims[4]), *m.pairs()[2:]),
    "longer_claim_key": lambda m: m.raw_claims(b"\x18\x02" + deterministic(NUMBER), *m.pairs()[1:]),
    "longer_text_head": lambda m: m.raw_claims(b"\x02\x78\x0a" + NUMBER.encode(), *m.pairs()[1:]),
    "chunked_number": lambda m: m.raw_claims(b"\x02\x7f\x65" + NUMBER[:5].encode() + b"\x65" + NUMBER[5:].encode() + b"\xff", *m.pairs()[1:]),
    "indefinite_private": lambda m: m.raw_claims(*m.pairs()[:3], deterministic(PRIVATE_CLAIM) + b"\x9f\x03\x05\xff"),
    "bignum_time": lambda m: m.raw_claims(m.pairs()[0], b"\x04\xc2\x44" + m.claims[4].to_bytes(4, "big"), *m.pairs()[2:]),
    "invalid_utf8_holder": lambda m: m.raw_claims(*m.pairs()[:3], deterministic(PRIVATE_CLAIM) + b"\x83\x03\x05\x62\xff\xfe"),
    "claims_no_map": lambda m: m.sealed(payload=deterministic([1, 2, 3])),
    "empty_payload": lambda m: m.sealed(payload=b""),
    # the claims' meaning
    "unknown_claim": lambda m: m.sealed(payload=deterministic(m.claims | {1: "iss"})),
    "unknown_private_claim": lambda m: m.sealed(payload=deterministic(m.claims | {-70002: 1})),
    "no_number": lambda m: m.without_claim(2),
    "no_expiry": lambda m: m.without_claim(4),
    "no_issue_time": lambda m: m.without_claim(6),
    "no_private_claim": lambda m: m.without_claim(PRIVATE_CLAIM),
    "wrong_check_digit": lambda m: m.with_claims(sub="0200012340"),
    "number_of_nine": lambda m: m.with_claims(sub="020001234"),
    "number_of_eleven": lambda m: m.with_claims(sub="02000123490"),
    "number_with_spaces": lambda m: m.with_claims(sub="02 0001234 9"),
    "number_full_width": lambda m: m.with_claims(sub="０２０００１２３４９"),
    "number_as_integer": lambda m: m.with_claims(sub=200012349),
    "expires_as_issued": lambda m: m.with_claims(exp=m.claims[6]),
    "expires_before_issued": lambda m: m.with_claims(exp=m.claims[6] - 1),
    "negative_time": lambda m: m.with_claims(iat=-1),
    "time_as_float": lambda m: m.with_claims(exp=float(m.claims[4])),
    "time_as_text": lambda m: m.with_claims(exp=str(m.claims[4])),
    "time_beyond_the_year_9998": lambda m: m.with_claims(exp=253370764800),
    "star_six": lambda m: m.with_claims(private=[6, 5, "张**"]),
    "star_negative": lambda m: m.with_claims(private=[-1, 5, "张**"]),
    "star_true": lambda m: m.with_claims(private=[True, 5, "张**"]),
    "status_negative": lambda m: m.with_claims(private=[3, -1, "张**"]),
    "status_beyond_the_list": lambda m: m.with_claims(private=[3, 2**20, "张**"]),
    "status_missing": lambda m: m.with_claims(private=[3]),
    "holder_null": lambda m: m.with_claims(private=[3, 5, None]),
    "holder_bytes": lambda m: m.with_claims(private=[3, 5, "张**".encode()]),
    "holder_empty": lambda m: m.with_claims(private=[3, 5, ""]),
    "holder_not_masked": lambda m: m.with_claims(private=[3, 5, "张三丰"]),
    "holder_of_one_character": lambda m: m.with_claims(private=[3, 5, "张"]),
    "holder_all_masked": lambda m: m.with_claims(private=[3, 5, "***"]),
    "holder_too_long": lambda m: m.with_claims(private=[3, 5, "张" + "*" * 15]),
    "holder_begins_unseen": lambda m: m.with_claims(private=[3, 5, "\u200b张*"]),
    "private_with_more": lambda m: m.with_claims(private=[3, 5, "张**", 0]),
    "private_no_array": lambda m: m.with_claims(private=3),
}


def chunked(maker: Maker) -> bytes:
    """The payload as a string of indefinite length: the same bytes once joined."""
    protected, _, payload, signature = members(maker)
    return (
        b"\xd2\x84" + deterministic(protected) + b"\xa0"
        + b"\x5f" + deterministic(payload[:10]) + deterministic(payload[10:]) + b"\xff" + deterministic(signature)
    )


@pytest.fixture(scope="module")
def maker(issuing_key, now) -> Maker:
    return Maker(issuing_key, now)


def test_the_unspoiled_one_is_good(world, maker):
    # Otherwise every case below would be refused for a reason of its own.
    assert world.partner().reason(independent.encode_digits(maker.sealed())) == ("accept", "ok")
    assert maker.raw_claims(*maker.pairs()) == maker.sealed()


@pytest.mark.parametrize("case", CASES)
def test_malformed(world, maker, case):
    assert re.fullmatch("[a-z0-9_]+", case)
    spoiled = CASES[case](maker)
    with pytest.raises(independent.Malformed):
        independent.parse(spoiled)
    assert world.partner().reason(independent.encode_digits(spoiled)) == ("reject", "malformed")


DIGIT_CASES = {
    "nothing": lambda digits: "",
    "no_digits": lambda digits: "这不是二维码",
    "empty_fragment": lambda digits: "https://zyz.example.cn/#",
    "letters_behind_the_hash": lambda digits: "https://zyz.example.cn/#abc" + digits,
    "group_above_its_range": lambda digits: "99999999999999999" + digits[17:],
    "group_of_impossible_length": lambda digits: digits[: len(digits) // 17 * 17] + "0000",
    "one_digit_lost": lambda digits: digits[:-1],
    "one_digit_more": lambda digits: digits + "0",
    "longer_than_is_looked_at": lambda digits: " " * 32768 + digits,
    "very_long": lambda digits: digits * 50,
    "a_telephone_number": lambda digits: "13800000000",
}


@pytest.mark.parametrize("case", DIGIT_CASES)
def test_malformed_text(world, maker, case):
    text = DIGIT_CASES[case](independent.encode_digits(maker.sealed()))
    partner = world.partner()
    verdict = partner.check("-", stdin=text)
    assert (verdict["verdict"], verdict["reason"]) == ("reject", "malformed")
    assert "certificate" not in verdict
