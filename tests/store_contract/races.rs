//! Several writers, in one process and in several, and writers that die.

use std::collections::HashSet;

use zyz::domain::certificate::{CertificateState, Reason};
use zyz::store::{ChainCheck, StateChange, StoreError};

use crate::support::{
    Database, begin, card, contract, entropy, insert_key, keys, now, number, office, person, register,
};

contract![
    a_dropped_transaction_leaves_nothing,
    a_failed_statement_leaves_nothing,
    readers_do_not_see_half,
    writers_take_turns,
    one_of_two_issues,
    one_of_two_revocations,
    the_database_itself_refuses_a_second_live_card,
    two_imports_of_the_same_people,
];

async fn a_dropped_transaction_leaves_nothing(db: Database) {
    let store = db.create().await;
    register(&store, 0, 1).await;
    let head = store.read().await.unwrap().audit_head().await.unwrap();
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    tx.insert_volunteers(None, (1..700).map(|n| person(n, unit)).collect()).await.unwrap();
    tx.draw_serials(2, 5).await.unwrap();
    drop(tx);
    let again = db.open().await;
    assert_eq!(again.read().await.unwrap().audit_head().await.unwrap(), head);
    assert_eq!(db.number("SELECT count(*) FROM volunteer").await, 1);
    register(&again, 1, 3).await;
    assert_eq!(db.number("SELECT max(id) FROM volunteer").await, 3, "keys go on where they were");
}

async fn a_failed_statement_leaves_nothing(db: Database) {
    let store = db.create().await;
    register(&store, 0, 1).await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    // The last of three statements meets an identity number that is known.
    let mut new: Vec<_> = (1..1_300).map(|n| person(n, unit)).collect();
    new.push(zyz::store::NewVolunteer { number: number(5_000), ..person(0, unit) });
    assert!(tx.insert_volunteers(None, new).await.is_err());
    drop(tx);
    assert_eq!(db.number("SELECT count(*) FROM volunteer").await, 1);
    register(&store, 1, 2).await;
    let check = store.read().await.unwrap().verify_audit_chain().await.unwrap();
    assert!(matches!(check, ChainCheck::Intact { events: 3, .. }), "{check:?}");
}

async fn readers_do_not_see_half(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let unit = office(&mut tx).await.id;
    tx.insert_volunteers(None, vec![person(0, unit)]).await.unwrap();
    assert!(tx.volunteer(&number(0)).await.unwrap().is_some(), "its own writes are seen");
    assert!(store.read().await.unwrap().volunteer(&number(0)).await.unwrap().is_none());
    tx.commit().await.unwrap();
    assert!(store.read().await.unwrap().volunteer(&number(0)).await.unwrap().is_some());
}

/// Three processes, each its own connections, each drawing serials and versions.
async fn writers_take_turns(db: Database) {
    db.create().await;
    let mut tasks = Vec::new();
    for process in 0..3 {
        let store = zyz::store::Store::open(&db.url, &keys(), entropy(process)).await.unwrap();
        for _ in 0..2 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                let (mut serials, mut versions) = (Vec::new(), Vec::new());
                for _ in 0..10 {
                    let mut tx = store.begin("并发", now()).await.unwrap();
                    serials.extend(tx.draw_serials(2, 3).await.unwrap());
                    versions.push(tx.next_bundle_version(0).await.unwrap());
                    tx.audit("test.draw", "counter", serde_json::json!({}));
                    tx.commit().await.unwrap();
                }
                (serials, versions)
            }));
        }
    }
    let (mut serials, mut versions) = (HashSet::new(), HashSet::new());
    for task in tasks {
        let (some, others) = task.await.unwrap();
        assert!(some.into_iter().all(|serial| serials.insert(serial)));
        assert!(others.into_iter().all(|version| versions.insert(version)));
    }
    assert_eq!(serials, (1..=180).collect());
    assert_eq!(versions, (1..=60).collect());
    let check = db.open().await.read().await.unwrap().verify_audit_chain().await.unwrap();
    assert!(matches!(check, ChainCheck::Intact { events: 60, .. }), "{check:?}");
}

async fn one_of_two_issues(db: Database) {
    let store = db.create().await;
    register(&store, 0, 40).await;
    let key = insert_key(&store, 1).await;
    let mut tasks = Vec::new();
    for process in 0..3 {
        let store = zyz::store::Store::open(&db.url, &keys(), entropy(100 + process)).await.unwrap();
        tasks.push(tokio::spawn(async move {
            let mut issued = 0;
            loop {
                let mut tx = store.begin("并发", now()).await.unwrap();
                let found = tx.issue_candidates(&zyz::store::Selection::All, None, 7).await.unwrap();
                if found.is_empty() {
                    return issued;
                }
                let indexes = tx.draw_status_indexes(key, found.len()).await.unwrap();
                let new: Vec<_> =
                    found.iter().zip(indexes).map(|(who, index)| card(who.volunteer, 0, key, index)).collect();
                issued += tx.insert_certificates(&new).await.unwrap().len();
                tx.commit().await.unwrap();
            }
        }));
    }
    let mut issued = 0;
    for task in tasks {
        issued += task.await.unwrap();
    }
    assert_eq!(issued, 40);
    assert_eq!(db.number("SELECT count(DISTINCT volunteer_id) FROM certificate").await, 40);
}

async fn one_of_two_revocations(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let key = insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    let id = tx.insert_certificates(&[card(ids[0], 0, key, 1)]).await.unwrap()[0];
    tx.commit().await.unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut tx = store.begin("并发", now()).await.unwrap();
                let (from, to) = (CertificateState::Valid, CertificateState::Revoked);
                let outcome = tx.change_certificate(id, from, to, Reason::Lost).await.unwrap();
                tx.commit().await.unwrap();
                outcome
            })
        })
        .collect();
    let mut changed = 0;
    for task in tasks {
        match task.await.unwrap() {
            StateChange::Changed => changed += 1,
            StateChange::AlreadyThere => {}
            StateChange::Lost(state) => panic!("{state}"),
        }
    }
    assert_eq!(changed, 1);
}

/// Even a writer that does not queue at the audit head meets the partial unique index.
async fn the_database_itself_refuses_a_second_live_card(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    let key = insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    tx.insert_certificates(&[card(ids[0], 0, key, 1)]).await.unwrap();
    tx.commit().await.unwrap();
    let copy = "INSERT INTO certificate (id, volunteer_id, number, key_id, status_index, star, issued_at, expires_at, \
                state, state_changed_at, code) SELECT id + 1, volunteer_id, number, key_id, status_index + 1, star, \
                issued_at, expires_at, 'STATE', state_changed_at, code FROM certificate WHERE id = 1";
    for (state, kept) in [("valid", false), ("suspended", false), ("superseded", true)] {
        let db = db.clone();
        let copy = copy.replace("STATE", state);
        let done = tokio::spawn(async move { db.execute(&copy).await }).await;
        assert_eq!(done.is_ok(), kept, "{state}");
    }
}

async fn two_imports_of_the_same_people(db: Database) {
    db.create().await;
    let mut tasks = Vec::new();
    for process in 0..2 {
        let store = zyz::store::Store::open(&db.url, &keys(), entropy(process)).await.unwrap();
        tasks.push(tokio::spawn(async move {
            let mut tx = store.begin("并发", now()).await.unwrap();
            let unit = office(&mut tx).await.id;
            let people: Vec<_> = (0..600).map(|n| person(n, unit)).collect();
            let identities: Vec<&str> = people.iter().map(|person| person.identity.as_str()).collect();
            let known = tx.known_by_identity(&identities).await.unwrap();
            let new: Vec<_> =
                people.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(p, _)| p.clone()).collect();
            let count = new.len();
            tx.insert_volunteers(None, new).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(count)
        }));
    }
    let mut counts = Vec::new();
    for task in tasks {
        counts.push(task.await.unwrap().unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, [0, 600], "whoever comes second finds everybody known");
}
