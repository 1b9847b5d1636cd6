//! Units, imports, volunteers.

use sha2::{Digest, Sha256};
use zyz::domain::certificate::VolunteerState;
use zyz::store::{
    Contact, ExitOutcome, ImportCounts, ImportKind, NewImport, Selection, StoreError, VolunteerFilter, VolunteerId,
};

use crate::support::{Database, begin, card, contract, identity, insert_key, now, number, office, person, register};

contract![
    units,
    head_count,
    wrong_county,
    imports,
    register_and_read,
    register_many,
    unfinished_is_not_kept,
    of_no_unit,
    by_identity_and_phone,
    known_in_bulk,
    a_known_identity_is_a_duplicate,
    serials,
    serials_end,
    exit_erases_contact,
    readmission,
    contact_changes,
    star_by_hand,
    lines_in_pages,
    lines_filtered,
    lines_show_the_live_or_latest_card,
    nobody,
];

async fn units(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let first = tx.ensure_unit(2, "第一中学").await.unwrap();
    let again = tx.ensure_unit(2, "第一中学").await.unwrap();
    let other = tx.ensure_unit(28, "第一中学").await.unwrap();
    assert_eq!(first, again);
    assert_ne!(first.id, other.id);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.unit(first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(reader.unit_in(28, "第一中学").await.unwrap(), Some(other.clone()));
    assert_eq!(reader.unit_in(0, "第一中学").await.unwrap(), None);
    assert_eq!(reader.units_named("第一中学").await.unwrap(), [first.clone(), other.clone()]);
    assert_eq!(reader.units().await.unwrap(), [first, other]);
    assert_eq!(reader.audit_events(None, 0, 10).await.unwrap().len(), 2, "one event a unit made");
}

async fn head_count(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await;
    tx.set_head_count(unit.id, Some(120)).await.unwrap();
    assert_eq!(tx.unit(unit.id).await.unwrap().unwrap().head_count, Some(120));
    tx.set_head_count(unit.id, None).await.unwrap();
    assert_eq!(tx.unit(unit.id).await.unwrap().unwrap().head_count, None);
    let nobody = tx.set_head_count(zyz::store::UnitId(999), Some(1)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })));
}

async fn wrong_county(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let unit = tx.ensure_unit(100, "x").await;
    assert!(matches!(unit, Err(StoreError::County { county: 100 })));
}

async fn imports(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    let roster = NewImport {
        kind: ImportKind::Roster,
        file_name: "附件2.xlsx".to_owned(),
        file_sha256: [5; 32],
        unit: Some(unit),
    };
    let hours = NewImport { kind: ImportKind::Hours, unit: None, file_sha256: [6; 32], ..roster.clone() };
    let counts = ImportCounts { rows: 10, imported: 7, known: 2, refused: 1 };
    let open = tx.begin_import(roster).await.unwrap();
    let first = open.id();
    tx.finish_import(open, &counts).await.unwrap();
    let open = tx.begin_import(hours).await.unwrap();
    let second = open.id();
    tx.finish_import(open, &counts).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let found = reader.import_of_file(&[5; 32]).await.unwrap().unwrap();
    assert_eq!((found.id, found.at, found.actor.as_str()), (first, now(), "测试员"));
    assert_eq!((found.noted.unit, found.counts), (Some(unit), counts));
    assert!(reader.import_of_file(&[7; 32]).await.unwrap().is_none());
    let all: Vec<_> =
        reader.imports(5).await.unwrap().into_iter().map(|import| (import.id, import.noted.kind)).collect();
    assert_eq!(all, [(second, ImportKind::Hours), (first, ImportKind::Roster)]);
}

async fn register_and_read(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 8).await;
    let mut reader = store.read().await.unwrap();
    for (n, id) in (0..8).zip(ids) {
        let stored = reader.volunteer(&number(n)).await.unwrap().unwrap();
        let given = person(n, stored.unit);
        assert_eq!(stored.id, id);
        assert_eq!(
            (&stored.name, stored.birth_date, stored.political),
            (&given.name, given.birth_date, given.political)
        );
        assert_eq!((stored.sex, stored.ethnicity), (given.sex, given.ethnicity));
        assert_eq!((stored.unit_name.as_str(), stored.county), ("思茅区文化馆", 2));
        assert_eq!((stored.state, stored.star, stored.registered_at), (VolunteerState::Active, 0, now()));
        assert_eq!((stored.import, stored.exited_at), (None, None));
        assert_eq!(stored.national_number, given.national_number);
        let personal = reader.personal_data(id).await.unwrap().unwrap();
        assert_eq!(*personal.identity, given.identity);
        assert_eq!(personal.phone.map(|text| text.to_string()), given.contact.phone);
        assert_eq!(personal.email.map(|text| text.to_string()), given.contact.email);
        assert_eq!(personal.address.map(|text| text.to_string()), given.contact.address);
    }
}

/// More than one statement takes, in parts of odd sizes and of two units, so that the pipeline's chunks meet their keys.
async fn register_many(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    let other = tx.ensure_unit(2, "另一单位").await.unwrap().id;
    let unit_of = |n: u32| if (700..1_900).contains(&n) { other } else { unit };
    let counts = ImportCounts { rows: 2_347, imported: 2_347, known: 0, refused: 0 };
    let open = tx.begin_import(new_import([1; 32])).await.unwrap();
    let import = open.id();
    let mut registration = tx.begin_registration(Some(import));
    for part in [0..3, 3..3, 3..1_200, 1_200..2_347] {
        tx.register(&mut registration, part.map(|n| person(n, unit_of(n))).collect()).await.unwrap();
    }
    tx.finish_import(open, &counts).await.unwrap();
    let ids = tx.finish_registration(registration).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ids.len(), 2_347);
    let mut reader = store.read().await.unwrap();
    for n in [0, 2, 3, 499, 500, 699, 700, 1_199, 1_200, 1_899, 1_900, 2_346] {
        let stored = reader.volunteer(&number(n)).await.unwrap().unwrap();
        assert_eq!((stored.id, stored.import, stored.unit), (ids[n as usize], Some(import), unit_of(n)));
        assert_eq!(*reader.personal_data(stored.id).await.unwrap().unwrap().identity, identity(n));
    }
    let events = reader.audit_events(Some(&format!("import/{import}")), 0, 10).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["import.roster", "volunteer.import"], "an import's volunteers share one event");
    let mut all = Sha256::new();
    for n in 0..2_347 {
        all.update(10_u64.to_be_bytes());
        all.update(number(n));
    }
    let detail: serde_json::Value = serde_json::from_str(&events[1].detail).unwrap();
    assert_eq!(detail, serde_json::json!({"count": 2_347, "numbers_sha256": hex::encode(all.finalize())}));

    let mut tx = begin(&store).await;
    let open = tx.begin_import(new_import([2; 32])).await.unwrap();
    let import = open.id();
    tx.finish_import(open, &counts).await.unwrap();
    tx.insert_volunteers(Some(import), Vec::new()).await.unwrap();
    tx.commit().await.unwrap();
    let events = reader.audit_events(Some(&format!("import/{import}")), 0, 10).await.unwrap();
    assert_eq!(events.len(), 1, "nobody registered is no event");
}

fn new_import(file_sha256: [u8; 32]) -> NewImport {
    NewImport { kind: ImportKind::Roster, file_name: "大名单.xlsx".to_owned(), file_sha256, unit: None }
}

async fn unfinished_is_not_kept(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    tx.commit().await.unwrap();

    let mut tx = begin(&store).await;
    let _import = tx.begin_import(new_import([1; 32])).await.unwrap();
    assert!(matches!(tx.commit().await, Err(StoreError::Unfinished)));

    let mut tx = begin(&store).await;
    let mut registration = tx.begin_registration(None);
    tx.register(&mut registration, (0..700).map(|n| person(n, unit)).collect()).await.unwrap();
    assert!(matches!(tx.commit().await, Err(StoreError::Unfinished)));

    // Refused half-way: what the database took before the twin must not stay.
    let mut tx = begin(&store).await;
    let mut people: Vec<_> = (0..300).map(|n| person(n, unit)).collect();
    people[250].identity = identity(3);
    let refused = tx.insert_volunteers(None, people).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { what: "身份证号码", .. })), "{refused:?}");
    assert!(matches!(tx.commit().await, Err(StoreError::Unfinished)));

    for table in ["volunteer", "import"] {
        assert_eq!(db.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

/// A unit that is none: noticed at the latest when it is committed.
async fn of_no_unit(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let done = match tx.insert_volunteers(None, vec![person(0, zyz::store::UnitId(77))]).await {
        Ok(_) => tx.commit().await,
        Err(error) => Err(error),
    };
    assert!(matches!(done, Err(StoreError::Reference(_))), "{done:?}");
    assert_eq!(db.number("SELECT count(*) FROM volunteer").await, 0);
}

async fn by_identity_and_phone(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 3).await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.volunteer_by_identity(&identity(1)).await.unwrap().unwrap().id, ids[1]);
    assert_eq!(reader.volunteer_by_identity(&identity(9)).await.unwrap(), None);
    let by_phone = reader.volunteers_by_phone("13800000002").await.unwrap();
    assert_eq!(by_phone.iter().map(|found| found.id).collect::<Vec<_>>(), [ids[2]]);
    assert!(reader.volunteers_by_phone("13900000002").await.unwrap().is_empty());
}

async fn known_in_bulk(db: Database) {
    let store = db.create().await;
    let asked: Vec<String> = (0..3_100).map(identity).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let none = store.read().await.unwrap().known_by_identity(&asked).await.unwrap();
    assert!(none.iter().all(Option::is_none) && none.len() == asked.len(), "an empty database knows nobody");

    let ids = register(&store, 1_000, 2_050).await;
    let mut reader = store.read().await.unwrap();
    let found = reader.known_by_identity(&asked).await.unwrap();
    assert_eq!(found.len(), asked.len());
    for (n, known) in found.iter().enumerate() {
        let expected = (1_000..2_050).contains(&n).then(|| (ids[n - 1_000], number(n as u32)));
        assert_eq!(known.as_ref().map(|known| (known.id, known.number.clone())), expected, "{n}");
    }
    let numbers = [number(1_500), number(5), number(1_500)];
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let found = reader.known_by_number(&numbers).await.unwrap();
    let found: Vec<Option<VolunteerId>> = found.into_iter().map(|known| known.map(|known| known.id)).collect();
    assert_eq!(found, [Some(ids[500]), None, Some(ids[500])]);
}

async fn a_known_identity_is_a_duplicate(db: Database) {
    let store = db.create().await;
    register(&store, 0, 2).await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    let mut twin = person(7, unit);
    twin.identity = identity(1);
    let refused = tx.insert_volunteers(None, vec![twin]).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { what: "身份证号码", .. })), "{refused:?}");
    drop(tx);

    let mut tx = begin(&store).await;
    let mut twin = person(1, unit);
    twin.identity = identity(8);
    let refused = tx.insert_volunteers(None, vec![twin]).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { what: "证号", .. })), "{refused:?}");
    drop(tx);
    assert_eq!(db.number("SELECT count(*) FROM volunteer").await, 2);
}

async fn serials(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.draw_serials(2, 3).await.unwrap(), 1..4);
    assert_eq!(tx.draw_serials(0, 1).await.unwrap(), 1..2);
    assert_eq!(tx.draw_serials(2, 0).await.unwrap().len(), 0);
    assert_eq!(tx.draw_serials(2, 2).await.unwrap(), 4..6);
    tx.rollback().await.unwrap();
    let mut tx = begin(&store).await;
    assert_eq!(tx.draw_serials(2, 1).await.unwrap(), 1..2, "what was rolled back is given again");
    tx.commit().await.unwrap();
    let mut tx = begin(&store).await;
    assert_eq!(tx.draw_serials(2, 1).await.unwrap(), 2..3);
}

async fn serials_end(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.draw_serials(29, 9_999_998).await.unwrap().end, 9_999_999);
    assert_eq!(tx.draw_serials(29, 1).await.unwrap(), 9_999_999..10_000_000);
    let over = tx.draw_serials(29, 1).await;
    assert!(matches!(over, Err(StoreError::SerialsExhausted { county: 29 })), "{over:?}");
}

async fn exit_erases_contact(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 10, 11).await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.exit_volunteer(ids[0]).await.unwrap(), ExitOutcome::Exited);
    assert_eq!(tx.exit_volunteer(ids[0]).await.unwrap(), ExitOutcome::AlreadyExited);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let stored = reader.volunteer(&number(10)).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.exited_at), (VolunteerState::Exited, Some(now())));
    let personal = reader.personal_data(ids[0]).await.unwrap().unwrap();
    assert_eq!(*personal.identity, identity(10), "a return must be recognised");
    assert!(personal.phone.is_none() && personal.email.is_none() && personal.address.is_none());
    assert!(reader.volunteers_by_phone("13800000010").await.unwrap().is_empty());
    assert_eq!(db.number("SELECT count(*) FROM volunteer WHERE user_name IS NOT NULL").await, 0);
    let events = reader.audit_events(Some(&format!("volunteer/{}", number(10))), 0, 9).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["volunteer.register", "volunteer.exit"], "the second exit changed nothing");
}

async fn readmission(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 1, 2).await;
    let mut tx = begin(&store).await;
    let contact = Contact { phone: Some("13911112222".to_owned()), ..Contact::default() };
    let unit = tx.ensure_unit(21, "宁洱县图书馆").await.unwrap().id;
    assert!(!tx.readmit_volunteer(ids[0], unit, &contact).await.unwrap(), "they have not left");
    tx.exit_volunteer(ids[0]).await.unwrap();
    assert!(tx.readmit_volunteer(ids[0], unit, &contact).await.unwrap());
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let stored = reader.volunteer(&number(1)).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.exited_at, stored.unit), (VolunteerState::Active, None, unit));
    assert_eq!(reader.volunteers_by_phone("13911112222").await.unwrap().len(), 1);
}

async fn contact_changes(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 1, 2).await;
    let mut tx = begin(&store).await;
    let contact = Contact { email: Some("new@example.cn".to_owned()), ..Contact::default() };
    assert!(tx.set_contact(ids[0], &contact).await.unwrap());
    let personal = tx.personal_data(ids[0]).await.unwrap().unwrap();
    assert_eq!(personal.email.unwrap().as_str(), "new@example.cn");
    assert!(personal.phone.is_none());
    tx.exit_volunteer(ids[0]).await.unwrap();
    assert!(!tx.set_contact(ids[0], &contact).await.unwrap(), "who has left has no contact data");
    assert!(tx.personal_data(ids[0]).await.unwrap().unwrap().email.is_none());
}

async fn star_by_hand(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 1, 2).await;
    let mut tx = begin(&store).await;
    tx.set_star(ids[0], 4).await.unwrap();
    assert_eq!(tx.volunteer(&number(1)).await.unwrap().unwrap().star, 4);
    assert!(matches!(tx.set_star(VolunteerId(99), 1).await, Err(StoreError::NotFound { .. })));
    assert!(tx.set_star(ids[0], 6).await.is_err(), "the column refuses a sixth star");
}

async fn lines_in_pages(db: Database) {
    let store = db.create().await;
    register(&store, 0, 25).await;
    let mut reader = store.read().await.unwrap();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().cloned();
        let page = reader.volunteer_lines(&VolunteerFilter::default(), after.as_deref(), 10).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|line| line.number));
    }
    assert_eq!(seen, (0..25).map(number).collect::<Vec<_>>());
}

async fn lines_filtered(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 4).await;
    let mut tx = begin(&store).await;
    let school = tx.ensure_unit(28, "澜沧县第一中学").await.unwrap().id;
    tx.insert_volunteers(None, (4..9).map(|n| person(n, school)).collect()).await.unwrap();
    tx.exit_volunteer(ids[0]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let filters = [
        (VolunteerFilter::default(), 9),
        (VolunteerFilter { unit: Some(school), ..VolunteerFilter::default() }, 5),
        (VolunteerFilter { county: Some(2), ..VolunteerFilter::default() }, 4),
        (VolunteerFilter { state: Some(VolunteerState::Exited), ..VolunteerFilter::default() }, 1),
        (VolunteerFilter { name: Some("玉波罕".to_owned()), ..VolunteerFilter::default() }, 2),
        (VolunteerFilter { county: Some(28), state: Some(VolunteerState::Exited), ..VolunteerFilter::default() }, 0),
    ];
    for (filter, count) in filters {
        assert_eq!(reader.volunteer_lines(&filter, None, 100).await.unwrap().len(), count, "{filter:?}");
    }
}

async fn lines_show_the_live_or_latest_card(db: Database) {
    use zyz::domain::certificate::{CertificateState, Reason};
    let store = db.create().await;
    let ids = register(&store, 0, 3).await;
    let key = insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    let old = tx.insert_certificates(&[card(ids[0], 0, key, 5), card(ids[1], 1, key, 6)]).await.unwrap();
    tx.supersede_certificates(&old[..1], Reason::Reissue).await.unwrap();
    tx.insert_certificates(&[card(ids[0], 0, key, 7)]).await.unwrap();
    let (from, to) = (CertificateState::Valid, CertificateState::Revoked);
    tx.change_certificate(old[1], from, to, Reason::Lost).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let lines = reader.volunteer_lines(&VolunteerFilter::default(), None, 10).await.unwrap();
    let states: Vec<_> = lines.iter().map(|line| line.certificate.as_ref().map(|card| card.state)).collect();
    assert_eq!(states, [Some(CertificateState::Valid), Some(CertificateState::Revoked), None]);
    let candidates = reader.issue_candidates(&Selection::All, None, 10).await.unwrap();
    assert_eq!(candidates.iter().map(|who| who.volunteer).collect::<Vec<_>>(), ids[1..]);
}

async fn nobody(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.volunteer("0200000010").await.unwrap(), None);
    assert!(tx.personal_data(VolunteerId(1)).await.unwrap().is_none());
    assert!(matches!(tx.exit_volunteer(VolunteerId(1)).await, Err(StoreError::NotFound { .. })));
    assert!(tx.insert_volunteers(None, Vec::new()).await.unwrap().is_empty());
    assert!(tx.known_by_identity(&[]).await.unwrap().is_empty());
}
