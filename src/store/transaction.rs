//! Writing.

use std::ops::{Deref, DerefMut, Range};

use jiff::Timestamp;

use super::audit::AuditEvent;
use super::row::Columns;
use super::{Held, Reader, Store, StoreError};

/// Changes that happen together or not at all, by one actor at one moment. Dropped without [`Tx::commit`], it leaves
/// nothing. Reads (it is a [`Reader`]) see its own writes.
pub struct Tx {
    reader: Reader,
    pub(super) actor: String,
    /// Why, in words: every event says it.
    pub(super) why: Option<String>,
    pub(super) now: Timestamp,
    /// End of the audit chain, with the events noted so far.
    pub(super) head: (i64, [u8; 32]),
    pub(super) events: Vec<AuditEvent>,
    /// Imports and registrations begun and not finished, be it because a statement of theirs failed.
    pub(super) open: usize,
}

impl Store {
    /// Waits for its turn and begins. `actor` is who will stand in the audit trail, `now` the moment written to every
    /// row; it is cut to whole seconds.
    pub async fn begin(&self, actor: &str, now: Timestamp) -> Result<Tx, StoreError> {
        let dialect = self.shared.dialect;
        let mut transaction = self.pool.begin_with(dialect.begin()).await?;
        let row = sqlx::query("UPDATE audit_head SET seq = seq WHERE id = 1 RETURNING seq, hash")
            .fetch_one(&mut *transaction)
            .await?;
        let head = (row.int(0)?, row.array(1, "审计链")?);
        let now = whole_second(now)?;
        let reader = Reader { connection: Held::InTransaction(transaction), shared: self.shared.clone() };
        Ok(Tx { reader, actor: actor.to_owned(), why: None, now, head, events: Vec::new(), open: 0 })
    }
}

impl Tx {
    /// Makes everything lasting, the audit events with it. An error means that nothing was kept; only a connection lost
    /// in this very moment leaves it open, and the audit head tells. An import or registration that was begun and not
    /// finished, or that failed half-way, is [`StoreError::Unfinished`].
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.open > 0 {
            return Err(StoreError::Unfinished);
        }
        self.flush_audit().await?;
        let Held::InTransaction(transaction) = self.reader.connection else {
            unreachable!("a Tx is made by begin alone")
        };
        Ok(transaction.commit().await?)
    }

    /// Undoes everything now instead of when dropped.
    pub async fn rollback(self) -> Result<(), StoreError> {
        let Held::InTransaction(transaction) = self.reader.connection else {
            unreachable!("a Tx is made by begin alone")
        };
        Ok(transaction.rollback().await?)
    }

    /// Dates the transaction anew, before anything was written in it: the wait for its turn may have been long, and
    /// what others signed meanwhile must not lie in its future.
    pub fn dated(mut self, now: Timestamp) -> Result<Self, StoreError> {
        self.now = whole_second(now)?;
        Ok(self)
    }

    /// Lets every event noted from here on say why in words (`why`), besides what it says itself. No personal data.
    pub fn because(&mut self, why: &str) {
        self.why = Some(why.to_owned());
    }

    /// The moment written to every row.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Takes the next `count` values of a counter, which starts at 1.
    pub(super) async fn draw(&mut self, counter: &str, count: usize) -> Result<Range<i64>, StoreError> {
        let count = i64::try_from(count).map_err(|_| StoreError::BadValue { what: "计数" })?;
        let sql = "INSERT INTO counter (name, value) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value RETURNING value";
        let row = sqlx::query(sql).bind(counter).bind(count).fetch_one(self.connection()).await?;
        let last = row.int(0)?;
        Ok(last - count + 1..last + 1)
    }

    /// Takes one value of a counter.
    pub(super) async fn draw_one(&mut self, counter: &str) -> Result<i64, StoreError> {
        Ok(self.draw(counter, 1).await?.start)
    }
}

fn whole_second(moment: Timestamp) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(moment.as_second()).map_err(|_| StoreError::BadValue { what: "时间" })
}

impl Deref for Tx {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tx({}, {})", self.actor, self.now)
    }
}
