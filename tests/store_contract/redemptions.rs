//! Uses of offers and reversals as they came, and the history of cards.

use zyz::domain::certificate::{CertificateState, Reason};
use zyz::domain::partner::{DeviceId, PartnerId};
use zyz::domain::redemption::CardStanding;
use zyz::store::{KeyState, Reversal, Store, StoreError, UsageRow, Use};

use crate::partners::{device, partner};
use crate::support::{Database, begin, card, contract, insert_key, later, number, register};

contract![
    uses_read_back,
    a_use_twice,
    uses_of_holders_in_order,
    reversals_wait_for_their_use,
    over_limit_comes_and_goes,
    usage_by_offer_and_standing,
    a_batch_is_one_event,
    cards_with_their_history,
];

/// A partner with a device.
async fn till(store: &Store, n: u8) -> (PartnerId, DeviceId) {
    let mut tx = begin(store).await;
    let partner = partner(&mut tx, u32::from(n)).await;
    let device = device(&mut tx, partner, n).await;
    tx.commit().await.unwrap();
    (partner, device)
}

fn used(n: u8, (partner, device): (PartnerId, DeviceId)) -> Use {
    Use {
        id: [n; 16],
        partner,
        device,
        offer: "1".into(),
        number: number(0),
        kid: [1; 4],
        card_issued_at: later(0),
        redeemed_at: later(100 + i64::from(n)),
        bundle_version: 42,
        standing: CardStanding::Valid,
        over_limit: false,
        reversed_at: None,
    }
}

fn reversal(n: u8, redemption: u8, (partner, device): (PartnerId, DeviceId), matched: bool) -> Reversal {
    Reversal { id: [n; 16], partner, device, redemption: [redemption; 16], reversed_at: later(500), matched }
}

async fn insert(store: &Store, till: (PartnerId, DeviceId), uses: &[Use], reversals: &[Reversal]) {
    let mut tx = begin(store).await;
    tx.insert_uses(till.0, till.1, uses, reversals).await.unwrap();
    tx.commit().await.unwrap();
}

async fn uses_read_back(db: Database) {
    let store = db.create().await;
    let till = till(&store, 1).await;
    let odd = Use {
        offer: "不认识".into(),
        standing: CardStanding::Unknown,
        over_limit: true,
        reversed_at: Some(later(900)),
        ..used(2, till)
    };
    insert(&store, till, &[used(1, till), odd.clone()], &[]).await;
    let mut reader = store.read().await.unwrap();
    let mut found = reader.uses(&[[1; 16], [2; 16], [3; 16]]).await.unwrap();
    found.sort_by_key(|used| used.id);
    assert_eq!(found, [used(1, till), odd]);
    assert_eq!(reader.uses(&[]).await.unwrap(), []);
}

async fn a_use_twice(db: Database) {
    let store = db.create().await;
    let till = till(&store, 1).await;
    insert(&store, till, &[used(1, till)], &[reversal(2, 1, till, true)]).await;
    let mut tx = begin(&store).await;
    let twice = tx.insert_uses(till.0, till.1, &[used(1, till)], &[]).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { what: "使用记录", .. })), "{twice:?}");
    drop(tx);
    let mut tx = begin(&store).await;
    let twice = tx.insert_uses(till.0, till.1, &[], &[reversal(2, 1, till, true)]).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { what: "撤销记录", .. })), "{twice:?}");
}

async fn uses_of_holders_in_order(db: Database) {
    let store = db.create().await;
    let (here, elsewhere) = (till(&store, 1).await, till(&store, 2).await);
    let other = Use { number: number(1), ..used(3, here) };
    let third = Use { number: number(2), ..used(4, here) };
    insert(&store, here, &[used(9, here), used(1, here), other.clone(), third], &[]).await;
    insert(&store, elsewhere, &[used(5, elsewhere)], &[]).await;
    let mut reader = store.read().await.unwrap();
    let found = reader.uses_of_holders(here.0, &[number(0), number(1)]).await.unwrap();
    assert_eq!(found, [used(1, here), other, used(9, here)]);
}

async fn reversals_wait_for_their_use(db: Database) {
    let store = db.create().await;
    let (here, elsewhere) = (till(&store, 1).await, till(&store, 2).await);
    let early = Reversal { reversed_at: later(400), ..reversal(12, 1, here, false) };
    insert(&store, here, &[], &[reversal(11, 1, here, false), early.clone(), reversal(13, 2, here, true)]).await;
    insert(&store, elsewhere, &[], &[reversal(14, 1, elsewhere, false)]).await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.reversals(&[[14; 16], [15; 16]]).await.unwrap(), [reversal(14, 1, elsewhere, false)]);
    let waiting = tx.waiting_reversals(here.0, &[[1; 16], [2; 16]]).await.unwrap();
    assert_eq!(waiting, [early, reversal(11, 1, here, false)], "the earliest first, this partner's only");
    assert_eq!(tx.waiting_reversal_count(here.0).await.unwrap(), 2);
    tx.match_reversals(&[[11; 16], [12; 16]]).await.unwrap();
    assert_eq!(tx.waiting_reversals(here.0, &[[1; 16]]).await.unwrap(), []);
    assert_eq!(tx.waiting_reversal_count(here.0).await.unwrap(), 0);
    tx.insert_uses(here.0, here.1, &[used(1, here)], &[]).await.unwrap();
    tx.reverse_use(&[1; 16], later(400)).await.unwrap();
    tx.reverse_use(&[1; 16], later(800)).await.unwrap();
    assert_eq!(tx.uses(&[[1; 16]]).await.unwrap()[0].reversed_at, Some(later(400)), "the first one counts");
}

async fn over_limit_comes_and_goes(db: Database) {
    let store = db.create().await;
    let till = till(&store, 1).await;
    insert(&store, till, &[used(1, till), used(2, till)], &[]).await;
    let mut tx = begin(&store).await;
    tx.set_over_limit(&[[1; 16], [2; 16]], true).await.unwrap();
    tx.set_over_limit(&[[2; 16]], false).await.unwrap();
    tx.commit().await.unwrap();
    let found = store.read().await.unwrap().uses_of_holders(till.0, &[number(0)]).await.unwrap();
    assert_eq!(found.iter().map(|used| used.over_limit).collect::<Vec<_>>(), [true, false]);
}

async fn usage_by_offer_and_standing(db: Database) {
    let store = db.create().await;
    let (here, elsewhere) = (till(&store, 1).await, till(&store, 2).await);
    let row = |offer: &str, standing, uses, over_limit, reversed| UsageRow {
        offer: offer.into(),
        standing,
        uses,
        over_limit,
        reversed,
    };
    let uses = [
        used(1, here),
        Use { over_limit: true, ..used(2, here) },
        Use { over_limit: true, reversed_at: Some(later(900)), ..used(3, here) },
        Use { standing: CardStanding::Revoked, ..used(4, here) },
        Use { offer: "B".into(), standing: CardStanding::Unknown, ..used(5, here) },
    ];
    insert(&store, here, &uses, &[]).await;
    insert(&store, elsewhere, &[used(6, elsewhere)], &[]).await;
    let mut reader = store.read().await.unwrap();
    let all = reader.usage(here.0, None, None).await.unwrap();
    assert_eq!(
        all,
        [
            row("1", CardStanding::Valid, 2, 1, 1),
            row("1", CardStanding::Revoked, 1, 0, 0),
            row("B", CardStanding::Unknown, 1, 0, 0),
        ]
    );
    // From the first moment named until before the second.
    let some = reader.usage(here.0, Some(later(102)), Some(later(104))).await.unwrap();
    assert_eq!(some, [row("1", CardStanding::Valid, 1, 1, 1)]);
    assert_eq!(reader.usage(PartnerId(9), None, None).await.unwrap(), []);
}

async fn a_batch_is_one_event(db: Database) {
    let store = db.create().await;
    let till = till(&store, 1).await;
    let before = store.read().await.unwrap().audit_head().await.unwrap().0;
    insert(&store, till, &[used(1, till), used(2, till)], &[reversal(3, 1, till, true)]).await;
    insert(&store, till, &[], &[]).await;
    let mut reader = store.read().await.unwrap();
    let events = reader.audit_events(None, before, 9).await.unwrap();
    assert_eq!(events.len(), 1, "and none for nothing");
    assert_eq!((events[0].action.as_str(), events[0].object.as_str()), ("redemption.batch", "partner/1"));
    assert!(events[0].detail.contains("\"redemptions\":2") && !events[0].detail.contains(&number(0)));
}

async fn cards_with_their_history(db: Database) {
    let store = db.create().await;
    let people = register(&store, 0, 3).await;
    let (key, stolen) = (insert_key(&store, 1).await, insert_key(&store, 2).await);
    let mut tx = begin(&store).await;
    let first = tx.insert_certificates(&[card(people[0], 0, key, 10)]).await.unwrap()[0];
    tx.insert_certificates(&[card(people[1], 1, stolen, 11)]).await.unwrap();
    tx.commit().await.unwrap();
    for (at, from, to) in [
        (100, CertificateState::Valid, CertificateState::Suspended),
        (200, CertificateState::Suspended, CertificateState::Valid),
        (300, CertificateState::Valid, CertificateState::Superseded),
    ] {
        let mut tx = store.begin("管理员", later(at)).await.unwrap();
        tx.change_certificate(first, from, to, Reason::Other).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = store.begin("管理员", later(400)).await.unwrap();
    let mut again = card(people[0], 0, key, 12);
    again.issued_at = later(300);
    tx.insert_certificates(&[again]).await.unwrap();
    tx.set_key_state(stolen, KeyState::Compromised).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let cards = reader.known_cards(&[number(0), number(1), number(2), number(77)]).await.unwrap();
    assert_eq!(cards.iter().map(|card| card.number.clone()).collect::<Vec<_>>(), [number(0), number(1), number(0)]);
    assert_eq!(
        cards[0].history.changes,
        [
            (later(100), CertificateState::Suspended),
            (later(200), CertificateState::Valid),
            (later(300), CertificateState::Superseded),
        ]
    );
    assert_eq!((cards[0].kid, cards[0].history.issued_at), ([1; 4], later(0)));
    assert_eq!((cards[1].kid, cards[1].history.key_compromised_at), ([2; 4], Some(later(400))));
    assert_eq!((cards[2].history.issued_at, &cards[2].history.changes), (later(300), &Vec::new()));
    assert_eq!(cards[2].history.key_compromised_at, None);
}
