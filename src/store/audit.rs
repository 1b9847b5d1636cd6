//! Who did what, when, on what: a chain of hashes, so that a changed or removed event shows.
//!
//! `hash = SHA-256(previous_hash ‖ field…)` with each field — seq and moment as eight bytes big-endian, actor, action,
//! object, detail as UTF-8 — preceded by its length as eight bytes big-endian. The first event follows 32 zero bytes.
//! Whoever may write to the database can also rewrite the whole chain; so the head (`seq`, `hash`) that `zyz doctor`
//! shows is worth noting down outside of it.

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::bulk::{Insert, Statement};
use super::row::Columns;
use super::{Reader, StoreError, Tx};

/// How many events [`Reader::verify_audit_chain`] holds at a time.
const PAGE: i64 = 5_000;
/// What stands for a hash that is none.
pub(super) const NO_HASH: [u8; 32] = [0xff; 32];

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Position in the chain, from 1.
    pub seq: i64,
    /// When, to the second.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, e.g. `certificate.revoke`.
    pub action: String,
    /// On what, e.g. `certificate/0200012349#17`.
    pub object: String,
    /// Particulars as JSON, without personal data.
    pub detail: String,
    /// Hash of the event before.
    pub previous_hash: [u8; 32],
    /// Hash of this one.
    pub hash: [u8; 32],
}

impl AuditEvent {
    /// The hash that this event must have.
    pub fn expected_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(self.previous_hash);
        let (seq, at) = (self.seq.to_be_bytes(), self.at.as_second().to_be_bytes());
        let texts = [&self.actor, &self.action, &self.object, &self.detail];
        for field in [&seq[..], &at[..]].into_iter().chain(texts.into_iter().map(|text| text.as_bytes())) {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}

/// What became of checking the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainCheck {
    /// Every event follows from the one before, up to the recorded head.
    Intact {
        /// Events checked.
        events: u64,
        /// The head's hash.
        head: [u8; 32],
    },
    /// The first event that is missing, was changed or does not follow.
    Broken {
        /// Its position.
        seq: i64,
    },
    /// The events are consistent, but end elsewhere than the head says: the last ones were removed, or the head changed.
    HeadDiffers {
        /// Position of the last event found.
        last: i64,
        /// Position recorded in the head.
        head: i64,
    },
}

impl Reader {
    /// Position and hash of the end of the chain.
    pub async fn audit_head(&mut self) -> Result<(i64, [u8; 32]), StoreError> {
        let row = sqlx::query("SELECT seq, hash FROM audit_head WHERE id = 1").fetch_one(self.connection()).await?;
        Ok((row.int(0)?, row.array(1, "审计链")?))
    }

    /// Up to `limit` events after position `after`, in order; only those on `object` if one is given.
    pub async fn audit_events(
        &mut self,
        object: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE seq > ").bind(after);
        if let Some(object) = object {
            query.push(" AND object = ").bind(object);
        }
        query.push(" ORDER BY seq LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(event).collect()
    }

    /// Recomputes the whole chain, page by page.
    pub async fn verify_audit_chain(&mut self) -> Result<ChainCheck, StoreError> {
        // The head is read first: events appended meanwhile lie behind it and are left for the next check.
        let (head, head_hash) = self.audit_head().await?;
        let (mut last, mut hash) = (0, [0; 32]);
        while last < head {
            let query = "SELECT seq, at, actor, action, object, detail, previous_hash, hash FROM audit_event \
                         WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";
            let rows = sqlx::query(query).bind(last).bind(head).bind(PAGE).fetch_all(self.connection()).await?;
            if rows.is_empty() {
                return Ok(ChainCheck::HeadDiffers { last, head });
            }
            for row in &rows {
                let event = event(row)?;
                if event.seq != last + 1 || event.previous_hash != hash || event.expected_hash() != event.hash {
                    return Ok(ChainCheck::Broken { seq: last + 1 });
                }
                (last, hash) = (event.seq, event.hash);
            }
        }
        if hash != head_hash {
            return Ok(ChainCheck::HeadDiffers { last, head });
        }
        Ok(ChainCheck::Intact { events: last as u64, head: hash })
    }
}

impl Tx {
    /// Notes an event of the caller's own; the methods that change something note theirs themselves. `detail` must
    /// hold no personal data.
    pub fn audit(&mut self, action: &'static str, object: impl Into<String>, mut detail: Value) {
        if let (Some(why), Value::Object(fields)) = (&self.why, &mut detail) {
            fields.insert("why".to_owned(), Value::from(why.as_str()));
        }
        let mut event = AuditEvent {
            seq: self.head.0 + 1,
            at: self.now,
            actor: self.actor.clone(),
            action: action.to_owned(),
            object: object.into(),
            detail: detail.to_string(),
            previous_hash: self.head.1,
            hash: [0; 32],
        };
        event.hash = event.expected_hash();
        self.head = (event.seq, event.hash);
        self.events.push(event);
    }

    /// Writes the noted events and moves the head.
    pub(super) async fn flush_audit(&mut self) -> Result<(), StoreError> {
        let events = std::mem::take(&mut self.events);
        if events.is_empty() {
            return Ok(());
        }
        self.insert_all(&INSERT, &events, |values, event| {
            values.push(event.seq);
            values.push(event.at.as_second());
            values.push(event.actor.as_str());
            values.push(event.action.as_str());
            values.push(event.object.as_str());
            values.push(event.detail.as_str());
            values.push(&event.previous_hash[..]);
            values.push(&event.hash[..]);
        })
        .await?;
        let (seq, hash) = self.head;
        sqlx::query("UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1")
            .bind(seq)
            .bind(&hash[..])
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

/// Hash over many texts in order, for the one event of a batch.
#[derive(Default)]
pub(super) struct BatchHash(Sha256);

impl BatchHash {
    pub fn add(&mut self, text: &str) {
        self.add_bytes(text.as_bytes());
    }

    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    pub fn hex(self) -> String {
        hex::encode(self.0.finalize())
    }
}

const SELECT: &str = "SELECT seq, at, actor, action, object, detail, previous_hash, hash FROM audit_event";

const INSERT: Insert = Insert {
    table: "audit_event",
    columns: &["seq", "at", "actor", "action", "object", "detail", "previous_hash", "hash"],
    fixed: &[],
    conflict: "",
    may_stop_halfway: false,
};

/// An event as it stands. A hash of another length, or a moment beyond time, was put there by nobody of ours: it reads as one
/// that no event's own hash agrees with, so that the trail stays readable and the check names the event.
pub(super) fn event(row: &sqlx::any::AnyRow) -> Result<AuditEvent, StoreError> {
    Ok(AuditEvent {
        seq: row.int(0)?,
        at: Timestamp::from_second(row.int(1)?).unwrap_or_default(),
        actor: row.text(2)?,
        action: row.text(3)?,
        object: row.text(4)?,
        detail: row.text(5)?,
        previous_hash: row.bytes(6)?.try_into().unwrap_or(NO_HASH),
        hash: row.bytes(7)?.try_into().unwrap_or(NO_HASH),
    })
}
