//! Uses of offers as devices send them, to the second and to the limit.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use zyz::domain::certificate::Reason;
use zyz::domain::partner::PartnerId;
use zyz::service::enrol::PartnerDevice;
use zyz::service::keys::RootAccess;
use zyz::service::partners::UsageCounts;
use zyz::service::redeem::RedeemError;
use zyz_credential::{Claims, KeyId, OfferLimits};
use zyz_http::wire::{
    BatchResult, EntryOutcome, MAX_BATCH, Redemption, RedemptionBatch, RedemptionResult, Reversal, Standing,
};

use crate::office::{Office, at, on_both};

on_both![
    a_use_is_recorded,
    a_batch_repeated_changes_nothing,
    the_same_id_twice_in_one_batch,
    an_id_with_other_content,
    an_id_of_another_partner,
    an_id_of_the_other_kind,
    another_device_may_send_the_queue,
    entries_of_a_wrong_form_are_refused,
    a_clock_a_day_ahead,
    standing_before_at_and_after_a_change,
    standing_of_the_card_that_was_shown,
    standing_past_validity,
    standing_under_a_stolen_key,
    unknown_numbers_and_offers_are_recorded,
    over_the_limit_over_all_devices,
    over_the_limit_in_the_order_given_not_sent,
    another_partner_has_limits_of_its_own,
    taken_back_in_the_same_batch,
    taken_back_later,
    taken_back_before_it_came,
    taken_back_twice,
    a_reversal_of_another_partners_use,
    a_batch_too_large,
    one_event_a_batch,
    two_devices_at_once,
    usage_by_days,
];

type Card = (String, Claims, KeyId);

/// A UUIDv7 of its own for each `n`.
pub fn id(n: u16) -> Uuid {
    let [a, b] = n.to_be_bytes();
    uuid::Builder::from_unix_timestamp_millis(1_795_000_000_000, &[a, b, 0, 0, 0, 0, 0, 0, 0, 1]).into_uuid()
}

/// An offer given now.
pub fn used(office: &Office, n: u16, (_, claims, key_id): &Card, offer: &str) -> Redemption {
    Redemption {
        id: id(n),
        offer: offer.into(),
        number: claims.number.to_string(),
        key_id: key_id.to_string(),
        issued_at: Timestamp::from_second(claims.issued_at as i64).unwrap(),
        redeemed_at: office.now(),
        bundle_version: 1,
    }
}

pub fn reversal(office: &Office, n: u16, redemption: Uuid) -> Reversal {
    Reversal { id: id(n), redemption, reversed_at: office.now() }
}

pub fn batch<const N: usize, const M: usize>(uses: [Redemption; N], reversals: [Reversal; M]) -> RedemptionBatch {
    RedemptionBatch { redemptions: uses.into(), reversals: reversals.into() }
}

/// A volunteer's card, a partner with one offer, and a device.
struct Scene {
    card: Card,
    partner: PartnerId,
    offer: String,
    device: PartnerDevice,
}

async fn scene(office: &Office, limits: OfferLimits) -> Scene {
    let number = office.volunteers(1).await[0];
    let partner = office.partner(1).await;
    let offer = office.offer(partner, limits).await;
    let device = office.device(partner).await;
    office.pass(3600);
    Scene { card: office.card(number).await, partner, offer, device }
}

impl Scene {
    async fn send<const N: usize>(&self, office: &Office, uses: [Redemption; N]) -> Vec<RedemptionResult> {
        office.federation.redeem(&self.device, &batch(uses, [])).await.unwrap().redemptions
    }

    async fn undo(&self, office: &Office, reversals: [Reversal; 1]) -> EntryOutcome {
        office.federation.redeem(&self.device, &batch([], reversals)).await.unwrap().reversals[0].outcome
    }

    async fn total(&self, office: &Office) -> UsageCounts {
        office.federation.partner_usage(self.partner, None, None).await.unwrap().total
    }

    fn used(&self, office: &Office, n: u16) -> Redemption {
        used(office, n, &self.card, &self.offer)
    }
}

fn result(n: u16, outcome: EntryOutcome, standing: Standing, over_limit: bool) -> RedemptionResult {
    RedemptionResult { id: id(n), outcome, standing, over_limit }
}

fn recorded(n: u16, over_limit: bool) -> RedemptionResult {
    result(n, EntryOutcome::Recorded, Standing::Valid, over_limit)
}

fn daily() -> OfferLimits {
    OfferLimits { per_day: Some(1), ..OfferLimits::default() }
}

async fn a_use_is_recorded(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    assert_eq!(scene.send(&office, [scene.used(&office, 1)]).await, [recorded(1, false)]);
    assert_eq!(scene.total(&office).await, UsageCounts { uses: 1, valid: 1, ..UsageCounts::default() });
    let empty = office.federation.redeem(&scene.device, &RedemptionBatch::default()).await.unwrap();
    assert!(empty.redemptions.is_empty() && empty.reversals.is_empty());
}

async fn a_batch_repeated_changes_nothing(office: Office) {
    let scene = scene(&office, daily()).await;
    let sent = batch(
        [scene.used(&office, 1), scene.used(&office, 2), scene.used(&office, 3)],
        [reversal(&office, 4, id(1)), reversal(&office, 5, id(99))],
    );
    let first = office.federation.redeem(&scene.device, &sent).await.unwrap();
    let (total, seq) = (scene.total(&office).await, office.federation.state_seq().await.unwrap());
    let outcomes = |result: &BatchResult| result.reversals.iter().map(|entry| entry.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(&first), [EntryOutcome::Recorded, EntryOutcome::Unmatched]);
    office.pass(60);
    let again = office.federation.redeem(&scene.device, &sent).await.unwrap();
    for (first, again) in first.redemptions.iter().zip(&again.redemptions) {
        assert_eq!(*again, RedemptionResult { outcome: EntryOutcome::Repeated, ..first.clone() });
    }
    assert_eq!(outcomes(&again), [EntryOutcome::Repeated; 2]);
    assert_eq!(first.redemptions.iter().map(|used| used.over_limit).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!((scene.total(&office).await, office.federation.state_seq().await.unwrap()), (total, seq));
}

async fn the_same_id_twice_in_one_batch(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    let other = Redemption { bundle_version: 2, ..scene.used(&office, 1) };
    let found = scene.send(&office, [scene.used(&office, 1), scene.used(&office, 1), other]).await;
    let outcomes: Vec<_> = found.iter().map(|used| used.outcome).collect();
    assert_eq!(outcomes, [EntryOutcome::Recorded, EntryOutcome::Repeated, EntryOutcome::Conflict]);
    assert_eq!(scene.total(&office).await.uses, 1);
    let undo = reversal(&office, 2, id(1));
    let later = Reversal { reversed_at: office.now() + SignedDuration::from_secs(1), ..undo.clone() };
    let sent = batch([], [undo.clone(), undo, later]);
    let found = office.federation.redeem(&scene.device, &sent).await.unwrap().reversals;
    let outcomes: Vec<_> = found.iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [EntryOutcome::Recorded, EntryOutcome::Repeated, EntryOutcome::Conflict]);
}

async fn an_id_with_other_content(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    let first = scene.used(&office, 1);
    scene.send(&office, [first.clone()]).await;
    let second = SignedDuration::from_secs(1);
    for other in [
        Redemption { offer: "2".into(), ..first.clone() },
        Redemption { number: "0000000001".into(), ..first.clone() },
        Redemption { key_id: "00000000".into(), ..first.clone() },
        Redemption { issued_at: first.issued_at + second, ..first.clone() },
        Redemption { redeemed_at: first.redeemed_at + second, ..first.clone() },
        Redemption { bundle_version: 2, ..first.clone() },
    ] {
        let number_good = other.number == first.number;
        let found = scene.send(&office, [other]).await;
        let outcome = if number_good { EntryOutcome::Conflict } else { EntryOutcome::Refused };
        assert_eq!(found, [result(1, outcome, Standing::Unknown, false)]);
    }
    let half = SignedDuration::from_millis(500);
    let found = scene.send(&office, [Redemption { redeemed_at: first.redeemed_at + half, ..first }]).await;
    assert_eq!(found[0].outcome, EntryOutcome::Repeated, "times count to the second");
}

async fn an_id_of_another_partner(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    scene.send(&office, [scene.used(&office, 1)]).await;
    let elsewhere = office.device(office.partner(2).await).await;
    let sent = batch([scene.used(&office, 1)], []);
    let found = office.federation.redeem(&elsewhere, &sent).await.unwrap().redemptions;
    assert_eq!(found[0].outcome, EntryOutcome::Conflict);
}

async fn an_id_of_the_other_kind(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    scene.send(&office, [scene.used(&office, 1)]).await;
    assert_eq!(scene.undo(&office, [reversal(&office, 1, id(1))]).await, EntryOutcome::Conflict);
    assert_eq!(scene.undo(&office, [reversal(&office, 2, id(1))]).await, EntryOutcome::Recorded);
    assert_eq!(scene.send(&office, [scene.used(&office, 2)]).await[0].outcome, EntryOutcome::Conflict);
}

async fn another_device_may_send_the_queue(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    scene.send(&office, [scene.used(&office, 1)]).await;
    let other = office.device(scene.partner).await;
    let sent = batch([scene.used(&office, 1)], []);
    let found = office.federation.redeem(&other, &sent).await.unwrap().redemptions;
    assert_eq!(found, [result(1, EntryOutcome::Repeated, Standing::Valid, false)]);
}

async fn entries_of_a_wrong_form_are_refused(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    let good = scene.used(&office, 1);
    let v4 = uuid::Builder::from_random_bytes([7; 16]).into_uuid();
    for wrong in [
        Redemption { id: v4, ..good.clone() },
        Redemption { id: Uuid::nil(), ..good.clone() },
        Redemption { number: "123".into(), ..good.clone() },
        Redemption { number: format!("{} ", &good.number[..9]), ..good.clone() },
        Redemption { key_id: "xyz".into(), ..good.clone() },
        Redemption { key_id: "ABCDEF01".into(), ..good.clone() },
        Redemption { offer: String::new(), ..good.clone() },
        Redemption { offer: "九折".into(), ..good.clone() },
        Redemption { offer: "x".repeat(65), ..good.clone() },
        Redemption { bundle_version: u64::MAX, ..good.clone() },
    ] {
        let found = scene.send(&office, [wrong.clone()]).await;
        assert_eq!(found[0].outcome, EntryOutcome::Refused, "{wrong:?}");
    }
    let undo = Reversal { id: v4, ..reversal(&office, 2, id(1)) };
    assert_eq!(scene.undo(&office, [undo]).await, EntryOutcome::Refused);
    assert_eq!(scene.total(&office).await, UsageCounts::default());
}

async fn a_clock_a_day_ahead(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    let day = SignedDuration::from_hours(24);
    let ahead = Redemption { redeemed_at: office.now() + day, ..scene.used(&office, 1) };
    let beyond =
        Redemption { redeemed_at: office.now() + day + SignedDuration::from_secs(1), ..scene.used(&office, 2) };
    let found = scene.send(&office, [ahead, beyond]).await;
    assert_eq!((found[0].outcome, found[1].outcome), (EntryOutcome::Recorded, EntryOutcome::Refused));
    let undo = Reversal { reversed_at: office.now() + day + day, ..reversal(&office, 3, id(1)) };
    assert_eq!(scene.undo(&office, [undo]).await, EntryOutcome::Refused);
}

/// Offline for days: what was given is sent after the card's standing changed, several times.
async fn standing_before_at_and_after_a_change(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    let number = scene.card.1.number;
    let start = office.now();
    office.pass(100);
    office.federation.suspend(number, Reason::Other).await.unwrap();
    office.pass(100);
    office.federation.resume(number, Reason::Resumed).await.unwrap();
    office.pass(100);
    office.federation.revoke(number, Reason::Misuse).await.unwrap();
    office.pass(100);
    let expected = [
        (-7200, Standing::Valid),
        (0, Standing::Valid),
        (99, Standing::Valid),
        (100, Standing::Suspended),
        (199, Standing::Suspended),
        (200, Standing::Valid),
        (299, Standing::Valid),
        (300, Standing::Revoked),
        (400, Standing::Revoked),
    ];
    for (n, (after, standing)) in (1..).zip(expected) {
        let redeemed_at = start + SignedDuration::from_secs(after);
        let found = scene.send(&office, [Redemption { redeemed_at, ..scene.used(&office, n) }]).await;
        assert_eq!(found, [result(n, EntryOutcome::Recorded, standing, false)], "{after}");
    }
    let counts = scene.total(&office).await;
    assert_eq!((counts.uses, counts.valid, counts.suspended, counts.revoked), (9, 5, 2, 2), "nothing is dropped");
}

async fn standing_of_the_card_that_was_shown(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    let number = scene.card.1.number;
    office.federation.replace(number, Reason::Lost).await.unwrap();
    let new = office.card(number).await;
    office.pass(60);
    let found = scene.send(&office, [scene.used(&office, 1), used(&office, 2, &new, &scene.offer)]).await;
    assert_eq!((found[0].standing, found[1].standing), (Standing::Superseded, Standing::Valid));
}

async fn standing_past_validity(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    office.set("2028-01-01T00:00:00Z");
    let last = Redemption { redeemed_at: at("2027-12-31T15:59:58Z"), ..scene.used(&office, 1) };
    let past = Redemption { redeemed_at: at("2027-12-31T15:59:59Z"), ..scene.used(&office, 2) };
    let found = scene.send(&office, [last, past]).await;
    assert_eq!((found[0].standing, found[1].standing), (Standing::Valid, Standing::Expired));
}

async fn standing_under_a_stolen_key(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    let before = scene.used(&office, 1);
    office.pass(10);
    office.federation.compromise_key(&scene.card.2.to_string(), RootAccess::default()).await.unwrap();
    let found = scene.send(&office, [before, scene.used(&office, 2)]).await;
    assert_eq!((found[0].standing, found[1].standing), (Standing::Valid, Standing::Revoked));
}

async fn unknown_numbers_and_offers_are_recorded(office: Office) {
    let scene = scene(&office, daily()).await;
    let nobody = zyz_credential::CertificateNumber::from_parts(2, 7_654_321).unwrap().to_string();
    let found = scene
        .send(
            &office,
            [
                Redemption { number: nobody, ..scene.used(&office, 1) },
                Redemption { key_id: "00000000".into(), ..scene.used(&office, 2) },
                Redemption { issued_at: at("2020-01-01T00:00:00Z"), ..scene.used(&office, 3) },
                Redemption { offer: "no-such-offer".into(), ..scene.used(&office, 4) },
                Redemption { offer: "no-such-offer".into(), ..scene.used(&office, 5) },
            ],
        )
        .await;
    let standings: Vec<_> = found.iter().map(|used| (used.outcome, used.standing)).collect();
    let recorded = |standing| (EntryOutcome::Recorded, standing);
    assert_eq!(standings[..3], [recorded(Standing::Unknown); 3]);
    assert_eq!(standings[3..], [recorded(Standing::Valid); 2], "the card is known, the offer is not");
    assert!(!found[4].over_limit, "an unknown offer has no limit");
    let usage = office.federation.partner_usage(scene.partner, None, None).await.unwrap();
    let lines: Vec<_> = usage.offers.iter().map(|line| (line.offer.as_str(), line.title.is_some())).collect();
    assert_eq!(lines, [("1", true), ("no-such-offer", false)]);
}

async fn over_the_limit_over_all_devices(office: Office) {
    let scene = scene(&office, daily()).await;
    let other = office.device(scene.partner).await;
    assert_eq!(scene.send(&office, [scene.used(&office, 1)]).await, [recorded(1, false)]);
    let sent = batch([scene.used(&office, 2)], []);
    let found = office.federation.redeem(&other, &sent).await.unwrap().redemptions;
    assert_eq!(found, [recorded(2, true)], "recorded all the same");
    // 23 November ends at 16:00 UTC.
    office.set("2026-11-23T15:59:59Z");
    assert_eq!(scene.send(&office, [scene.used(&office, 3)]).await, [recorded(3, true)]);
    office.pass(1);
    assert_eq!(scene.send(&office, [scene.used(&office, 4)]).await, [recorded(4, false)]);
    assert_eq!(scene.total(&office).await.over_limit, 2);
}

async fn over_the_limit_in_the_order_given_not_sent(office: Office) {
    let scene = scene(&office, daily()).await;
    let early = scene.used(&office, 1);
    office.pass(60);
    assert_eq!(scene.send(&office, [scene.used(&office, 2)]).await, [recorded(2, false)]);
    assert_eq!(scene.send(&office, [early]).await, [recorded(1, false)], "it was given first");
    let again = scene.send(&office, [scene.used(&office, 2)]).await;
    assert_eq!(again, [result(2, EntryOutcome::Repeated, Standing::Valid, true)], "and the other was one too many");
}

async fn another_partner_has_limits_of_its_own(office: Office) {
    let scene = scene(&office, daily()).await;
    scene.send(&office, [scene.used(&office, 1)]).await;
    let elsewhere = office.partner(2).await;
    let offer = office.offer(elsewhere, daily()).await;
    let device = office.device(elsewhere).await;
    let sent = batch([used(&office, 2, &scene.card, &offer), scene.used(&office, 3)], []);
    let found = office.federation.redeem(&device, &sent).await.unwrap().redemptions;
    assert_eq!(found, [recorded(2, false), recorded(3, false)], "another one's offer has no limit here");
}

async fn taken_back_in_the_same_batch(office: Office) {
    let scene = scene(&office, daily()).await;
    let sent = batch([scene.used(&office, 1), scene.used(&office, 2)], [reversal(&office, 3, id(1))]);
    let found = office.federation.redeem(&scene.device, &sent).await.unwrap();
    assert_eq!(found.redemptions, [recorded(1, false), recorded(2, false)], "a mistake, then the right one");
    assert_eq!(found.reversals[0].outcome, EntryOutcome::Recorded);
    let counts = scene.total(&office).await;
    assert_eq!((counts.uses, counts.reversed, counts.over_limit), (1, 1, 0));
}

async fn taken_back_later(office: Office) {
    let scene = scene(&office, daily()).await;
    let found = scene.send(&office, [scene.used(&office, 1), scene.used(&office, 2)]).await;
    assert_eq!(found, [recorded(1, false), recorded(2, true)]);
    assert_eq!(scene.undo(&office, [reversal(&office, 3, id(1))]).await, EntryOutcome::Recorded);
    let counts = scene.total(&office).await;
    assert_eq!((counts.uses, counts.reversed, counts.over_limit), (1, 1, 0), "no longer one too many");
}

async fn taken_back_before_it_came(office: Office) {
    let scene = scene(&office, daily()).await;
    assert_eq!(scene.undo(&office, [reversal(&office, 3, id(1))]).await, EntryOutcome::Unmatched);
    let usage = office.federation.partner_usage(scene.partner, None, None).await.unwrap();
    assert_eq!(usage.unmatched_reversals, 1);
    assert_eq!(scene.send(&office, [scene.used(&office, 1)]).await, [recorded(1, false)]);
    let counts = scene.total(&office).await;
    assert_eq!((counts.uses, counts.reversed), (0, 1));
    let usage = office.federation.partner_usage(scene.partner, None, None).await.unwrap();
    assert_eq!(usage.unmatched_reversals, 0);
    assert_eq!(scene.send(&office, [scene.used(&office, 2)]).await, [recorded(2, false)]);
}

async fn taken_back_twice(office: Office) {
    let scene = scene(&office, daily()).await;
    scene.send(&office, [scene.used(&office, 1)]).await;
    for n in [2, 3] {
        assert_eq!(scene.undo(&office, [reversal(&office, n, id(1))]).await, EntryOutcome::Recorded);
    }
    assert_eq!(scene.total(&office).await.reversed, 1);
}

async fn a_reversal_of_another_partners_use(office: Office) {
    let scene = scene(&office, daily()).await;
    scene.send(&office, [scene.used(&office, 1)]).await;
    let elsewhere = office.device(office.partner(2).await).await;
    let sent = batch([], [reversal(&office, 2, id(1))]);
    let found = office.federation.redeem(&elsewhere, &sent).await.unwrap().reversals;
    assert_eq!(found[0].outcome, EntryOutcome::Unmatched);
    assert_eq!(scene.total(&office).await.reversed, 0);
}

async fn a_batch_too_large(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    let most = MAX_BATCH as u16;
    let mut sent = RedemptionBatch {
        redemptions: (1..most).map(|n| scene.used(&office, n)).collect(),
        reversals: vec![reversal(&office, most, id(1))],
    };
    let found = office.federation.redeem(&scene.device, &sent).await.unwrap();
    assert_eq!((found.redemptions.len(), found.reversals.len()), (MAX_BATCH - 1, 1));
    sent.reversals.push(reversal(&office, most + 1, id(2)));
    let refused = office.federation.redeem(&scene.device, &sent).await;
    assert!(matches!(refused, Err(RedeemError::TooMany)), "{refused:?}");
}

async fn one_event_a_batch(office: Office) {
    let scene = scene(&office, daily()).await;
    let before = office.federation.state_seq().await.unwrap();
    let sent = batch([scene.used(&office, 1), scene.used(&office, 2)], [reversal(&office, 3, id(1))]);
    office.federation.redeem(&scene.device, &sent).await.unwrap();
    assert_eq!(office.federation.state_seq().await.unwrap(), before + 1);
}

async fn two_devices_at_once(office: Office) {
    let scene = scene(&office, daily()).await;
    let (first, second) = (office.another().await, office.another().await);
    let sent = |n: u16| batch([scene.used(&office, n), scene.used(&office, 9)], []);
    let (one, two) = (sent(1), sent(2));
    let (one, two) = tokio::join!(first.redeem(&scene.device, &one), second.redeem(&scene.device, &two));
    let mut outcomes: Vec<_> = [one.unwrap(), two.unwrap()].map(|found| found.redemptions[1].outcome).into();
    outcomes.sort_by_key(|outcome| *outcome == EntryOutcome::Repeated);
    assert_eq!(outcomes, [EntryOutcome::Recorded, EntryOutcome::Repeated]);
    let counts = scene.total(&office).await;
    assert_eq!((counts.uses, counts.over_limit), (3, 2));
}

async fn usage_by_days(office: Office) {
    let scene = scene(&office, OfferLimits::default()).await;
    for (n, moment) in (1..).zip([
        "2026-11-24T15:59:59Z", // the 24th in Beijing
        "2026-11-24T16:00:00Z", // the 25th
        "2026-11-25T15:59:59Z",
        "2026-11-25T16:00:00Z", // the 26th
    ]) {
        office.set(moment);
        scene.send(&office, [scene.used(&office, n)]).await;
    }
    let uses = async |from: Option<&str>, to: Option<&str>| {
        let day = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        office.federation.partner_usage(scene.partner, day(from), day(to)).await.unwrap().total.uses
    };
    assert_eq!(uses(None, None).await, 4);
    assert_eq!(uses(Some("2026-11-25"), Some("2026-11-25")).await, 2);
    assert_eq!(uses(Some("2026-11-25"), None).await, 3);
    assert_eq!(uses(None, Some("2026-11-24")).await, 1);
}
