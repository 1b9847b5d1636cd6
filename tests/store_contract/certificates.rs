//! Cards: issue, states, reissue, print, status sets.

use zyz::domain::certificate::{CertificateState, Reason};
use zyz::store::{
    CertificateId, KeyState, KeyStatuses, ReissueWhen, STATUS_LIST_FULL, STATUS_LIST_SIZE, Selection, StateChange,
    Store, StoreError, VolunteerId,
};

use crate::support::{Database, begin, card, contract, insert_key, later, now, number, person, register};

contract![
    issued_cards_read_back,
    candidates,
    candidates_in_pages,
    selections,
    one_live_card,
    an_index_twice,
    changes,
    a_lost_race_is_an_outcome,
    reissue_reasons,
    supersede_many,
    drawn_indexes,
    a_full_list,
    printing,
    status_sets,
    counted_for_the_doctor,
];

/// Volunteers `0..count`, each with a card whose status index is ten times their number.
async fn issued(store: &Store, count: u32) -> (Vec<VolunteerId>, Vec<CertificateId>) {
    let ids = register(store, 0, count).await;
    let key = insert_key(store, 1).await;
    let mut tx = begin(store).await;
    let new: Vec<_> = (0..).zip(&ids).map(|(n, id)| card(*id, n, key, n * 10)).collect();
    let cards = tx.insert_certificates(&new).await.unwrap();
    tx.commit().await.unwrap();
    (ids, cards)
}

async fn issued_cards_read_back(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let key = insert_key(&store, 1).await;
    let bare = zyz::store::NewCertificate { holder: None, star: 5, ..card(ids[1], 1, key, 1_048_575) };
    let mut tx = begin(&store).await;
    let cards = tx.insert_certificates(&[card(ids[0], 0, key, 0), bare.clone()]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let stored = reader.certificate(&number(1)).await.unwrap().unwrap();
    assert_eq!((stored.id, &stored.issued, stored.state), (cards[1], &bare, CertificateState::Valid));
    assert_eq!((stored.reason, stored.printed_at, stored.state_changed_at), (None, None, now()));
    assert_eq!(reader.certificate(&number(7)).await.unwrap(), None);
    let events = reader.audit_events(Some(&format!("certificate/{}#{}", number(1), cards[1])), 0, 9).await.unwrap();
    assert_eq!(events[0].action, "certificate.issue");
}

async fn candidates(db: Database) {
    let store = db.create().await;
    let (ids, cards) = issued(&store, 4).await;
    register(&store, 4, 6).await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.issue_count(&Selection::All).await.unwrap(), 2);
    tx.change_certificate(cards[0], CertificateState::Valid, CertificateState::Suspended, Reason::Misuse)
        .await
        .unwrap();
    tx.change_certificate(cards[1], CertificateState::Valid, CertificateState::Revoked, Reason::Lost).await.unwrap();
    tx.change_certificate(cards[2], CertificateState::Valid, CertificateState::Revoked, Reason::Exit).await.unwrap();
    tx.exit_volunteer(ids[2]).await.unwrap();
    let found = tx.issue_candidates(&Selection::All, None, 100).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|who| who.number).collect();
    assert_eq!(found, [number(1), number(4), number(5)], "neither the suspended nor those who left");
}

async fn candidates_in_pages(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 23).await;
    let mut reader = store.read().await.unwrap();
    let mut seen: Vec<VolunteerId> = Vec::new();
    loop {
        let page = reader.issue_candidates(&Selection::All, seen.last().copied(), 10).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|who| who.volunteer));
    }
    assert_eq!(seen, ids);
}

async fn selections(db: Database) {
    let store = db.create().await;
    register(&store, 0, 3).await;
    let mut tx = begin(&store).await;
    let school = tx.ensure_unit(28, "澜沧县第一中学").await.unwrap().id;
    tx.insert_volunteers(None, (3..7).map(|n| person(n, school)).collect()).await.unwrap();
    let chosen = vec![number(6), number(0), "9999999999".to_owned()];
    let selections = [
        (Selection::All, 7),
        (Selection::Unit(school), 4),
        (Selection::Numbers(chosen), 2),
        (Selection::Numbers(Vec::new()), 0),
    ];
    for (selection, count) in selections {
        assert_eq!(tx.issue_candidates(&selection, None, 100).await.unwrap().len(), count, "{selection:?}");
        assert_eq!(tx.issue_count(&selection).await.unwrap(), count as u64);
    }
    let many = Selection::Numbers((0..30_000).map(number).collect());
    assert_eq!(tx.issue_candidates(&many, None, 100).await.unwrap().len(), 7);
    let too_many = Selection::Numbers((0..30_001).map(number).collect());
    let refused = tx.issue_candidates(&too_many, None, 100).await;
    assert!(matches!(refused, Err(StoreError::TooManyNumbers { limit: 30_000 })));
}

async fn one_live_card(db: Database) {
    let store = db.create().await;
    let (ids, cards) = issued(&store, 1).await;
    let key = store.read().await.unwrap().signing_keys(None).await.unwrap()[0].id;
    for state in [CertificateState::Valid, CertificateState::Suspended] {
        let mut tx = begin(&store).await;
        if state == CertificateState::Suspended {
            tx.change_certificate(cards[0], CertificateState::Valid, state, Reason::Misuse).await.unwrap();
        }
        let second = tx.insert_certificates(&[card(ids[0], 0, key, 77)]).await;
        assert!(matches!(second, Err(StoreError::Duplicate { what: "有效证件", .. })), "{second:?}");
    }
    let mut tx = begin(&store).await;
    assert_eq!(tx.supersede_certificates(&cards, Reason::Reissue).await.unwrap(), 1);
    tx.insert_certificates(&[card(ids[0], 0, key, 77)]).await.unwrap();
    tx.commit().await.unwrap();
    let history = store.read().await.unwrap().certificate_history(&number(0)).await.unwrap();
    let states: Vec<_> = history.iter().map(|card| (card.issued.status_index, card.state, card.reason)).collect();
    let expected = [(77, CertificateState::Valid, None), (0, CertificateState::Superseded, Some(Reason::Reissue))];
    assert_eq!(states, expected);
}

async fn an_index_twice(db: Database) {
    let store = db.create().await;
    issued(&store, 2).await;
    let new = register(&store, 5, 6).await;
    let other = insert_key(&store, 2).await;
    let mut tx = begin(&store).await;
    tx.insert_certificates(&[card(new[0], 5, other, 10)]).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = begin(&store).await;
    let first = tx.signing_keys(None).await.unwrap()[0].id;
    let twice = tx.insert_certificates(&[card(new[0], 5, first, 10)]).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { what: "证件状态序号", .. })), "{twice:?}");
}

async fn changes(db: Database) {
    use CertificateState::{Revoked, Superseded, Suspended, Valid};
    let store = db.create().await;
    let (_, cards) = issued(&store, 1).await;
    let steps =
        [(Valid, Suspended, Reason::Misuse), (Suspended, Valid, Reason::Resumed), (Valid, Revoked, Reason::Lost)];
    for (at, (from, to, reason)) in (1..).zip(steps) {
        let mut tx = store.begin("管理员", later(at)).await.unwrap();
        assert_eq!(tx.change_certificate(cards[0], from, to, reason).await.unwrap(), StateChange::Changed);
        assert_eq!(tx.change_certificate(cards[0], from, to, reason).await.unwrap(), StateChange::AlreadyThere);
        tx.commit().await.unwrap();
        let stored = store.read().await.unwrap().certificate(&number(0)).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.reason, stored.state_changed_at), (to, Some(reason), later(at)));
    }
    let mut tx = begin(&store).await;
    for to in [Valid, Suspended, Superseded] {
        let refused = tx.change_certificate(cards[0], Revoked, to, Reason::Other).await;
        assert!(matches!(refused, Err(StoreError::Transition { from: Revoked, .. })), "{refused:?}");
    }
    let nobody = tx.change_certificate(CertificateId(99), Valid, Revoked, Reason::Other).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })));
    let object = format!("certificate/{}#{}", number(0), cards[0]);
    let events = tx.audit_events(Some(&object), 0, 9).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["certificate.issue", "certificate.suspend", "certificate.resume", "certificate.revoke"]);
    assert_eq!(events[3].detail, r#"{"from":"valid","reason":"lost"}"#);
}

async fn a_lost_race_is_an_outcome(db: Database) {
    use CertificateState::{Revoked, Suspended, Valid};
    let store = db.create().await;
    let (_, cards) = issued(&store, 1).await;
    let mut tx = begin(&store).await;
    tx.change_certificate(cards[0], Valid, Revoked, Reason::Lost).await.unwrap();
    let lost = tx.change_certificate(cards[0], Valid, Suspended, Reason::Misuse).await.unwrap();
    assert_eq!(lost, StateChange::Lost(Revoked));
}

async fn reissue_reasons(db: Database) {
    let store = db.create().await;
    let (ids, cards) = issued(&store, 5).await;
    let other = insert_key(&store, 2).await;
    let mut tx = begin(&store).await;
    tx.set_star(ids[1], 2).await.unwrap();
    tx.change_certificate(cards[2], CertificateState::Valid, CertificateState::Suspended, Reason::Misuse)
        .await
        .unwrap();
    tx.supersede_certificates(&cards[3..4], Reason::Reissue).await.unwrap();
    let soon = zyz::store::NewCertificate { expires_at: later(10), ..card(ids[3], 3, other, 1) };
    tx.insert_certificates(&[soon]).await.unwrap();
    tx.exit_volunteer(ids[4]).await.unwrap();
    let first = tx.signing_keys(None).await.unwrap()[0].id;

    let no = ReissueWhen::default();
    let compromised = ReissueWhen { key_compromised: true, ..no };
    let found = async |tx: &mut zyz::store::Tx, when| {
        let live = tx.live_certificates(&Selection::All, when, None, 100).await.unwrap();
        live.into_iter().map(|card| card.number).collect::<Vec<_>>()
    };
    assert_eq!(found(&mut tx, no).await, Vec::<String>::new());
    assert_eq!(found(&mut tx, ReissueWhen { star_changed: true, ..no }).await, [number(1)]);
    assert_eq!(found(&mut tx, ReissueWhen { expires_before: Some(later(11)), ..no }).await, [number(3)]);
    assert_eq!(found(&mut tx, ReissueWhen { expires_before: Some(later(10)), ..no }).await, Vec::<String>::new());
    assert_eq!(found(&mut tx, compromised).await, Vec::<String>::new());
    tx.set_key_state(first, KeyState::Compromised).await.unwrap();
    assert_eq!(found(&mut tx, compromised).await, [number(0), number(1), number(2)]);
    assert_eq!(found(&mut tx, ReissueWhen { any: true, ..no }).await, [number(0), number(1), number(2), number(3)]);

    let one = Selection::Numbers(vec![number(1)]);
    let live = tx.live_certificates(&one, ReissueWhen { any: true, ..no }, None, 100).await.unwrap().remove(0);
    assert_eq!((live.star_on_card, live.star, live.key, live.key_state), (0, 2, first, KeyState::Compromised));
    assert_eq!((live.id, live.volunteer, live.state), (cards[1], ids[1], CertificateState::Valid));
    let next = tx.live_certificates(&Selection::All, compromised, Some(cards[0]), 1).await.unwrap();
    assert_eq!(next[0].id, cards[1], "pages go on after a key");
}

async fn supersede_many(db: Database) {
    let store = db.create().await;
    let (_, cards) = issued(&store, 1_205).await;
    let mut tx = begin(&store).await;
    tx.change_certificate(cards[3], CertificateState::Valid, CertificateState::Revoked, Reason::Lost).await.unwrap();
    assert_eq!(tx.supersede_certificates(&cards, Reason::StarChanged).await.unwrap(), 1_204);
    assert_eq!(tx.supersede_certificates(&cards, Reason::StarChanged).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let stored = reader.certificate(&number(1_204)).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.reason), (CertificateState::Superseded, Some(Reason::StarChanged)));
    assert_eq!(reader.certificate(&number(3)).await.unwrap().unwrap().state, CertificateState::Revoked);
}

async fn drawn_indexes(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1_500).await;
    let key = insert_key(&store, 1).await;
    let mut all = std::collections::HashSet::new();
    for half in [0..700, 700..1_500] {
        let mut tx = begin(&store).await;
        let drawn = tx.draw_status_indexes(key, half.len()).await.unwrap();
        assert!(drawn.iter().all(|index| *index < STATUS_LIST_SIZE && all.insert(*index)), "free and different");
        let new: Vec<_> = half.clone().zip(&drawn).map(|(n, index)| card(ids[n as usize], n, key, *index)).collect();
        tx.insert_certificates(&new).await.unwrap();
        assert_eq!(tx.used_indexes(key, &drawn).await.unwrap().len(), drawn.len());
        tx.commit().await.unwrap();
    }
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.certificate_count(key).await.unwrap(), 1_500);
    let other = insert_key(&store, 2).await;
    assert!(reader.used_indexes(other, &all.into_iter().collect::<Vec<_>>()).await.unwrap().is_empty());
}

async fn a_full_list(db: Database) {
    let store = db.create().await;
    issued(&store, 3).await;
    let mut tx = begin(&store).await;
    let key = tx.signing_keys(None).await.unwrap()[0].id;
    let refused = tx.draw_status_indexes(key, STATUS_LIST_FULL as usize - 2).await;
    let limit = u64::from(STATUS_LIST_FULL);
    let Err(StoreError::StatusListFull { used: 3, limit: at, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(at, limit);
    assert_eq!(tx.draw_status_indexes(key, 10).await.unwrap().len(), 10);
}

async fn printing(db: Database) {
    let store = db.create().await;
    let (ids, cards) = issued(&store, 5).await;
    let mut tx = begin(&store).await;
    let school = tx.ensure_unit(0, "普洱学院").await.unwrap();
    let student = tx.insert_volunteers(None, vec![person(5, school.id)]).await.unwrap()[0];
    let key = tx.signing_keys(None).await.unwrap()[0].id;
    tx.insert_certificates(&[card(student, 5, key, 999)]).await.unwrap();
    tx.change_certificate(cards[1], CertificateState::Valid, CertificateState::Suspended, Reason::Misuse)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.begin("打印员", later(9)).await.unwrap();
    let first = tx.print_cards(&Selection::All, true, None, 3).await.unwrap();
    let rest = tx.print_cards(&Selection::All, true, Some(&first[2].cursor()), 3).await.unwrap();
    let numbers: Vec<_> = first.iter().chain(&rest).map(|card| card.number.clone()).collect();
    assert_eq!(numbers, [0, 2, 3, 4, 5].map(number), "valid ones only, a unit's together");
    assert_eq!((rest[1].unit.as_str(), rest[1].unit_id, &rest[1].code), ("普洱学院", school.id, &vec![0xd2, 0x84, 5]));
    assert_eq!((first[0].id, first[0].star, first[0].expires_at), (cards[0], 0, later(86_400)));
    assert_eq!(first[0].name, person(0, school.id).name);

    let done: Vec<_> = first.iter().map(|card| card.id).collect();
    assert_eq!(tx.mark_printed(&done).await.unwrap(), 3);
    assert_eq!(tx.mark_printed(&done[..1]).await.unwrap(), 0, "printed before");
    assert_eq!(tx.mark_printed(&[]).await.unwrap(), 0);
    assert_eq!(tx.print_count(&Selection::All, true).await.unwrap(), 2);
    assert_eq!(tx.print_count(&Selection::All, false).await.unwrap(), 5);
    assert_eq!(tx.print_count(&Selection::Unit(school.id), false).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.certificate(&number(0)).await.unwrap().unwrap().printed_at, Some(later(9)));
    let again = reader.print_cards(&Selection::Numbers(vec![number(0)]), false, None, 9).await.unwrap();
    assert!(again[0].printed);
    assert_eq!(reader.audit_events(Some("certificate"), 0, 9).await.unwrap().len(), 2);
    assert_eq!(ids.len(), 5);
}

async fn status_sets(db: Database) {
    use CertificateState::{Revoked, Suspended, Valid};
    let store = db.create().await;
    let (ids, cards) = issued(&store, 9).await;
    let other = insert_key(&store, 2).await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.not_valid(None).await.unwrap(), []);
    for n in [7, 2] {
        tx.change_certificate(cards[n], Valid, Revoked, Reason::Lost).await.unwrap();
    }
    tx.change_certificate(cards[4], Valid, Suspended, Reason::Misuse).await.unwrap();
    tx.supersede_certificates(&[cards[8], cards[0]], Reason::Reissue).await.unwrap();
    let brief = zyz::store::NewCertificate { expires_at: later(5), ..card(ids[0], 0, other, 3) };
    let brief = tx.insert_certificates(&[brief]).await.unwrap();
    tx.change_certificate(brief[0], Valid, Revoked, Reason::Error).await.unwrap();
    let first = tx.signing_keys(None).await.unwrap()[0].id;
    let all = [
        KeyStatuses { key: first, revoked: vec![20, 70], suspended: vec![40], superseded: vec![0, 80] },
        KeyStatuses { key: other, revoked: vec![3], suspended: vec![], superseded: vec![] },
    ];
    assert_eq!(tx.not_valid(None).await.unwrap(), all);
    assert_eq!(tx.not_valid(Some(later(5))).await.unwrap(), all);
    assert_eq!(tx.not_valid(Some(later(6))).await.unwrap(), all[..1], "expired cards may be left out");
}

async fn counted_for_the_doctor(db: Database) {
    let store = db.create().await;
    let (ids, cards) = issued(&store, 4).await;
    let mut tx = begin(&store).await;
    tx.change_certificate(cards[0], CertificateState::Valid, CertificateState::Suspended, Reason::Misuse)
        .await
        .unwrap();
    tx.change_certificate(cards[1], CertificateState::Valid, CertificateState::Revoked, Reason::Exit).await.unwrap();
    tx.exit_volunteer(ids[1]).await.unwrap();
    tx.mark_printed(&cards[2..3]).await.unwrap();
    let counts = tx.counts(now(), later(86_401)).await.unwrap();
    assert_eq!((counts.certificates, counts.unprinted), ([2, 1, 1, 0], 1));
    assert_eq!((counts.expired, counts.expiring), (0, 3));
    assert_eq!((counts.volunteers_active, counts.volunteers_exited), (3, 1));
    let counts = tx.counts(later(86_401), later(86_500)).await.unwrap();
    assert_eq!((counts.expired, counts.expiring), (3, 0));
}
