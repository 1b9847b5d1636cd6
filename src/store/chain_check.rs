//! Checks of the audit chain that go on in steps, so that a long trail can be checked from a page.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::audit::NO_HASH;
use super::bulk::Statement;
use super::row::Columns;
use super::{Reader, Store, StoreError, Tx};

/// A check of the chain from its beginning to where its end was when the check began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainWalk {
    /// Key.
    pub id: i64,
    /// Login of who began it.
    pub begun_by: String,
    /// When.
    pub begun_at: Timestamp,
    /// The end to reach.
    pub head_seq: i64,
    /// Its hash, as the head had it.
    pub head_hash: [u8; 32],
    /// The last event found good; 0 at the beginning.
    pub checked: i64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When it came to an end.
    pub ended_at: Option<Timestamp>,
    /// The first event that is missing, was changed or does not follow.
    pub broken_at: Option<i64>,
}

const SELECT: &str =
    "SELECT id, begun_by, begun_at, head_seq, head_hash, checked, hash, ended_at, broken_at FROM chain_check";

impl Reader {
    /// One check.
    pub async fn chain_walk(&mut self, id: i64) -> Result<Option<ChainWalk>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE id = ").bind(id);
        query.fetch_optional(self).await?.as_ref().map(walk).transpose()
    }

    /// The latest check.
    pub async fn latest_chain_walk(&mut self) -> Result<Option<ChainWalk>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" ORDER BY id DESC LIMIT 1");
        query.fetch_optional(self).await?.as_ref().map(walk).transpose()
    }

    /// The hash of one event, as it is stored.
    pub async fn audit_hash(&mut self, seq: i64) -> Result<Option<[u8; 32]>, StoreError> {
        let query = sqlx::query("SELECT hash FROM audit_event WHERE seq = $1").bind(seq);
        let row = query.fetch_optional(self.connection()).await?;
        row.map(|row| Ok(row.bytes(0)?.try_into().unwrap_or(NO_HASH))).transpose()
    }
}

impl Tx {
    /// Begins a check (`audit.check`) of all events before this one.
    pub async fn begin_chain_walk(&mut self) -> Result<ChainWalk, StoreError> {
        let id = self.draw_one("chain_check").await?;
        let (head_seq, head_hash) = self.head;
        let walk = ChainWalk {
            id,
            begun_by: self.actor.clone(),
            begun_at: self.now,
            head_seq,
            head_hash,
            checked: 0,
            hash: [0; 32],
            ended_at: None,
            broken_at: None,
        };
        sqlx::query(
            "INSERT INTO chain_check (id, begun_by, begun_at, head_seq, head_hash, checked, hash) \
             VALUES ($1, $2, $3, $4, $5, 0, $6)",
        )
        .bind(id)
        .bind(&walk.begun_by)
        .bind(walk.begun_at.as_second())
        .bind(head_seq)
        .bind(&head_hash[..])
        .bind(&walk.hash[..])
        .execute(self.connection())
        .await?;
        self.audit("audit.check", format!("chain_check/{id}"), json!({"to": head_seq}));
        Ok(walk)
    }
}

impl Store {
    /// Goes on with a check by at most `events` events. Without an audit event: what it finds changes nothing.
    pub async fn continue_chain_walk(
        &self,
        mut walk: ChainWalk,
        events: u32,
        now: Timestamp,
    ) -> Result<ChainWalk, StoreError> {
        if walk.ended_at.is_some() {
            return Ok(walk);
        }
        let mut reader = self.read().await?;
        let last = walk.head_seq.min(walk.checked + i64::from(events));
        while walk.checked < last && walk.broken_at.is_none() {
            let limit = u32::try_from(last - walk.checked).unwrap_or(events).min(5_000);
            let found = reader.audit_events(None, walk.checked, limit).await?;
            if found.is_empty() {
                walk.broken_at = Some(walk.checked + 1);
            }
            for event in found {
                let follows = event.seq == walk.checked + 1 && event.previous_hash == walk.hash;
                if !follows || event.expected_hash() != event.hash {
                    walk.broken_at = Some(walk.checked + 1);
                    break;
                }
                (walk.checked, walk.hash) = (event.seq, event.hash);
            }
        }
        if walk.checked == walk.head_seq && walk.hash != walk.head_hash {
            walk.broken_at = Some(walk.head_seq);
        }
        if walk.broken_at.is_some() || walk.checked == walk.head_seq {
            walk.ended_at = Some(now);
        }
        drop(reader);
        sqlx::query(
            "UPDATE chain_check SET checked = $1, hash = $2, ended_at = $3, broken_at = $4 \
             WHERE id = $5 AND checked <= $1 AND ended_at IS NULL",
        )
        .bind(walk.checked)
        .bind(&walk.hash[..])
        .bind(walk.ended_at.map(Timestamp::as_second))
        .bind(walk.broken_at)
        .bind(walk.id)
        .execute(&self.pool)
        .await?;
        Ok(walk)
    }
}

fn walk(row: &AnyRow) -> Result<ChainWalk, StoreError> {
    Ok(ChainWalk {
        id: row.int(0)?,
        begun_by: row.text(1)?,
        begun_at: row.moment(2)?,
        head_seq: row.int(3)?,
        head_hash: row.array(4, "审计链")?,
        checked: row.int(5)?,
        hash: row.array(6, "审计链")?,
        ended_at: row.moment_or_null(7)?,
        broken_at: row.int_or_null(8)?,
    })
}
