//! The one file that knows which database it talks to.
//!
//! Everything else writes one SQL text for both, with `$1` places and the types BIGINT, TEXT and BLOB/BYTEA.

use std::fmt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// How long a writer waits for its turn before it is told that the database is busy. An import of 100,000 rows holds
/// the lock for seconds, so the wait is generous.
const PATIENCE_SECONDS: u32 = 60;

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, as `postgres://…`.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite://PATH` or `sqlite:PATH`. The path is taken as it is: nothing in
    /// it is decoded, and there are no parameters.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let text = text.trim();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).ok_or(StoreError::Url)?;
        if path.is_empty() || path.contains(":memory:") || path.contains('?') {
            // Every connection of a pool would have a `:memory:` database of its own.
            return Err(StoreError::Url);
        }
        Ok(Self::Sqlite(path.into()))
    }

    /// The SQLite file at `path`.
    pub fn sqlite(path: impl AsRef<Path>) -> Self {
        Self::Sqlite(path.as_ref().to_owned())
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The text that the driver takes.
    pub(super) fn driver_url(&self) -> Result<String, StoreError> {
        match self {
            Self::Postgres(url) => Ok(url.clone()),
            Self::Sqlite(path) => {
                let path = std::path::absolute(path).map_err(|_| StoreError::Url)?;
                let path = path.to_str().ok_or(StoreError::Url)?;
                let mut url = String::from("sqlite://");
                for byte in path.bytes() {
                    match byte {
                        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                            url.push(byte as char)
                        }
                        other => url.push_str(&format!("%{other:02X}")),
                    }
                }
                Ok(url)
            }
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// Leaves a password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let rest = rest.split('?').next().unwrap_or_default();
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "{scheme}://{host}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// What every new connection says first.
    ///
    /// SQLite: write-ahead log with `synchronous=FULL`, so that what was acknowledged survives not only a killed
    /// process but a power cut too; it costs one fsync a transaction, and ours are large. The cache is 64 MB a
    /// connection, so that the two unique indexes of a million volunteers stay in memory during an import. Pages of
    /// 8 KB, which a new file gets and an old one keeps or not, mean fewer levels and fewer splits.
    pub fn connection_settings(self) -> String {
        match self {
            Self::Sqlite => format!(
                "PRAGMA busy_timeout = {}; PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
                PATIENCE_SECONDS * 1000
            ),
            Self::Postgres => format!(
                "SET lock_timeout = '{PATIENCE_SECONDS}s'; SET synchronous_commit = on; \
                 SET client_min_messages = warning;"
            ),
        }
    }

    /// How a transaction that will write begins. SQLite must take the write lock at once: a reader that becomes a
    /// writer half-way may be refused without waiting.
    pub fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Holds other migrating processes off, inside a transaction.
    pub fn migration_lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None, // BEGIN IMMEDIATE is enough
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(8530800)"),
        }
    }

    /// How many tables named `$1` there are (none or one).
    pub fn count_table(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
            Self::Postgres => "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
        }
    }

    /// The question for the statement that made an index, by its name, where leaving an index away for a while is worth it.
    pub fn index_definition(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = $1"),
            Self::Postgres => None,
        }
    }

    /// How an insert of many rows begins whose failure spoils the transaction anyway. Without `OR FAIL` SQLite keeps a
    /// copy of every page such a statement touches, to undo it alone. (Foreign keys need the copies all the same, unless
    /// they are deferred.)
    pub fn insert_all_or_fail(self) -> &'static str {
        match self {
            Self::Sqlite => "INSERT OR FAIL INTO",
            Self::Postgres => "INSERT INTO",
        }
    }

    /// Renews what the planner knows of the tables' sizes.
    pub fn refresh_statistics(self) -> &'static str {
        match self {
            Self::Sqlite => "PRAGMA analysis_limit = 400; PRAGMA optimize",
            Self::Postgres => "ANALYZE",
        }
    }

    /// The question that makes the database look for damage in itself, answered by rows of text.
    pub fn integrity_check(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => Some("PRAGMA quick_check"),
            Self::Postgres => None,
        }
    }

    /// How many values one statement may bind.
    pub fn bind_limit(self) -> usize {
        match self {
            Self::Sqlite => 32_766,
            Self::Postgres => 65_535,
        }
    }

    /// The `n`th place, counted from 1, in a long list of values. SQLite looks every *named* place up in a list, which
    /// makes thousands of `$n` quadratic; its anonymous `?` are counted.
    pub fn write_place(self, n: usize, sql: &mut String) {
        use fmt::Write;
        match self {
            Self::Sqlite => sql.push('?'),
            Self::Postgres => write!(sql, "${n}").expect("writing to a String succeeds"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_apart() {
        assert_eq!(DatabaseUrl::parse("sqlite://data/zyz.db").unwrap(), DatabaseUrl::sqlite("data/zyz.db"));
        assert_eq!(DatabaseUrl::parse("sqlite:/data/库 #1.db").unwrap(), DatabaseUrl::sqlite("/data/库 #1.db"));
        assert!(matches!(DatabaseUrl::parse("postgresql://h/d").unwrap(), DatabaseUrl::Postgres(_)));
        for wrong in ["", "sqlite:", "sqlite::memory:", "sqlite:x.db?mode=ro", "mysql://h/d", "/data/zyz.db"] {
            assert!(matches!(DatabaseUrl::parse(wrong), Err(StoreError::Url)), "{wrong}");
        }
    }

    #[test]
    fn a_path_is_encoded_for_the_driver() {
        let url = DatabaseUrl::sqlite("/data/库 #1?.db").driver_url().unwrap();
        assert_eq!(url, "sqlite:///data/%E5%BA%93%20%231%3F.db");
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::parse("postgres://zyz:p@ss@db.example/zyz?password=secret").unwrap();
        assert_eq!(url.to_string(), "postgres://db.example/zyz");
        assert_eq!(format!("{url:?}"), "postgres://db.example/zyz");
    }
}
