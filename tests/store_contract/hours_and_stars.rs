//! Service records, star rules, batches.

use jiff::civil::{Date, date};
use zyz::domain::star::{StarPolicy, StarPolicyError, Window};
use zyz::store::{NewServiceRecord, NewStarAward, StoreError, VolunteerId};

use crate::support::{Database, begin, contract, now, number, register};

contract![
    records_read_back,
    repeats_are_known,
    a_repeat_is_a_duplicate,
    a_stranger_cannot_serve,
    days_for_overlaps,
    minutes_in_window_and_life,
    policies,
    policy_refused,
    standings,
    certify_and_certify_again,
    an_older_year_does_not_lower_the_star,
];

fn served(volunteer: VolunteerId, day: Date, minutes: u16) -> NewServiceRecord {
    NewServiceRecord {
        volunteer,
        date: day,
        start_minute: Some(9 * 60),
        end_minute: Some(9 * 60 + minutes),
        minutes,
        content: "清扫洗马湖步道".to_owned(),
        activity: Some("环境集中整治日".to_owned()),
        place: None,
        item: Some(3),
        flags: 0,
        organiser: Some("思茅区文化馆".to_owned()),
        in_charge: None,
        late_reason: None,
    }
}

async fn records_read_back(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let full = served(ids[0], date(2026, 3, 5), 90);
    let bare = NewServiceRecord {
        start_minute: None,
        end_minute: None,
        activity: None,
        item: None,
        flags: 6,
        ..served(ids[0], date(2026, 3, 6), 30)
    };
    let mut tx = begin(&store).await;
    tx.insert_service_records(None, &[full.clone(), bare.clone()]).await.unwrap();
    tx.insert_service_records(None, &[]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let records = reader.service_records(ids[0]).await.unwrap();
    assert_eq!(records.iter().map(|record| record.noted.clone()).collect::<Vec<_>>(), [bare, full]);
    assert!(records.iter().all(|record| record.entered_at == now() && record.import.is_none()));
    assert!(reader.service_records(ids[1]).await.unwrap().is_empty());
}

async fn repeats_are_known(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let records: Vec<_> = (1..=28).map(|day| served(ids[0], date(2026, 2, day), 60)).collect();
    let mut tx = begin(&store).await;
    tx.insert_service_records(None, &records[..14]).await.unwrap();
    tx.commit().await.unwrap();
    let prints: Vec<_> = records.iter().map(NewServiceRecord::fingerprint).collect();
    let known = store.read().await.unwrap().known_fingerprints(&prints).await.unwrap();
    assert_eq!(known.len(), 14);
    assert!(prints[..14].iter().all(|print| known.contains(print)));

    let same = served(ids[0], date(2026, 2, 1), 60);
    assert_eq!(NewServiceRecord { flags: 1, ..same.clone() }.fingerprint(), prints[0], "flags do not make it another");
    assert_ne!(NewServiceRecord { place: Some(String::new()), ..same.clone() }.fingerprint(), prints[0]);
    assert_ne!(NewServiceRecord { start_minute: None, ..same }.fingerprint(), prints[0]);
}

async fn a_repeat_is_a_duplicate(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let record = served(ids[0], date(2026, 2, 1), 60);
    let mut tx = begin(&store).await;
    let twice = tx.insert_service_records(None, &[record.clone(), record]).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { what: "服务记录", .. })), "{twice:?}");
}

async fn a_stranger_cannot_serve(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let refused = tx.insert_service_records(None, &[served(VolunteerId(5), date(2026, 2, 1), 60)]).await;
    assert!(matches!(refused, Err(StoreError::Reference(_))), "{refused:?}");
}

async fn days_for_overlaps(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 3).await;
    let days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)];
    let records: Vec<_> = ids.iter().flat_map(|id| days.map(|day| served(*id, day, 45))).collect();
    let mut tx = begin(&store).await;
    tx.insert_service_records(None, &records).await.unwrap();
    let asked = [ids[2], ids[0], ids[2]];
    let found = tx.day_records(&asked, date(2026, 2, 1), date(2026, 2, 28)).await.unwrap();
    let found: Vec<_> = found.iter().map(|day| (day.volunteer, day.date, day.minutes)).collect();
    let expected = [(ids[0], days[1], 45), (ids[0], days[2], 45), (ids[2], days[1], 45), (ids[2], days[2], 45)];
    assert_eq!(found, expected);
}

async fn minutes_in_window_and_life(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let records = [
        served(ids[0], date(2025, 12, 31), 60),
        served(ids[0], date(2026, 1, 1), 100),
        served(ids[0], date(2026, 12, 31), 10),
        served(ids[0], date(2027, 1, 1), 500),
    ];
    let mut tx = begin(&store).await;
    tx.insert_service_records(None, &records).await.unwrap();
    let (from, to) = Window::CalendarYear.bounds(2026, None).unwrap();
    assert_eq!(tx.service_minutes(ids[0], from, to).await.unwrap(), (110, 170));
    assert_eq!(tx.service_minutes(ids[1], from, to).await.unwrap(), (0, 0));
    let (from, to) = Window::Lifetime.bounds(2026, None).unwrap();
    assert_eq!(tx.service_minutes(ids[0], from, to).await.unwrap(), (170, 170));
}

async fn policies(db: Database) {
    let store = db.create().await;
    let first = StarPolicy::of_the_notice();
    let second =
        StarPolicy { effective_from: date(2027, 1, 1), window: Window::Rolling12Months, keep: false, ..first.clone() };
    let mut tx = begin(&store).await;
    tx.add_star_policy(&second).await.unwrap();
    tx.add_star_policy(&first).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.star_policies().await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(reader.star_policy_at(date(2018, 7, 22)).await.unwrap(), None);
    assert_eq!(reader.star_policy_at(date(2018, 7, 23)).await.unwrap(), Some(first.clone()));
    assert_eq!(reader.star_policy_at(date(2026, 12, 31)).await.unwrap(), Some(first.clone()));
    assert_eq!(reader.star_policy_at(date(2027, 1, 1)).await.unwrap(), Some(second));
    drop(reader);
    let mut tx = begin(&store).await;
    let twice = tx.add_star_policy(&first).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "{twice:?}");
}

async fn policy_refused(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let falling = StarPolicy { thresholds_minutes: [5, 4, 3, 2, 1], ..StarPolicy::of_the_notice() };
    let refused = tx.add_star_policy(&falling).await;
    assert!(matches!(refused, Err(StoreError::StarPolicy(StarPolicyError::Thresholds))));
}

async fn standings(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 5).await;
    let policy = StarPolicy::of_the_notice();
    let bounds = |year| Window::CalendarYear.bounds(year, None).unwrap();
    let mut tx = begin(&store).await;
    let records = [
        served(ids[0], date(2025, 6, 1), 120),
        served(ids[0], date(2026, 6, 1), 60),
        served(ids[1], date(2027, 6, 1), 60),
        served(ids[3], date(2026, 1, 1), 30),
    ];
    tx.insert_service_records(None, &records).await.unwrap();
    tx.add_star_policy(&policy).await.unwrap();
    let award = |volunteer, star| NewStarAward { volunteer, star, window_minutes: 1, lifetime_minutes: 2 };
    tx.certify_stars(2024, &policy, bounds(2024), &[award(ids[2], 1)]).await.unwrap();
    tx.certify_stars(2025, &policy, bounds(2025), &[award(ids[2], 3)]).await.unwrap();
    tx.exit_volunteer(ids[3]).await.unwrap();

    let (from, to) = bounds(2026);
    let found = tx.star_standings(2026, from, to).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|who| (who.number.clone(), who.star, who.earlier_star, who.window_minutes, who.lifetime_minutes))
        .collect();
    assert_eq!(found, [(number(0), 0, 0, 60, 180), (number(2), 3, 3, 0, 0)], "no later service, nobody who left");
    let earlier = tx.star_standings(2025, bounds(2025).0, bounds(2025).1).await.unwrap();
    assert_eq!(
        earlier.last().map(|who| (who.star, who.earlier_star)),
        Some((3, 1)),
        "a year's own star is not earlier"
    );
}

async fn certify_and_certify_again(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 3).await;
    let policy = StarPolicy::of_the_notice();
    let bounds = Window::CalendarYear.bounds(2026, None).unwrap();
    let award = |volunteer, star| NewStarAward { volunteer, star, window_minutes: 6_000, lifetime_minutes: 7_000 };
    let mut tx = begin(&store).await;
    tx.add_star_policy(&policy).await.unwrap();
    let first = [award(ids[0], 1), award(ids[1], 2)];
    let (batch, changed) = tx.certify_stars(2026, &policy, bounds, &first).await.unwrap();
    assert_eq!(changed, 2);
    tx.commit().await.unwrap();

    let mut tx = begin(&store).await;
    let second = [award(ids[0], 1), award(ids[1], 3), award(ids[2], 1)];
    let (again, changed) = tx.certify_stars(2026, &policy, bounds, &second).await.unwrap();
    assert_eq!(changed, 2, "the first one's star stays");
    tx.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    let awards = reader.star_awards(2026).await.unwrap();
    assert_eq!(awards.iter().map(|award| award.award).collect::<Vec<_>>(), second);
    assert!(awards.iter().all(|award| award.batch == again && award.unit == "思茅区文化馆"));
    let batches = reader.star_batches().await.unwrap();
    let noted: Vec<_> = batches.iter().map(|batch| (batch.id, batch.year, batch.awards, batch.at)).collect();
    assert_eq!(noted, [(again, 2026, 3, now()), (batch, 2026, 2, now())]);
    assert_eq!((batches[0].first_day, batches[0].last_day), bounds);
    assert_eq!(batches[0].policy_effective_from, policy.effective_from);
    assert_eq!(reader.volunteer(&number(1)).await.unwrap().unwrap().star, 3);
    let events = reader.audit_events(Some(&format!("star_batch/{again}")), 0, 9).await.unwrap();
    assert_eq!(events.len(), 1);
    assert!(reader.star_awards(2025).await.unwrap().is_empty());
}

async fn an_older_year_does_not_lower_the_star(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let policy = StarPolicy::of_the_notice();
    let award = |star| [NewStarAward { volunteer: ids[0], star, window_minutes: 1, lifetime_minutes: 1 }];
    let bounds = |year| Window::CalendarYear.bounds(year, None).unwrap();
    let mut tx = begin(&store).await;
    tx.add_star_policy(&policy).await.unwrap();
    tx.certify_stars(2026, &policy, bounds(2026), &award(4)).await.unwrap();
    let (_, changed) = tx.certify_stars(2025, &policy, bounds(2025), &award(1)).await.unwrap();
    assert_eq!(changed, 0);
    assert_eq!(tx.volunteer(&number(0)).await.unwrap().unwrap().star, 4);
    let (_, changed) = tx.certify_stars(2026, &policy, bounds(2026), &[]).await.unwrap();
    assert_eq!(changed, 0);
}
