//! What the federation does not know yet, and what it said to the rest.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;
use zyz_credential::Seconds;
use zyz_http::wire::{BatchResult, EntryOutcome, MAX_BATCH, Redemption, RedemptionBatch, Reversal, Standing};

use super::{HISTORY_SECONDS, KEPT_SECONDS, Ledger, LedgerError, signed, unsigned};
use crate::clock::timestamp;

/// How much is waiting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// Uses and reversals that the federation has not answered for.
    pub waiting: u64,
    /// When the oldest of them was given or taken back.
    pub oldest: Option<Seconds>,
    /// Entries that the federation did not take, still in the history.
    pub refused: u64,
}

/// What an answer did to the queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// Entries struck off.
    pub struck: u64,
    /// Of these, how many were not taken.
    pub refused: u64,
}

/// An entry that the federation did not take. It is not sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntry {
    /// The use.
    pub id: Uuid,
    /// `conflict` or `refused`.
    pub outcome: String,
    /// The offer's title.
    pub title: String,
    /// Certificate number, ten digits.
    pub number: String,
    /// When it was given.
    pub redeemed_at: Seconds,
}

const WAITING_USES: &str = "outcome IS NULL";
/// A reversal of what the federation did not take would take back somebody else's use.
const WAITING_REVERSALS: &str = "reversed_at IS NOT NULL AND reversal_outcome IS NULL \
     AND (outcome IS NULL OR outcome NOT IN ('conflict', 'refused'))";
const REFUSED: &str = "outcome IN ('conflict', 'refused')";

impl Ledger {
    /// The oldest of what waits, as much as fits a batch; `None` when nothing does.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn next_batch(&self) -> Result<Option<RedemptionBatch>, LedgerError> {
        let mut connection = self.lock().await;
        let mut batch = RedemptionBatch::default();
        let sql = format!(
            "SELECT id, offer, number, key_id, issued_at, redeemed_at, bundle_version FROM redemption WHERE {WAITING_USES} \
             ORDER BY redeemed_at, id LIMIT {MAX_BATCH}"
        );
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *connection).await? {
            batch.redemptions.push(Redemption {
                id: id(&row, 0)?,
                offer: row.try_get(1)?,
                number: row.try_get(2)?,
                key_id: row.try_get(3)?,
                issued_at: timestamp(unsigned(row.try_get(4)?)),
                redeemed_at: timestamp(unsigned(row.try_get(5)?)),
                bundle_version: unsigned(row.try_get(6)?),
            });
        }
        let room = MAX_BATCH - batch.redemptions.len();
        let sql = format!(
            "SELECT reversal_id, id, reversed_at FROM redemption WHERE {WAITING_REVERSALS} ORDER BY reversed_at, id LIMIT {room}"
        );
        for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *connection).await? {
            batch.reversals.push(Reversal {
                id: id(&row, 0)?,
                redemption: id(&row, 1)?,
                reversed_at: timestamp(unsigned(row.try_get(2)?)),
            });
        }
        Ok((!batch.redemptions.is_empty() || !batch.reversals.is_empty()).then_some(batch))
    }

    /// Strikes off what the federation answered for. Entries that it did not name stay in the queue. Durable on return.
    ///
    /// # Errors
    /// [`LedgerError`]: then the batch is sent again, which changes nothing there.
    pub async fn acknowledge(&self, result: &BatchResult, at: Seconds) -> Result<Acknowledged, LedgerError> {
        let mut tx = self.begin().await?;
        let mut done = Acknowledged::default();
        for entry in &result.redemptions {
            let update = "UPDATE redemption SET outcome = $2, outcome_at = $3, standing = $4, over_limit = $5 \
                          WHERE id = $1 AND outcome IS NULL";
            let update = sqlx::query(update)
                .bind(entry.id.as_bytes().to_vec())
                .bind(outcome(entry.outcome))
                .bind(signed(at))
                .bind(standing(entry.standing))
                .bind(entry.over_limit);
            let struck = update.execute(&mut *tx).await?.rows_affected();
            done.struck += struck;
            if matches!(entry.outcome, EntryOutcome::Conflict | EntryOutcome::Refused) {
                done.refused += struck;
            }
        }
        for entry in &result.reversals {
            let update =
                "UPDATE redemption SET reversal_outcome = $2 WHERE reversal_id = $1 AND reversal_outcome IS NULL";
            let update = sqlx::query(update).bind(entry.id.as_bytes().to_vec()).bind(outcome(entry.outcome));
            done.struck += update.execute(&mut *tx).await?.rows_affected();
        }
        tx.commit().await?;
        Ok(done)
    }

    /// How much waits, and how much was refused within the history.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn queue(&self, now: Seconds) -> Result<Queue, LedgerError> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM redemption WHERE {WAITING_USES}), (SELECT count(*) FROM redemption WHERE \
             {WAITING_REVERSALS}), (SELECT min(redeemed_at) FROM redemption WHERE {WAITING_USES}), (SELECT min(reversed_at) \
             FROM redemption WHERE {WAITING_REVERSALS}), (SELECT count(*) FROM redemption WHERE {REFUSED} AND redeemed_at >= $1)"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(signed(now.saturating_sub(HISTORY_SECONDS)));
        let row = query.fetch_one(&mut *self.lock().await).await?;
        let (uses, reversals): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let oldest: [Option<i64>; 2] = [row.try_get(2)?, row.try_get(3)?];
        Ok(Queue {
            waiting: unsigned(uses) + unsigned(reversals),
            oldest: oldest.into_iter().flatten().min().map(unsigned),
            refused: unsigned(row.try_get(4)?),
        })
    }

    /// What the federation did not take, the newest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn refused(&self, now: Seconds, most: u32) -> Result<Vec<RefusedEntry>, LedgerError> {
        let sql = format!(
            "SELECT id, outcome, title, number, redeemed_at FROM redemption WHERE {REFUSED} AND redeemed_at >= $1 \
             ORDER BY redeemed_at DESC LIMIT $2"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(signed(now.saturating_sub(HISTORY_SECONDS)));
        let rows = query.bind(i64::from(most)).fetch_all(&mut *self.lock().await).await?;
        rows.iter()
            .map(|row| {
                Ok(RefusedEntry {
                    id: id(row, 0)?,
                    outcome: row.try_get(1)?,
                    title: row.try_get(2)?,
                    number: row.try_get(3)?,
                    redeemed_at: unsigned(row.try_get(4)?),
                })
            })
            .collect()
    }

    /// Clears away entries older than [`KEPT_SECONDS`] that the federation knows, except uses of offers in `counted` (those
    /// with a limit in all), and masked names older than the history. `signed_time` is the newest signed time seen, not
    /// the machine's clock: a clock far ahead must not empty the record.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn prune(&self, signed_time: Seconds, counted: &[String]) -> Result<u64, LedgerError> {
        let mut tx = self.begin().await?;
        let names = "UPDATE redemption SET holder = NULL WHERE redeemed_at < $1 AND holder IS NOT NULL";
        sqlx::query(names).bind(signed(signed_time.saturating_sub(HISTORY_SECONDS))).execute(&mut *tx).await?;
        let counted = serde_json::to_string(counted).map_err(|_| LedgerError::Content("offers"))?;
        let sql = format!(
            "DELETE FROM redemption WHERE redeemed_at < $1 AND NOT ({WAITING_USES}) AND NOT ({WAITING_REVERSALS}) \
             AND (reversed_at IS NOT NULL OR offer NOT IN (SELECT value FROM json_each($2)))"
        );
        let delete = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(signed(signed_time.saturating_sub(KEPT_SECONDS)));
        let gone = delete.bind(counted).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(gone)
    }
}

pub(super) fn id(row: &SqliteRow, column: usize) -> Result<Uuid, LedgerError> {
    Uuid::from_slice(row.try_get(column)?).map_err(|_| LedgerError::Content("id"))
}

fn outcome(outcome: EntryOutcome) -> &'static str {
    match outcome {
        EntryOutcome::Recorded => "recorded",
        EntryOutcome::Repeated => "repeated",
        EntryOutcome::Conflict => "conflict",
        EntryOutcome::Unmatched => "unmatched",
        EntryOutcome::Refused => "refused",
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Valid => "valid",
        Standing::Revoked => "revoked",
        Standing::Suspended => "suspended",
        Standing::Superseded => "superseded",
        Standing::Expired => "expired",
        Standing::Unknown => "unknown",
    }
}
