"""The Token Status Lists as a server hands them out, fetched and verified by other people's software."""

import base64

import cwt
import pytest

import independent
from servers import serve
from test_status_lists import STATUS_LIST, TTL, check_claims, jose

CWT, JWT = "application/statuslist+cwt", "application/statuslist+jwt"


@pytest.fixture(scope="module")
def server(world):
    with serve(world.federation) as running:
        yield running


@pytest.fixture(scope="module")
def lists(world) -> list[dict]:
    return [key for key in world.keys if key["role"] == "issuing"]


def test_cwt_verifies_what_is_served(server, lists, now):
    for key in lists:
        answer = server.get(f"/status-lists/{key['kid']}", headers={"Accept": CWT})
        assert answer.status_code == 200 and answer.headers["Content-Type"] == CWT
        public = cwt.COSEKey.new({1: 1, 2: bytes.fromhex(key["kid"]), 3: -19, -1: 6, -2: bytes.fromhex(key["public_key"])})
        claims = cwt.decode(answer.content, [public])
        check_claims(
            claims[2], claims[6], claims[4], claims[TTL], claims[STATUS_LIST]["bits"], claims[STATUS_LIST]["lst"], now
        )
        assert max_age(answer) <= claims[TTL]


@pytest.mark.parametrize("accept", [JWT, "*/*", f"{CWT};q=0.3, {JWT};q=0.7"])
def test_jose_verifies_what_is_served(server, lists, now, accept):
    for key in lists:
        answer = server.get(f"/status-lists/{key['kid']}", headers={"Accept": accept})
        assert answer.status_code == 200 and answer.headers["Content-Type"] == JWT
        jwk = {
            "kty": "OKP", "crv": "Ed25519", "kid": key["kid"],
            "x": base64.urlsafe_b64encode(bytes.fromhex(key["public_key"])).rstrip(b"=").decode(),
        }
        payload = jose(answer.text.strip(), [jwk])["payload"]
        packed = payload["status_list"]["lst"]
        check_claims(
            payload["sub"], payload["iat"], payload["exp"], payload["ttl"], payload["status_list"]["bits"],
            base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), now,
        )
        assert max_age(answer) <= payload["ttl"]


def test_served_lists_say_what_the_published_files_say(world, server, lists):
    published = world.statuses()
    for key in lists:
        answer = server.get(f"/status-lists/{key['kid']}", headers={"Accept": CWT})
        public = cwt.COSEKey.new({1: 1, 2: bytes.fromhex(key["kid"]), 3: -19, -1: 6, -2: bytes.fromhex(key["public_key"])})
        served = independent.StatusList(cwt.decode(answer.content, [public])[STATUS_LIST]["lst"])
        assert served.packed == published[bytes.fromhex(key["kid"])].packed


def test_what_is_unchanged_is_not_sent_again(server, lists):
    paths = [f"/status-lists/{key['kid']}" for key in lists] + ["/v1/bundle", "/v1/trust-list"]
    for path in paths:
        first = server.get(path, headers={"Accept": CWT if "status" in path else "*/*"})
        assert first.status_code == 200, f"{path}: {first.text}"
        again = server.get(path, headers={"Accept": first.headers["Content-Type"], "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b""), path


def test_another_form_is_not_acceptable(server, lists):
    answer = server.get(f"/status-lists/{lists[0]['kid']}", headers={"Accept": "text/html"})
    assert answer.status_code == 406
    assert answer.headers["Content-Type"] == "application/problem+json"


def max_age(answer) -> int:
    directives = [part.strip() for part in answer.headers["Cache-Control"].split(",")]
    return next(int(part.split("=")[1]) for part in directives if part.startswith("max-age="))
