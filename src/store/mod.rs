//! The database: SQLite by default, PostgreSQL for a province, one SQL text for both.
//!
//! **To add a table:** two migrations (`migrations/sqlite/` and `migrations/postgres/`, the same number, name and
//! columns, listed in `migrate.rs`), a row type, a method, a contract case in `tests/store_contract/`.
//!
//! - Reads are methods of [`Reader`] (`store.read().await?.volunteer(…)`), writes of [`Tx`], which is a `Reader` too and
//!   sees its own writes. One file a table group; `dialect.rs` alone knows the backend.
//! - A [`Tx`] first locks the end of the audit chain. So writers take turns on both databases, what a `Tx` reads cannot
//!   change under it, and versions, serials and ids that it draws are its own. Keep a `Tx` short. (A large roster is the
//!   exception: it is registered while its rest is still being read, about a second for 100,000 rows.)
//! - Every method that changes something writes its audit event itself, in the same transaction.
//!   Rows that carry the id of their import or star batch share one event with their count and a SHA-256 over what was
//!   written, in order; everything else has an event an object.
//! - What was acknowledged by [`Tx::commit`] survives a killed process and a power cut (see `dialect.rs`); a `Tx` dropped
//!   or killed before leaves nothing.
//! - Identity number, phone, e-mail and address are sealed (see `sealed.rs`) and are read by
//!   [`Reader::personal_data`] only; a partner's contact is sealed too.
//!
//! Invariant: nothing outside this module names sqlx.

mod application;
mod audit;
mod audit_search;
mod bulk;
mod card_list;
mod certificate;
mod chain_check;
mod correction;
mod delivery;
mod device;
mod dialect;
mod error;
mod handout;
mod import;
mod job;
mod key;
mod merge;
mod meta;
mod migrate;
mod offer;
mod partner;
mod people;
mod photo;
mod publication;
mod reach;
mod receipt;
mod record;
mod record_change;
mod record_list;
mod redemption;
mod registration;
mod review;
mod roster_draft;
mod roster_paper;
mod row;
mod sealed;
mod second_factor;
mod service_desk;
mod session;
mod set_aside;
mod sign_in_try;
mod staff;
mod star;
mod star_draft;
mod star_draft_write;
mod statistic;
mod statistic_count;
mod status;
mod transaction;
mod unit;
mod volunteer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Transaction};

use crate::clock::Entropy;

pub use application::{
    ApplicationCursor, ApplicationDraft, ApplicationFilter, ApplicationId, ApplicationLine, ApplicationStep, Approver,
    ArchivedCopy, FormCopy,
};
pub use audit::{AuditEvent, ChainCheck};
pub use audit_search::{AuditCursor, AuditFilter};
pub use card_list::{CardList, ChoiceCursor, ChoiceFilter, Chosen, ChosenCard, ListEntry};
pub use certificate::{
    Certificate, CertificateId, IssueCandidate, LiveCertificate, NewCertificate, PrintCard, PrintCursor, ReissueWhen,
    Selection, StateChange,
};
pub use chain_check::ChainWalk;
pub use correction::{Change, CorrectOutcome, Corrected, Correction};
pub use delivery::{
    CountyDelivery, CountyDeliveryId, CountyWindow, Delivery, DeliveryFilter, DeliveryId, DeliverySource,
    DeliveryStanding, NewDelivery, WindowFilter, WindowLine,
};
pub use device::{Device, EnrolmentCode};
pub use dialect::DatabaseUrl;
pub use error::StoreError;
pub use handout::Handout;
pub use import::{Import, ImportCounts, ImportId, ImportKind, NewImport, OpenImport};
pub use job::{Holder, Job, JobEnd, NewJob};
pub use key::{KeyId, KeyRole, KeyState, KeyStateChange, NewKey, SigningKey};
pub use merge::Merged;
pub use meta::Counts;
pub use offer::PartnerOffer;
pub use partner::{NewPartner, Partner};
pub use people::{CardFilter, DuplicateGroup, NameCursor, PeopleFilter, PersonLine, PlaceInList, Standing};
pub use photo::{NewUploadRow, PhotoUpload, StoredPhoto, UploadRow};
pub use publication::{Bundle, BundleMark, StatusTokens, TrustList};
pub use reach::Reach;
pub use receipt::{Leader, Leaders, Receipt, ReceiptLine, ReceiptOf};
pub use record::{DayRecord, NewServiceRecord, RecordId, ServiceRecord};
pub use record_change::{Dispute, DisputeOutcome, DisputeSearch, RecordChange};
pub use record_list::{EntryLine, RecordFilter, RecordKey, RecordLine};
pub use redemption::{KnownCard, Reversal, UsageRow, Use};
pub use registration::Registration;
pub use review::{Changed, NewReview, Review, ReviewFilter, SettingRow};
pub use roster_draft::{
    DraftFilter, NewRosterDraft, NewRosterRow, RosterCounts, RosterDraft, RosterDraftId, RosterOutcome, RosterRow,
    RosterRowChange, RosterRows, RosterState,
};
pub use roster_paper::RosterPerson;
pub use sealed::{ColumnKeys, SealError};
pub use service_desk::{HoursUpload, NewActivity, NewProof, PendingActivity, Proof, UnitPerson};
pub use session::{NewSession, OwnSession, Session, Stage};
pub use sign_in_try::{Invitation, Tried};
pub use staff::{NewStaff, StaffAccount, StaffChange, StaffFilter, StaffState};
pub use star::{NewStarAward, StarAward, StarBatch, StarBatchId, StarStanding};
pub use star_draft::{
    DraftKey, DraftRow, DraftState, DraftTally, NewDraftRow, NewStarDraft, RowFilter, StarDraft, StarDraftId,
    StarObjection,
};
pub use statistic::{Activity, Census, Finding, Level, OfferMonth, StatisticRun, Statistics};
pub use statistic_count::{CardCount, CrowdedHour, DayCount, OfferDay, OfferMinute, PeopleCount, ServiceCount};
pub use status::{KeyStatuses, STATUS_LIST_FULL, STATUS_LIST_SIZE};
pub use transaction::Tx;
pub use unit::{COUNTED, Unit, UnitFields, UnitFilter, UnitId, UnitLine};
pub use volunteer::{
    CertificateLine, Contact, ExitOutcome, KnownVolunteer, NewVolunteer, PersonalData, Volunteer, VolunteerFilter,
    VolunteerId, VolunteerLine,
};

use dialect::Dialect;
use sealed::Sealer;

/// An open database. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    shared: Arc<Shared>,
}

/// What every connection's work needs.
struct Shared {
    dialect: Dialect,
    sealer: Sealer,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({:?})", self.shared.dialect)
    }
}

impl Store {
    /// Makes a new database and opens it: the file (SQLite, readable by its owner only), the tables, the mark by which
    /// the data keys are known again. A creation that was interrupted is taken up where it stopped; a database in use is
    /// [`StoreError::AlreadyInitialised`].
    pub async fn create(url: &DatabaseUrl, keys: &ColumnKeys, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        if let DatabaseUrl::Sqlite(path) = url {
            create_file(path)?;
        }
        let store = Self::connect(url, keys, entropy).await?;
        migrate::run(&store.pool, store.shared.dialect).await?;
        if !store.set_key_mark().await? {
            return Err(StoreError::AlreadyInitialised);
        }
        Ok(store)
    }

    /// Opens the database that [`Self::create`] made. A missing file, a missing or unknown migration and data keys of
    /// another database are refused by name.
    pub async fn open(url: &DatabaseUrl, keys: &ColumnKeys, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        let store = Self::connect(url, keys, entropy).await?;
        migrate::check(&store.pool, store.shared.dialect).await?;
        store.check_key_mark().await?;
        Ok(store)
    }

    /// Brings the tables of an existing database up to this program; does nothing if they are. Safe when two processes
    /// run it at the same time.
    pub async fn migrate(url: &DatabaseUrl) -> Result<(), StoreError> {
        let pool = connect(url).await?;
        let done = migrate::run(&pool, url.dialect()).await;
        pool.close().await;
        done
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        let connection = Held::Pooled(self.pool.acquire().await?);
        Ok(Reader { connection, shared: self.shared.clone() })
    }

    /// Tells the database's planner how large the tables have become. Worth calling after a large import or issue:
    /// PostgreSQL does so by itself only a minute or so later, and until then pages of 100,000 new cards to print took
    /// 180 ms each instead of a few.
    pub async fn refresh_statistics(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        connection.execute(self.shared.dialect.refresh_statistics()).await?;
        Ok(())
    }

    /// Closes the connections after their work; then SQLite's log is folded into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn connect(url: &DatabaseUrl, keys: &ColumnKeys, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        let pool = connect(url).await?;
        let shared = Arc::new(Shared { dialect: url.dialect(), sealer: Sealer::new(keys), entropy });
        Ok(Self { pool, shared })
    }
}

/// A connection on which the stored facts are read. Every method answers from the database, nothing is cached.
pub struct Reader {
    connection: Held,
    shared: Arc<Shared>,
}

enum Held {
    Pooled(PoolConnection<Any>),
    InTransaction(Transaction<'static, Any>),
}

impl Reader {
    fn connection(&mut self) -> &mut AnyConnection {
        match &mut self.connection {
            Held::Pooled(connection) => connection,
            Held::InTransaction(transaction) => transaction,
        }
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({:?})", self.shared.dialect)
    }
}

async fn connect(url: &DatabaseUrl) -> Result<AnyPool, StoreError> {
    sqlx::any::install_default_drivers();
    if let DatabaseUrl::Sqlite(path) = url
        && !path.is_file()
    {
        return Err(StoreError::Missing { path: path.clone() });
    }
    let settings = url.dialect().connection_settings();
    // Statements are not logged: they would carry personal data.
    let options: AnyConnectOptions = url.driver_url()?.parse().map_err(|_| StoreError::Url)?;
    let options = options.disable_statement_logging();
    // A pool tries again until its patience ends and then forgets why. So one connection first, for the reason.
    let mut first = AnyConnection::connect_with(&options).await?;
    first.execute(sqlx::AssertSqlSafe(settings.clone())).await?;
    first.close().await?;
    let pool = AnyPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(60))
        .after_connect(move |connection, _| {
            let settings = settings.clone();
            Box::pin(async move {
                connection.execute(sqlx::AssertSqlSafe(settings)).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options);
    Ok(pool)
}

/// Makes an empty file that only its owner can read, unless there is one.
fn create_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(StoreError::File { path: path.to_owned(), source }),
    }
}
