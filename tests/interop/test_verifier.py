"""`zyz-verify` against the verdict that `independent` reaches with other people's libraries."""

import datetime
import platform
import shutil

import pytest
from nacl.signing import SigningKey

import independent
from commands import ZYZ_VERIFY, Partner, run

ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519's base point


def cose_of(text: str) -> bytes:
    return independent.decode_digits(independent.digits_in(text))


@pytest.fixture(scope="module")
def agree(world, now):
    """Asserts that both reach the same verdict on `text`, and returns it."""
    partner, keys, lists = world.partner(), world.issuing_keys(), world.statuses()

    def check(text: str) -> tuple[str, str]:
        ours = partner.reason(text)
        assert ours == independent.judge(text, keys, lists, now)
        return ours

    return check


@pytest.fixture(scope="module")
def good(world) -> str:
    """The code of a card that nothing happened to."""
    return next(text for number, text in world.texts.items() if number not in world.changed)


def test_every_card_as_first_issued(world, agree):
    for number, text in world.texts.items():
        expected = world.changed.get(number, "ok")
        assert agree(text) == ("accept" if expected == "ok" else "reject", expected), number


def test_replacements_are_good(world, agree):
    for number, change in world.changed.items():
        if change == "superseded":
            assert world.texts_now[number] != world.texts[number]
            assert agree(world.texts_now[number]) == ("accept", "ok")


def test_before_the_changes_every_card_was_good(world):
    partner = Partner(world.root, world.before / "bundle.cose")
    for number in world.changed:
        assert partner.reason(world.texts[number]) == ("accept", "ok")


def test_the_verdict_shows_the_card(world, good):
    verdict = world.partner().check(good)
    card = independent.parse(cose_of(good))
    assert verdict["certificate"] == {
        "number": card.number,
        "star": card.star,
        "holder": card.holder,
        "issued_at": rfc3339(card.issued_at),
        "expires_at": rfc3339(card.expires_at),
        "key_id": card.kid.hex(),
    }
    assert verdict["message"] and verdict["holder_check"]
    assert 0 <= verdict["status"]["age_seconds"] < 3600
    assert verdict["status"]["bundle_version"] >= 2


def rfc3339(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_any_changed_digit_is_refused(world, agree, good):
    prefix, digits = good.split("#")
    for at in range(0, len(digits), 5):
        changed = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
        verdict, reason = agree(f"{prefix}#{changed}")
        assert verdict == "reject"
        assert reason in ("malformed", "bad_signature", "unknown_key")


def test_a_changed_claim_is_a_bad_signature(agree, good):
    card = bytearray(cose_of(good))
    number = card.index(independent.parse(bytes(card)).number.encode())
    card[number + 10 + 2 + 3] ^= 1  # the last byte of `exp`, behind the number, the key 4 and the head 1a
    assert agree(independent.encode_digits(bytes(card))) == ("reject", "bad_signature")


def test_another_keys_signature(agree, issuing_key, now):
    stranger = SigningKey(bytes(range(32)))
    claims = independent.claims_map("0200012349", 5, 7, "张**", now - 60, now + 86400)
    assert agree(independent.encode_digits(independent.credential(claims, stranger))) == ("reject", "unknown_key")
    # The same with the federation's key id written on it.
    header = {1: independent.ED25519, 4: independent.key_id(bytes(issuing_key.verify_key))}
    forged = independent.sign1(header, independent.deterministic(claims), stranger)
    assert agree(independent.encode_digits(forged)) == ("reject", "bad_signature")


def test_the_other_half_of_the_signature_space(agree, good):
    """S and S + L satisfy the same equation; only the first is a signature (RFC 8032, 5.1.7)."""
    card = bytearray(cose_of(good))
    s = int.from_bytes(card[-32:], "little") + ORDER
    card[-32:] = s.to_bytes(32, "little")
    assert agree(independent.encode_digits(bytes(card))) == ("reject", "bad_signature")


def test_cards_signed_in_python_with_the_federations_key(world, agree, issuing_key, now):
    taken = set().union(*(one.not_valid() for one in world.statuses().values()))
    free = next(index for index in range(2**20) if index not in taken)

    def card(star: int, issued_at: int, expires_at: int, holder: str | None = "岩**", status: int = free) -> str:
        claims = independent.claims_map("0200012349", star, status, holder, issued_at, expires_at)
        return independent.encode_digits(independent.credential(claims, issuing_key))

    # A key is valid from when it was made: `now` lies behind that.
    assert agree(card(3, now, now + 86400)) == ("accept", "ok")
    assert agree(card(0, now, now + 86400, holder=None)) == ("accept", "ok")
    assert agree(card(3, now + 3600, now + 86400)) == ("reject", "not_yet_valid")
    assert agree(card(3, now - 86400 * 365, now + 86400)) == ("reject", "key_not_valid")
    revoked = next(i for one in world.statuses().values() for i, s in one.not_valid().items() if s == 1)
    assert agree(card(3, now, now + 86400, status=revoked)) == ("reject", "revoked")


def test_time_turns_cards_and_bundles_old(world, good):
    card = independent.parse(cose_of(good))
    partner = world.partner()
    assert partner.reason(good, "--at", rfc3339(card.expires_at - 60))[0] == "caution"  # the bundle is long past
    assert partner.reason(good, "--at", rfc3339(card.expires_at)) == ("reject", "expired")
    assert partner.reason(good, "--at", rfc3339(card.issued_at - 86400)) in (
        ("caution", "clock_suspect"), ("reject", "not_yet_valid"),
    )
    assert partner.reason(good, "--at", rfc3339(card.issued_at + 86400 * 3), "--max-age", "2d") == (
        "caution", "status_stale",
    )


@pytest.mark.parametrize(
    "around",
    [
        lambda prefix, digits: digits,
        lambda prefix, digits: f"https://elsewhere.example/#/page#{digits}",
        lambda prefix, digits: "".join(chr(ord(d) - ord("0") + ord("０")) for d in digits),
        lambda prefix, digits: f"\ufeff {prefix}#" + "\r\n".join(digits[i : i + 40] for i in range(0, len(digits), 40)) + "\r\n",
        lambda prefix, digits: f"编号：{digits}。",
        lambda prefix, digits: f"卡号7＃{digits[:50]}\u200b{digits[50:]}",
    ],
    ids=["bare", "another-prefix", "full-width", "wrapped", "in-a-sentence", "full-width-hash"],
)
def test_what_surrounds_the_digits_does_not_matter(world, good, around):
    text = around(*good.split("#"))
    assert independent.decode_digits(independent.digits_in(text)) == cose_of(good)
    assert world.partner().check(text)["reason"] == "ok"


def test_standard_input(world, good):
    assert world.partner().check("-", stdin=good + "\r\n")["reason"] == "ok"


def test_a_picture(world, good, tmp_path):
    number = independent.parse(cose_of(good)).number
    picture = tmp_path / "card.png"
    world.federation("card", number, "--png", picture)
    partner = world.partner()
    done = run([ZYZ_VERIFY, "check", "--image", picture, *partner.options], expect=0)
    assert done.stdout


def test_an_older_bundle_is_refused_after_a_newer_one(world, good, tmp_path):
    state = tmp_path / "state"
    assert world.partner(state).reason(good) == ("accept", "ok")
    older = Partner(world.root, world.before / "bundle.cose", state)
    assert run(older.command(good), expect=None).returncode == 1


def test_a_wrong_root_is_an_error_not_a_verdict(world, good):
    done = run(Partner("11" * 32, world.after / "bundle.cose").command(good), expect=None)
    assert done.returncode == 1
    assert done.stderr


def test_usage_errors_exit_with_2():
    assert run([ZYZ_VERIFY, "check"], expect=None).returncode == 2
    assert run([ZYZ_VERIFY, "no-such-command"], expect=None).returncode == 2


@pytest.mark.skipif(platform.system() != "Linux", reason="strace is Linux's")
@pytest.mark.parametrize("source", ["text", "picture"])
def test_no_socket_is_opened(world, good, tmp_path, source):
    assert shutil.which("strace")
    trace, picture = tmp_path / "trace", tmp_path / "card.png"
    command = world.partner(tmp_path / "state").command(good)
    if source == "picture":
        world.federation("card", independent.parse(cose_of(good)).number, "--png", picture)
        command = ["--image" if part == good else part for part in command]
        command.insert(command.index("--image") + 1, picture)
    run(["strace", "-f", "-e", "trace=network", "-o", trace, *command], expect=0)
    lines = trace.read_text().splitlines()
    assert lines[-1].endswith("+++ exited with 0 +++"), "strace saw the whole run"
    assert [line for line in lines if "(" in line] == []
