//! Counting for statistics, and the counts that are kept.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use zyz::domain::certificate::{CertificateState, Reason};
use zyz::domain::partner::{DeviceId, PartnerId};
use zyz::domain::redemption::CardStanding;
use zyz::domain::star::StarPolicy;
use zyz::store::{
    Activity, CardCount, Census, CrowdedHour, DayCount, Finding, Level, NewServiceRecord, NewStarAward, OfferDay,
    OfferMinute, OfferMonth, PeopleCount, ServiceCount, Statistics, Store, UnitId, Use, VolunteerId,
};

use crate::partners::{device, partner};
use crate::support::{Database, begin, card, contract, insert_key, later, now, number, person, register};

contract![
    people_by_unit_state_and_star,
    cards_by_standing,
    days_are_those_of_beijing,
    service_by_month_without_what_is_void,
    awards_by_year,
    uses_by_day_and_standing,
    many_uses_in_an_hour,
    one_counts_at_a_time,
    a_count_reads_back_within_its_scope,
    a_new_count_takes_the_place_of_the_last,
];

/// 2026-11-23 as a day counted from 1970-01-01.
const DAY: i64 = 20_780;

/// Two more people of another county's unit.
async fn elsewhere(store: &Store) -> (UnitId, Vec<VolunteerId>) {
    let mut tx = begin(store).await;
    let unit = tx.ensure_unit(21, "宁洱县样例中学").await.unwrap().id;
    let ids = tx.insert_volunteers(None, (100..102).map(|n| person(n, unit)).collect()).await.unwrap();
    tx.commit().await.unwrap();
    (unit, ids)
}

async fn people_by_unit_state_and_star(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 6).await;
    let (school, theirs) = elsewhere(&store).await;
    let mut tx = begin(&store).await;
    let office = tx.ensure_unit(2, "思茅区文化馆").await.unwrap().id;
    tx.set_star(ids[0], 2).await.unwrap();
    tx.set_star(ids[1], 2).await.unwrap();
    tx.set_star(theirs[0], 5).await.unwrap();
    tx.exit_volunteer(ids[2]).await.unwrap();
    // The same person twice: one that stays, and a registration that is nobody of its own from now on.
    tx.merge_volunteers(ids[3], ids[4], "本人确认").await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let mut found = reader.count_people().await.unwrap();
    found.sort_by_key(|row| (row.unit, !row.active, row.star));
    let row = |unit, active, star, count| PeopleCount { unit, active, star, count };
    let expected = [
        row(office, true, 0, 2),
        row(office, true, 2, 2),
        row(office, false, 0, 1),
        row(school, true, 0, 1),
        row(school, true, 5, 1),
    ];
    assert_eq!(found, expected);
    let days = |found: Vec<DayCount>| -> Vec<(UnitId, u64)> {
        let mut found: Vec<_> = found.iter().map(|row| (row.unit, row.count)).collect();
        found.sort();
        found
    };
    assert_eq!(days(reader.count_registrations().await.unwrap()), [(office, 5), (school, 2)]);
    assert_eq!(days(reader.count_exits().await.unwrap()), [(office, 1)]);
}

async fn cards_by_standing(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 6).await;
    let key = insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    let office = tx.ensure_unit(2, "思茅区文化馆").await.unwrap().id;
    // Until later(86,400), but for the fifth, which is long good, and the sixth, which is over.
    let mut new: Vec<_> = (0..6).map(|n| card(ids[n as usize], n, key, n)).collect();
    new[4].expires_at = later(86_400 * 90);
    new[5].expires_at = later(10);
    let cards = tx.insert_certificates(&new).await.unwrap();
    let to = |state| (CertificateState::Valid, state, Reason::Other);
    for (at, (from, to, why)) in [(1, to(CertificateState::Suspended)), (2, to(CertificateState::Revoked))] {
        tx.change_certificate(cards[at], from, to, why).await.unwrap();
    }
    tx.mark_printed(&cards[..1]).await.unwrap();
    // Somebody who left is in no count of cards, whatever their card says.
    tx.exit_volunteer(ids[3]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let count =
        |valid, suspended, unprinted, expiring| CardCount { unit: office, valid, suspended, unprinted, expiring };
    let soon = later(86_400 * 60);
    assert_eq!(reader.count_cards(later(20), soon).await.unwrap(), [count(2, 1, 1, 1)]);
    assert_eq!(reader.count_cards(later(5), soon).await.unwrap(), [count(3, 1, 2, 2)]);
    assert_eq!(reader.count_cards(later(86_400), soon).await.unwrap(), [count(1, 0, 1, 0)]);
    let issued = reader.count_issued().await.unwrap();
    assert_eq!(issued.iter().map(|row| row.count).collect::<Vec<_>>(), [6]);
}

async fn days_are_those_of_beijing(db: Database) {
    let store = db.create().await;
    let moments: [Timestamp; 3] =
        ["2026-10-31T15:59:59Z", "2026-10-31T16:00:00Z", "2026-11-01T15:59:59Z"].map(|text| text.parse().unwrap());
    for (n, moment) in (0..).zip(moments) {
        let mut tx = store.begin("测试员", moment).await.unwrap();
        let unit = tx.ensure_unit(2, "思茅区文化馆").await.unwrap().id;
        let ids = tx.insert_volunteers(None, vec![person(n, unit)]).await.unwrap();
        tx.exit_volunteer(ids[0]).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut reader = store.read().await.unwrap();
    for found in [reader.count_registrations().await.unwrap(), reader.count_exits().await.unwrap()] {
        let mut days: Vec<_> = found.iter().map(|row| (row.day, row.count)).collect();
        days.sort();
        // 31 October and, twice, 1 November.
        assert_eq!(days, [(DAY - 23, 1), (DAY - 22, 2)]);
    }
}

fn served(volunteer: VolunteerId, date: Date, minutes: u16) -> NewServiceRecord {
    NewServiceRecord {
        volunteer,
        date,
        start_minute: None,
        end_minute: None,
        minutes,
        content: "清扫洗马湖步道".into(),
        activity: None,
        place: None,
        item: None,
        flags: 0,
        organiser: None,
        in_charge: None,
        late_reason: None,
    }
}

async fn service_by_month_without_what_is_void(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let (school, theirs) = elsewhere(&store).await;
    let mut tx = begin(&store).await;
    let office = tx.ensure_unit(2, "思茅区文化馆").await.unwrap().id;
    let records = [
        served(ids[0], date(2026, 1, 31), 90),
        served(ids[1], date(2026, 1, 1), 30),
        served(ids[0], date(2026, 2, 1), 61),
        served(theirs[0], date(2026, 2, 28), 45),
        served(theirs[0], date(2025, 2, 28), 15),
        served(ids[1], date(2026, 2, 2), 600),
    ];
    tx.insert_service_records(None, &records).await.unwrap();
    let wrong = tx.service_records(ids[1]).await.unwrap().into_iter().find(|record| record.noted.minutes == 600);
    let wrong = wrong.unwrap();
    assert!(tx.void_record(&wrong, wrong.revision, "录错").await.unwrap());
    tx.commit().await.unwrap();
    let mut found = store.read().await.unwrap().count_service().await.unwrap();
    found.sort_by_key(|row| (row.unit, row.month.clone()));
    let row = |unit, month: &str, minutes, records| ServiceCount { unit, month: month.into(), minutes, records };
    let expected = [
        row(office, "2026-01", 120, 2),
        row(office, "2026-02", 61, 1),
        row(school, "2025-02", 15, 1),
        row(school, "2026-02", 45, 1),
    ];
    assert_eq!(found, expected);
}

async fn awards_by_year(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 3).await;
    let mut tx = begin(&store).await;
    let office = tx.ensure_unit(2, "思茅区文化馆").await.unwrap().id;
    let policy = StarPolicy::of_the_notice();
    tx.add_star_policy(&policy).await.unwrap();
    let award =
        |at: usize, star| NewStarAward { volunteer: ids[at], star, window_minutes: 6_000, lifetime_minutes: 6_000 };
    for (year, awards) in [(2024, vec![award(0, 1)]), (2025, vec![award(0, 2), award(1, 1), award(2, 0)])] {
        let days = (date(year, 1, 1), date(year, 12, 31));
        tx.certify_stars(year, &policy, days, &awards).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut found = store.read().await.unwrap().count_awards().await.unwrap();
    found.sort();
    assert_eq!(found, [(office, 2024, 1), (office, 2025, 2)], "none is no star");
}

/// A partner with a device.
async fn till(store: &Store, n: u8) -> (PartnerId, DeviceId) {
    let mut tx = begin(store).await;
    let partner = partner(&mut tx, u32::from(n)).await;
    let device = device(&mut tx, partner, n).await;
    tx.commit().await.unwrap();
    (partner, device)
}

/// A use of offer 1 by the holder of number 0 at `at`, Beijing time on 2026-11-23.
fn used(n: u8, till: (PartnerId, DeviceId), at: &str) -> Use {
    Use {
        id: [n; 16],
        partner: till.0,
        device: till.1,
        offer: "1".into(),
        number: number(0),
        kid: [1; 4],
        card_issued_at: now(),
        redeemed_at: format!("2026-11-23T{at}+08:00").parse().unwrap(),
        bundle_version: 1,
        standing: CardStanding::Valid,
        over_limit: false,
        reversed_at: None,
    }
}

async fn insert(store: &Store, till: (PartnerId, DeviceId), uses: &[Use]) {
    let mut tx = begin(store).await;
    tx.insert_uses(till.0, till.1, uses, &[]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn uses_by_day_and_standing(db: Database) {
    let store = db.create().await;
    register(&store, 0, 2).await;
    let (here, there) = (till(&store, 1).await, till(&store, 2).await);
    let office = store.read().await.unwrap().units().await.unwrap()[0].id;
    let uses = [
        used(1, here, "00:00:00"),
        Use { over_limit: true, ..used(2, here, "23:59:59") },
        Use { standing: CardStanding::Revoked, ..used(3, here, "09:00:00") },
        // Taken back: it is no use, and over no limit.
        Use { over_limit: true, reversed_at: Some(later(900)), ..used(4, here, "10:00:00") },
        // Nobody's number.
        Use { number: "0299999999".into(), standing: CardStanding::Unknown, ..used(5, here, "11:00:00") },
        Use { redeemed_at: "2026-11-23T15:59:59Z".parse().unwrap(), ..used(6, here, "12:00:00") },
        Use { redeemed_at: "2026-11-23T16:00:00Z".parse().unwrap(), ..used(7, here, "12:00:00") },
    ];
    insert(&store, here, &uses).await;
    insert(&store, there, &[used(8, there, "12:00:00")]).await;
    let mut reader = store.read().await.unwrap();
    let mut of_people: Vec<_> = reader.count_uses().await.unwrap();
    of_people.sort_by_key(|row| row.day);
    let row = |day, count| DayCount { unit: office, day, count };
    assert_eq!(of_people, [row(DAY, 5), row(DAY + 1, 1)]);
    let mut of_offers = reader.count_offer_uses().await.unwrap();
    of_offers.sort_by_key(|row| (row.partner, row.day, row.standing));
    let row = |partner, day, standing, uses, over_limit, reversed| OfferDay {
        partner,
        offer: "1".into(),
        day,
        standing,
        uses,
        over_limit,
        reversed,
    };
    let expected = [
        row(here.0, DAY, CardStanding::Valid, 3, 1, 1),
        row(here.0, DAY, CardStanding::Revoked, 1, 0, 0),
        row(here.0, DAY, CardStanding::Unknown, 1, 0, 0),
        row(here.0, DAY + 1, CardStanding::Valid, 1, 0, 0),
        row(there.0, DAY, CardStanding::Valid, 1, 0, 0),
    ];
    assert_eq!(of_offers, expected);
}

async fn many_uses_in_an_hour(db: Database) {
    let store = db.create().await;
    register(&store, 0, 2).await;
    let (here, there) = (till(&store, 1).await, till(&store, 2).await);
    let at = ["09:00:00", "09:20:00", "09:59:59", "10:00:00", "10:30:00"];
    let mut uses: Vec<_> = (1..).zip(at).map(|(n, at)| used(n, here, at)).collect();
    uses.push(Use { reversed_at: Some(later(900)), ..used(6, here, "10:40:00") });
    uses.push(Use { number: number(1), ..used(7, here, "10:30:30") });
    uses.push(Use { offer: "2".into(), ..used(8, here, "12:00:00") });
    insert(&store, here, &uses).await;
    insert(&store, there, &[used(9, there, "09:30:00")]).await;
    let mut reader = store.read().await.unwrap();
    let since: Timestamp = "2026-11-22T16:00:00Z".parse().unwrap();
    let hour = |uses| CrowdedHour { partner: here.0, number: number(0), day: DAY, uses };
    assert_eq!(reader.crowded_hours(since, 3).await.unwrap(), [hour(3)], "the fullest hour of the day");
    assert_eq!(reader.crowded_hours(since, 4).await.unwrap(), []);
    let after: Timestamp = "2026-11-23T01:30:00Z".parse().unwrap();
    assert_eq!(
        reader.crowded_hours(after, 3).await.unwrap(),
        [],
        "from half past nine on there are no three in an hour"
    );
    let mut minutes = reader.offer_minutes(here.0, "1", after).await.unwrap();
    minutes.sort_by_key(|row| row.minute);
    let row = |minute, uses| OfferMinute { partner: here.0, offer: "1".into(), day: DAY, minute, uses };
    assert_eq!(minutes, [row(599, 1), row(600, 1), row(630, 2)]);
}

async fn one_counts_at_a_time(db: Database) {
    let store = db.create().await;
    let run = |store: Store| async move { store.read().await.unwrap().statistic_run().await.unwrap() };
    let first = run(store.clone()).await;
    assert_eq!((first.counted_at, first.begun_at), (None, None));
    assert!(store.begin_count(later(100), later(-500)).await.unwrap());
    assert!(!store.begin_count(later(101), later(-499)).await.unwrap(), "somebody is at it");
    assert!(!db.open().await.begin_count(later(150), later(99)).await.unwrap(), "for another process too");
    assert_eq!(run(store.clone()).await.begun_at, Some(later(100)));
    assert!(store.begin_count(later(700), later(100)).await.unwrap(), "a count broken off holds nobody up for ever");
    store.abandon_count().await.unwrap();
    assert!(store.begin_count(later(701), later(101)).await.unwrap());
    store.keep_statistics(&Statistics::default(), 7, later(702), 1_234).await.unwrap();
    let kept = run(store.clone()).await;
    assert_eq!((kept.seq, kept.counted_at, kept.begun_at, kept.took_ms), (7, Some(later(702)), None, 1_234));
    assert_eq!(store.read().await.unwrap().audit_head().await.unwrap().0, 0, "a count is no fact and leaves no event");
}

fn census(level: Level, key: i64, county: u8, people: u64) -> Census {
    Census {
        level,
        key,
        county,
        name: format!("样例{key}"),
        people,
        exited: 1,
        units: 2,
        units_due: 3,
        units_counted: 4,
        units_full: 5,
        head_count: 6,
        people_counted: 7,
        group: (level == Level::Unit).then(|| "公司企业".to_owned()),
        hours_target: (level == Level::Unit).then_some(50),
        stars: [8, 9, 10, 11, 12],
        cards_valid: 13,
        cards_suspended: 14,
        unprinted: 15,
        expiring: 16,
        without_card: 17,
    }
}

fn activity(level: Level, key: i64, period: &str, minutes: u64) -> Activity {
    Activity {
        level,
        key,
        period: period.into(),
        registered: 1,
        exited: 2,
        minutes,
        records: 3,
        issued: 4,
        stars: 5,
        uses: 6,
        units_due: 7,
        units_met: 8,
    }
}

fn month(partner: PartnerId, month: &str) -> OfferMonth {
    OfferMonth { partner, offer: "1".into(), month: month.into(), uses: [1, 2, 3, 4, 5, 6], over_limit: 7, reversed: 8 }
}

fn finding(partner: PartnerId, kind: &str) -> Finding {
    let (offer, number, day) = ("1".into(), number(0), "2026-11-23".into());
    Finding { partner, kind: kind.into(), offer, number, day, found: 9, usual: 10 }
}

/// The city, two counties with the same key as a unit's, three units; two years; two partners.
async fn sample(store: &Store) -> (Statistics, [PartnerId; 2]) {
    let partners = [till(store, 1).await.0, till(store, 2).await.0];
    let standings = vec![
        census(Level::City, 0, 0, 60),
        census(Level::County, 2, 2, 30),
        census(Level::County, 21, 21, 30),
        census(Level::Unit, 1, 2, 10),
        census(Level::Unit, 2, 21, 20),
        census(Level::Unit, 3, 2, 30),
    ];
    let activities = vec![
        activity(Level::City, 0, "2025", 1),
        activity(Level::City, 0, "2026", 2),
        activity(Level::City, 0, "2026-11", 3),
        activity(Level::County, 2, "2026", 4),
        activity(Level::Unit, 1, "2026", 5),
        activity(Level::Unit, 2, "2026", 6),
        activity(Level::Unit, 2, "2026-01", 7),
        activity(Level::Unit, 2, "2026-12", 8),
        activity(Level::Unit, 2, "2027-01", 9),
        activity(Level::Unit, 3, "2025", 10),
    ];
    let offers = vec![
        month(partners[0], "2025-12"),
        month(partners[0], "2026-01"),
        month(partners[0], "2026-12"),
        month(partners[1], "2026-06"),
    ];
    let findings = vec![finding(partners[0], "crowded"), finding(partners[1], "over_limit")];
    (Statistics { standings, activities, offers, findings }, partners)
}

async fn a_count_reads_back_within_its_scope(db: Database) {
    let store = db.create().await;
    let (all, [first, second]) = sample(&store).await;
    assert_eq!(store.read().await.unwrap().standing(Level::City, 0).await.unwrap(), None, "before the first count");
    store.keep_statistics(&all, 1, now(), 0).await.unwrap();
    let mut reader = store.read().await.unwrap();
    for row in &all.standings {
        assert_eq!(reader.standing(row.level, row.key).await.unwrap().as_ref(), Some(row));
    }
    assert_eq!(reader.standing(Level::Unit, 21).await.unwrap(), None, "a county's key is no unit's");
    let units = &all.standings;
    assert_eq!(reader.standings(Level::County, None).await.unwrap(), units[1..3]);
    assert_eq!(reader.standings(Level::Unit, None).await.unwrap(), units[3..]);
    assert_eq!(reader.standings(Level::Unit, Some(2)).await.unwrap(), [units[3].clone(), units[5].clone()]);
    assert_eq!(reader.standings(Level::Unit, Some(22)).await.unwrap(), []);

    let rows = &all.activities;
    assert_eq!(reader.activity(Level::City, 0, 2026).await.unwrap(), rows[1..3]);
    assert_eq!(
        reader.activity(Level::Unit, 2, 2026).await.unwrap(),
        rows[5..8],
        "December is in, January after is not"
    );
    assert_eq!(reader.activity(Level::Unit, 2, 2025).await.unwrap(), []);
    assert_eq!(reader.activities(Level::Unit, None, "2026").await.unwrap(), rows[4..6]);
    assert_eq!(reader.activities(Level::Unit, Some(2), "2026").await.unwrap(), rows[4..5]);
    assert_eq!(reader.activities(Level::Unit, Some(21), "2026-12").await.unwrap(), rows[7..8]);
    assert_eq!(reader.activities(Level::County, None, "2026").await.unwrap(), rows[3..4]);
    assert_eq!(reader.statistic_years().await.unwrap(), [2026, 2025], "of the city, newest first, no months");

    assert_eq!(reader.offer_months(None, "2026-01", "2026-12").await.unwrap(), all.offers[1..]);
    assert_eq!(reader.offer_months(Some(first), "2026-01", "2026-12").await.unwrap(), all.offers[1..3]);
    assert_eq!(reader.offer_months(Some(second), "2025-01", "2025-12").await.unwrap(), []);
    assert_eq!(reader.findings(None).await.unwrap(), all.findings);
    assert_eq!(reader.findings(Some(second)).await.unwrap(), all.findings[1..]);
    assert_eq!(reader.finding_count().await.unwrap(), 2);
}

async fn a_new_count_takes_the_place_of_the_last(db: Database) {
    let store = db.create().await;
    let (mut all, [first, _]) = sample(&store).await;
    store.keep_statistics(&all, 1, now(), 0).await.unwrap();
    // One unit is gone, one has more people and another name; a month is gone; uses and findings are others.
    all.standings.remove(5);
    all.standings[4] =
        Census { name: "改了名".into(), group: None, hours_target: None, ..census(Level::Unit, 2, 21, 99) };
    all.activities.retain(|row| row.period != "2026-01");
    all.activities[1].minutes = 77;
    all.offers.truncate(1);
    all.findings = vec![finding(first, "odd_hours")];
    store.keep_statistics(&all, 2, later(60), 0).await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.standings(Level::Unit, None).await.unwrap(), all.standings[3..]);
    assert_eq!(reader.standing(Level::Unit, 3).await.unwrap(), None);
    assert_eq!(reader.activity(Level::City, 0, 2026).await.unwrap()[0].minutes, 77);
    assert_eq!(reader.activity(Level::Unit, 2, 2026).await.unwrap().len(), 2);
    assert_eq!(reader.offer_months(None, "2000-01", "2099-12").await.unwrap(), all.offers);
    assert_eq!(reader.findings(None).await.unwrap(), all.findings);
    // The same again changes nothing but the time.
    store.keep_statistics(&all, 2, later(120), 0).await.unwrap();
    assert_eq!(reader.standings(Level::Unit, None).await.unwrap(), all.standings[3..]);
    assert_eq!(reader.statistic_run().await.unwrap().counted_at, Some(later(120)));
    assert_eq!(db.number("SELECT count(*) FROM statistic_activity").await, all.activities.len() as i64);
}
