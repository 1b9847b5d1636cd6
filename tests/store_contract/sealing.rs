//! Personal data at rest.

use zyz::store::{Reader, SealError, StoreError, VolunteerId};

use crate::support::{Database, contract, identity, register};

contract![nothing_in_the_clear, a_value_moved_to_another_row, a_value_moved_to_another_column, a_changed_value];

async fn opening(reader: &mut Reader, id: VolunteerId) -> Option<SealError> {
    match reader.personal_data(id).await {
        Ok(_) => None,
        Err(StoreError::Sealed(error)) => Some(error),
        Err(other) => panic!("{other:?}"),
    }
}

async fn nothing_in_the_clear(db: Database) {
    let store = db.create().await;
    register(&store, 0, 2).await;
    store.close().await;
    if let zyz::store::DatabaseUrl::Sqlite(path) = &db.url {
        let file = std::fs::read(path).unwrap();
        for text in [identity(0), "13800000000".to_owned(), "v0@example.cn".to_owned(), "思茅区振兴大道0号".to_owned()]
        {
            assert!(!file.windows(text.len()).any(|window| window == text.as_bytes()), "{text} stands in the file");
        }
    }
    let same =
        "SELECT count(*) FROM volunteer a JOIN volunteer b ON a.id < b.id AND a.identity_sealed = b.identity_sealed";
    assert_eq!(db.number(same).await, 0);
}

async fn a_value_moved_to_another_row(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 2).await;
    let moved = format!(
        "UPDATE volunteer SET identity_sealed = (SELECT w.identity_sealed FROM volunteer w WHERE w.id = {}) WHERE id = {}",
        ids[0], ids[1]
    );
    assert_eq!(db.execute(&moved).await, 1);
    let mut reader = store.read().await.unwrap();
    assert_eq!(opening(&mut reader, ids[0]).await, None);
    let expected = SealError::Tampered { table: "volunteer", column: "identity_sealed", row: ids[1].0 };
    assert_eq!(opening(&mut reader, ids[1]).await, Some(expected));
}

async fn a_value_moved_to_another_column(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    db.execute("UPDATE volunteer SET email_sealed = phone_sealed").await;
    let expected = SealError::Tampered { table: "volunteer", column: "email_sealed", row: ids[0].0 };
    assert_eq!(opening(&mut store.read().await.unwrap(), ids[0]).await, Some(expected));
}

async fn a_changed_value(db: Database) {
    let store = db.create().await;
    let ids = register(&store, 0, 1).await;
    db.execute("UPDATE volunteer SET phone_sealed = phone_index").await;
    let expected = SealError::Format { table: "volunteer", column: "phone_sealed", row: ids[0].0 };
    assert_eq!(opening(&mut store.read().await.unwrap(), ids[0]).await, Some(expected));
}
