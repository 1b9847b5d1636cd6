//! The node's own durable record: who it is, the offers it gave, and what of that the federation does not know yet.
//!
//! SQLite with a write-ahead log, `synchronous=FULL`: what was committed survives a kill and a power cut. One connection in
//! exclusive mode does everything, one thing after the other. So a limit is counted and the use written without anybody
//! in between, no shared memory file is needed, and the node starts on a full disk.
//!
//! To add a column: `schema.sql`, a step in `MIGRATIONS`, the row type in `uses.rs`, a test.
//!
//! Absent on purpose: the trust state, which is in [`crate::state`], replaced as a whole file.

mod queue;
mod uses;

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::RwLock;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row};
use thiserror::Error;
use tokio::sync::{Mutex, MutexGuard};
use zyz_credential::CertificateNumber;
use zyz_http::wire::{FederationInfo, PartnerInfo};

pub use queue::{Acknowledged, Queue, RefusedEntry};
pub use uses::{NewUse, Recorded, Reversed, Use};

/// How long entries are kept at least, in seconds: 400 days. Offers with a limit in all keep theirs as long as the offer
/// is in the bundle.
pub const KEPT_SECONDS: u64 = 400 * 86_400;
/// How far back the history reaches and the masked name is kept, in seconds: 90 days.
pub const HISTORY_SECONDS: u64 = 90 * 86_400;

/// Steps from one version of the tables to the next; `user_version` counts them.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];
/// Another connection of this very process may just be closing.
const BUSY: Duration = Duration::from_secs(2);

/// The open record.
#[derive(Debug)]
pub struct Ledger {
    connection: Mutex<OneConnection>,
    /// Numbers with any use that counts: most cards have none, and need no question to the database.
    used: RwLock<HashSet<u32>>,
}

/// Who this node is: what enrolment gave.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The federation's server.
    pub server: String,
    /// Root public key, 64 hex digits.
    pub root: String,
    /// For `Authorization: Bearer …`.
    pub token: String,
    /// Names this device among the partner's.
    pub device_id: String,
    /// What this device is called.
    pub device: String,
    /// Key of the partner.
    pub partner_id: String,
    /// Its name.
    pub partner_name: String,
    /// Certificates (PEM) to believe when asking the server, if not the usual ones.
    pub ca: Option<String>,
}

/// How the last rounds of syncing went, kept over restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncMemory {
    /// When a round last went well, seconds since 1970.
    pub succeeded_at: Option<u64>,
    /// Since when every round has failed.
    pub failing_since: Option<u64>,
    /// `ETag` of the partner's bundle accepted last.
    pub etag: Option<String>,
    /// When old entries were last cleared away.
    pub pruned_at: u64,
}

/// Why the record could not be read or written. Nothing was half written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// No room on the disk.
    #[error("磁盘已满，无法保存。请清理磁盘空间")]
    Full,
    /// The disk fails, or the file must not be written.
    #[error("无法读写本机的记录（{0}）。请检查磁盘和文件权限")]
    Storage(#[source] sqlx::Error),
    /// The file is not the record, or damaged.
    #[error("本机的记录 node.db 已损坏（{0}）。请从备份恢复，或联系联合会；不要删除它，里面可能有尚未上传的核销记录")]
    Damaged(#[source] sqlx::Error),
    /// Made by a newer version of this program.
    #[error("本机的记录由更新的版本写成（第 {found} 版，本程序到第 {known} 版）。请使用新版本的 zyz-verify")]
    Newer {
        /// Found in the file.
        found: i64,
        /// Known to this program.
        known: i64,
    },
    /// A stored value that cannot be read back.
    #[error("本机的记录里有无法读取的内容（{0}）")]
    Content(&'static str),
}

impl Ledger {
    /// Opens the file, which must be there (it may be empty), and brings its tables up to date.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .statement_cache_capacity(24)
            .pragma("cache_size", "-1024")
            .pragma("journal_size_limit", "1048576")
            .disable_statement_logging();
        let mut connection = options.connect().await?;
        migrate(&mut connection).await?;
        let rows = sqlx::query("SELECT DISTINCT number FROM redemption WHERE reversed_at IS NULL");
        let rows = rows.fetch_all(&mut connection).await?;
        let used = rows.iter().map(|row| Ok(short(row.try_get(0)?))).collect::<Result<_, sqlx::Error>>()?;
        let connection = Mutex::new(OneConnection { connection, open: false });
        Ok(Self { connection, used: RwLock::new(used) })
    }

    /// Whether anything can be written: makes and drops a row. Asked before a one-time code is spent.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn probe(&self) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        sqlx::query("INSERT INTO meta (key, value) VALUES ('probe', zeroblob(4096))").execute(&mut *tx).await?;
        tx.commit().await?;
        sqlx::query("DELETE FROM meta WHERE key = 'probe'").execute(&mut *self.lock().await).await?;
        Ok(())
    }

    /// Who this node is; `None` before enrolment.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn identity(&self) -> Result<Option<Identity>, LedgerError> {
        self.meta("identity").await
    }

    /// Keeps who this node is. What the previous identity knew of the server is forgotten.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn set_identity(&self, identity: &Identity) -> Result<(), LedgerError> {
        let mut tx = self.begin().await?;
        put(&mut tx, "identity", identity).await?;
        sqlx::query("DELETE FROM meta WHERE key IN ('federation', 'sync')").execute(&mut *tx).await?;
        tx.commit().await
    }

    /// What the federation said of itself at enrolment or since.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn federation(&self) -> Result<Option<FederationInfo>, LedgerError> {
        self.meta("federation").await
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn set_federation(&self, info: &FederationInfo) -> Result<(), LedgerError> {
        put(&mut *self.lock().await, "federation", info).await
    }

    /// How syncing went.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn sync_memory(&self) -> Result<SyncMemory, LedgerError> {
        Ok(self.meta("sync").await?.unwrap_or_default())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn set_sync_memory(&self, memory: &SyncMemory) -> Result<(), LedgerError> {
        put(&mut *self.lock().await, "sync", memory).await
    }

    /// Whether a number may have uses that count. `false` is certain.
    pub fn may_have_uses(&self, number: &CertificateNumber) -> bool {
        self.used.read().is_ok_and(|used| used.contains(&short(number.as_str())))
    }

    /// Writes what is in the log into the file and closes it.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing is lost then, the log is read at the next start.
    pub async fn close(self) -> Result<(), LedgerError> {
        Ok(self.connection.into_inner().connection.close().await?)
    }

    async fn meta<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, LedgerError> {
        let mut connection = self.lock().await;
        let row =
            sqlx::query("SELECT value FROM meta WHERE key = $1").bind(key).fetch_optional(&mut *connection).await?;
        let Some(row) = row else { return Ok(None) };
        let value: &[u8] = row.try_get(0)?;
        serde_json::from_slice(value).map(Some).map_err(|_| LedgerError::Content("meta"))
    }

    fn mark_used(&self, number: &str) {
        if let Ok(mut used) = self.used.write() {
            used.insert(short(number));
        }
    }

    /// The connection, outside of any transaction.
    async fn lock(&self) -> Locked<'_> {
        let mut locked = Locked(self.connection.lock().await);
        if locked.0.open {
            // A full disk may have ended it already; there is nothing to roll back then, which is what is wanted.
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *locked).await;
            locked.0.open = false;
        }
        locked
    }

    /// The connection within a transaction that writes. Dropped without [`Locked::commit`], it is as if nothing had been.
    async fn begin(&self) -> Result<Locked<'_>, LedgerError> {
        let mut locked = self.lock().await;
        locked.0.open = true;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *locked).await?;
        Ok(locked)
    }
}

/// The connection, and whether a transaction was begun and not committed. SQLite ends one by itself when the disk is full,
/// which the transactions of `sqlx` do not notice; so they are not used.
#[derive(Debug)]
struct OneConnection {
    connection: SqliteConnection,
    open: bool,
}

/// The connection, for one caller at a time.
struct Locked<'l>(MutexGuard<'l, OneConnection>);

impl Locked<'_> {
    /// Durable on return.
    async fn commit(mut self) -> Result<(), LedgerError> {
        sqlx::raw_sql("COMMIT").execute(&mut *self).await?;
        self.0.open = false;
        Ok(())
    }
}

impl Deref for Locked<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.0.connection
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0.connection
    }
}

impl LedgerError {
    /// Names it for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full => "storage_full",
            Self::Storage(_) => "storage_failed",
            Self::Damaged(_) | Self::Content(_) => "storage_damaged",
            Self::Newer { .. } => "storage_newer",
        }
    }
}

impl Identity {
    /// The partner, as the wire names it.
    pub fn partner(&self) -> PartnerInfo {
        PartnerInfo { id: self.partner_id.clone(), name: self.partner_name.clone() }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("server", &self.server)
            .field("device_id", &self.device_id)
            .field("partner_id", &self.partner_id)
            .finish_non_exhaustive()
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
        // The low byte is the kind, the rest says where (sqlite.org/rescode.html).
        match code.map(|code| code & 0xff) {
            Some(13) => Self::Full,
            Some(11 | 26) => Self::Damaged(error),
            // Room for the files beside the database is missing: SQLITE_IOERR_WRITE and _SHMSIZE.
            Some(10) if matches!(code, Some(778 | 4874)) => Self::Full,
            _ => Self::Storage(error),
        }
    }
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    let known = MIGRATIONS.len() as i64;
    let found: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *connection).await?.try_get(0)?;
    if found > known {
        return Err(LedgerError::Newer { found, known });
    }
    for (step, sql) in (1..).zip(MIGRATIONS).skip(found.try_into().unwrap_or(0)) {
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(*sql).execute(&mut *tx).await?;
        let version = format!("PRAGMA user_version = {step}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(version)).execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn put(connection: &mut SqliteConnection, key: &str, value: &impl Serialize) -> Result<(), LedgerError> {
    let value = serde_json::to_vec(value).map_err(|_| LedgerError::Content("meta"))?;
    let insert = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    sqlx::query(insert).bind(key).bind(value).execute(connection).await?;
    Ok(())
}

/// A certificate number without its check digit, which fits 32 bits.
fn short(number: &str) -> u32 {
    number.get(..9).and_then(|digits| digits.parse().ok()).unwrap_or(u32::MAX)
}

/// SQLite's integers have a sign; our times and versions end long before.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
