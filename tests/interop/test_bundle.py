"""What partners carry, opened from its description in docs/CREDENTIAL.md alone: `cbor2`, `PyNaCl`, and a bit reader."""

import cbor2
import pytest
from nacl.signing import VerifyKey

import independent

TRUST_LIST, BUNDLE, TYP = -70002, -70003, 16
STATES = ["active", "retired", "compromised"]


def opened(data: bytes, typ: str, public_keys: list[bytes]) -> dict:
    """The claims, once the signature of the key that is named held."""
    assert independent.deterministic(cbor2.loads(data)) == data
    protected, unprotected, payload, signature = cbor2.loads(data).value
    header = cbor2.loads(protected)
    assert header.keys() == {1, 4, TYP} and unprotected == {}
    assert (header[1], header[TYP]) == (independent.ED25519, typ)
    (public,) = [key for key in public_keys if independent.key_id(key) == header[4]]
    VerifyKey(public).verify(independent.to_be_signed(protected, payload), signature)
    return cbor2.loads(payload)


def golomb_rice(count: int, parameter: int, data: bytes) -> list[int]:
    """Gaps between sorted indices: quotient in zeros ended by a one, then the remainder; highest bit first."""
    bits = "".join(f"{byte:08b}" for byte in data)
    indices, at, following = [], 0, 0
    for _ in range(count):
        one = bits.index("1", at)
        remainder = bits[one + 1 : one + 1 + parameter]
        gap = (one - at) << parameter | int(remainder or "0", 2)
        indices.append(following + gap)
        following = indices[-1] + 1
        at = one + 1 + parameter
    assert len(bits) - at < 8 and "1" not in bits[at:]
    return indices


@pytest.fixture(scope="module", params=["before", "after"])
def folder(world, request):
    return getattr(world, request.param)


@pytest.fixture(scope="module")
def trust_list(world, folder) -> dict:
    data = (folder / "trust-list.cose").read_bytes()
    return opened(data, "application/vnd.zyz.trust-list+cose", [bytes.fromhex(world.root)])


@pytest.fixture(scope="module")
def bundle(world, folder, trust_list) -> dict:
    keys = [entry[1] for entry in trust_list[TRUST_LIST][2]]
    return opened((folder / "bundle.cose").read_bytes(), "application/vnd.zyz.bundle+cose", keys)


def test_the_trust_list_names_the_keys(world, trust_list, now):
    version, issuing, bundle_keys = trust_list[TRUST_LIST]
    assert version >= 1 and trust_list[6] <= now + 60 < trust_list[4]
    listed = {("issuing", *entry[:2], STATES[entry[6]]) for entry in issuing}
    listed |= {("bundle", *entry[:2], STATES[entry[4]]) for entry in bundle_keys}
    assert listed == {
        (key["role"], bytes.fromhex(key["kid"]), bytes.fromhex(key["public_key"]), key["state"])
        for key in world.keys
        if key["role"] != "root"
    }
    for entry in issuing:
        assert entry[0] == independent.key_id(entry[1])


def test_the_bundle_carries_the_trust_list(folder, bundle, now):
    version, trust_list, _, _ = bundle[BUNDLE]
    assert trust_list == (folder / "trust-list.cose").read_bytes()
    assert version >= 1 and bundle[6] <= now + 60 < bundle[4]


def test_the_bundle_says_what_the_status_lists_say(folder, bundle):
    published = {}
    for token in (folder / "status-lists").glob("*.cwt"):
        protected, _, payload, _ = cbor2.loads(token.read_bytes()).value
        published[cbor2.loads(protected)[4]] = independent.StatusList(cbor2.loads(payload)[65533]["lst"]).not_valid()
    carried = {}
    for thumbprint, *sets in bundle[BUNDLE][2]:
        marked = {}
        for status, (count, parameter, data) in zip((1, 2, 3), sets, strict=True):
            indices = golomb_rice(count, parameter, data)
            assert not marked.keys() & set(indices)
            marked |= dict.fromkeys(indices, status)
        carried[thumbprint[:4]] = marked
    assert carried == published


def test_versions_go_up(world):
    versions = [
        cbor2.loads(cbor2.loads((folder / "bundle.cose").read_bytes()).value[2])[BUNDLE][0]
        for folder in (world.before, world.after)
    ]
    assert versions[0] < versions[1]
