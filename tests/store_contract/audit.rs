//! The audit chain.

use serde_json::json;
use zyz::store::ChainCheck;

use crate::support::{Database, begin, contract, later, now, register};

contract![
    an_empty_chain,
    a_chain_over_transactions,
    own_events,
    rolled_back_events,
    a_long_chain,
    a_changed_event,
    a_removed_event,
    a_removed_end,
    a_moved_head,
];

async fn an_empty_chain(db: Database) {
    let store = db.create().await;
    let check = store.read().await.unwrap().verify_audit_chain().await.unwrap();
    assert_eq!(check, ChainCheck::Intact { events: 0, head: [0; 32] });
}

async fn a_chain_over_transactions(db: Database) {
    let store = db.create().await;
    for n in 0..5 {
        register(&store, n, n + 1).await;
    }
    let mut reader = store.read().await.unwrap();
    let (seq, head) = reader.audit_head().await.unwrap();
    assert_eq!(seq, 6, "five volunteers and their unit");
    assert_eq!(reader.verify_audit_chain().await.unwrap(), ChainCheck::Intact { events: 6, head });
    let events = reader.audit_events(None, 2, 3).await.unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(events.windows(2).all(|pair| pair[1].previous_hash == pair[0].hash));
    assert!(events.iter().all(|event| event.expected_hash() == event.hash));
}

async fn own_events(db: Database) {
    let store = db.create().await;
    let mut tx = store.begin("王老师", later(7)).await.unwrap();
    assert_eq!(tx.now(), later(7));
    tx.audit("status_list.publish", "status_list/01010101", json!({"bytes": 12}));
    tx.commit().await.unwrap();
    let event = store.read().await.unwrap().audit_events(None, 0, 9).await.unwrap().remove(0);
    assert_eq!((event.seq, event.at, event.actor.as_str()), (1, later(7), "王老师"));
    assert_eq!((event.action.as_str(), event.object.as_str()), ("status_list.publish", "status_list/01010101"));
    assert_eq!(event.detail, r#"{"bytes":12}"#);
}

async fn rolled_back_events(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    tx.audit("a", "b", json!({}));
    tx.rollback().await.unwrap();
    let mut tx = begin(&store).await;
    tx.audit("c", "d", json!({}));
    tx.commit().await.unwrap();
    let events = store.read().await.unwrap().audit_events(None, 0, 9).await.unwrap();
    assert_eq!(events.iter().map(|event| (event.seq, event.action.as_str())).collect::<Vec<_>>(), [(1, "c")]);
}

/// More events than a statement inserts and than a page of the check holds.
async fn a_long_chain(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    for n in 0..11_003 {
        tx.audit("test.event", format!("thing/{n}"), json!({"n": n}));
    }
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let check = reader.verify_audit_chain().await.unwrap();
    assert!(matches!(check, ChainCheck::Intact { events: 11_003, .. }), "{check:?}");
    drop(reader);
    db.execute("UPDATE audit_event SET detail = '{}' WHERE seq = 10001").await;
    let check = store.read().await.unwrap().verify_audit_chain().await.unwrap();
    assert_eq!(check, ChainCheck::Broken { seq: 10_001 });
}

async fn a_changed_event(db: Database) {
    for column in ["actor = 'x'", "action = 'x'", "object = 'x'", "detail = 'x'", "at = at + 1"] {
        let store = if column.starts_with("actor") { db.create().await } else { db.open().await };
        let mut tx = store.begin("管理员", now()).await.unwrap();
        tx.audit("a", "b", json!({}));
        tx.commit().await.unwrap();
        let seq = store.read().await.unwrap().audit_head().await.unwrap().0;
        db.execute(&format!("UPDATE audit_event SET {column} WHERE seq = {seq}")).await;
        let check = store.read().await.unwrap().verify_audit_chain().await.unwrap();
        assert_eq!(check, ChainCheck::Broken { seq: 1 }, "{column}");
        db.execute("DELETE FROM audit_event").await;
        let reset = if db.is_sqlite() { "zeroblob(32)" } else { "decode(repeat('00', 32), 'hex')" };
        db.execute(&format!("UPDATE audit_head SET seq = 0, hash = {reset}")).await;
    }
}

async fn a_removed_event(db: Database) {
    let store = db.create().await;
    register(&store, 0, 5).await;
    db.execute("DELETE FROM audit_event WHERE seq = 3").await;
    let check = store.read().await.unwrap().verify_audit_chain().await.unwrap();
    assert_eq!(check, ChainCheck::Broken { seq: 3 });
}

async fn a_removed_end(db: Database) {
    let store = db.create().await;
    register(&store, 0, 5).await;
    db.execute("DELETE FROM audit_event WHERE seq > 4").await;
    let check = store.read().await.unwrap().verify_audit_chain().await.unwrap();
    assert_eq!(check, ChainCheck::HeadDiffers { last: 4, head: 6 });
}

async fn a_moved_head(db: Database) {
    let store = db.create().await;
    register(&store, 0, 5).await;
    db.execute("UPDATE audit_head SET hash = (SELECT hash FROM audit_event WHERE seq = 2)").await;
    let check = store.read().await.unwrap().verify_audit_chain().await.unwrap();
    assert_eq!(check, ChainCheck::HeadDiffers { last: 6, head: 6 });
}
