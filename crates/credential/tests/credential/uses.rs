//! Uses against limits: Beijing's days and months, each limit, and the order of offers afterwards.

use serde_json::json;
use zyz_credential::*;

use crate::support::*;

const DAY: u64 = 86_400;
/// 2026-11-22T16:00:00Z: the Monday of NOW begins in Beijing.
const MIDNIGHT: u64 = 1_795_363_200;
/// 2026-10-31T16:00:00Z: November begins in Beijing.
const FIRST: u64 = MIDNIGHT - 22 * DAY;

fn limits(per_day: u32, per_month: u32, in_all: u32) -> OfferLimits {
    let limit = |most| (most > 0).then_some(most);
    OfferLimits { per_day: limit(per_day), per_month: limit(per_month), in_all: limit(in_all) }
}

#[test]
fn without_limits_nothing_is_reached() {
    assert_eq!(OfferLimits::default().reached(&[NOW; 1000], NOW), None);
    assert!(OfferLimits::default().are_none());
}

#[test]
fn a_day_is_beijings() {
    let once = limits(1, 0, 0);
    assert_eq!(once.reached(&[], NOW), None);
    assert_eq!(once.reached(&[MIDNIGHT - 1], NOW), None, "yesterday, 23:59:59");
    assert_eq!(once.reached(&[MIDNIGHT], NOW), Some(Ineligible::UsedToday), "today, 00:00:00");
    assert_eq!(once.reached(&[MIDNIGHT], MIDNIGHT + DAY - 1), Some(Ineligible::UsedToday), "at 23:59:59");
    assert_eq!(once.reached(&[MIDNIGHT], MIDNIGHT + DAY), None, "the next day");
    let twice = limits(2, 0, 0);
    assert_eq!(twice.reached(&[MIDNIGHT - 5, NOW], NOW), None);
    assert_eq!(twice.reached(&[NOW, MIDNIGHT - 5, MIDNIGHT], NOW), Some(Ineligible::UsedToday));
}

#[test]
fn a_month_is_beijings() {
    let once = limits(0, 1, 0);
    assert_eq!(once.reached(&[FIRST - 1], NOW), None, "31 October, 23:59:59");
    assert_eq!(once.reached(&[FIRST], NOW), Some(Ineligible::UsedThisMonth), "1 November, 00:00:00");
    let december = FIRST + 30 * DAY;
    assert_eq!(once.reached(&[FIRST], december - 1), Some(Ineligible::UsedThisMonth));
    assert_eq!(once.reached(&[FIRST], december), None);
    assert_eq!(once.reached(&[FIRST - 365 * DAY], FIRST), None, "the same month a year ago");
}

#[test]
fn in_all_is_for_ever() {
    let thrice = limits(0, 0, 3);
    assert_eq!(thrice.reached(&[0, NEW_YEAR], NOW), None);
    assert_eq!(thrice.reached(&[0, NEW_YEAR, NOW + DAY], NOW), Some(Ineligible::UsedUp));
}

#[test]
fn the_shortest_span_is_named_first() {
    let all = limits(1, 1, 1);
    assert_eq!(all.reached(&[NOW], NOW), Some(Ineligible::UsedToday));
    assert_eq!(all.reached(&[MIDNIGHT - 1], NOW), Some(Ineligible::UsedThisMonth));
    assert_eq!(all.reached(&[NEW_YEAR], NOW), Some(Ineligible::UsedUp));
}

#[test]
fn extreme_times() {
    assert_eq!(limits(1, 0, 0).reached(&[u64::MAX, 0], u64::MAX), Some(Ineligible::UsedToday));
    assert_eq!(limits(1, 1, 0).reached(&[u64::MAX], 0), None);
}

fn limited(id: &str, kind: OfferKind, limits: OfferLimits) -> Offer {
    Offer { limits, ..Offer::new(id, kind, "一") }
}

fn state() -> TrustState {
    let mut bundle = bundle();
    bundle.offers = vec![
        Offer { min_star: 5, ..limited("star", OfferKind::Free, limits(1, 0, 0)) },
        limited("day", OfferKind::Free, limits(1, 0, 0)),
        limited("month", OfferKind::Discount, limits(5, 2, 0)),
        Offer { min_star: 4, ..Offer::new("four", OfferKind::Discount, "一") },
        limited("all", OfferKind::Discount, limits(0, 0, 1)),
        Offer::new("queue", OfferKind::Priority, "一"),
    ];
    state_with(&bundle)
}

#[test]
fn offers_are_judged_and_sorted_anew() {
    let mut verdict = judge(&code(&claims(), &issuing()), &state(), NOW, None);
    verdict.count_uses(NOW, |number, id| {
        assert_eq!(number.as_str(), "0200012349");
        match id {
            "day" => vec![NOW - 60],
            "month" => vec![NOW - 60, NOW - 10 * DAY],
            "all" => vec![],
            other => panic!("{other} has no limit, or is out of the question anyway"),
        }
    });
    let offers: Vec<_> =
        verdict.offers.iter().flatten().map(|judged| (judged.offer.id.as_str(), judged.eligibility)).collect();
    let expected = [
        ("all", Ok(())),
        ("queue", Ok(())),
        ("star", Err(Ineligible::StarTooLow)),
        ("day", Err(Ineligible::UsedToday)),
        ("month", Err(Ineligible::UsedThisMonth)),
        ("four", Err(Ineligible::StarTooLow)),
    ];
    assert_eq!(offers, expected);
    assert_eq!((verdict.verdict, verdict.reason), (Outcome::Accept, Reason::Ok), "the card is as good as before");
}

/// A ledger leaves out what was taken back, so the card may use the offer again.
#[test]
fn a_use_taken_back_does_not_count() {
    let ledger = [(NOW - 60, true), (NOW - 30, false)];
    let uses = |until: usize| {
        let kept = ledger[..until].iter().filter(|(_, reversed)| !reversed);
        kept.map(|(at, _)| *at).collect::<Vec<_>>()
    };
    assert_eq!(limits(1, 0, 0).reached(&uses(1), NOW), None);
    assert_eq!(limits(1, 0, 0).reached(&uses(2), NOW), Some(Ineligible::UsedToday));
}

#[test]
fn a_rejected_card_has_no_offers_to_count() {
    let mut verdict = judge("x", &state(), NOW, None);
    let before = verdict.clone();
    verdict.count_uses(NOW, |_, _| panic!("there is no number"));
    assert_eq!(verdict, before);
}

#[test]
fn json_of_an_offer_with_everything() {
    let mut bundle = bundle();
    bundle.offers = vec![Offer {
        terms: "每日一次".into(),
        min_star: 2,
        identity_check: true,
        ..limited("tea-9", OfferKind::Discount, limits(1, 0, 12))
    }];
    let mut verdict = judge(&code(&claims(), &issuing()), &state_with(&bundle), NOW, None);
    verdict.count_uses(NOW, |_, _| vec![NOW]);
    assert_eq!(
        serde_json::to_value(&verdict).unwrap()["offers"],
        json!([{
            "id": "tea-9", "kind": "discount", "title": "一", "eligible": false, "reason": "used_today", "min_star": 2,
            "terms": "每日一次", "limits": {"per_day": 1, "in_all": 12}, "identity_check": true,
        }])
    );
}
