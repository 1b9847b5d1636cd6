//! Tries to sign in, counted where two servers see them; and one-time invitations.
//!
//! Tries are counted outside of the writers' queue and without events: whoever tries passwords must not slow the office down.

use jiff::Timestamp;
use serde_json::json;

use super::row::Columns;
use super::staff::object;
use super::{Reader, Store, StoreError, Tx};

/// How often a count that others change at the same moment is tried again.
const RACES: usize = 50;

/// What became of counting a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It may be made; this many failures were counted with it.
    Go(u32),
    /// Not before this moment.
    Wait(Timestamp),
}

/// A one-time link with which somebody sets their password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invitation {
    /// Whose.
    pub staff: i64,
    /// The first moment at which it is no longer good.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
}

impl Store {
    /// A keyed hash of what tries are counted by, so that no address or login name stands in the table.
    pub fn try_subject(&self, what: &str) -> [u8; 32] {
        self.shared.sealer.blind("sign_in_try", what)
    }

    /// A keyed hash with which a browser proves that it signed in here before.
    pub fn device_proof(&self, what: &str) -> [u8; 32] {
        self.shared.sealer.blind("known_device", what)
    }

    /// Until when this subject must wait, if it must.
    pub async fn try_wait(&self, subject: &[u8; 32], now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT until_at FROM sign_in_try WHERE subject = $1 AND until_at > $2";
        let row = sqlx::query(sql).bind(&subject[..]).bind(now.as_second()).fetch_optional(&self.pool).await?;
        row.map(|row| row.moment(0)).transpose()
    }

    /// Counts a try as failed before it is made, so that many at once cannot slip through; [`Store::forgive_tries`] takes it
    /// back. `delay` says for how many seconds further tries must wait after so many failures; failures before `forgotten`
    /// no longer count.
    pub async fn count_try(
        &self,
        subject: &[u8; 32],
        now: Timestamp,
        forgotten: Timestamp,
        delay: fn(u32) -> i64,
    ) -> Result<Tried, StoreError> {
        let second = now.as_second();
        for _ in 0..RACES {
            let sql = "SELECT failures, last_at, until_at FROM sign_in_try WHERE subject = $1";
            let row = sqlx::query(sql).bind(&subject[..]).fetch_optional(&self.pool).await?;
            let Some(row) = row else {
                let sql = "INSERT INTO sign_in_try (subject, failures, last_at, until_at) VALUES ($1, 1, $2, $3) \
                           ON CONFLICT (subject) DO NOTHING";
                let query = sqlx::query(sql).bind(&subject[..]).bind(second).bind(second + delay(1));
                if query.execute(&self.pool).await?.rows_affected() == 1 {
                    return Ok(Tried::Go(1));
                }
                continue;
            };
            let (before, last_at): (u32, i64) = (row.number(0, "失败次数")?, row.int(1)?);
            let until = row.moment(2)?;
            if until > now {
                return Ok(Tried::Wait(until));
            }
            let failures = if last_at < forgotten.as_second() { 1 } else { before.saturating_add(1) };
            let sql = "UPDATE sign_in_try SET failures = $1, last_at = $2, until_at = $3 \
                       WHERE subject = $4 AND failures = $5 AND last_at = $6";
            let query = sqlx::query(sql).bind(i64::from(failures)).bind(second).bind(second + delay(failures));
            let query = query.bind(&subject[..]).bind(i64::from(before)).bind(last_at);
            if query.execute(&self.pool).await?.rows_affected() == 1 {
                return Ok(Tried::Go(failures));
            }
        }
        Ok(Tried::Wait(now))
    }

    /// Forgets the failures of a subject.
    pub async fn forgive_tries(&self, subject: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sign_in_try WHERE subject = $1").bind(&subject[..]).execute(&self.pool).await?;
        Ok(())
    }

    /// Takes one failure of a subject back, with its delay.
    pub async fn take_try_back(&self, subject: &[u8; 32]) -> Result<(), StoreError> {
        let sql =
            "UPDATE sign_in_try SET failures = failures - 1, until_at = last_at WHERE subject = $1 AND failures > 0";
        sqlx::query(sql).bind(&subject[..]).execute(&self.pool).await?;
        Ok(())
    }

    /// Deletes what was last counted before `forgotten`.
    pub async fn delete_old_tries(&self, forgotten: Timestamp) -> Result<u64, StoreError> {
        let query = sqlx::query("DELETE FROM sign_in_try WHERE last_at < $1").bind(forgotten.as_second());
        Ok(query.execute(&self.pool).await?.rows_affected())
    }
}

impl Reader {
    /// The invitation whose token has this SHA-256.
    pub async fn invitation(&mut self, token_hash: &[u8; 32]) -> Result<Option<Invitation>, StoreError> {
        let sql = "SELECT staff_id, expires_at, used_at FROM invitation WHERE token_hash = $1";
        let row = sqlx::query(sql).bind(&token_hash[..]).fetch_optional(self.connection()).await?;
        row.map(|row| {
            Ok(Invitation { staff: row.int(0)?, expires_at: row.moment(1)?, used_at: row.moment_or_null(2)? })
        })
        .transpose()
    }
}

impl Tx {
    /// Keeps an invitation (`staff.invite`, without the token); earlier ones of the account are no longer good.
    pub async fn insert_invitation(
        &mut self,
        staff: i64,
        token_hash: &[u8; 32],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.forget_invitations(staff).await?;
        let now = self.now.as_second();
        let sql = "INSERT INTO invitation (token_hash, staff_id, made_at, expires_at) VALUES ($1, $2, $3, $4)";
        let query = sqlx::query(sql).bind(&token_hash[..]).bind(staff).bind(now).bind(expires_at.as_second());
        query.execute(self.connection()).await?;
        self.audit("staff.invite", object(staff), json!({"expires_at": expires_at.as_second()}));
        Ok(())
    }

    /// Uses an invitation up (`staff.invitation_used`); false if it was used or is over.
    pub async fn use_invitation(&mut self, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
        let now = self.now.as_second();
        let sql = "UPDATE invitation SET used_at = $1 WHERE token_hash = $2 AND used_at IS NULL AND expires_at > $1 \
                   RETURNING staff_id";
        let row = sqlx::query(sql).bind(now).bind(&token_hash[..]).fetch_optional(self.connection()).await?;
        let Some(row) = row else { return Ok(false) };
        self.audit("staff.invitation_used", object(row.int(0)?), json!({}));
        Ok(true)
    }

    /// Deletes the unused invitations of an account.
    pub(super) async fn forget_invitations(&mut self, staff: i64) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM invitation WHERE staff_id = $1 AND used_at IS NULL").bind(staff);
        query.execute(self.connection()).await?;
        Ok(())
    }
}
