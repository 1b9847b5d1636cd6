//! Public keys, trust lists, bundles.

use zyz::store::{Bundle, KeyId, KeyRole, KeyState, KeyStateChange, NewKey, StoreError, TrustList};

use crate::support::{Database, begin, contract, insert_key, issuing_key, later, now};

contract![keys_read_back, a_key_twice, key_states, list_uri, versions, publications_read_back, a_version_twice];

async fn keys_read_back(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    let root = NewKey {
        role: KeyRole::Root,
        public_key: [9; 32],
        kid: [9; 4],
        not_after: Some(later(60)),
        list_uri: None,
        ..issuing_key(9)
    };
    let root_id = tx.insert_key(&root).await.unwrap();
    let first = tx.insert_key(&issuing_key(1)).await.unwrap();
    let second = tx.insert_key(&NewKey { kid: [1; 4], ..issuing_key(2) }).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    let all = reader.signing_keys(None).await.unwrap();
    assert_eq!(all.iter().map(|key| key.id).collect::<Vec<_>>(), [root_id, first, second]);
    assert_eq!((all[0].role, all[0].not_after, &all[0].list_uri), (KeyRole::Root, Some(later(60)), &None));
    assert_eq!((all[1].public_key, all[1].state, all[1].created_at), ([1; 32], KeyState::Active, now()));
    assert_eq!(reader.signing_keys(Some(KeyRole::Bundle)).await.unwrap(), []);
    assert_eq!(reader.signing_keys(Some(KeyRole::Issuing)).await.unwrap().len(), 2);
    assert_eq!(reader.active_key(KeyRole::Issuing).await.unwrap().unwrap().id, second, "the newest signs");
    assert_eq!(reader.active_key(KeyRole::Bundle).await.unwrap(), None);
    let shared = reader.signing_keys_by_kid([1; 4]).await.unwrap();
    assert_eq!(shared.iter().map(|key| key.id).collect::<Vec<_>>(), [first, second], "four bytes may be shared");
}

async fn a_key_twice(db: Database) {
    let store = db.create().await;
    insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    let twice = tx.insert_key(&issuing_key(1)).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { what: "密钥", .. })), "{twice:?}");
}

async fn key_states(db: Database) {
    let store = db.create().await;
    let key = insert_key(&store, 1).await;
    let mut tx = store.begin("管理员", later(5)).await.unwrap();
    assert_eq!(tx.set_key_state(key, KeyState::Active).await.unwrap(), KeyStateChange::AlreadyThere);
    assert_eq!(tx.set_key_state(key, KeyState::Retired).await.unwrap(), KeyStateChange::Changed);
    let back = tx.set_key_state(key, KeyState::Active).await.unwrap();
    assert_eq!(back, KeyStateChange::NotFrom(KeyState::Retired));
    assert_eq!(tx.set_key_state(key, KeyState::Compromised).await.unwrap(), KeyStateChange::Changed);
    let back = tx.set_key_state(key, KeyState::Retired).await.unwrap();
    assert_eq!(back, KeyStateChange::NotFrom(KeyState::Compromised));
    assert_eq!(tx.active_key(KeyRole::Issuing).await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.signing_keys(None).await.unwrap()[0].state_changed_at, later(5));
    let events = reader.audit_events(Some(&format!("key/01010101#{key}")), 0, 9).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["key.create", "key.retire", "key.compromise"]);
    drop(reader);
    let mut tx = begin(&store).await;
    assert!(matches!(tx.set_key_state(KeyId(77), KeyState::Retired).await, Err(StoreError::NotFound { .. })));
}

async fn list_uri(db: Database) {
    let store = db.create().await;
    let key = insert_key(&store, 1).await;
    let mut tx = begin(&store).await;
    tx.set_list_uri(key, Some("https://cdn.example.cn/1")).await.unwrap();
    let stored = tx.signing_keys(None).await.unwrap().remove(0);
    assert_eq!(stored.list_uri.as_deref(), Some("https://cdn.example.cn/1"));
    tx.set_list_uri(key, None).await.unwrap();
    assert!(matches!(tx.set_list_uri(KeyId(77), None).await, Err(StoreError::NotFound { .. })));
}

async fn versions(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.next_bundle_version(0).await.unwrap(), 1);
    assert_eq!(tx.next_bundle_version(0).await.unwrap(), 2);
    assert_eq!(tx.next_trust_list_version().await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut tx = begin(&store).await;
    assert_eq!(tx.next_bundle_version(0).await.unwrap(), 3);
    drop(tx);
    let mut tx = begin(&store).await;
    assert_eq!(tx.next_bundle_version(2).await.unwrap(), 3, "what was not kept was not published either");
    assert_eq!(tx.next_bundle_version(70).await.unwrap(), 70, "lifted after an older backup was restored");
    assert_eq!(tx.next_bundle_version(0).await.unwrap(), 71);
}

fn list(version: u64) -> TrustList {
    TrustList { version, issued_at: now(), expires_at: later(100), body: vec![version as u8; 500] }
}

fn bundle(version: u64) -> Bundle {
    let body = vec![version as u8; 20_000];
    Bundle {
        version,
        issued_at: now(),
        expires_at: later(10),
        trust_list_version: 1,
        audience: None,
        digest: None,
        body,
    }
}

async fn publications_read_back(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    assert_eq!(tx.latest_trust_list().await.unwrap(), None);
    assert_eq!(tx.latest_bundle(None).await.unwrap(), None);
    tx.insert_trust_list(&list(1)).await.unwrap();
    tx.insert_trust_list(&list(2)).await.unwrap();
    tx.insert_bundle(&bundle(9)).await.unwrap();
    tx.insert_bundle(&bundle(10)).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.latest_trust_list().await.unwrap(), Some(list(2)));
    assert_eq!(reader.latest_bundle(None).await.unwrap(), Some(bundle(10)));
}

async fn a_version_twice(db: Database) {
    let store = db.create().await;
    let mut tx = begin(&store).await;
    tx.insert_trust_list(&list(1)).await.unwrap();
    let twice = tx.insert_trust_list(&list(1)).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { what: "该版本的信任列表", .. })), "{twice:?}");
    drop(tx);
    let mut tx = begin(&store).await;
    let without = tx.insert_bundle(&bundle(1)).await;
    assert!(matches!(without, Err(StoreError::Reference(_))), "{without:?}");
}
