//! Sessions of the console: the browser holds a random value, the database its SHA-256.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::row::Columns;
use super::staff::{StaffAccount, StaffState, object};
use super::{Reader, Store, StoreError, Tx};

/// How far somebody has got in signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The password was right; the second factor is still wanted. Opens nothing else.
    Second,
    /// In.
    Open,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Open => "open",
        }
    }
}

/// A session to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Whose.
    pub staff: i64,
    /// SHA-256 of the cookie's value.
    pub token_hash: [u8; 32],
    /// How far they have got.
    pub stage: Stage,
    /// What the browser calls itself, in a few words; empty if unknown.
    pub browser: String,
}

/// A session that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Key.
    pub id: i64,
    /// Whose.
    pub account: StaffAccount,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
}

/// One of somebody's own sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Key.
    pub id: i64,
    /// What the browser calls itself.
    pub browser: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
}

impl Reader {
    /// The session of this token at this stage, if its account is in use.
    pub async fn session(&mut self, token_hash: &[u8; 32], stage: Stage) -> Result<Option<Session>, StoreError> {
        let sql = "SELECT id, staff_id, begun_at, seen_at FROM session WHERE token_hash = $1 AND stage = $2";
        let query = sqlx::query(sql).bind(&token_hash[..]).bind(stage.as_str());
        let Some(row) = query.fetch_optional(self.connection()).await? else { return Ok(None) };
        let account = self.staff_account(row.int(1)?).await?;
        let Some(account) = account.filter(|account| account.state == StaffState::Active) else { return Ok(None) };
        Ok(Some(Session { id: row.int(0)?, account, begun_at: row.moment(2)?, seen_at: row.moment(3)? }))
    }

    /// Somebody's open sessions that were used after `idle_since` and began after `begun_since`, the last used first.
    pub async fn sessions_of(
        &mut self,
        staff: i64,
        idle_since: Timestamp,
        begun_since: Timestamp,
    ) -> Result<Vec<OwnSession>, StoreError> {
        let sql = "SELECT id, browser, begun_at, seen_at FROM session WHERE staff_id = $1 AND stage = 'open' \
                   AND seen_at >= $2 AND begun_at >= $3 ORDER BY seen_at DESC, id DESC LIMIT 100";
        let query = sqlx::query(sql).bind(staff).bind(idle_since.as_second()).bind(begun_since.as_second());
        query.fetch_all(self.connection()).await?.iter().map(own).collect()
    }
}

impl Tx {
    /// Begins a session (`session.begin`; nothing for one that waits for the second factor).
    pub async fn begin_session(&mut self, new: &NewSession) -> Result<i64, StoreError> {
        let id = self.draw_one("session").await?;
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO session (token_hash, id, staff_id, stage, browser, begun_at, seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(&new.token_hash[..])
        .bind(id)
        .bind(new.staff)
        .bind(new.stage.as_str())
        .bind(&new.browser)
        .bind(now)
        .execute(self.connection())
        .await?;
        if new.stage == Stage::Open {
            let sql = "UPDATE staff SET last_sign_in_at = $1 WHERE id = $2";
            sqlx::query(sql).bind(now).bind(new.staff).execute(self.connection()).await?;
            self.audit("session.begin", object(new.staff), json!({"session": id, "browser": new.browser}));
        }
        Ok(id)
    }

    /// Ends the session of this token (`session.end`), if there is one.
    pub async fn end_session(&mut self, token_hash: &[u8; 32]) -> Result<(), StoreError> {
        let sql = "DELETE FROM session WHERE token_hash = $1 RETURNING id, staff_id, stage";
        let row = sqlx::query(sql).bind(&token_hash[..]).fetch_optional(self.connection()).await?;
        if let Some(row) = row
            && row.str(2)? == Stage::Open.as_str()
        {
            self.audit("session.end", object(row.int(1)?), json!({"session": row.int(0)?}));
        }
        Ok(())
    }

    /// Ends one of somebody's sessions (`session.end`); false if they have none of this key.
    pub async fn end_session_of(&mut self, staff: i64, id: i64) -> Result<bool, StoreError> {
        let sql = "DELETE FROM session WHERE staff_id = $1 AND id = $2";
        let ended = sqlx::query(sql).bind(staff).bind(id).execute(self.connection()).await?.rows_affected() == 1;
        if ended {
            self.audit("session.end", object(staff), json!({"session": id}));
        }
        Ok(ended)
    }

    /// Ends all of somebody's sessions (`session.end_all`); returns how many.
    pub async fn end_sessions(&mut self, staff: i64) -> Result<u64, StoreError> {
        let ended = self.delete_sessions(staff).await?;
        self.audit("session.end_all", object(staff), json!({"sessions_ended": ended}));
        Ok(ended)
    }

    /// Deletes sessions unused since `idle_since` or begun before `begun_since`, without events: they were over anyway.
    pub async fn delete_expired_sessions(
        &mut self,
        idle_since: Timestamp,
        begun_since: Timestamp,
    ) -> Result<u64, StoreError> {
        let sql = "DELETE FROM session WHERE seen_at < $1 OR begun_at < $2";
        let query = sqlx::query(sql).bind(idle_since.as_second()).bind(begun_since.as_second());
        Ok(query.execute(self.connection()).await?.rows_affected())
    }

    pub(super) async fn delete_sessions(&mut self, staff: i64) -> Result<u64, StoreError> {
        let query = sqlx::query("DELETE FROM session WHERE staff_id = $1").bind(staff);
        Ok(query.execute(self.connection()).await?.rows_affected())
    }
}

impl Store {
    /// Notes that a session was used, outside of any transaction and without an event; nothing happens if it was noted
    /// after `noted_after`.
    pub async fn touch_session(
        &self,
        token_hash: &[u8; 32],
        at: Timestamp,
        noted_after: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE session SET seen_at = $1 WHERE token_hash = $2 AND seen_at < $3")
            .bind(at.as_second())
            .bind(&token_hash[..])
            .bind(noted_after.as_second())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn own(row: &AnyRow) -> Result<OwnSession, StoreError> {
    Ok(OwnSession { id: row.int(0)?, browser: row.text(1)?, begun_at: row.moment(2)?, seen_at: row.moment(3)? })
}
