//! Indexes that a large registration on SQLite does without until its end.
//!
//! The rows of a sheet come in no order of names or telephones, so each of them touches another page of those two indexes:
//! a third of the time of importing 100,000 rows. Built at once, in order, they are a tenth of it. Taking them away and
//! building them again is part of the registration's transaction: whatever fails leaves them as they were, and nobody else
//! sees the table without them.

use sqlx::AssertSqlSafe;

use super::row::Columns;
use super::{StoreError, Tx};

/// Indexes of `volunteer` in whose order nobody registers.
const SCATTERED: [(&str, &str); 2] =
    [("volunteer_name", "DROP INDEX volunteer_name"), ("volunteer_phone", "DROP INDEX volunteer_phone")];
/// From so many registered on it may be worth it.
const MANY: u64 = 4_000;

/// What was taken away.
#[derive(Default)]
pub(super) struct SetAside {
    /// How many must have been registered before the next look.
    next_look: u64,
    definitions: Vec<String>,
}

impl Tx {
    /// Takes the indexes away once a registration has brought many, and as many as were there before: building them again
    /// costs by the rows there are in all.
    pub(super) async fn set_indexes_aside(&mut self, aside: &mut SetAside, registered: u64) -> Result<(), StoreError> {
        let Some(definition) = self.shared.dialect.index_definition() else { return Ok(()) };
        if registered < aside.next_look.max(MANY) || !aside.definitions.is_empty() {
            return Ok(());
        }
        aside.next_look = registered * 2;
        let most = i64::try_from(registered * 2 + 1).unwrap_or(i64::MAX);
        let in_all = sqlx::query("SELECT count(*) FROM (SELECT 1 FROM volunteer LIMIT $1) AS counted").bind(most);
        let in_all: u64 = in_all.fetch_one(self.connection()).await?.number(0, "计数")?;
        if in_all > registered * 2 {
            return Ok(());
        }
        for (name, drop) in SCATTERED {
            let known = sqlx::query(definition).bind(name).fetch_optional(self.connection()).await?;
            if let Some(row) = known {
                aside.definitions.push(row.text(0)?);
                sqlx::query(drop).persistent(false).execute(self.connection()).await?;
            }
        }
        Ok(())
    }

    /// Builds again what was taken away.
    pub(super) async fn put_indexes_back(&mut self, aside: SetAside) -> Result<(), StoreError> {
        for definition in aside.definitions {
            sqlx::query(AssertSqlSafe(definition)).persistent(false).execute(self.connection()).await?;
        }
        Ok(())
    }
}
