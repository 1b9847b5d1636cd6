//! Looking things up in the audit trail, and checks of the chain that go on in steps.

use serde_json::json;
use zyz::store::{AuditCursor, AuditEvent, AuditFilter, ChainWalk, Store};

use crate::support::{Database, begin, contract, later};

contract![
    each_filter_narrows,
    filters_together_narrow_further,
    pages_show_each_event_once,
    pages_over_several_objects_and_actions,
    a_check_goes_on_in_steps,
    a_check_stops_at_the_first_bad_event,
    a_check_reaches_the_end_that_it_began_with,
    a_check_of_a_moved_head_fails,
    a_step_does_not_take_another_back,
];

/// Twelve events: two people in turn, three actions, four objects, one a second but for the last four, which are of one.
async fn sample(store: &Store) {
    for n in 0..12_i64 {
        let actor = ["甲", "乙"][(n % 2) as usize];
        let mut tx = store.begin(actor, later(n.min(8))).await.unwrap();
        let action = ["unit.edit", "card.make", "hours.enter"][(n % 3) as usize];
        tx.audit(action, format!("unit/{}", n % 4), json!({"n": n}));
        tx.commit().await.unwrap();
    }
}

async fn found(store: &Store, filter: &AuditFilter, before: Option<AuditCursor>, limit: u32) -> Vec<AuditEvent> {
    store.read().await.unwrap().search_audit(filter, before, limit).await.unwrap()
}

/// Positions of what is found, newest first.
async fn seqs(store: &Store, filter: AuditFilter) -> Vec<i64> {
    found(store, &filter, None, 50).await.iter().map(|event| event.seq).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

async fn each_filter_narrows(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    let any = AuditFilter::default;
    assert_eq!(seqs(&store, any()).await, (1..=12).rev().collect::<Vec<_>>());
    assert_eq!(seqs(&store, AuditFilter { actor: Some("乙".into()), ..any() }).await, [12, 10, 8, 6, 4, 2]);
    assert!(seqs(&store, AuditFilter { actor: Some("丙".into()), ..any() }).await.is_empty());
    assert_eq!(seqs(&store, AuditFilter { actions: texts(&["card.make"]), ..any() }).await, [11, 8, 5, 2]);
    let two = AuditFilter { actions: texts(&["unit.edit", "hours.enter"]), ..any() };
    assert_eq!(seqs(&store, two).await, [12, 10, 9, 7, 6, 4, 3, 1]);
    let objects = |of: &[&str]| AuditFilter { objects: Some(texts(of)), ..any() };
    assert_eq!(seqs(&store, objects(&["unit/3"])).await, [12, 8, 4]);
    assert_eq!(seqs(&store, objects(&["unit/3", "unit/0", "unit/3"])).await, [12, 9, 8, 5, 4, 1], "each event once");
    assert_eq!(seqs(&store, objects(&["unit/3", "unit/33"])).await, [12, 8, 4], "a part of a name is no name");
    assert!(seqs(&store, objects(&[])).await.is_empty());
    // From a moment on, and until before another.
    assert_eq!(seqs(&store, AuditFilter { from: Some(later(8)), ..any() }).await, [12, 11, 10, 9]);
    assert_eq!(seqs(&store, AuditFilter { to: Some(later(2)), ..any() }).await, [2, 1]);
    let between = AuditFilter { from: Some(later(2)), to: Some(later(4)), ..any() };
    assert_eq!(seqs(&store, between).await, [4, 3]);
}

async fn filters_together_narrow_further(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    let filter = AuditFilter {
        actor: Some("乙".into()),
        actions: texts(&["card.make", "hours.enter"]),
        objects: Some(texts(&["unit/1", "unit/3"])),
        from: Some(later(1)),
        to: Some(later(8)),
    };
    assert_eq!(seqs(&store, filter.clone()).await, [8, 6, 2]);
    assert_eq!(seqs(&store, AuditFilter { from: Some(later(2)), ..filter.clone() }).await, [8, 6]);
    assert!(seqs(&store, AuditFilter { actor: Some("甲".into()), ..filter.clone() }).await.is_empty());
    assert_eq!(seqs(&store, AuditFilter { actions: texts(&["unit.edit"]), ..filter }).await, [4]);
}

/// Goes through all pages of `limit`; each must be full but for the last.
async fn walked(store: &Store, filter: &AuditFilter, limit: u32) -> Vec<i64> {
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = found(store, filter, before, limit).await;
        seen.extend(page.iter().map(|event| event.seq));
        assert!(seen.len() <= 12, "an event stands on two pages: {seen:?}");
        match page.last() {
            Some(last) if page.len() == limit as usize => before = Some((last.at.as_second(), last.seq)),
            _ => return seen,
        }
    }
}

async fn pages_show_each_event_once(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    // The last four are of one second: pages end between them.
    for limit in [1, 2, 3, 5, 12, 13] {
        assert_eq!(walked(&store, &AuditFilter::default(), limit).await, (1..=12).rev().collect::<Vec<_>>(), "{limit}");
    }
    // What comes meanwhile stands on no later page.
    let first = found(&store, &AuditFilter::default(), None, 5).await;
    let last = first.last().unwrap();
    let mut tx = store.begin("丙", later(8)).await.unwrap();
    tx.audit("unit.edit", "unit/0", json!({}));
    tx.commit().await.unwrap();
    let next = found(&store, &AuditFilter::default(), Some((last.at.as_second(), last.seq)), 50).await;
    assert_eq!(next.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=7).rev().collect::<Vec<_>>());
}

async fn pages_over_several_objects_and_actions(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    let objects = AuditFilter { objects: Some(texts(&["unit/0", "unit/2", "unit/3"])), ..AuditFilter::default() };
    let actions = AuditFilter { actions: texts(&["card.make", "hours.enter"]), ..AuditFilter::default() };
    let both = AuditFilter { actions: actions.actions.clone(), ..objects.clone() };
    for limit in [1, 2, 3] {
        assert_eq!(walked(&store, &objects, limit).await, [12, 11, 9, 8, 7, 5, 4, 3, 1], "{limit}");
        assert_eq!(walked(&store, &actions, limit).await, [12, 11, 9, 8, 6, 5, 3, 2], "{limit}");
        assert_eq!(walked(&store, &both, limit).await, [12, 11, 9, 8, 5, 3], "{limit}");
    }
}

async fn begun(store: &Store) -> ChainWalk {
    let mut tx = begin(store).await;
    let walk = tx.begin_chain_walk().await.unwrap();
    tx.commit().await.unwrap();
    walk
}

async fn a_check_goes_on_in_steps(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    assert_eq!(store.read().await.unwrap().latest_chain_walk().await.unwrap(), None);
    let walk = begun(&store).await;
    assert_eq!((walk.head_seq, walk.checked, walk.begun_by.as_str()), (12, 0, "测试员"), "its own event lies behind");
    let walk = store.continue_chain_walk(walk, 5, later(20)).await.unwrap();
    assert_eq!((walk.checked, walk.ended_at, walk.broken_at), (5, None, None));
    // Another process goes on where this one stopped.
    let store = db.open().await;
    let kept = store.read().await.unwrap().chain_walk(walk.id).await.unwrap().unwrap();
    assert_eq!(kept, walk);
    let walk = store.continue_chain_walk(kept, 5, later(21)).await.unwrap();
    let walk = store.continue_chain_walk(walk, 5, later(22)).await.unwrap();
    assert_eq!((walk.checked, walk.ended_at, walk.broken_at), (12, Some(later(22)), None));
    assert_eq!(walk.hash, walk.head_hash);
    assert_eq!(store.read().await.unwrap().latest_chain_walk().await.unwrap().as_ref(), Some(&walk));
    assert_eq!(store.continue_chain_walk(walk.clone(), 5, later(99)).await.unwrap(), walk, "what has ended stays so");
    let second = begun(&store).await;
    assert_eq!(second.head_seq, 13, "the first check is an event of the second");
    assert_eq!(store.read().await.unwrap().latest_chain_walk().await.unwrap().unwrap().id, second.id);
    assert_eq!(store.read().await.unwrap().chain_walk(99).await.unwrap(), None);
}

async fn a_check_stops_at_the_first_bad_event(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    let (short, none) = if db.is_sqlite() { ("x'01'", "x''") } else { ("'\\x01'", "'\\x'") };
    // From the end to the beginning, each found before those that were damaged already.
    let damages = [
        (11, "UPDATE audit_event SET detail = '{}' WHERE seq = 11".to_owned()),
        (10, "UPDATE audit_event SET actor = '丙' WHERE seq = 10".into()),
        (9, "UPDATE audit_event SET at = 9223372036854775807 WHERE seq = 9".into()),
        (8, format!("UPDATE audit_event SET hash = {short} WHERE seq = 8")),
        (7, format!("UPDATE audit_event SET previous_hash = {none} WHERE seq = 7")),
        (6, "DELETE FROM audit_event WHERE seq = 6".into()),
        // Two that change places: each is whole, neither follows.
        (3, "UPDATE audit_event SET seq = CASE seq WHEN 3 THEN -4 ELSE -3 END WHERE seq IN (3, 4)".into()),
    ];
    for (bad, sql) in damages {
        assert!(db.execute(&sql).await > 0);
        if bad == 3 {
            db.execute("UPDATE audit_event SET seq = -seq WHERE seq < 0").await;
        }
        for step in [2, 100] {
            let mut walk = begun(&store).await;
            while walk.ended_at.is_none() {
                walk = store.continue_chain_walk(walk, step, later(30)).await.unwrap();
            }
            assert_eq!((walk.broken_at, walk.checked), (Some(bad), bad - 1), "{sql} by {step}");
        }
        let page = found(&store, &AuditFilter::default(), None, 50).await;
        assert!(page.iter().any(|event| event.seq == bad && event.expected_hash() != event.hash) || bad == 6, "{sql}");
    }
}

async fn a_check_reaches_the_end_that_it_began_with(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    let walk = begun(&store).await;
    // What is appended while it goes on is for the next one; what is cut off behind it as well.
    sample(&store).await;
    db.execute("DELETE FROM audit_event WHERE seq > 20").await;
    let walk = store.continue_chain_walk(walk, 1_000, later(40)).await.unwrap();
    assert_eq!((walk.checked, walk.broken_at), (12, None));
    let next = begun(&store).await;
    let next = store.continue_chain_walk(next, 1_000, later(41)).await.unwrap();
    assert_eq!((next.checked, next.broken_at), (20, Some(21)));
}

async fn a_check_of_a_moved_head_fails(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    db.execute("UPDATE audit_head SET hash = (SELECT hash FROM audit_event WHERE seq = 2)").await;
    let walk = begun(&store).await;
    let walk = store.continue_chain_walk(walk, 1_000, later(40)).await.unwrap();
    assert_eq!(walk.broken_at, Some(12), "the last one is not what the head says");
}

async fn a_step_does_not_take_another_back(db: Database) {
    let store = db.create().await;
    sample(&store).await;
    let walk = begun(&store).await;
    // Two people press the button: the slower one's shorter step changes nothing.
    let ahead = store.continue_chain_walk(walk.clone(), 9, later(20)).await.unwrap();
    store.continue_chain_walk(walk.clone(), 3, later(21)).await.unwrap();
    assert_eq!(store.read().await.unwrap().chain_walk(walk.id).await.unwrap().as_ref(), Some(&ahead));
    let ended = store.continue_chain_walk(ahead, 9, later(22)).await.unwrap();
    store.continue_chain_walk(walk.clone(), 12, later(23)).await.unwrap();
    assert_eq!(store.read().await.unwrap().chain_walk(walk.id).await.unwrap(), Some(ended));
}
