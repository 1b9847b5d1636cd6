//! Bringing the tables up to date.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyPool, SqlSafeStr};

use super::StoreError;
use super::dialect::Dialect;

/// Every migration: number, name, SQLite's text, PostgreSQL's text. Numbers rise by one; a text never changes once
/// released.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "start",
        include_str!("../../migrations/sqlite/0001_start.sql"),
        include_str!("../../migrations/postgres/0001_start.sql"),
    ),
    (
        2,
        "partners",
        include_str!("../../migrations/sqlite/0002_partners.sql"),
        include_str!("../../migrations/postgres/0002_partners.sql"),
    ),
    (
        3,
        "staff",
        include_str!("../../migrations/sqlite/0003_staff.sql"),
        include_str!("../../migrations/postgres/0003_staff.sql"),
    ),
    (
        4,
        "forms",
        include_str!("../../migrations/sqlite/0004_forms.sql"),
        include_str!("../../migrations/postgres/0004_forms.sql"),
    ),
    (
        5,
        "units",
        include_str!("../../migrations/sqlite/0005_units.sql"),
        include_str!("../../migrations/postgres/0005_units.sql"),
    ),
    (
        6,
        "people",
        include_str!("../../migrations/sqlite/0006_people.sql"),
        include_str!("../../migrations/postgres/0006_people.sql"),
    ),
    (
        7,
        "hours",
        include_str!("../../migrations/sqlite/0007_hours.sql"),
        include_str!("../../migrations/postgres/0007_hours.sql"),
    ),
    (
        8,
        "cards",
        include_str!("../../migrations/sqlite/0008_cards.sql"),
        include_str!("../../migrations/postgres/0008_cards.sql"),
    ),
    (
        9,
        "oversight",
        include_str!("../../migrations/sqlite/0009_oversight.sql"),
        include_str!("../../migrations/postgres/0009_oversight.sql"),
    ),
];

/// Where the driver notes what was applied.
const TABLE: &str = "_sqlx_migrations";

/// Applies what is missing, in one transaction that keeps other processes waiting.
pub(super) async fn run(pool: &AnyPool, dialect: Dialect) -> Result<(), StoreError> {
    let migrations = MIGRATIONS.iter().map(|&(version, name, sqlite, postgres)| {
        let text = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        };
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // The transaction below is the lock: the driver's own does nothing on SQLite, and on PostgreSQL it would outlive a
    // failure on a pooled connection.
    migrator.set_locking(false);

    let mut transaction = pool.begin_with(dialect.begin()).await?;
    if let Some(lock) = dialect.migration_lock() {
        sqlx::query(lock).execute(&mut *transaction).await?;
    }
    match migrator.run_direct(None, &mut *transaction, false).await {
        Ok(()) => {}
        Err(MigrateError::VersionMissing(_)) => {
            let found = newest(&mut transaction).await?;
            return Err(StoreError::MigrationNewer { found, known: known() });
        }
        Err(MigrateError::VersionMismatch(version)) => return Err(StoreError::MigrationDiffers { version }),
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => return Err(error.into()),
        Err(other) => return Err(StoreError::Database(sqlx::Error::Migrate(Box::new(other)))),
    }
    transaction.commit().await?;
    Ok(())
}

/// Refuses a database that has other migrations than this program.
pub(super) async fn check(pool: &AnyPool, dialect: Dialect) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await?;
    let (tables,): (i64,) = sqlx::query_as(dialect.count_table()).bind(TABLE).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Err(StoreError::NotInitialised);
    }
    let found = newest(&mut connection).await?;
    match found.cmp(&known()) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less if found == 0 => Err(StoreError::NotInitialised),
        std::cmp::Ordering::Less => Err(StoreError::MigrationMissing { found, needed: known() }),
        std::cmp::Ordering::Greater => Err(StoreError::MigrationNewer { found, known: known() }),
    }
}

fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.0)
}

async fn newest(connection: &mut sqlx::AnyConnection) -> Result<i64, StoreError> {
    let sql = "SELECT COALESCE(max(version), 0) FROM _sqlx_migrations";
    let (version,): (i64,) = sqlx::query_as(sql).fetch_one(connection).await?;
    Ok(version)
}

/// The driver's trait must be in scope for `run_direct`'s bound to be met by a connection of either database.
const _: fn() = || {
    fn migrates<T: Migrate>() {}
    migrates::<sqlx::AnyConnection>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_by_one() {
        for (place, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.0, place as i64 + 1);
        }
    }
}
