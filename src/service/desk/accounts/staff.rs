//! Accounts of other people: opened by invitation, changed, closed, reset.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zeroize::Zeroizing;

use super::sign_in::token_hash;
use super::{password, plain};
use crate::clock::beijing;
use crate::domain::account::{Login, LoginError, PasswordFault, check_password};
use crate::domain::division::County;
use crate::domain::partner::PartnerId;
use crate::domain::staff::{Permission, Role, Scope, Staff};
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::service::{Federation, ServiceError, service_errors};
use crate::store::{
    Changed, NewStaff, Reader, StaffAccount, StaffChange, StaffFilter, StaffState, StoreError, Tx, UnitId,
};

/// Days for which an invitation is good.
pub const INVITATION_DAYS: i64 = 7;
/// Rows a page.
const PAGE: u32 = 50;
/// Longest name, characters.
const NAME: usize = 40;

/// An account to open, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountDraft {
    /// Login name.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// What they are.
    pub role: Option<Role>,
    /// County, for [`Role::County`]: code or name.
    pub county: String,
    /// Unit, for [`Role::Unit`]: its exact name, or its key.
    pub unit: String,
    /// Partner, for [`Role::Partner`]: its key.
    pub partner: String,
}

/// A one-time link.
#[derive(Debug, Clone, Serialize)]
pub struct InvitationLink {
    /// Whose account, its login name.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// Its address below the console's: `/invitation/…`.
    #[serde(skip)]
    pub path: String,
    /// The whole address, where the server's is known.
    pub link: String,
    /// Until when it is good, Beijing time.
    pub expires_at: String,
}

/// An account, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct AccountView {
    /// Key.
    pub id: i64,
    /// Login name.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// The role's word.
    pub role: &'static str,
    /// The role, in words.
    pub role_label: &'static str,
    /// Of whom: county, unit or partner; empty for the whole city.
    pub place: String,
    /// What a form shows of the reach: county code, unit key or partner key.
    pub place_key: String,
    /// invited, active or disabled.
    pub state: &'static str,
    /// The state, in words.
    pub state_label: &'static str,
    /// Whether a second factor is set up.
    pub second_factor: bool,
    /// When it was opened, Beijing time.
    pub made_at: String,
    /// When they last signed in, Beijing time.
    pub last_sign_in_at: Option<String>,
    /// Who changed it last.
    pub changed_by: String,
    /// When, Beijing time.
    pub changed_at: String,
    /// What a change must name.
    pub revision: i64,
}

/// A page of accounts.
#[derive(Debug, Clone)]
pub struct AccountPage {
    /// By login name.
    pub rows: Vec<AccountView>,
    /// After which login name the next page begins; none at the end.
    pub next: Option<String>,
}

/// Why an account was not opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The login name.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The login name is, or was, somebody else's.
    #[error("登录名“{0}”已经有人用过。登录名不重复使用，请换一个")]
    Taken(String),
    /// The person's name.
    #[error("请填写姓名，不超过 {NAME} 个字")]
    Name,
    /// No role.
    #[error("请选择角色")]
    Role,
    /// The role needs a county.
    #[error("县文明办的账号须选择县（区），不能是普洱市")]
    County,
    /// The role needs a unit.
    #[error("单位负责人的账号须写明单位：全称须与系统中的一致；各县重名时请写单位编号")]
    Unit,
    /// The role needs a partner.
    #[error("合作单位的账号须写明合作单位编号，见合作单位一览")]
    Partner,
    /// No account of this name.
    #[error("没有登录名为“{0}”的账号")]
    Unknown(String),
    /// The last administrator.
    #[error("这是最后一位在用的联合会管理员，不能停用、改为其他角色或重置。请先邀请另一位管理员并等其登录")]
    LastAdmin,
    /// It is as wanted already.
    #[error("账号“{login}”{state}，无需再次办理")]
    Already {
        /// Login name.
        login: String,
        /// How it is.
        state: &'static str,
    },
    /// A disabled account is not reset.
    #[error("账号“{0}”已停用。请先启用再重置")]
    Disabled(String),
    /// Somebody else changed it meanwhile.
    #[error("{who} 在 {when} 已经改动过")]
    Conflict {
        /// Who.
        who: String,
        /// When, Beijing time.
        when: String,
    },
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The database.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

service_errors!(AccountError);

impl AccountError {
    /// The field of the form that is wrong.
    fn field(&self) -> Option<&'static str> {
        match self {
            Self::Login(_) | Self::Taken(_) => Some("login"),
            Self::Name => Some("name"),
            Self::Role => Some("role"),
            Self::County => Some("county"),
            Self::Unit => Some("unit"),
            Self::Partner => Some("partner"),
            Self::Password(_) => Some("password"),
            _ => None,
        }
    }
}

impl From<AccountError> for DeskError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Service(error) => Self::Service(error),
            AccountError::Unknown(_) => Self::NotFound,
            AccountError::Conflict { who, when } => Self::Conflict { who, when },
            other => match other.field() {
                Some(field) => Self::Invalid(vec![FieldError { field, message: other.to_string() }]),
                None => Self::Refused(other.to_string()),
            },
        }
    }
}

impl Federation {
    /// Opens an account and makes its invitation.
    ///
    /// # Errors
    /// What is wrong with the draft; [`AccountError::Taken`].
    pub async fn invite_account(&self, draft: &AccountDraft) -> Result<InvitationLink, AccountError> {
        let (login, name, role) = checked(draft)?;
        let mut tx = self.begin().await?;
        let scope = scope_of(&mut tx, role, draft).await?;
        let new = NewStaff { login: login.to_string(), name: name.clone(), role, scope, password: None };
        let id = inserted(&mut tx, &new).await?;
        let link = self.invitation(&mut tx, id, &new.login, &name).await?;
        tx.commit().await?;
        Ok(link)
    }

    /// Opens an account with a password.
    ///
    /// # Errors
    /// As [`Federation::invite_account`]; [`AccountError::Password`].
    pub async fn add_account(&self, draft: &AccountDraft, password: Zeroizing<String>) -> Result<i64, AccountError> {
        let (login, name, role) = checked(draft)?;
        check_password(login.as_str(), &name, &password)?;
        let stored = password::hash(password, &*self.entropy).await;
        let mut tx = self.begin().await?;
        let scope = scope_of(&mut tx, role, draft).await?;
        let new = NewStaff { login: login.to_string(), name, role, scope, password: Some(stored) };
        let id = inserted(&mut tx, &new).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Every account, by login name.
    ///
    /// # Errors
    /// The database fails.
    pub async fn accounts(&self) -> Result<Vec<AccountView>, AccountError> {
        let mut reader = self.store.read().await?;
        let mut filter = StaffFilter::default();
        let mut all = Vec::new();
        loop {
            let page = reader.staff_accounts(&filter, 500).await?;
            let Some(last) = page.last() else { return Ok(all) };
            filter.after = last.staff.login.clone();
            all.extend(page.into_iter().map(view));
        }
    }

    /// Takes an account's password away and makes a new invitation; with `second` the second factor goes too (telephone
    /// lost). Its sessions end.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], [`AccountError::Disabled`].
    pub async fn reset_account(&self, login: &str, second: bool) -> Result<InvitationLink, AccountError> {
        let mut tx = self.begin().await?;
        let account = named(&mut tx, login).await?;
        if account.state == StaffState::Disabled {
            return Err(AccountError::Disabled(account.staff.login));
        }
        tx.reset_staff(account.staff.id, second).await?;
        let link = self.invitation(&mut tx, account.staff.id, &account.staff.login, &account.staff.name).await?;
        tx.commit().await?;
        Ok(link)
    }

    /// Closes an account or opens it again. Its sessions end. `revision` is what the page showed, if a page did.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], [`AccountError::LastAdmin`], [`AccountError::Already`], [`AccountError::Conflict`].
    pub async fn set_account_enabled(
        &self,
        login: &str,
        enabled: bool,
        revision: Option<i64>,
    ) -> Result<(), AccountError> {
        let mut tx = self.begin().await?;
        let account = named(&mut tx, login).await?;
        let id = account.staff.id;
        let revision = revision.unwrap_or(account.revision);
        if revision != account.revision {
            return Err(conflict(&account));
        }
        if enabled == (account.state != StaffState::Disabled) {
            let state = if enabled { "没有停用" } else { "已经停用" };
            return Err(AccountError::Already { login: account.staff.login, state });
        }
        if !enabled {
            keep_an_admin(&mut tx, &account).await?;
        }
        if tx.set_staff_enabled(id, enabled, revision).await? == Changed::Conflict {
            return Err(conflict(&account));
        }
        tx.commit().await?;
        Ok(())
    }

    /// A new link for an account, in place of earlier ones.
    async fn invitation(&self, tx: &mut Tx, id: i64, login: &str, name: &str) -> Result<InvitationLink, ServiceError> {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        let token = URL_SAFE_NO_PAD.encode(random);
        let expires_at = tx.now() + SignedDuration::from_hours(24 * INVITATION_DAYS);
        tx.insert_invitation(id, &token_hash(&token), expires_at).await?;
        let path = format!("/invitation/{token}");
        let link = format!("{}/console{path}", self.config.public_url.trim_end_matches('/'));
        let expires_at = when(expires_at);
        Ok(InvitationLink { login: login.to_owned(), name: name.to_owned(), path, link, expires_at })
    }
}

impl Desk {
    /// Accounts by login name; `text` is looked for in login names, names and units.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], the database.
    pub async fn accounts(&self, text: &str, role: Option<Role>, after: &str) -> Result<AccountPage, DeskError> {
        self.need(Permission::StaffAdmin)?;
        let filter = StaffFilter { text: plain(text), role, after: plain(after) };
        let mut rows = self.office().store.read().await?.staff_accounts(&filter, PAGE + 1).await?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let next = if more { rows.last().map(|row| row.staff.login.clone()) } else { None };
        Ok(AccountPage { rows: rows.into_iter().map(view).collect(), next })
    }

    /// One account.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`].
    pub async fn account(&self, id: i64) -> Result<AccountView, DeskError> {
        self.need(Permission::StaffAdmin)?;
        Ok(view(self.office().store.read().await?.staff_account(id).await?.ok_or(DeskError::NotFound)?))
    }

    /// Opens an account and makes its invitation.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`]; [`DeskError::Invalid`] at the field that is wrong.
    pub async fn invite(&self, draft: &AccountDraft) -> Result<InvitationLink, DeskError> {
        self.need(Permission::StaffAdmin)?;
        Ok(self.office().invite_account(draft).await?)
    }

    /// Changes name, role and reach of an account, made on the revision that the page showed; the login name stays. A new
    /// role or reach ends its sessions.
    ///
    /// # Errors
    /// [`DeskError::Invalid`], [`DeskError::Conflict`]; [`DeskError::Refused`] for the last administrator.
    pub async fn change_account(&self, id: i64, draft: &AccountDraft, revision: i64) -> Result<(), DeskError> {
        self.need(Permission::StaffAdmin)?;
        let mut tx = self.office().begin().await?;
        let account = tx.staff_account(id).await?.ok_or(DeskError::NotFound)?;
        let (_, name, role) = checked(&AccountDraft { login: account.staff.login.clone(), ..draft.clone() })?;
        let scope = scope_of(&mut tx, role, draft).await?;
        if account.staff.role == Role::FederationAdmin && role != Role::FederationAdmin {
            keep_an_admin(&mut tx, &account).await?;
        }
        if tx.change_staff(id, &StaffChange { name, role, scope }, revision).await? == Changed::Conflict {
            tx.rollback().await?;
            return Err(conflict(&account).into());
        }
        tx.commit().await?;
        Ok(())
    }

    /// Closes an account or opens it again, made on the revision that the page showed.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::Refused`] for the last administrator, [`DeskError::Conflict`].
    pub async fn set_account_enabled(&self, id: i64, enabled: bool, revision: i64) -> Result<(), DeskError> {
        let account = self.account(id).await?;
        Ok(self.office().set_account_enabled(&account.login, enabled, Some(revision)).await?)
    }

    /// Takes an account's password away and makes a new invitation. One's own is changed on one's own page instead.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], [`DeskError::Refused`].
    pub async fn reset_account(&self, id: i64, second: bool) -> Result<InvitationLink, DeskError> {
        let account = self.account(id).await?;
        if account.id == self.staff().id {
            return Err(DeskError::Refused("不能重置自己的账号。请在“我的账号”修改密码或更换动态验证码".into()));
        }
        Ok(self.office().reset_account(&account.login, second).await?)
    }
}

fn checked(draft: &AccountDraft) -> Result<(Login, String, Role), AccountError> {
    let login = Login::parse(&draft.login)?;
    let name = draft.name.trim();
    if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
        return Err(AccountError::Name);
    }
    Ok((login, name.to_owned(), draft.role.ok_or(AccountError::Role)?))
}

/// The reach that goes with a role.
async fn scope_of(reader: &mut Reader, role: Role, draft: &AccountDraft) -> Result<Scope, AccountError> {
    match role {
        Role::FederationAdmin | Role::FederationClerk | Role::Oversight => Ok(Scope::All),
        Role::County => match County::parse(&draft.county) {
            Ok(county) if county.code() != 0 => Ok(Scope::County(county.code())),
            _ => Err(AccountError::County),
        },
        Role::Unit => {
            let text = plain(&draft.unit);
            let mut units = reader.units_named(&text).await?;
            let unit = match (text.parse(), units.len()) {
                (_, 1) => units.pop(),
                (Ok(id), 0) => reader.unit(UnitId(id)).await?,
                _ => None,
            };
            let unit = unit.ok_or(AccountError::Unit)?;
            Ok(Scope::Unit { unit: unit.id.0, county: unit.county })
        }
        Role::Partner => {
            let id = draft.partner.trim().parse().map_err(|_| AccountError::Partner)?;
            let partner = reader.partner(PartnerId(id)).await?.ok_or(AccountError::Partner)?;
            Ok(Scope::Partner(partner.id.0))
        }
    }
}

async fn inserted(tx: &mut Tx, new: &NewStaff) -> Result<i64, AccountError> {
    match tx.insert_staff(new).await {
        Err(StoreError::Duplicate { .. }) => Err(AccountError::Taken(new.login.clone())),
        other => Ok(other?),
    }
}

async fn named(tx: &mut Tx, login: &str) -> Result<StaffAccount, AccountError> {
    let unknown = || AccountError::Unknown(login.to_owned());
    let login = Login::parse(login).map_err(|_| unknown())?;
    tx.staff_by_login(login.as_str()).await?.ok_or_else(unknown)
}

/// Refuses to take the last administrator in use away.
async fn keep_an_admin(tx: &mut Tx, account: &StaffAccount) -> Result<(), AccountError> {
    let Staff { id, role, .. } = account.staff;
    let counts = role == Role::FederationAdmin && account.state == StaffState::Active;
    if counts && tx.others_active(Role::FederationAdmin, id).await? == 0 {
        return Err(AccountError::LastAdmin);
    }
    Ok(())
}

fn conflict(account: &StaffAccount) -> AccountError {
    AccountError::Conflict { who: account.changed_by.clone(), when: when(account.changed_at) }
}

fn when(at: Timestamp) -> String {
    beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

fn view(account: StaffAccount) -> AccountView {
    let Staff { id, login, name, role, scope } = account.staff;
    let (place, place_key) = match scope {
        Scope::All => (String::new(), String::new()),
        Scope::County(county) => (
            County::from_code(county).map(|county| county.name().to_owned()).unwrap_or_default(),
            format!("{county:02}"),
        ),
        Scope::Unit { unit, .. } => (account.place.unwrap_or_default(), unit.to_string()),
        Scope::Partner(partner) => (account.place.unwrap_or_default(), partner.to_string()),
    };
    AccountView {
        id,
        login,
        name,
        role: role.as_str(),
        role_label: role.label(),
        place,
        place_key,
        state: account.state.as_str(),
        state_label: match account.state {
            StaffState::Invited => "待设密码",
            StaffState::Active => "在用",
            StaffState::Disabled => "已停用",
        },
        second_factor: account.second_factor,
        made_at: when(account.made_at),
        last_sign_in_at: account.last_sign_in_at.map(when),
        changed_by: account.changed_by,
        changed_at: when(account.changed_at),
        revision: account.revision,
    }
}
