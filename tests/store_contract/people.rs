//! Searching, corrections, merging: the store's part.

use jiff::civil::date;
use zeroize::Zeroizing;
use zyz::domain::certificate::{CertificateState, Reason, VolunteerState};
use zyz::domain::correction::Fact;
use zyz::store::{
    CardFilter, Change, CorrectOutcome, Corrected, NewServiceRecord, PeopleFilter, Reach, Standing, Store, StoreError,
    VolunteerId,
};

use super::support::*;

/// The numbers that a filter lets through, in the order of the list, page by page.
async fn listed(store: &Store, reach: Reach, filter: &PeopleFilter) -> Vec<String> {
    let mut reader = store.read().await.unwrap();
    let (mut after, mut numbers) = (None, Vec::new());
    loop {
        let page = reader.people(reach, filter, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place());
        numbers.extend(page.into_iter().map(|line| line.number));
    }
    assert_eq!(reader.people_count(reach, filter, 100).await.unwrap() as usize, numbers.len());
    numbers
}

async fn lists_are_narrowed_and_paged(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 5).await;
    let key = insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    let away = tx.ensure_unit(21, "宁洱县文化馆").await.unwrap().id;
    let mut other = person(5, away);
    other.number = "2100000050".into();
    tx.insert_volunteers(None, vec![other]).await.unwrap();
    let cards: Vec<_> = (0..3).map(|n| card(ids[n], n as u32, key, n as u32)).collect();
    let cards = tx.insert_certificates(&cards).await.unwrap();
    tx.mark_printed(&cards[..1]).await.unwrap();
    let (valid, suspended) = (CertificateState::Valid, CertificateState::Suspended);
    tx.change_certificate(cards[2], valid, suspended, Reason::Other).await.unwrap();
    tx.set_star(ids[1], 3).await.unwrap();
    tx.exit_volunteer(ids[4]).await.unwrap();
    tx.commit().await.unwrap();

    let all = |range: std::ops::Range<u32>| range.map(number).collect::<Vec<_>>();
    let by = |card| PeopleFilter { card: Some(card), ..PeopleFilter::default() };
    let everything = PeopleFilter::default();
    let mut six = all(0..5);
    six.push("2100000050".into());
    assert_eq!(listed(&store, Reach::Everything, &everything).await, six);
    assert_eq!(listed(&store, Reach::County(21), &everything).await, ["2100000050"]);
    assert_eq!(listed(&store, Reach::Unit(away), &everything).await, ["2100000050"]);
    let county = PeopleFilter { county: Some(2), state: Some(VolunteerState::Active), ..PeopleFilter::default() };
    assert_eq!(listed(&store, Reach::Everything, &county).await, all(0..4));
    assert!(listed(&store, Reach::County(21), &county).await.is_empty());
    let exited = PeopleFilter { state: Some(VolunteerState::Exited), ..PeopleFilter::default() };
    assert_eq!(listed(&store, Reach::Everything, &exited).await, all(4..5));
    let star = PeopleFilter { star: Some(3), ..PeopleFilter::default() };
    assert_eq!(listed(&store, Reach::Everything, &star).await, all(1..2));
    let without = listed(&store, Reach::Everything, &by(CardFilter::Without)).await;
    assert_eq!(without, [number(3), "2100000050".into()]);
    assert_eq!(listed(&store, Reach::Everything, &by(CardFilter::Unprinted)).await, all(1..2));
    assert_eq!(listed(&store, Reach::Everything, &by(CardFilter::Valid)).await, all(0..2));
    assert_eq!(listed(&store, Reach::Everything, &by(CardFilter::Suspended)).await, all(2..3));
    let ending = CardFilter::Ending { from: now(), to: later(90_000) };
    assert_eq!(listed(&store, Reach::Everything, &by(ending)).await, all(0..2));
    assert_eq!(listed(&store, Reach::Everything, &by(CardFilter::Ended { by: later(90_000) })).await, all(0..2));
}

async fn a_replaced_card_is_the_one_that_counts(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let key = insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    let old = tx.insert_certificates(&[card(ids[0], 0, key, 1)]).await.unwrap();
    tx.mark_printed(&old).await.unwrap();
    tx.supersede_certificates(&old, Reason::Lost).await.unwrap();
    tx.insert_certificates(&[card(ids[0], 0, key, 2)]).await.unwrap();
    // What happens to the old card changes nothing about the new one.
    tx.mark_printed(&old).await.unwrap();
    let line = tx.people(Reach::Everything, &PeopleFilter::default(), None, 2).await.unwrap().remove(0);
    assert_eq!(line.card, Standing::Valid { expires_at: later(86_400), printed: false });
    tx.commit().await.unwrap();
}

async fn searches_find_by_index(db: Database) {
    let store = db.create().await;
    register(&store, 0, 14).await;
    let mut reader = store.read().await.unwrap();
    let all = Reach::Everything;
    // 0 and 7, 14 people of seven names.
    let named = reader.people_by_name(all, "岩", None, 1).await.unwrap();
    assert_eq!(named.len(), 1);
    let next = reader.people_by_name(all, "岩温", Some(&named[0].by_name()), 9).await.unwrap();
    assert_eq!((next.len(), next[0].name.as_str()), (1, "岩温扁"));
    assert_ne!(next[0].number, named[0].number);
    // Beyond the basic plane, and nothing that only begins alike in another order.
    assert_eq!(reader.people_by_name(all, "李𬭎", None, 9).await.unwrap().len(), 2);
    assert_eq!(reader.people_by_name(all, "䶮", None, 9).await.unwrap().len(), 2);
    assert!(reader.people_by_name(all, "岩扁", None, 9).await.unwrap().is_empty());
    assert_eq!(reader.people_numbered(all, "0200000", 20).await.unwrap().len(), 14);
    assert_eq!(reader.people_numbered(all, "020000013", 20).await.unwrap()[0].number, number(13));
    assert!(reader.people_numbered(Reach::County(21), "02", 20).await.unwrap().is_empty());
    assert_eq!(reader.people_by_phone(all, "13800000003", 9).await.unwrap()[0].number, number(3));
    assert_eq!(reader.person_by_identity(all, &identity(4)).await.unwrap().unwrap().number, number(4));
    assert!(reader.person_by_identity(Reach::County(21), &identity(4)).await.unwrap().is_none());
    assert_eq!(reader.units_containing(all, "文化", 9).await.unwrap().len(), 1);
    for hostile in ["%", "_", "!", "'"] {
        assert!(reader.units_containing(all, hostile, 9).await.unwrap().is_empty());
    }
    let private = reader.identities_and_phones(&[VolunteerId(99), named[0].id]).await.unwrap();
    assert!(private[0].is_none());
    assert!(private[1].as_ref().unwrap().1.as_ref().unwrap().starts_with("138"));
}

/// So many at once that SQLite builds some indexes anew at the end.
async fn a_large_registration_ends_with_every_index(db: Database) {
    let store = db.create().await;
    let indexes = match db.is_sqlite() {
        true => "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = 'volunteer'",
        false => "SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'volunteer'",
    };
    let before = db.number(indexes).await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    tx.insert_volunteers(None, (0..4_600).map(|n| person(n, unit)).collect()).await.unwrap();
    drop(tx);
    assert_eq!(db.number("SELECT count(*) FROM volunteer").await, 0);
    assert_eq!(db.number(indexes).await, before, "after one undone");

    register(&store, 0, 4_600).await;
    assert_eq!(db.number(indexes).await, before, "after one kept");
    let mut reader = store.read().await.unwrap();
    for n in [0, 3_999, 4_000, 4_599] {
        let found = reader.people_by_phone(Reach::Everything, &format!("138{n:08}"), 9).await.unwrap();
        assert_eq!(found.iter().map(|line| line.number.clone()).collect::<Vec<_>>(), [number(n)]);
    }
    assert_eq!(
        reader.people_by_name(Reach::Everything, "岩温扁", None, 9_999).await.unwrap().len(),
        4_600_usize.div_ceil(7)
    );
}

async fn duplicates_come_in_bounded_stretches(db: Database) {
    let store = db.create().await;
    register(&store, 0, 6).await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    for (n, of) in [(10, 1), (11, 4)] {
        let mut again = person(n, unit);
        let like = person(of, unit);
        (again.name, again.birth_date, again.contact.phone) = (like.name, like.birth_date, like.contact.phone);
        tx.insert_volunteers(None, vec![again]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let (mut after, mut found) = (None, Vec::new());
    for _ in 0..20 {
        let (groups, next) = reader.same_name_and_birth(after.as_ref(), 2, 1).await.unwrap();
        found.extend(groups.into_iter().map(|group| group.people.len()));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found, after), (vec![2, 2], None));
    let (mut after, mut found): (Option<String>, _) = (None, Vec::new());
    for _ in 0..20 {
        let (groups, next) = reader.same_phone(after.as_deref(), 2, 1).await.unwrap();
        found.extend(groups.into_iter().map(|group| group.people.len()));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found, after), (vec![2, 2], None));
}

async fn corrections_keep_what_was(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let mut tx = begin(&store).await;
    let away = tx.ensure_unit(21, "宁洱县文化馆").await.unwrap().id;
    let before = tx.volunteer_by_id(ids[0]).await.unwrap().unwrap();
    assert_eq!(before.revision, 1);
    let mut to = Corrected::as_stored(&before);
    assert_eq!(tx.correct_volunteer(ids[0], 1, &to, "无").await.unwrap(), CorrectOutcome::Done(vec![]));
    to.name = "岩温明".into();
    to.unit = away;
    to.phone = Change::Set(Zeroizing::new("13900000000".into()));
    to.address = Change::Erase;
    let done = tx.correct_volunteer(ids[0], 1, &to, "录错").await.unwrap();
    assert_eq!(done, CorrectOutcome::Done(vec![Fact::Name, Fact::Unit, Fact::Phone, Fact::Address]));
    assert_eq!(tx.correct_volunteer(ids[0], 1, &to, "录错").await.unwrap(), CorrectOutcome::Conflict);
    tx.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    let after = reader.volunteer_by_id(ids[0]).await.unwrap().unwrap();
    assert_eq!((after.name.as_str(), after.unit, after.county, after.revision), ("岩温明", away, 21, 2));
    assert_eq!(listed(&store, Reach::County(21), &PeopleFilter::default()).await, [number(0)]);
    let made = reader.corrections(ids[0], 9).await.unwrap();
    let of = |fact| made.iter().find(|made| made.fact == fact).unwrap();
    assert_eq!(of(Fact::Name).old.as_deref().map(String::as_str), Some("岩温扁"));
    assert_eq!(of(Fact::Phone).old.as_deref().map(String::as_str), Some("13800000000"));
    assert_eq!(of(Fact::Phone).new.as_deref().map(String::as_str), Some("13900000000"));
    assert!(
        of(Fact::Address).new.is_none() && of(Fact::Address).reason == "录错" && of(Fact::Address).actor == "测试员"
    );
    let events = reader.audit_events(Some(&format!("volunteer/{}", number(0))), 0, 9).await.unwrap();
    let event = events.iter().find(|event| event.action == "volunteer.correct").unwrap();
    assert!(event.detail.contains("phone") && !event.detail.contains("139"), "{}", event.detail);
    drop(reader);
    // Nothing of it stands in the clear, and leaving erases it.
    let clear =
        "SELECT count(*) FROM correction WHERE field = 'phone' AND (old_text IS NOT NULL OR new_text IS NOT NULL)";
    assert_eq!(db.number(clear).await, 0);
    let mut tx = begin(&store).await;
    tx.exit_volunteer(ids[0]).await.unwrap();
    let made = tx.corrections(ids[0], 9).await.unwrap();
    let of = |fact| made.iter().find(|made| made.fact == fact).unwrap();
    assert!(of(Fact::Phone).old.is_none() && of(Fact::Phone).new.is_none() && of(Fact::Name).old.is_some());
    tx.commit().await.unwrap();
    // Somebody else's identity number is refused by the database too.
    let mut tx = begin(&store).await;
    let own = tx.volunteer_by_id(ids[1]).await.unwrap().unwrap();
    let mut to = Corrected::as_stored(&own);
    to.identity = Change::Set(Zeroizing::new(identity(0)));
    let refused = tx.correct_volunteer(ids[1], 1, &to, "录错").await.unwrap_err();
    assert!(matches!(refused, StoreError::Duplicate { what: "身份证号码", .. }), "{refused:?}");
}

fn served(volunteer: VolunteerId, day: i8) -> NewServiceRecord {
    NewServiceRecord {
        volunteer,
        date: date(2026, 3, day),
        start_minute: None,
        end_minute: None,
        minutes: 120,
        content: "清理河道".into(),
        activity: None,
        place: None,
        item: None,
        flags: 0,
        organiser: None,
        in_charge: None,
        late_reason: None,
    }
}

async fn merging_moves_what_is_theirs(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 3).await;
    let (stays, ends) = (ids[0], ids[1]);
    let mut tx = begin(&store).await;
    let records = [served(stays, 1), served(ends, 1), served(ends, 2), served(ends, 3)];
    tx.insert_service_records(None, &records).await.unwrap();
    tx.set_star(ends, 2).await.unwrap();
    let preview = tx.merge_preview(stays, ends).await.unwrap();
    let merged = tx.merge_volunteers(stays, ends, "同一人").await.unwrap();
    assert_eq!(preview, merged);
    assert_eq!((merged.records, merged.same_records), (2, 1));
    tx.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    let (_, minutes) = reader.service_minutes(stays, date(2026, 1, 1), date(2026, 12, 31)).await.unwrap();
    assert_eq!(minutes, 360);
    let gone = reader.volunteer_by_id(ends).await.unwrap().unwrap();
    assert_eq!((gone.state, gone.merged_into, gone.star), (VolunteerState::Exited, Some(stays), 0));
    assert_eq!(reader.volunteer_by_id(stays).await.unwrap().unwrap().star, 2);
    // The phone was the survivor's own already; the e-mail was not known and came from neither.
    assert!(reader.personal_data(ends).await.unwrap().unwrap().phone.is_none());
    assert_eq!(reader.merged_into(stays).await.unwrap().len(), 1);
    // Numbers of the one that ended lead to the one that stays.
    for known in [
        reader.known_by_identity(&[&identity(1)]).await.unwrap().remove(0).unwrap(),
        reader.known_by_number(&[&number(1)]).await.unwrap().remove(0).unwrap(),
    ] {
        assert_eq!((known.id, known.state), (stays, VolunteerState::Active));
    }
    drop(reader);
    let mut tx = begin(&store).await;
    assert!(matches!(tx.merge_volunteers(stays, ends, "再来").await, Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.merge_volunteers(stays, stays, "再来").await, Err(StoreError::NotFound { .. })));
    assert!(!tx.readmit_volunteer(ends, gone.unit, &Default::default()).await.unwrap());
    // Whose number was the right one after all.
    assert!(!tx.exchange_identities(stays, ids[2]).await.unwrap());
    assert!(tx.exchange_identities(stays, ends).await.unwrap());
    assert_eq!(tx.personal_data(stays).await.unwrap().unwrap().identity.as_str(), identity(1));
    assert_eq!(tx.personal_data(ends).await.unwrap().unwrap().identity.as_str(), identity(0));
    // A merge of merges points to the last.
    tx.merge_volunteers(ids[2], stays, "又是同一人").await.unwrap();
    let known = tx.known_by_identity(&[&identity(0)]).await.unwrap().remove(0).unwrap();
    assert_eq!(known.id, ids[2]);
    tx.commit().await.unwrap();
}

async fn the_better_star_of_a_year_survives_a_merge(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let mut tx = begin(&store).await;
    let policy = zyz::domain::star::StarPolicy {
        effective_from: date(2018, 7, 23),
        thresholds_minutes: [6_000, 18_000, 36_000, 60_000, 90_000],
        window: zyz::domain::star::Window::CalendarYear,
        keep: true,
    };
    if tx.star_policy_at(date(2026, 1, 1)).await.unwrap().is_none() {
        tx.add_star_policy(&policy).await.unwrap();
    }
    let award = |volunteer, star| zyz::store::NewStarAward { volunteer, star, window_minutes: 1, lifetime_minutes: 1 };
    for (year, own, theirs) in [(2023, 2, 4), (2024, 3, 1)] {
        let awards = [award(ids[0], own), award(ids[1], theirs)];
        tx.certify_stars(year, &policy, (date(year, 1, 1), date(year, 12, 31)), &awards).await.unwrap();
    }
    let window = (date(2025, 1, 1), date(2025, 12, 31));
    tx.certify_stars(2025, &policy, window, &[award(ids[1], 5)]).await.unwrap();
    assert_eq!(tx.merge_volunteers(ids[0], ids[1], "同一人").await.unwrap().awards, 2);
    let mut stars = Vec::new();
    for year in [2023, 2024, 2025] {
        let awards = tx.star_awards(year).await.unwrap();
        stars.extend(awards.iter().filter(|award| award.award.volunteer == ids[0]).map(|award| award.award.star));
    }
    assert_eq!(stars, [4, 3, 5]);
    tx.commit().await.unwrap();
}

contract![
    lists_are_narrowed_and_paged,
    a_replaced_card_is_the_one_that_counts,
    searches_find_by_index,
    a_large_registration_ends_with_every_index,
    duplicates_come_in_bounded_stretches,
    corrections_keep_what_was,
    merging_moves_what_is_theirs,
    the_better_star_of_a_year_survives_a_merge,
];
