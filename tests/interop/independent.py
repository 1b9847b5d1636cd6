"""The wire contract of docs/CREDENTIAL.md once more, from the specification alone and with other people's libraries.

Nothing here calls our programs. `cbor2` reads and writes CBOR, `PyNaCl` (libsodium) signs and verifies, `zlib` unpacks;
the rest, digits, check digit, thumbprint, Sig_structure and the order of the verdict's reasons, is written out below.
"""

import hashlib
import re
import unicodedata
import zlib
from dataclasses import dataclass
from io import BytesIO

import cbor2
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

ED25519 = -19  # RFC 9864
PRIVATE_CLAIM = -70001
VALID, REVOKED, SUSPENDED, SUPERSEDED = range(4)
CLOCK_LEEWAY = 300  # seconds that `iat` may lie ahead
LAST_SECOND = 253370764799  # the end of the year 9998
LIST_SIZE = 2**20
MOST_BYTES = 256  # of a credential that is read
MOST_TEXT, MOST_DIGITS = 32 * 1024, 7089  # bytes of text that are looked at, digits that are decoded
HOLDER = re.compile(r"[A-Za-z\u3007\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFD]\*{1,14}")

# Digits that a last group of so many bytes takes; a full group is 7 bytes in 17 digits.
DIGITS_FOR_BYTES = {1: 3, 2: 5, 3: 8, 4: 10, 5: 13, 6: 15, 7: 17}
BYTES_FOR_DIGITS = {digits: size for size, digits in DIGITS_FOR_BYTES.items()}


class Malformed(ValueError):
    """Not this format; the text says why."""


# --- the text -------------------------------------------------------------------------------------------


def encode_digits(data: bytes) -> str:
    groups = (data[at : at + 7] for at in range(0, len(data), 7))
    return "".join(str(int.from_bytes(group, "little")).zfill(DIGITS_FOR_BYTES[len(group)]) for group in groups)


def decode_digits(digits: str) -> bytes:
    _must(len(digits) <= MOST_DIGITS, "too many digits")
    out = bytearray()
    for at in range(0, len(digits), 17):
        group = digits[at : at + 17]
        size = BYTES_FOR_DIGITS.get(len(group))
        if size is None:
            raise Malformed(f"a group of {len(group)} digits")
        value = int(group)
        if value >= 256**size:
            raise Malformed(f"the group {group} is above its range")
        out += value.to_bytes(size, "little")
    return bytes(out)


def digits_in(text: str) -> str:
    """A reader's liberal part: white space out, full-width digits and '#' folded, up to the last '#' ignored."""
    _must(len(text.encode()) <= MOST_TEXT, "too long a text")
    kept = (c for c in text if not c.isspace() and c not in "\u200b\ufeff")
    text = "".join(unicodedata.normalize("NFKC", c) if c in "０１２３４５６７８９＃" else c for c in kept)
    if "#" in text:
        digits = text.rsplit("#", 1)[1]
        if not re.fullmatch("[0-9]+", digits):
            raise Malformed("something else than digits behind '#'")
        return digits
    runs = re.findall("[0-9]+", text)
    if not runs:
        raise Malformed("no digits")
    return max(runs, key=len)


def check_digit(first_nine: str) -> int:
    """ISO 7064 MOD 11-10."""
    product = 10
    for digit in first_nine:
        product = (product + int(digit)) % 10 or 10
        product = product * 2 % 11
    return (11 - product) % 10


# --- the envelope ---------------------------------------------------------------------------------------


def thumbprint(public_key: bytes) -> bytes:
    """RFC 9679: SHA-256 of the deterministic encoding of the key's required members (kty OKP, crv Ed25519, x)."""
    return hashlib.sha256(bytes.fromhex("a3 01 01 20 06 21 58 20") + public_key).digest()


def key_id(public_key: bytes) -> bytes:
    return thumbprint(public_key)[:4]


def deterministic(value) -> bytes:
    # cbor2 sorts keys shorter first (RFC 7049); for the keys used here that is RFC 8949's order as well.
    return cbor2.dumps(value, canonical=True)


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """RFC 9052 section 4.4, without external data."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


def sign(protected: bytes, payload: bytes, key: SigningKey) -> bytes:
    return key.sign(to_be_signed(protected, payload)).signature


def sign1(header: dict, payload: bytes, key: SigningKey) -> bytes:
    protected = deterministic(header)
    return deterministic(cbor2.CBORTag(18, [protected, {}, payload, sign(protected, payload, key)]))


def claims_map(number: str, star: int, status: int, holder: str | None, issued_at: int, expires_at: int) -> dict:
    private = [star, status] if holder is None else [star, status, holder]
    return {2: number, 4: expires_at, 6: issued_at, PRIVATE_CLAIM: private}


def credential(claims: dict, key: SigningKey) -> bytes:
    header = {1: ED25519, 4: key_id(bytes(key.verify_key))}
    return sign1(header, deterministic(claims), key)


@dataclass(frozen=True)
class Credential:
    kid: bytes
    number: str
    star: int
    status: int
    holder: str | None
    issued_at: int
    expires_at: int
    protected: bytes
    payload: bytes
    signature: bytes

    def holds_under(self, public_key: bytes) -> bool:
        try:
            VerifyKey(public_key).verify(to_be_signed(self.protected, self.payload), self.signature)
        except BadSignatureError:
            return False
        return True


def _only(data: bytes):
    """The one deterministic item that `data` is."""
    stream = BytesIO(data)
    try:
        value = cbor2.CBORDecoder(stream).decode()
    except (cbor2.CBORDecodeError, ValueError, RecursionError, MemoryError) as error:
        raise Malformed(str(error)) from None
    if stream.read(1):
        raise Malformed("trailing bytes")
    try:
        again = deterministic(value)
    except (cbor2.CBOREncodeError, ValueError, TypeError) as error:
        raise Malformed(str(error)) from None
    if again != data:
        raise Malformed("not the deterministic encoding")
    return value


def _must(condition: bool, what: str) -> None:
    if not condition:
        raise Malformed(what)


def _is_uint(value, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def parse(data: bytes) -> Credential:
    _must(len(data) <= MOST_BYTES, "longer than any credential")
    outer = _only(data)
    _must(isinstance(outer, cbor2.CBORTag) and outer.tag == 18, "no COSE_Sign1")
    _must(isinstance(outer.value, (list, tuple)) and len(outer.value) == 4, "not four members")
    protected, unprotected, payload, signature = outer.value
    _must(all(isinstance(part, bytes) for part in (protected, payload, signature)), "a member is no byte string")
    _must(isinstance(unprotected, dict) and not unprotected, "something in the unprotected header")
    _must(len(signature) == 64, "the signature's length")
    header = _only(protected)
    _must(isinstance(header, dict) and set(header) == {1, 4} and header[1] == ED25519, "the protected header")
    kid = header[4]
    _must(isinstance(kid, bytes) and len(kid) == 4, "the key id")
    claims = _only(payload)
    _must(isinstance(claims, dict) and set(claims) == {2, 4, 6, PRIVATE_CLAIM}, "the set of claims")
    number, expires_at, issued_at, private = (claims[key] for key in (2, 4, 6, PRIVATE_CLAIM))
    _must(isinstance(number, str) and re.fullmatch("[0-9]{10}", number) is not None, "the number")
    _must(check_digit(number[:9]) == int(number[9]), "the number's check digit")
    _must(_is_uint(expires_at, LAST_SECOND) and _is_uint(issued_at, LAST_SECOND), "a time's range")
    _must(expires_at > issued_at, "expires as it is issued, or before")
    _must(isinstance(private, (list, tuple)) and len(private) in (2, 3), "the private claim")
    _must(_is_uint(private[0], 5) and _is_uint(private[1], LIST_SIZE - 1), "star or status")
    holder = private[2] if len(private) == 3 else None
    _must(len(private) == 2 or isinstance(holder, str) and HOLDER.fullmatch(holder) is not None, "the holder")
    return Credential(
        kid, number, private[0], private[1], holder, issued_at, expires_at, protected, payload, signature
    )


def read(text: str) -> Credential:
    """What the text of a code holds."""
    return parse(decode_digits(digits_in(text)))


# --- status ---------------------------------------------------------------------------------------------


def packed_statuses(statuses: list[int]) -> bytes:
    """Two bits an entry, the first entry in the lowest bits (Token Status List, section 4)."""
    out = bytearray((len(statuses) + 3) // 4)
    for index, status in enumerate(statuses):
        out[index // 4] |= status << (index % 4 * 2)
    return bytes(out)


class StatusList:
    def __init__(self, compressed: bytes):
        unpacker = zlib.decompressobj()
        self.packed = unpacker.decompress(compressed) + unpacker.flush()
        if not unpacker.eof or unpacker.unused_data:
            raise Malformed("not one zlib stream")

    def __len__(self) -> int:
        return len(self.packed) * 4

    def __getitem__(self, index: int) -> int:
        return self.packed[index // 4] >> (index % 4 * 2) & 3

    def not_valid(self) -> dict[int, int]:
        """Every index whose status is not VALID, with it."""
        out = {}
        for at, byte in enumerate(self.packed):
            if byte:
                for entry in range(4):
                    if byte >> (entry * 2) & 3:
                        out[at * 4 + entry] = byte >> (entry * 2) & 3
        return out


# --- the verdict ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyFacts:
    public_key: bytes
    not_before: int
    not_after: int  # both ends belong to the validity
    compromised: bool = False


def judge(text: str, keys: list[KeyFacts], statuses: dict[bytes, StatusList], now: int) -> tuple[str, str]:
    """Verdict and reason for fresh status data and a right clock; `statuses` by key id."""
    try:
        card = read(text)
    except Malformed:
        return "reject", "malformed"
    known = [key for key in keys if key_id(key.public_key) == card.kid]
    if not known:
        return "reject", "unknown_key"
    held = [key for key in known if card.holds_under(key.public_key)]
    if not held:
        return "reject", "bad_signature"
    if all(key.compromised for key in held):
        return "reject", "key_compromised"
    if not any(key.not_before <= card.issued_at <= key.not_after for key in held):
        return "reject", "key_not_valid"
    if card.issued_at > now + CLOCK_LEEWAY:
        return "reject", "not_yet_valid"
    if card.expires_at <= now:
        return "reject", "expired"
    status = statuses[card.kid][card.status]
    if status != VALID:
        return "reject", {REVOKED: "revoked", SUSPENDED: "suspended", SUPERSEDED: "superseded"}[status]
    return "accept", "ok"
