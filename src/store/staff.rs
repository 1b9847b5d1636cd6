//! Accounts of the console and their sessions.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::staff::{Role, Scope, Staff};

use super::bulk::Statement;
use super::row::{Columns, county_text};
use super::{Reader, Store, StoreError, Tx};

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffState {
    /// Invited; has no password yet.
    Invited,
    /// In use.
    Active,
    /// Closed for good or for a while.
    Disabled,
}

impl StaffState {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        let states = [Self::Invited, Self::Active, Self::Disabled];
        states.into_iter().find(|state| state.as_str() == text).ok_or(StoreError::BadValue { what: "账号状态" })
    }
}

/// An account to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStaff {
    /// Login name.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// About whom they may act.
    pub scope: Scope,
    /// The password as a PHC string, if they have one already.
    pub password: Option<String>,
}

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffAccount {
    /// Who.
    pub staff: Staff,
    /// The password as a PHC string.
    pub password: Option<String>,
    /// Whether it can be used.
    pub state: StaffState,
    /// When it was opened.
    pub made_at: Timestamp,
    /// Counts changes.
    pub revision: i64,
}

/// A session that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub staff: Staff,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
}

const SELECT: &str = "SELECT staff.id, staff.login, staff.name, staff.role, staff.county, staff.unit_id, unit.county, \
                      staff.partner_id, staff.password, staff.state, staff.made_at, staff.revision \
                      FROM staff LEFT JOIN unit ON unit.id = staff.unit_id";

impl Reader {
    /// All accounts by login name.
    pub async fn staff_accounts(&mut self) -> Result<Vec<StaffAccount>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" ORDER BY staff.login");
        query.fetch_all(self).await?.iter().map(account).collect()
    }

    /// One account.
    pub async fn staff_account(&mut self, id: i64) -> Result<Option<StaffAccount>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE staff.id = ").bind(id);
        query.fetch_optional(self).await?.as_ref().map(account).transpose()
    }

    /// The account of this login name.
    pub async fn staff_by_login(&mut self, login: &str) -> Result<Option<StaffAccount>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE staff.login = ").bind(login);
        query.fetch_optional(self).await?.as_ref().map(account).transpose()
    }

    /// The session of this token, if its account is in use.
    pub async fn session(&mut self, token_hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        let sql = "SELECT staff_id, begun_at, seen_at FROM session WHERE token_hash = $1";
        let Some(row) = sqlx::query(sql).bind(&token_hash[..]).fetch_optional(self.connection()).await? else {
            return Ok(None);
        };
        let account = self.staff_account(row.int(0)?).await?;
        let Some(account) = account.filter(|account| account.state == StaffState::Active) else { return Ok(None) };
        Ok(Some(Session { staff: account.staff, begun_at: row.moment(1)?, seen_at: row.moment(2)? }))
    }
}

impl Tx {
    /// Opens an account (`staff.add`). A login name that is taken is [`StoreError::Duplicate`].
    pub async fn insert_staff(&mut self, new: &NewStaff) -> Result<i64, StoreError> {
        let id = self.draw_one("staff").await?;
        let (county, unit, partner) = match new.scope {
            Scope::All => (None, None, None),
            Scope::County(county) => (Some(county_text(county)?), None, None),
            Scope::Unit { unit, .. } => (None, Some(unit), None),
            Scope::Partner(partner) => (None, None, Some(partner)),
        };
        let state = if new.password.is_some() { StaffState::Active } else { StaffState::Invited };
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO staff (id, login, name, role, county, unit_id, partner_id, password, state, made_at, changed_by, \
             changed_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, 1)",
        )
        .bind(id)
        .bind(&new.login)
        .bind(&new.name)
        .bind(new.role.as_str())
        .bind(county)
        .bind(unit)
        .bind(partner)
        .bind(new.password.as_deref())
        .bind(state.as_str())
        .bind(now)
        .bind(self.actor.clone())
        .execute(self.connection())
        .await?;
        let detail = json!({"login": new.login, "role": new.role.as_str(), "state": state.as_str()});
        self.audit("staff.add", format!("staff/{id}"), detail);
        Ok(id)
    }

    /// Begins a session (`session.begin`).
    pub async fn begin_session(&mut self, staff: i64, token_hash: &[u8; 32]) -> Result<(), StoreError> {
        let now = self.now.as_second();
        let id = self.draw_one("session").await?;
        sqlx::query("INSERT INTO session (token_hash, id, staff_id, stage, browser, begun_at, seen_at) VALUES ($1, $4, $2, 'open', '', $3, $3)")
            .bind(&token_hash[..])
            .bind(staff)
            .bind(now)
            .bind(id)
            .execute(self.connection())
            .await?;
        self.audit("session.begin", format!("staff/{staff}"), json!({}));
        Ok(())
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

fn account(row: &AnyRow) -> Result<StaffAccount, StoreError> {
    let role = Role::parse(row.str(3)?).ok_or(StoreError::BadValue { what: "角色" })?;
    let county =
        || row.text_or_null(4)?.and_then(|c| c.parse().ok()).ok_or(StoreError::BadValue { what: "账号的县区" });
    let scope = match role {
        Role::FederationAdmin | Role::FederationClerk | Role::Oversight => Scope::All,
        Role::County => Scope::County(county()?),
        Role::Unit => Scope::Unit { unit: row.int(5)?, county: row.county(6)? },
        Role::Partner => Scope::Partner(row.int(7)?),
    };
    Ok(StaffAccount {
        staff: Staff { id: row.int(0)?, login: row.text(1)?, name: row.text(2)?, role, scope },
        password: row.text_or_null(8)?,
        state: StaffState::parse(row.str(9)?)?,
        made_at: row.moment(10)?,
        revision: row.int(11)?,
    })
}

impl std::fmt::Debug for StaffAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaffAccount").field("staff", &self.staff).field("state", &self.state).finish_non_exhaustive()
    }
}
