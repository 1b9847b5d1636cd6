//! Making, opening, refusing, migrating.

use zyz::store::{ColumnKeys, DatabaseUrl, Store, StoreError};

use crate::support::{Database, begin, contract, entropy, keys, later, now, register};

contract![
    create_then_open,
    create_twice,
    create_after_an_interruption,
    open_what_was_never_made,
    open_with_other_keys,
    newer_migration,
    changed_migration,
    migrate_again,
    migrate_from_the_first_release,
    migrate_from_two_processes,
    meta_values,
    counts_and_integrity,
    statistics,
];

async fn create_then_open(db: Database) {
    register(&db.create().await, 0, 3).await;
    let store = db.open().await;
    let counts = store.read().await.unwrap().counts(now(), later(1)).await.unwrap();
    assert_eq!(counts.volunteers_active, 3);
}

async fn create_twice(db: Database) {
    db.create().await.close().await;
    let again = Store::create(&db.url, &keys(), entropy(1)).await;
    assert!(matches!(again, Err(StoreError::AlreadyInitialised)), "{again:?}");
}

async fn create_after_an_interruption(db: Database) {
    db.create().await.close().await;
    db.execute("DELETE FROM meta").await;
    let open = Store::open(&db.url, &keys(), entropy(1)).await;
    assert!(matches!(open, Err(StoreError::NotInitialised)), "{open:?}");
    db.create().await;
}

async fn open_what_was_never_made(db: Database) {
    let open = Store::open(&db.url, &keys(), entropy(1)).await;
    if db.is_sqlite() {
        let Err(error @ StoreError::Missing { .. }) = open else { panic!("{open:?}") };
        assert!(error.to_string().contains("zyz init"));
    } else {
        assert!(matches!(open, Err(StoreError::NotInitialised)), "{open:?}");
    }
}

async fn open_with_other_keys(db: Database) {
    db.create().await;
    let wrong_column = ColumnKeys { column: [12; 32], index: [22; 32] };
    let wrong_index = ColumnKeys { column: [11; 32], index: [23; 32] };
    for wrong in [wrong_column, wrong_index] {
        let open = Store::open(&db.url, &wrong, entropy(1)).await;
        assert!(matches!(open, Err(StoreError::WrongDataKey)), "{open:?}");
    }
}

async fn newer_migration(db: Database) {
    db.create().await.close().await;
    db.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    let open = Store::open(&db.url, &keys(), entropy(1)).await;
    assert!(matches!(open, Err(StoreError::MigrationNewer { found: 999, .. })), "{open:?}");
    let migrate = Store::migrate(&db.url).await;
    assert!(matches!(migrate, Err(StoreError::MigrationNewer { found: 999, .. })), "{migrate:?}");
}

async fn changed_migration(db: Database) {
    db.create().await.close().await;
    db.execute("UPDATE _sqlx_migrations SET checksum = (SELECT hash FROM audit_head)").await;
    let migrate = Store::migrate(&db.url).await;
    assert!(matches!(migrate, Err(StoreError::MigrationDiffers { version: 1 })), "{migrate:?}");
}

/// A database of the first release, with a bundle in it.
async fn migrate_from_the_first_release(db: Database) {
    let first = if db.is_sqlite() {
        include_str!("../../migrations/sqlite/0001_start.sql")
    } else {
        include_str!("../../migrations/postgres/0001_start.sql")
    };
    db.migrate_to(1, "start", first).await;
    db.execute("INSERT INTO trust_list (version, issued_at, expires_at, body) SELECT 1, 0, 1, hash FROM audit_head")
        .await;
    db.execute(
        "INSERT INTO bundle (version, issued_at, expires_at, trust_list_version, body) SELECT 7, 0, 1, 1, hash FROM audit_head",
    )
    .await;
    let open = Store::open(&db.url, &keys(), entropy(1)).await;
    let Err(error @ StoreError::MigrationMissing { found: 1, .. }) = open else { panic!("{open:?}") };
    assert!(error.to_string().contains("zyz migrate"));
    Store::migrate(&db.url).await.unwrap();
    let store = db.create().await;
    let kept = store.read().await.unwrap().latest_bundle(None).await.unwrap().unwrap();
    assert_eq!((kept.version, kept.audience, kept.digest), (7, None, None));
}

async fn migrate_again(db: Database) {
    register(&db.create().await, 0, 2).await;
    Store::migrate(&db.url).await.unwrap();
    assert_eq!(db.number("SELECT count(*) FROM volunteer").await, 2);
}

async fn migrate_from_two_processes(db: Database) {
    if let DatabaseUrl::Sqlite(path) = &db.url {
        std::fs::File::create(path).unwrap();
    }
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let url = db.url.clone();
            tokio::spawn(async move { Store::migrate(&url).await })
        })
        .collect();
    for run in runs {
        run.await.unwrap().unwrap();
    }
    db.create().await;
}

async fn meta_values(db: Database) {
    let store = db.create().await;
    assert_eq!(store.read().await.unwrap().meta("trust").await.unwrap(), None);
    for value in [&b"one"[..], &[0, 255], &[]] {
        let mut tx = begin(&store).await;
        tx.set_meta("trust", value).await.unwrap();
        assert_eq!(tx.meta("trust").await.unwrap().as_deref(), Some(value));
        tx.commit().await.unwrap();
    }
    assert_eq!(store.read().await.unwrap().meta("trust").await.unwrap(), Some(Vec::new()));
}

async fn counts_and_integrity(db: Database) {
    let store = db.create().await;
    register(&store, 0, 4).await;
    let mut reader = store.read().await.unwrap();
    let counts = reader.counts(now(), later(1)).await.unwrap();
    assert_eq!((counts.units, counts.volunteers_active, counts.volunteers_exited), (1, 4, 0));
    assert_eq!(counts.certificates, [0; 4]);
    assert_eq!(counts.audit_events, 5);
    assert_eq!(reader.integrity_problems().await.unwrap(), Vec::<String>::new());
}

async fn statistics(db: Database) {
    let store = db.create().await;
    register(&store, 0, 600).await;
    store.refresh_statistics().await.unwrap();
    let counts = store.read().await.unwrap().counts(now(), later(1)).await.unwrap();
    assert_eq!(counts.volunteers_active, 600);
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zyz.db");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let open = runtime.block_on(Store::open(&DatabaseUrl::sqlite(&path), &keys(), entropy(1)));
    assert!(matches!(open, Err(StoreError::Corrupt(_))), "{open:?}");
    assert_eq!(std::fs::read(&path).unwrap(), vec![b'x'; 8192], "it is left as it was");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("库 #1?.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(Store::create(&DatabaseUrl::sqlite(&path), &keys(), entropy(1))).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn no_server_is_a_connection_error() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = DatabaseUrl::parse("postgres://nobody@127.0.0.1:1/none").unwrap();
    let open = runtime.block_on(Store::open(&url, &keys(), entropy(1)));
    assert!(matches!(open, Err(StoreError::Connection(_))), "{open:?}");
}
