//! Each reason, the order where two apply, the JSON and the words.

use serde_json::json;
use zyz_credential::*;

use crate::support::*;

fn at(text: &str, state: &TrustState, now: u64) -> (Outcome, Reason) {
    let verdict = judge(text, state, now, None);
    assert_eq!(verdict.verdict, verdict.reason.outcome());
    assert_eq!(
        verdict.certificate.is_some(),
        verdict.reason > Reason::BadSignature,
        "certificate once the signature held"
    );
    assert_eq!(verdict.offers.is_some(), verdict.verdict != Outcome::Reject, "offers for accept and caution");
    assert_eq!(verdict.malformed.is_some(), verdict.reason == Reason::Malformed);
    (verdict.verdict, verdict.reason)
}

fn rejected(reason: Reason) -> (Outcome, Reason) {
    (Outcome::Reject, reason)
}

fn good_state() -> TrustState {
    state_with(&bundle())
}

/// A state in which one list entry of the usual key is changed.
fn state_where(change: impl FnOnce(&mut IssuingKey)) -> TrustState {
    let mut list = trust_list();
    change(&mut list.issuing_keys[0]);
    state_with(&bundle_of(&list))
}

/// A state in which the usual card stands in one of the sets.
fn state_listing(pick: impl FnOnce(&mut ListStatus) -> &mut StatusSet) -> TrustState {
    let mut bundle = bundle();
    *pick(&mut bundle.lists[0]) = set(&[5, claims().status, 900_000]);
    state_with(&bundle)
}

#[test]
fn ok() {
    assert_eq!(at(&code(&claims(), &issuing()), &good_state(), NOW), (Outcome::Accept, Reason::Ok));
}

#[test]
fn malformed() {
    let state = good_state();
    let good = code(&claims(), &issuing());
    for text in ["", "你好", "https://zyz.example.cn/", "0200012349", &good[..good.len() - 1], &format!("{good}0")] {
        assert_eq!(at(text, &state, NOW), rejected(Reason::Malformed), "{text}");
    }
    let cause = judge("#12x", &state, NOW, None).malformed;
    assert_eq!(cause, Some(Malformed::Digits(DigitsError::NotADigit)));
    let cause = judge("#001", &state, NOW, None).malformed;
    assert_eq!(cause, Some(Malformed::Credential(CredentialError::Encoding(EncodingError::MissingTag))));
}

#[test]
fn unknown_key() {
    assert_eq!(at(&code(&claims(), &key(77)), &good_state(), NOW), rejected(Reason::UnknownKey));
    assert_eq!(at(&code(&claims(), &bundling()), &good_state(), NOW), rejected(Reason::UnknownKey), "a bundle key");
    assert_eq!(at(&code(&claims(), &root()), &good_state(), NOW), rejected(Reason::UnknownKey), "the root");
}

#[test]
fn nothing_loaded_yet() {
    let verdict = judge(&code(&claims(), &issuing()), &fresh_state(), NOW, None);
    assert_eq!((verdict.verdict, verdict.reason), rejected(Reason::UnknownKey));
    assert_eq!(verdict.status, None);
    let mut state = good_state();
    state = TrustState::restore(PublicKey::of(&root()).as_bytes(), &state.ratchet().to_bytes()).unwrap();
    assert_eq!(
        at(&code(&claims(), &issuing()), &state, NOW),
        rejected(Reason::UnknownKey),
        "restored, bundle not read"
    );
}

#[test]
fn bad_signature() {
    let mut bytes = sign_credential(&claims(), &issuing()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(at(&code_text("", &bytes), &good_state(), NOW), rejected(Reason::BadSignature));
    // One star more than was signed.
    let mut bytes = sign_credential(&claims(), &issuing()).unwrap();
    let star = bytes.windows(2).position(|window| window == [0x83, 0x03]).unwrap() + 1;
    bytes[star] = 5;
    assert_eq!(at(&code_text("", &bytes), &good_state(), NOW), rejected(Reason::BadSignature));
}

#[test]
fn keys_that_share_a_key_id() {
    let (one, two) = colliding_keys();
    assert_eq!(PublicKey::of(&one).key_id(), PublicKey::of(&two).key_id());
    let mut list = trust_list();
    list.issuing_keys = vec![issuing_entry(&one, KeyState::Compromised), issuing_entry(&two, KeyState::Active)];
    let state = state_with(&bundle_of(&list));
    // The state of the key under which the signature holds counts, not that of the first with the id.
    assert_eq!(at(&code(&claims(), &two), &state, NOW), (Outcome::Accept, Reason::Ok));
    assert_eq!(at(&code(&claims(), &one), &state, NOW), rejected(Reason::KeyCompromised));
    // And so does its own list.
    list.issuing_keys[0].state = KeyState::Retired;
    let mut bundle = bundle_of(&list);
    let revoking = bundle.lists.iter_mut().find(|list| list.issuing_key == PublicKey::of(&one).thumbprint()).unwrap();
    revoking.revoked = set(&[claims().status]);
    let state = state_with(&bundle);
    assert_eq!(at(&code(&claims(), &one), &state, NOW), rejected(Reason::Revoked));
    assert_eq!(at(&code(&claims(), &two), &state, NOW), (Outcome::Accept, Reason::Ok));
    let mut bytes = sign_credential(&claims(), &one).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(at(&code_text("", &bytes), &state, NOW), rejected(Reason::BadSignature), "under neither");
}

#[test]
fn key_compromised() {
    let state = state_where(|key| key.state = KeyState::Compromised);
    assert_eq!(at(&code(&claims(), &issuing()), &state, NOW), rejected(Reason::KeyCompromised));
}

#[test]
fn retired_keys_cards_stay_good() {
    let state = state_where(|key| key.state = KeyState::Retired);
    assert_eq!(at(&code(&claims(), &issuing()), &state, NOW), (Outcome::Accept, Reason::Ok));
}

#[test]
fn key_not_valid() {
    let card = code(&claims(), &issuing());
    let early = state_where(|key| key.not_before = claims().issued_at + 1);
    assert_eq!(at(&card, &early, NOW), rejected(Reason::KeyNotValid));
    let late = state_where(|key| key.not_after = claims().issued_at - 1);
    assert_eq!(at(&card, &late, NOW), rejected(Reason::KeyNotValid));
    let edge = state_where(|key| (key.not_before, key.not_after) = (claims().issued_at, claims().issued_at));
    assert_eq!(at(&card, &edge, NOW), (Outcome::Accept, Reason::Ok), "both ends belong to it");
}

#[test]
fn not_yet_valid() {
    let state = good_state();
    let issued = |ahead| code(&Claims { issued_at: NOW + ahead, ..claims() }, &issuing());
    assert_eq!(at(&issued(301), &state, NOW), rejected(Reason::NotYetValid));
    assert_eq!(at(&issued(300), &state, NOW), (Outcome::Accept, Reason::Ok), "five minutes are forgiven");
}

#[test]
fn expired() {
    let mut bundle = bundle();
    bundle.expires_at = LATE;
    let state = state_with(&bundle);
    let card = code(&claims(), &issuing());
    assert_eq!(at(&card, &state, CARD_EXPIRES - 1), (Outcome::Accept, Reason::Ok));
    assert_eq!(at(&card, &state, CARD_EXPIRES), rejected(Reason::Expired), "RFC 8392: on or after");
}

#[test]
fn revoked() {
    let state = state_listing(|list| &mut list.revoked);
    assert_eq!(at(&code(&claims(), &issuing()), &state, NOW), rejected(Reason::Revoked));
    let neighbour = Claims { status: claims().status + 1, ..claims() };
    assert_eq!(at(&code(&neighbour, &issuing()), &state, NOW), (Outcome::Accept, Reason::Ok));
}

#[test]
fn suspended() {
    let state = state_listing(|list| &mut list.suspended);
    assert_eq!(at(&code(&claims(), &issuing()), &state, NOW), rejected(Reason::Suspended));
}

#[test]
fn superseded() {
    let state = state_listing(|list| &mut list.superseded);
    assert_eq!(at(&code(&claims(), &issuing()), &state, NOW), rejected(Reason::Superseded));
}

#[test]
fn status_stale_past_the_bundles_expiry() {
    let card = code(&claims(), &issuing());
    let state = good_state();
    assert_eq!(at(&card, &state, BUNDLE_EXPIRES - 1), (Outcome::Accept, Reason::Ok));
    assert_eq!(at(&card, &state, BUNDLE_EXPIRES), (Outcome::Caution, Reason::StatusStale));
}

#[test]
fn status_stale_past_the_trust_lists_expiry() {
    let list = TrustList { expires_at: NOW, ..trust_list() };
    let state = state_with(&bundle_of(&list));
    assert_eq!(at(&code(&claims(), &issuing()), &state, NOW), (Outcome::Caution, Reason::StatusStale));
}

#[test]
fn status_stale_past_the_partners_own_limit() {
    let card = code(&claims(), &issuing());
    let reason = |max_age| judge(&card, &good_state(), NOW, Some(max_age)).reason;
    assert_eq!(reason(1800), Reason::Ok);
    assert_eq!(reason(1799), Reason::StatusStale);
}

#[test]
fn clock_suspect() {
    let earlier = Claims { issued_at: TRUST_ISSUED, ..claims() };
    let card = code(&earlier, &issuing());
    let state = good_state();
    assert_eq!(at(&card, &state, BUNDLE_ISSUED), (Outcome::Accept, Reason::Ok));
    assert_eq!(at(&card, &state, BUNDLE_ISSUED - 1), (Outcome::Caution, Reason::ClockSuspect));
    assert_eq!(at(&card, &state, 0), (Outcome::Caution, Reason::ClockSuspect));
    assert_eq!(judge(&card, &state, 0, None).status.unwrap().age_seconds, 0);
}

#[test]
fn a_clock_set_back_revives_no_card() {
    let dead = Claims { issued_at: NEW_YEAR, expires_at: BUNDLE_ISSUED, ..claims() };
    let card = code(&dead, &issuing());
    for now in [0, NEW_YEAR, BUNDLE_ISSUED - 1, BUNDLE_ISSUED, NOW] {
        assert_eq!(at(&card, &good_state(), now), rejected(Reason::Expired), "{now}");
    }
}

/// Every pair of reasons that can meet: the one named first in the contract wins.
#[test]
fn the_first_that_applies() {
    let mut list = trust_list();
    list.issuing_keys[0].state = KeyState::Compromised;
    list.issuing_keys[0].not_after = NEW_YEAR;
    let state = state_with(&bundle_of(&list));
    let expired = Claims { expires_at: NOW + 1, ..claims() };
    assert_eq!(at(&code(&expired, &issuing()), &state, LATE), rejected(Reason::KeyCompromised));

    // Unknown key before bad signature; malformed before both.
    let mut bytes = sign_credential(&claims(), &key(77)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(at(&code_text("", &bytes), &state, NOW), rejected(Reason::UnknownKey));
    bytes.push(0);
    assert_eq!(at(&code_text("", &bytes), &state, NOW), rejected(Reason::Malformed));

    // Bad signature before key state.
    let mut bytes = sign_credential(&claims(), &issuing()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(at(&code_text("", &bytes), &state, NOW), rejected(Reason::BadSignature));

    // Key not valid before not yet valid and before expired.
    let state = state_where(|key| key.not_after = NEW_YEAR);
    let future = Claims { issued_at: NOW + 4000, ..claims() };
    assert_eq!(at(&code(&future, &issuing()), &state, NOW), rejected(Reason::KeyNotValid));
    assert_eq!(at(&code(&expired, &issuing()), &state, LATE), rejected(Reason::KeyNotValid));

    // Not yet valid and expired each before the sets and staleness; not yet valid before a clock that is suspect.
    for pick in [|l: &mut ListStatus| &mut l.revoked, |l| &mut l.suspended, |l| &mut l.superseded]
        as [fn(&mut ListStatus) -> &mut StatusSet; 3]
    {
        let state = state_listing(pick);
        assert_eq!(at(&code(&future, &issuing()), &state, NOW), rejected(Reason::NotYetValid));
        assert_eq!(at(&code(&future, &issuing()), &state, 0), rejected(Reason::NotYetValid));
        assert_eq!(at(&code(&expired, &issuing()), &state, LATE), rejected(Reason::Expired));
        // The sets before staleness and before the clock.
        let card = code(&Claims { issued_at: TRUST_ISSUED, ..claims() }, &issuing());
        for now in [0, BUNDLE_EXPIRES] {
            let (verdict, reason) = at(&card, &state, now);
            assert_eq!(verdict, Outcome::Reject);
            assert!((Reason::Revoked..=Reason::Superseded).contains(&reason), "{reason:?}");
        }
    }

    // Stale before a suspect clock.
    let mut bundle = bundle();
    bundle.trust_list = TrustList { issued_at: BUNDLE_EXPIRES, ..trust_list() }.sign(&root()).unwrap();
    let state = state_with(&bundle);
    assert_eq!(at(&code(&claims(), &issuing()), &state, NOW), (Outcome::Caution, Reason::StatusStale));
}

fn state_with_offers() -> TrustState {
    let mut bundle = bundle();
    let mut five = Offer::new("bus", OfferKind::Free, "免费乘车");
    five.min_star = 5;
    let mut museum = Offer::new("museum", OfferKind::Free, "免费参观");
    museum.max_status_age = Some(60);
    bundle.offers = vec![
        five,
        Offer::new("clinic", OfferKind::Priority, "优先就诊"),
        Offer::new("tea", OfferKind::Discount, "全场九折"),
        museum,
        Offer::new("water", OfferKind::Free, "免费饮水"),
    ];
    state_with(&bundle)
}

#[test]
fn offers_the_best_first() {
    let verdict = judge(&code(&claims(), &issuing()), &state_with_offers(), NOW, None);
    let offers: Vec<_> = verdict.offers.unwrap().into_iter().map(|o| (o.offer.id.clone(), o.eligibility)).collect();
    let expected = [
        ("water", Ok(())),
        ("tea", Ok(())),
        ("clinic", Ok(())),
        ("bus", Err(Ineligible::StarTooLow)),
        ("museum", Err(Ineligible::StatusTooOld)),
    ];
    assert_eq!(offers, expected.map(|(id, eligibility)| (id.to_owned(), eligibility)));
}

#[test]
fn json_of_the_contracts_example() {
    let mut bundle = bundle();
    bundle.offers = vec![Offer::new("tea-9", OfferKind::Discount, "全场九折")];
    let verdict = judge(&code(&claims(), &issuing()), &state_with(&bundle), NOW, None);
    assert_eq!(
        serde_json::to_string(&verdict).unwrap(),
        concat!(
            r#"{"verdict":"accept","reason":"ok","message":"有效 · 三星级志愿者","#,
            r#""certificate":{"number":"0200012349","star":3,"holder":"张**","issued_at":"2026-11-23T08:00:00Z","#,
            r#""expires_at":"2027-12-31T15:59:59Z","key_id":"01565176"},"#,
            r#""status":{"as_of":"2026-11-23T07:30:00Z","age_seconds":1800,"bundle_version":42},"#,
            r#""offers":[{"id":"tea-9","kind":"discount","title":"全场九折","eligible":true,"min_star":0}],"#,
            r#""holder_check":"请核对持证人与证件姓名、照片是否一致"}"#,
        )
    );
}

#[test]
fn json_leaves_out_what_does_not_apply() {
    let state = state_with_offers();
    let status = json!({"as_of": "2026-11-23T07:30:00Z", "age_seconds": 1800, "bundle_version": 42});
    let verdict = judge("001", &state, NOW, None);
    let message = verdict.message.clone();
    assert_eq!(
        serde_json::to_value(&verdict).unwrap(),
        json!({"verdict": "reject", "reason": "malformed", "message": message, "status": status})
    );
    let verdict = judge("001", &fresh_state(), NOW, None);
    let message = verdict.message.clone();
    assert_eq!(
        serde_json::to_value(&verdict).unwrap(),
        json!({"verdict": "reject", "reason": "malformed", "message": message})
    );
    let masked = Claims { holder: None, ..claims() };
    let verdict = serde_json::to_value(judge(&code(&masked, &issuing()), &state, NOW, None)).unwrap();
    assert_eq!(verdict["certificate"].get("holder"), None);
    assert_eq!(
        verdict["offers"][3],
        json!({"id": "bus", "kind": "free", "title": "免费乘车", "eligible": false, "reason": "star_too_low",
            "min_star": 5})
    );
    let state = state_listing(|list| &mut list.revoked);
    let verdict = serde_json::to_value(judge(&code(&claims(), &issuing()), &state, NOW, None)).unwrap();
    assert_eq!(verdict["reason"], "revoked");
    assert_eq!(verdict["certificate"]["star"], 3);
    assert_eq!((verdict.get("offers"), verdict.get("holder_check")), (None, None));
}

#[test]
fn reasons_and_ineligibilities_as_programs_read_them() {
    use Reason::*;
    let reasons = [
        Malformed,
        UnknownKey,
        BadSignature,
        KeyCompromised,
        KeyNotValid,
        NotYetValid,
        Expired,
        Revoked,
        Suspended,
        Superseded,
        StatusStale,
        ClockSuspect,
        Ok,
    ];
    assert_eq!(
        serde_json::to_value(reasons).unwrap(),
        json!([
            "malformed",
            "unknown_key",
            "bad_signature",
            "key_compromised",
            "key_not_valid",
            "not_yet_valid",
            "expired",
            "revoked",
            "suspended",
            "superseded",
            "status_stale",
            "clock_suspect",
            "ok"
        ])
    );
    use Ineligible::*;
    assert_eq!(
        serde_json::to_value([
            StarTooLow,
            NotYet,
            Over,
            NotToday,
            NotInHours,
            StatusTooOld,
            UsedToday,
            UsedThisMonth,
            UsedUp
        ])
        .unwrap(),
        json!([
            "star_too_low",
            "not_yet",
            "over",
            "not_today",
            "not_in_hours",
            "status_too_old",
            "used_today",
            "used_this_month",
            "used_up"
        ])
    );
    assert_eq!(
        serde_json::to_value([Outcome::Accept, Outcome::Caution, Outcome::Reject]).unwrap(),
        json!(["accept", "caution", "reject"])
    );
    assert_eq!(
        serde_json::to_value([OfferKind::Priority, OfferKind::Discount, OfferKind::Free]).unwrap(),
        json!(["priority", "discount", "free"])
    );
}

#[test]
fn words_for_people() {
    let good = code(&claims(), &issuing());
    let mut broken = sign_credential(&claims(), &issuing()).unwrap();
    *broken.last_mut().unwrap() ^= 1;
    let long_lived = {
        let mut b = bundle();
        b.expires_at = LATE;
        state_with(&b)
    };
    let future = code(&Claims { issued_at: NOW + 4000, ..claims() }, &issuing());
    let early = code(&Claims { issued_at: TRUST_ISSUED, ..claims() }, &issuing());
    let cases: Vec<(String, TrustState, u64)> = vec![
        ("x".into(), good_state(), NOW),
        (good.clone(), fresh_state(), NOW),
        (code(&claims(), &key(77)), good_state(), NOW),
        (code_text("", &broken), good_state(), NOW),
        (good.clone(), state_where(|key| key.state = KeyState::Compromised), NOW),
        (good.clone(), state_where(|key| key.not_after = NEW_YEAR), NOW),
        (future, good_state(), NOW),
        (good.clone(), long_lived, CARD_EXPIRES),
        (good.clone(), state_listing(|list| &mut list.revoked), NOW),
        (good.clone(), state_listing(|list| &mut list.suspended), NOW),
        (good.clone(), state_listing(|list| &mut list.superseded), NOW),
        (good, good_state(), BUNDLE_EXPIRES),
        (early, good_state(), 0),
    ];
    let mut messages: Vec<String> = Vec::new();
    for (text, state, now) in cases {
        let message = judge(&text, &state, now, None).message.into_owned();
        assert!(message.contains('请') && message.ends_with('。'), "says what to do: {message}");
        assert!(!message.chars().any(|c| c.is_ascii_alphabetic()), "no English: {message}");
        assert!(!message.contains("验证失败"));
        assert!(!messages.contains(&message), "two reasons, two messages: {message}");
        messages.push(message);
    }
    assert!(messages[7].contains("有效期至 2027-12-31"), "the day in Beijing: {}", messages[7]);
    assert!(messages[11].contains("数据时间 2026-11-23 15:30"), "Beijing time: {}", messages[11]);
    for (star, word) in ["注册", "一星级", "二星级", "三星级", "四星级", "五星级"].iter().enumerate() {
        let card = code(&Claims { star: star as u8, ..claims() }, &issuing());
        assert_eq!(judge(&card, &good_state(), NOW, None).message, format!("有效 · {word}志愿者"));
    }
}

#[test]
fn however_the_code_arrives() {
    let state = good_state();
    let text = code(&claims(), &issuing());
    let digits = text.split('#').nth(1).unwrap();
    let full_width: String = digits.chars().map(|c| char::from_u32(c as u32 - 0x30 + 0xFF10).unwrap()).collect();
    let broken_up: String =
        digits.as_bytes().chunks(40).map(|line| format!("{}\r\n", str::from_utf8(line).unwrap())).collect();
    for text in [
        digits.to_owned(),
        full_width,
        broken_up.clone(),
        format!("链接 12 #{broken_up}"),
        format!("扫码结果（3）：{digits}，请核对"),
    ] {
        assert_eq!(at(&text, &state, NOW), (Outcome::Accept, Reason::Ok), "{text}");
    }
}

#[test]
fn extreme_times() {
    let card = code(&claims(), &issuing());
    assert_eq!(at(&card, &good_state(), u64::MAX), rejected(Reason::Expired));
    let verdict = judge("x", &good_state(), u64::MAX, Some(0));
    assert_eq!(verdict.status.unwrap().age_seconds, u64::MAX - BUNDLE_ISSUED);
    let forever = code(&Claims { expires_at: MAX_TIME, ..claims() }, &issuing());
    let json = serde_json::to_value(judge(&forever, &good_state(), NOW, None)).unwrap();
    assert_eq!(json["certificate"]["expires_at"], "9998-12-31T23:59:59Z");
}
