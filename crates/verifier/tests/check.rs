//! `zyz-verify check`: every exit status, option and output, with the real program.

mod support;

use std::fs;

use serde_json::json;
use support::{BUNDLED, ISSUED, NOW, REVOKED, Run, SUPERSEDED, SUSPENDED, World};
use zyz_credential::{CertificateNumber, Claims, KeyState, SigningKey, code_text, sign_credential};

#[test]
fn good_card_as_people_see_it() {
    let world = World::new();
    let run = world.check_text(&world.card(), &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        run.out,
        "\
━━━━━━━━━━━━━━━━━━━━━━━━
   ✓  可 用
━━━━━━━━━━━━━━━━━━━━━━━━
有效 · 三星级志愿者

星级      ★★★☆☆ 三星级志愿者
持证人    张**
证书编号  02 0001234 9
有效期至  2027-12-31
请核对    持证人与证件姓名、照片是否一致
优惠      全场九折
优先      优先挂号（须查看身份证件，每月限 2 次）
免费      免费茶饮一杯（不适用：须四星级志愿者及以上）
数据时间  30 分钟前（2026-11-24 04:00，第 42 版）
"
    );
    assert_eq!(run.err, "");
}

#[test]
fn revoked_card_as_people_see_it() {
    let world = World::new();
    let run = world.check_text(&world.card_with_status(REVOKED), &[]);
    assert_eq!(run.code, 4, "{run:?}");
    assert_eq!(
        run.out,
        "\
━━━━━━━━━━━━━━━━━━━━━━━━
   ✕  不 可 用
━━━━━━━━━━━━━━━━━━━━━━━━
该证已注销，不能再用。
请勿给予优惠，可告知持证人联系联合会。

星级      ★★★☆☆ 三星级志愿者
持证人    张**
证书编号  02 0001234 9
有效期至  2027-12-31
数据时间  30 分钟前（2026-11-24 04:00，第 42 版）
"
    );
}

#[test]
fn stale_data_as_people_see_it() {
    let world = World::new();
    let run = world.check_text(&world.card(), &["--max-age", "10m"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.out.contains("!  请 核 实"), "{}", run.out);
    assert!(run.out.contains("数据时间  30 分钟前"), "{}", run.out);
    assert!(run.out.contains("全场九折") && run.out.contains("请核对"), "{}", run.out);
}

#[test]
fn json_is_the_verdict_on_one_line() {
    let world = World::new();
    let run = world.check_text(&world.card(), &["--json"]);
    assert_eq!(run.out.matches('\n').count(), 1);
    assert!(run.out.ends_with('\n'));
    let key_id = zyz_credential::PublicKey::of(&world.issuing).key_id().to_string();
    assert_eq!(
        run.json(),
        json!({
            "verdict": "accept",
            "reason": "ok",
            "message": "有效 · 三星级志愿者",
            "certificate": {
                "number": "0200012349", "star": 3, "holder": "张**",
                "issued_at": "2026-11-23T08:00:00Z", "expires_at": "2027-12-31T15:59:59Z", "key_id": key_id,
            },
            "status": { "as_of": "2026-11-23T20:00:00Z", "age_seconds": 1800, "bundle_version": 42 },
            "offers": [
                { "id": "all-10", "kind": "discount", "title": "全场九折", "eligible": true, "min_star": 0 },
                { "id": "clinic", "kind": "priority", "title": "优先挂号", "eligible": true, "min_star": 0,
                  "limits": { "per_month": 2 }, "identity_check": true },
                { "id": "tea-free", "kind": "free", "title": "免费茶饮一杯", "eligible": false, "reason": "star_too_low",
                  "min_star": 4 },
            ],
            "holder_check": "请核对持证人与证件姓名、照片是否一致",
        })
    );
    run.judged(0, "accept", "ok");
}

#[test]
fn each_reason_has_its_exit_status() {
    let world = World::new();
    let json = |text: &str, more: &[&str]| world.check_text(text, &[&["--json"], more].concat());
    json(&world.card_with_status(REVOKED), &[]).judged(4, "reject", "revoked");
    json(&world.card_with_status(SUSPENDED), &[]).judged(4, "reject", "suspended");
    json(&world.card_with_status(SUPERSEDED), &[]).judged(4, "reject", "superseded");
    json("你好", &[]).judged(4, "reject", "malformed");
    json("", &[]).judged(4, "reject", "malformed");

    let stranger = SigningKey::from_bytes(&[9; 32]);
    let foreign = sign_credential(&world.claims(), &stranger).unwrap();
    json(&code_text("", &foreign), &[]).judged(4, "reject", "unknown_key");

    let mut forged = sign_credential(&world.claims(), &world.issuing).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    json(&code_text("", &forged), &[]).judged(4, "reject", "bad_signature");

    let early = Claims { issued_at: ISSUED - 40 * 86_400, ..world.claims() };
    json(&world.signed(&early), &[]).judged(4, "reject", "key_not_valid");
    json(&world.card(), &["--at", "2028-01-01T00:00:00+08:00"]).judged(4, "reject", "expired");
    json(&world.card(), &["--at", "2026-12-05T00:00:00Z"]).judged(3, "caution", "status_stale");
    json(&world.card(), &["--at", "2026-11-23T19:59:59Z"]).judged(3, "caution", "clock_suspect");
    // A clock far back is not believed: the bundle's own time counts.
    json(&world.card(), &["--at", "1960-01-01T00:00:00Z"]).judged(3, "caution", "clock_suspect");
    let later = Claims { issued_at: BUNDLED + 7200, ..world.claims() };
    json(&world.signed(&later), &[]).judged(4, "reject", "not_yet_valid");

    let mut list = world.trust_list(8);
    list.issuing_keys[0].state = KeyState::Compromised;
    world.write_bundle("bundle.cose", &list, 43, BUNDLED);
    json(&world.card(), &[]).judged(4, "reject", "key_compromised");
}

#[test]
fn without_at_the_machines_clock_counts() {
    let world = World::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_zyz-verify"));
    let card = world.signed(&Claims { expires_at: ISSUED + 1, ..world.claims() });
    command.args(["check", &card, "--root", &world.root_hex(), "--bundle"]).arg(world.path("bundle.cose"));
    // Expired at any time after the bundle was signed, since an earlier clock is not believed.
    assert_eq!(command.output().unwrap().status.code(), Some(4));
}

#[test]
fn max_age_counts_in_every_unit() {
    let world = World::new();
    for (age, code) in [("1799s", 3), ("1800s", 0), ("29m", 3), ("30m", 0), ("1h", 0), ("0h", 3), ("7d", 0), ("1w", 0)]
    {
        assert_eq!(world.check_text(&world.card(), &["--max-age", age]).code, code, "{age}");
    }
}

#[test]
fn root_as_digits_or_file() {
    let world = World::new();
    let (hex, card) = (world.root_hex(), world.card());
    for root in [hex.as_str(), &hex.to_uppercase(), "root.pub", "./root.pub"] {
        assert_eq!(world.check(&[&card, "--root", root, "--bundle", "bundle.cose"]).code, 0, "{root}");
    }
}

#[test]
fn roots_that_are_refused() {
    let world = World::new();
    let card = world.card();
    let check = |root: &str| world.check(&[&card, "--root", root, "--bundle", "bundle.cose"]);
    check("none.pub").fails_with(&["none.pub", "root.pub"]);
    check(&world.root_hex()[..62]).fails_with(&["64 位十六进制"]);
    check(&"00".repeat(32)).fails_with(&["根公钥不合格"]);
    fs::write(world.path("bad.pub"), "hello").unwrap();
    check("bad.pub").fails_with(&["bad.pub", "64 位十六进制"]);
    fs::write(world.path("huge.pub"), vec![b'0'; 100_000]).unwrap();
    check("huge.pub").fails_with(&["huge.pub"]);
    check(".").fails_with(&[]);
    // Another federation's root.
    check(&hex::encode(world.bundle.verifying_key().as_bytes())).fails_with(&["请核对根公钥"]);
}

#[test]
fn bundles_that_are_refused() {
    let world = World::new();
    let card = world.card();
    let check = |bundle: &str| world.check(&[&card, "--root", "root.pub", "--bundle", bundle]);
    check("none.cose").fails_with(&["none.cose", "--bundle"]);
    let good = fs::read(world.path("bundle.cose")).unwrap();
    fs::write(world.path("cut.cose"), &good[..good.len() - 1]).unwrap();
    check("cut.cose").fails_with(&["损坏", "重新取得"]);
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(world.path("flipped.cose"), flipped).unwrap();
    check("flipped.cose").fails_with(&["损坏"]);
    fs::write(world.path("empty.cose"), b"").unwrap();
    check("empty.cose").fails_with(&["损坏"]);
    let file = fs::File::create(world.path("huge.cose")).unwrap();
    file.set_len(17 * 1024 * 1024).unwrap();
    check("huge.cose").fails_with(&["太大"]);
    check(".").fails_with(&[]);

    let mut list = world.trust_list(8);
    list.bundle_keys[0].state = KeyState::Retired;
    world.write_bundle("retired.cose", &list, 43, BUNDLED);
    check("retired.cose").fails_with(&["停用"]);
}

#[test]
fn text_from_standard_input() {
    let world = World::new();
    let card = world.card();
    let digits = card.split('#').next_back().unwrap().to_owned();
    let wide: String = digits.chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0xff10).unwrap()).collect();
    let spaced: String =
        digits.as_bytes().chunks(40).map(|line| format!("{}\r\n", str::from_utf8(line).unwrap())).collect();
    let bom = format!("\u{feff}{card}\n");
    for input in [&card, &format!("{card}\n"), &format!("{card}\r\n"), &digits, &wide, &spaced, &bom] {
        let run = world.check_with_input(&["-", "--root", "root.pub", "--bundle", "bundle.cose"], input.as_bytes());
        assert_eq!(run.code, 0, "{input}: {run:?}");
    }
    let json =
        |input: &[u8]| world.check_with_input(&["-", "--root", "root.pub", "--bundle", "bundle.cose", "--json"], input);
    json(b"").judged(4, "reject", "malformed");
    json(&[0xff; 500]).judged(4, "reject", "malformed");
    // Bounded: what follows is not read.
    json(&vec![b'7'; 4 << 20]).judged(4, "reject", "malformed");
}

#[test]
fn usage_errors_exit_2() {
    let world = World::new();
    let card = world.card();
    let card = card.as_str();
    let usage = |args: &[&str]| {
        let run: Run = world.check(args);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}: {run:?}");
        assert!(run.err.contains("Usage") || run.err.contains("error:"), "{run:?}");
    };
    usage(&[]);
    usage(&[card]);
    usage(&[card, "--root", "root.pub"]);
    usage(&[card, "--bundle", "bundle.cose"]);
    usage(&["--root", "root.pub", "--bundle", "bundle.cose"]);
    usage(&[card, "--image", "x.png", "--root", "root.pub", "--bundle", "bundle.cose"]);
    usage(&[card, card, "--root", "root.pub", "--bundle", "bundle.cose"]);
    for age in ["7", "d", "7y", "-7d", "1.5d", "99999999999999999999d", "999999999999999999w", ""] {
        usage(&[card, "--root", "root.pub", "--bundle", "bundle.cose", "--max-age", age]);
    }
    for at in ["now", "2026-11-23", "2026-11-23T08:00:00"] {
        usage(&[card, "--root", "root.pub", "--bundle", "bundle.cose", "--at", at]);
    }
}

#[test]
fn help_is_english_and_names_the_exit_statuses() {
    let world = World::new();
    let run = world.check(&["--help"]);
    assert_eq!(run.code, 0);
    for word in ["Exit status: 0 accept, 3 caution, 4 reject, 1 error, 2 usage", "--root", "--state", "--max-age"] {
        assert!(run.out.contains(word), "{word}: {}", run.out);
    }
    assert!(run.out.is_ascii(), "{}", run.out);
}

#[test]
fn without_holder_or_star() {
    let world = World::new();
    let plain =
        Claims { holder: None, star: 0, number: CertificateNumber::from_parts(0, 1).unwrap(), ..world.claims() };
    let run = world.check_text(&world.signed(&plain), &[]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("有效 · 注册志愿者") && run.out.contains("☆☆☆☆☆ 注册志愿者"), "{}", run.out);
    assert!(!run.out.contains("持证人    "), "{}", run.out);
}

#[test]
fn the_age_of_the_data_is_said_in_words() {
    let world = World::new();
    for (at, words) in [
        ("2026-11-23T20:00:30Z", "刚刚"),
        (NOW, "30 分钟前"),
        ("2026-11-23T23:10:00Z", "3 小时前"),
        ("2026-11-26T20:00:00Z", "3 天前"),
        ("2026-12-25T20:00:00Z", "32 天前"),
    ] {
        let run = world.check_text(&world.card(), &["--at", at]);
        assert!(run.out.contains(&format!("数据时间  {words}（2026-11-24 04:00，第 42 版）")), "{}", run.out);
    }
}
