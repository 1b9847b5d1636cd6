//! Steps that wait for a second person, and the console's switches.

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use crate::domain::review::{ReviewKind, ReviewState};

use super::bulk::Statement;
use super::row::Columns;
use super::{Reader, StoreError, Tx};

/// A step to keep until a second person decides.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReview {
    /// What kind of step.
    pub kind: ReviewKind,
    /// What will happen, in words, without personal data.
    pub summary: String,
    /// What it takes to do it, without personal data.
    pub payload: Value,
    /// Account that asks.
    pub asked_by: i64,
}

/// A step and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// Key.
    pub id: i64,
    /// What kind of step.
    pub kind: ReviewKind,
    /// What will happen, in words.
    pub summary: String,
    /// What it takes to do it.
    pub payload: Value,
    /// Where it stands.
    pub state: ReviewState,
    /// Account that asked.
    pub asked_by: i64,
    /// Its person's name.
    pub asker: String,
    /// When.
    pub asked_at: Timestamp,
    /// Name of the person who decided.
    pub decider: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What they noted.
    pub note: Option<String>,
    /// What carrying it out came to.
    pub outcome: Option<String>,
}

/// Which steps to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// Waiting ones only, or decided ones only, or all.
    pub waiting: Option<bool>,
    /// Text in the summary or the asker's name.
    pub text: String,
    /// Only those older than this one (newest come first).
    pub before: Option<i64>,
}

/// A switch as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingRow {
    /// Its value.
    pub value: Value,
    /// Login of who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// Counts changes, from 1.
    pub revision: i64,
}

/// What became of a change that was made on a certain revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It was written.
    Yes,
    /// Somebody else had changed the row meanwhile; nothing was written.
    Conflict,
}

const SELECT: &str = "SELECT review.id, review.kind, review.summary, review.payload, review.state, review.asked_by, \
                      asker.name, review.asked_at, decider.name, review.decided_at, review.note, review.outcome \
                      FROM review JOIN staff AS asker ON asker.id = review.asked_by \
                      LEFT JOIN staff AS decider ON decider.id = review.decided_by";

impl Reader {
    /// Up to `limit` steps, the newest first.
    pub async fn reviews(&mut self, filter: &ReviewFilter, limit: u32) -> Result<Vec<Review>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE review.id < ").bind(filter.before.unwrap_or(i64::MAX));
        match filter.waiting {
            Some(true) => drop(query.push(" AND review.state = 'waiting'")),
            Some(false) => drop(query.push(" AND review.state <> 'waiting'")),
            None => {}
        }
        if !filter.text.is_empty() {
            let like = like(&filter.text);
            query.push(" AND (review.summary LIKE ").bind(like.clone());
            query.push(" ESCAPE '!' OR asker.name LIKE ").bind(like).push(" ESCAPE '!')");
        }
        query.push(" ORDER BY review.id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(review).collect()
    }

    /// One step.
    pub async fn review(&mut self, id: i64) -> Result<Option<Review>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE review.id = ").bind(id);
        query.fetch_optional(self).await?.as_ref().map(review).transpose()
    }

    /// How many steps wait that this account may decide: those that others asked for. Counts to 1,000 at most.
    pub async fn reviews_waiting(&mut self, staff: i64) -> Result<u64, StoreError> {
        let sql =
            "SELECT count(*) FROM (SELECT 1 FROM review WHERE state = 'waiting' AND asked_by <> $1 LIMIT 1000) AS w";
        let row = sqlx::query(sql).bind(staff).fetch_one(self.connection()).await?;
        row.number(0, "数量")
    }

    /// A switch; none while it has its default.
    pub async fn setting(&mut self, name: &str) -> Result<Option<SettingRow>, StoreError> {
        let sql = "SELECT value, changed_by, changed_at, revision FROM setting WHERE name = $1";
        let Some(row) = sqlx::query(sql).bind(name).fetch_optional(self.connection()).await? else { return Ok(None) };
        let value = serde_json::from_str(row.str(0)?).map_err(|_| StoreError::BadValue { what: "设置" })?;
        Ok(Some(SettingRow { value, changed_by: row.text(1)?, changed_at: row.moment(2)?, revision: row.int(3)? }))
    }
}

impl Tx {
    /// Keeps a step for a second person (`review.ask`).
    pub async fn insert_review(&mut self, new: &NewReview) -> Result<i64, StoreError> {
        let id = self.draw_one("review").await?;
        let now = self.now.as_second();
        let payload = new.payload.to_string();
        sqlx::query(
            "INSERT INTO review (id, kind, summary, payload, state, asked_by, asked_at) \
             VALUES ($1, $2, $3, $4, 'waiting', $5, $6)",
        )
        .bind(id)
        .bind(new.kind.as_str())
        .bind(&new.summary)
        .bind(payload)
        .bind(new.asked_by)
        .bind(now)
        .execute(self.connection())
        .await?;
        let detail = json!({"kind": new.kind.as_str(), "summary": new.summary, "payload": new.payload});
        self.audit("review.ask", object(id), detail);
        Ok(id)
    }

    /// Decides a waiting step (`review.decide`): `to` is running, refused or withdrawn. False if it no longer waits.
    pub async fn decide_review(
        &mut self,
        id: i64,
        to: ReviewState,
        by: i64,
        note: Option<&str>,
    ) -> Result<bool, StoreError> {
        let now = self.now.as_second();
        let sql = "UPDATE review SET state = $1, decided_by = $2, decided_at = $3, note = $4 \
                   WHERE id = $5 AND state = 'waiting'";
        let query = sqlx::query(sql).bind(to.as_str()).bind(by).bind(now).bind(note).bind(id);
        let changed = query.execute(self.connection()).await?.rows_affected() == 1;
        if changed {
            self.audit("review.decide", object(id), json!({"state": to.as_str(), "note": note}));
        }
        Ok(changed)
    }

    /// Notes what carrying out an approved step came to (`review.outcome`): `to` is done or failed.
    pub async fn finish_review(&mut self, id: i64, to: ReviewState, outcome: &str) -> Result<(), StoreError> {
        let sql = "UPDATE review SET state = $1, outcome = $2 WHERE id = $3 AND state = 'running'";
        let query = sqlx::query(sql).bind(to.as_str()).bind(outcome).bind(id);
        if query.execute(self.connection()).await?.rows_affected() == 1 {
            self.audit("review.outcome", object(id), json!({"state": to.as_str(), "outcome": outcome}));
        }
        Ok(())
    }

    /// Sets a switch (`setting.change`), if it still has the revision (0 for its default) that the change was made on.
    pub async fn set_setting(&mut self, name: &str, value: &Value, revision: i64) -> Result<Changed, StoreError> {
        let (now, by, text) = (self.now.as_second(), self.actor.clone(), value.to_string());
        let sql = if revision == 0 {
            "INSERT INTO setting (name, value, changed_by, changed_at, revision) VALUES ($1, $2, $3, $4, $5 + 1) \
             ON CONFLICT (name) DO NOTHING"
        } else {
            "UPDATE setting SET value = $2, changed_by = $3, changed_at = $4, revision = revision + 1 \
             WHERE name = $1 AND revision = $5"
        };
        let query = sqlx::query(sql).bind(name).bind(text).bind(by).bind(now).bind(revision);
        if query.execute(self.connection()).await?.rows_affected() != 1 {
            return Ok(Changed::Conflict);
        }
        self.audit("setting.change", format!("setting/{name}"), value.clone());
        Ok(Changed::Yes)
    }
}

/// A pattern that finds `text` anywhere; `!` escapes.
pub(super) fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn object(id: i64) -> String {
    format!("review/{id}")
}

fn review(row: &AnyRow) -> Result<Review, StoreError> {
    Ok(Review {
        id: row.int(0)?,
        kind: ReviewKind::parse(row.str(1)?).ok_or(StoreError::BadValue { what: "复核事项" })?,
        summary: row.text(2)?,
        payload: serde_json::from_str(row.str(3)?).map_err(|_| StoreError::BadValue { what: "复核内容" })?,
        state: ReviewState::parse(row.str(4)?).ok_or(StoreError::BadValue { what: "复核状态" })?,
        asked_by: row.int(5)?,
        asker: row.text(6)?,
        asked_at: row.moment(7)?,
        decider: row.text_or_null(8)?,
        decided_at: row.moment_or_null(9)?,
        note: row.text_or_null(10)?,
        outcome: row.text_or_null(11)?,
    })
}
