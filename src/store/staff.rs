//! Accounts of the console. Rows are never deleted, so a login name stays its person's.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::staff::{Role, Scope, Staff};

use super::bulk::Statement;
use super::review::{Changed, like};
use super::row::{Columns, county_text};
use super::{Reader, StoreError, Tx};

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

/// What an administrator changes of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffChange {
    /// The person's name.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// About whom they may act.
    pub scope: Scope,
}

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffAccount {
    /// Who.
    pub staff: Staff,
    /// Name of their unit or partner.
    pub place: Option<String>,
    /// The password as a PHC string.
    pub password: Option<String>,
    /// Whether a second factor is set up.
    pub second_factor: bool,
    /// Whether it can be used.
    pub state: StaffState,
    /// When it was opened.
    pub made_at: Timestamp,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Timestamp,
    /// Counts changes.
    pub revision: i64,
}

/// Which accounts to list, by login name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaffFilter {
    /// Text in the login name, the person's name or the unit's.
    pub text: String,
    /// Only this role.
    pub role: Option<Role>,
    /// Only those after this login name.
    pub after: String,
}

const SELECT: &str = "SELECT staff.id, staff.login, staff.name, staff.role, staff.county, staff.unit_id, unit.county, \
                      staff.partner_id, staff.password, staff.state, staff.made_at, staff.revision, unit.name, \
                      partner.name, staff.totp_step, staff.last_sign_in_at, staff.changed_by, staff.changed_at \
                      FROM staff LEFT JOIN unit ON unit.id = staff.unit_id \
                      LEFT JOIN partner ON partner.id = staff.partner_id";

impl Reader {
    /// Up to `limit` accounts by login name.
    pub async fn staff_accounts(&mut self, filter: &StaffFilter, limit: u32) -> Result<Vec<StaffAccount>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE staff.login > ").bind(filter.after.clone());
        if let Some(role) = filter.role {
            query.push(" AND staff.role = ").bind(role.as_str());
        }
        if !filter.text.is_empty() {
            let like = like(&filter.text);
            query.push(" AND (staff.login LIKE ").bind(like.clone()).push(" ESCAPE '!' OR staff.name LIKE ");
            query.bind(like.clone()).push(" ESCAPE '!' OR unit.name LIKE ").bind(like.clone());
            query.push(" ESCAPE '!' OR partner.name LIKE ").bind(like).push(" ESCAPE '!')");
        }
        query.push(" ORDER BY staff.login LIMIT ").bind(i64::from(limit));
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

    /// How many accounts in use, besides this one, have this role.
    pub async fn others_active(&mut self, role: Role, besides: i64) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM staff WHERE role = $1 AND state = 'active' AND id <> $2";
        let row = sqlx::query(sql).bind(role.as_str()).bind(besides).fetch_one(self.connection()).await?;
        row.number(0, "数量")
    }
}

impl Tx {
    /// Opens an account (`staff.add`). A login name that is taken is [`StoreError::Duplicate`].
    pub async fn insert_staff(&mut self, new: &NewStaff) -> Result<i64, StoreError> {
        let id = self.draw_one("staff").await?;
        let (county, unit, partner) = columns_of(new.scope)?;
        let state = if new.password.is_some() { StaffState::Active } else { StaffState::Invited };
        let (now, by) = (self.now.as_second(), self.actor.clone());
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
        .bind(by)
        .execute(self.connection())
        .await?;
        let detail = json!({"login": new.login, "role": new.role.as_str(), "scope": scope_words(new.scope), "state": state.as_str()});
        self.audit("staff.add", object(id), detail);
        Ok(id)
    }

    /// Changes name, role and reach of an account (`staff.change`), if it still has this revision. A new role or reach ends
    /// its sessions.
    pub async fn change_staff(&mut self, id: i64, change: &StaffChange, revision: i64) -> Result<Changed, StoreError> {
        let Some(before) = self.staff_account(id).await? else { return Ok(Changed::Conflict) };
        let (county, unit, partner) = columns_of(change.scope)?;
        let (now, by) = (self.now.as_second(), self.actor.clone());
        let query = sqlx::query(
            "UPDATE staff SET name = $1, role = $2, county = $3, unit_id = $4, partner_id = $5, changed_by = $6, \
             changed_at = $7, revision = revision + 1 WHERE id = $8 AND revision = $9",
        )
        .bind(&change.name)
        .bind(change.role.as_str())
        .bind(county)
        .bind(unit)
        .bind(partner)
        .bind(by)
        .bind(now)
        .bind(id)
        .bind(revision);
        if query.execute(self.connection()).await?.rows_affected() != 1 {
            return Ok(Changed::Conflict);
        }
        let old = &before.staff;
        let powers = old.role != change.role || old.scope != change.scope;
        let ended = if powers { self.delete_sessions(id).await? } else { 0 };
        let detail = json!({
            "role": [old.role.as_str(), change.role.as_str()],
            "scope": [scope_words(old.scope), scope_words(change.scope)],
            "renamed": old.name != change.name,
            "sessions_ended": ended,
        });
        self.audit("staff.change", object(id), detail);
        Ok(Changed::Yes)
    }

    /// Closes an account (`staff.disable`) or opens it again (`staff.enable`), if it still has this revision. Its sessions
    /// and unused invitations end.
    pub async fn set_staff_enabled(&mut self, id: i64, enabled: bool, revision: i64) -> Result<Changed, StoreError> {
        let (now, by) = (self.now.as_second(), self.actor.clone());
        let sql = if enabled {
            "UPDATE staff SET state = CASE WHEN password IS NULL THEN 'invited' ELSE 'active' END, changed_by = $1, \
             changed_at = $2, revision = revision + 1 WHERE id = $3 AND revision = $4 AND state = 'disabled'"
        } else {
            "UPDATE staff SET state = 'disabled', changed_by = $1, changed_at = $2, revision = revision + 1 \
             WHERE id = $3 AND revision = $4 AND state <> 'disabled'"
        };
        let query = sqlx::query(sql).bind(by).bind(now).bind(id).bind(revision);
        if query.execute(self.connection()).await?.rows_affected() != 1 {
            return Ok(Changed::Conflict);
        }
        self.forget_invitations(id).await?;
        let ended = self.delete_sessions(id).await?;
        let action = if enabled { "staff.enable" } else { "staff.disable" };
        self.audit(action, object(id), json!({"sessions_ended": ended}));
        Ok(Changed::Yes)
    }

    /// Takes the password away (`staff.reset`), so that only an invitation gives a new one; sessions end. With `second` the
    /// second factor and its recovery codes too.
    pub async fn reset_staff(&mut self, id: i64, second: bool) -> Result<(), StoreError> {
        let (now, by) = (self.now.as_second(), self.actor.clone());
        let sql = "UPDATE staff SET password = NULL, state = 'invited', changed_by = $1, changed_at = $2, \
                   revision = revision + 1 WHERE id = $3";
        sqlx::query(sql).bind(by).bind(now).bind(id).execute(self.connection()).await?;
        if second {
            self.clear_second_factor(id).await?;
        }
        let ended = self.delete_sessions(id).await?;
        self.audit("staff.reset", object(id), json!({"second_factor": second, "sessions_ended": ended}));
        Ok(())
    }

    /// Sets the password, a PHC string (`staff.password`). An invited account is in use from now on; a disabled one stays
    /// so. All sessions end.
    pub async fn set_password(&mut self, id: i64, password: &str) -> Result<(), StoreError> {
        let sql = "UPDATE staff SET password = $1, state = CASE WHEN state = 'invited' THEN 'active' ELSE state END, \
                   revision = revision + 1 WHERE id = $2";
        sqlx::query(sql).bind(password).bind(id).execute(self.connection()).await?;
        let ended = self.delete_sessions(id).await?;
        self.audit("staff.password", object(id), json!({"sessions_ended": ended}));
        Ok(())
    }
}

/// Name of an account in the audit trail.
pub(super) fn object(id: i64) -> String {
    format!("staff/{id}")
}

/// County, unit and partner of an account, of which at most one is set.
type ScopeColumns = (Option<String>, Option<i64>, Option<i64>);

fn columns_of(scope: Scope) -> Result<ScopeColumns, StoreError> {
    Ok(match scope {
        Scope::All => (None, None, None),
        Scope::County(county) => (Some(county_text(county)?), None, None),
        Scope::Unit { unit, .. } => (None, Some(unit), None),
        Scope::Partner(partner) => (None, None, Some(partner)),
    })
}

fn scope_words(scope: Scope) -> String {
    match scope {
        Scope::All => "all".into(),
        Scope::County(county) => format!("county/{county:02}"),
        Scope::Unit { unit, .. } => format!("unit/{unit}"),
        Scope::Partner(partner) => format!("partner/{partner}"),
    }
}

fn account(row: &AnyRow) -> Result<StaffAccount, StoreError> {
    let role = Role::parse(row.str(3)?).ok_or(StoreError::BadValue { what: "角色" })?;
    let county =
        || row.text_or_null(4)?.and_then(|c| c.parse().ok()).ok_or(StoreError::BadValue { what: "账号的县区" });
    let (scope, place) = match role {
        Role::FederationAdmin | Role::FederationClerk | Role::Oversight => (Scope::All, None),
        Role::County => (Scope::County(county()?), None),
        Role::Unit => (Scope::Unit { unit: row.int(5)?, county: row.county(6)? }, row.text_or_null(12)?),
        Role::Partner => (Scope::Partner(row.int(7)?), row.text_or_null(13)?),
    };
    Ok(StaffAccount {
        staff: Staff { id: row.int(0)?, login: row.text(1)?, name: row.text(2)?, role, scope },
        place,
        password: row.text_or_null(8)?,
        state: StaffState::parse(row.str(9)?)?,
        made_at: row.moment(10)?,
        revision: row.int(11)?,
        second_factor: row.int_or_null(14)?.is_some(),
        last_sign_in_at: row.moment_or_null(15)?,
        changed_by: row.text(16)?,
        changed_at: row.moment(17)?,
    })
}

impl std::fmt::Debug for StaffAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaffAccount").field("staff", &self.staff).field("state", &self.state).finish_non_exhaustive()
    }
}
