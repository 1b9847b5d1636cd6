//! Accounts of other people, for the administrator.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use super::Faults;
use crate::clock::beijing_date;
use crate::domain::division::County;
use crate::domain::staff::Role;
use crate::roster::export::{self, Cell};
use crate::service::desk::DeskError;
use crate::service::desk::accounts::staff::{AccountDraft, AccountView, InvitationLink};
use crate::web::console::page::{self, Shell, render, render_as};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Deserialize, Default)]
pub(super) struct Filter {
    #[serde(default)]
    q: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    after: String,
}

#[derive(Deserialize, Default)]
pub(super) struct AccountForm {
    #[serde(default)]
    login: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    county: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    partner: String,
    #[serde(default)]
    revision: i64,
}

#[derive(Deserialize)]
pub(super) struct RevisionForm {
    revision: i64,
}

#[derive(Deserialize)]
pub(super) struct ResetForm {
    #[serde(default)]
    second: String,
}

#[derive(Template)]
#[template(path = "console/accounts/staff.html")]
struct ListPage {
    shell: Shell,
    filter: Filter,
    roles: Vec<(&'static str, &'static str)>,
    rows: Vec<AccountView>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "console/accounts/staff_form.html")]
struct FormPage {
    shell: Shell,
    /// None for a new one.
    account: Option<AccountView>,
    form: AccountForm,
    roles: Vec<(&'static str, &'static str)>,
    counties: Vec<(String, &'static str)>,
    faults: Faults,
    /// What the one who was quicker did.
    conflict: Option<String>,
    own: bool,
}

#[derive(Template)]
#[template(path = "console/accounts/staff_confirm.html")]
struct ConfirmPage {
    shell: Shell,
    account: AccountView,
    reset: bool,
}

#[derive(Template)]
#[template(path = "console/accounts/invited.html")]
struct InvitedPage {
    shell: Shell,
    invited: InvitationLink,
}

/// Accounts by login name.
pub(super) async fn list(signed: Signed, Query(filter): Query<Filter>) -> Result<Response, PageError> {
    let page = signed.desk.accounts(&filter.q, Role::parse(&filter.role), &filter.after).await?;
    let roles = choices("全部角色");
    render(&ListPage { shell: signed.shell, filter, roles, rows: page.rows, next: page.next })
}

/// The same as a workbook, all pages of it.
pub(super) async fn export(signed: Signed, Query(mut filter): Query<Filter>) -> Result<Response, PageError> {
    let mut rows = Vec::new();
    loop {
        let page = signed.desk.accounts(&filter.q, Role::parse(&filter.role), &filter.after).await?;
        rows.extend(page.rows);
        match page.next {
            Some(next) => filter.after = next,
            None => break,
        }
    }
    let cells = rows.into_iter().map(|row| {
        let second = if row.second_factor { "已启用" } else { "未启用" };
        let last = row.last_sign_in_at.unwrap_or_default();
        [
            row.login,
            row.name,
            row.role_label.into(),
            row.place,
            row.state_label.into(),
            second.into(),
            last,
            row.made_at,
        ]
        .map(Cell::Text)
        .to_vec()
    });
    let head = ["登录名", "姓名", "角色", "管辖", "状态", "动态验证码", "最近登录", "开通时间"];
    let book = export::table("账号", &head, cells, beijing_date(signed.desk.office().now()))
        .map_err(|error| PageError::Desk(DeskError::Service(error.into())))?;
    Ok(page::workbook("账号.xlsx", book))
}

/// The form for a new one.
pub(super) async fn new(signed: Signed) -> Result<Response, PageError> {
    form(signed, None, AccountForm::default(), Faults::default(), None, StatusCode::OK)
}

/// Opens an account; the answer shows its link, this once.
pub(super) async fn invite(
    signed: Signed,
    headers: HeaderMap,
    ConsoleForm(typed): ConsoleForm<AccountForm>,
) -> Result<Response, PageError> {
    match signed.desk.invite(&typed.draft()).await {
        Ok(invited) => invited_page(signed.shell, &headers, invited),
        Err(DeskError::Invalid(faults)) => {
            form(signed, None, typed, Faults(faults), None, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => Err(error.into()),
    }
}

/// One account.
pub(super) async fn one(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let account = signed.desk.account(id).await?;
    let shown = AccountForm::of(&account);
    form(signed, Some(account), shown, Faults::default(), None, StatusCode::OK)
}

/// Changes name, role and reach.
pub(super) async fn change(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(mut typed): ConsoleForm<AccountForm>,
) -> Result<Response, PageError> {
    match signed.desk.change_account(id, &typed.draft(), typed.revision).await {
        Ok(()) => Ok(page::done(&signed.shell, &format!("/staff/{id}"), "已保存。角色或管辖有变动时，对方须重新登录")),
        Err(DeskError::Invalid(faults)) => {
            let account = signed.desk.account(id).await?;
            form(signed, Some(account), typed, Faults(faults), None, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error @ DeskError::Conflict { .. }) => {
            let account = signed.desk.account(id).await?;
            // What was typed is kept; sent again, it is meant for the account as it is shown now.
            typed.revision = account.revision;
            form(signed, Some(account), typed, Faults::default(), Some(error.to_string()), StatusCode::CONFLICT)
        }
        Err(DeskError::Refused(why)) => Ok(page::failed(&signed.shell, &format!("/staff/{id}"), why)),
        Err(error) => Err(error.into()),
    }
}

/// What closing an account means.
pub(super) async fn disable_page(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let account = signed.desk.account(id).await?;
    render(&ConfirmPage { shell: signed.shell, account, reset: false })
}

/// Closes an account.
pub(super) async fn disable(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<RevisionForm>,
) -> Result<Response, PageError> {
    set(signed, id, false, form.revision).await
}

/// Opens an account again.
pub(super) async fn enable(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<RevisionForm>,
) -> Result<Response, PageError> {
    set(signed, id, true, form.revision).await
}

/// What a reset means.
pub(super) async fn reset_page(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let account = signed.desk.account(id).await?;
    render(&ConfirmPage { shell: signed.shell, account, reset: true })
}

/// Takes the password away; the answer shows the new link, this once.
pub(super) async fn reset(
    signed: Signed,
    headers: HeaderMap,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<ResetForm>,
) -> Result<Response, PageError> {
    match signed.desk.reset_account(id, !form.second.is_empty()).await {
        Ok(invited) => invited_page(signed.shell, &headers, invited),
        Err(DeskError::Refused(why)) => Ok(page::failed(&signed.shell, &format!("/staff/{id}"), why)),
        Err(error) => Err(error.into()),
    }
}

impl AccountForm {
    fn of(account: &AccountView) -> Self {
        let key = |role: Role| if account.role == role.as_str() { account.place_key.clone() } else { String::new() };
        Self {
            login: account.login.clone(),
            name: account.name.clone(),
            role: account.role.to_owned(),
            county: key(Role::County),
            unit: if account.role == Role::Unit.as_str() { account.place.clone() } else { String::new() },
            partner: key(Role::Partner),
            revision: account.revision,
        }
    }

    fn draft(&self) -> AccountDraft {
        AccountDraft {
            login: self.login.clone(),
            name: self.name.clone(),
            role: Role::parse(&self.role),
            county: self.county.clone(),
            unit: self.unit.clone(),
            partner: self.partner.clone(),
        }
    }
}

fn form(
    signed: Signed,
    account: Option<AccountView>,
    form: AccountForm,
    faults: Faults,
    conflict: Option<String>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let counties = County::all().filter(|county| county.code() != 0);
    let counties = std::iter::once((String::new(), "请选择"))
        .chain(counties.map(|county| (format!("{:02}", county.code()), county.name())))
        .collect();
    let own = account.as_ref().is_some_and(|account| account.id == signed.desk.staff().id);
    let roles = choices("请选择");
    render_as(status, &FormPage { shell: signed.shell, account, form, roles, counties, faults, conflict, own })
}

fn choices(none: &'static str) -> Vec<(&'static str, &'static str)> {
    std::iter::once(("", none)).chain(Role::ALL.into_iter().map(|role| (role.as_str(), role.label()))).collect()
}

async fn set(signed: Signed, id: i64, enabled: bool, revision: i64) -> Result<Response, PageError> {
    let to = format!("/staff/{id}");
    match signed.desk.set_account_enabled(id, enabled, revision).await {
        Ok(()) if enabled => Ok(page::done(&signed.shell, &to, "账号已启用")),
        Ok(()) => Ok(page::done(&signed.shell, &to, "账号已停用，其全部登录已退出")),
        Err(error @ (DeskError::Refused(_) | DeskError::Conflict { .. })) => {
            Ok(page::failed(&signed.shell, &to, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the server's address is not configured, it is the one that this request was sent to.
fn invited_page(shell: Shell, headers: &HeaderMap, mut invited: InvitationLink) -> Result<Response, PageError> {
    if !invited.link.starts_with("http") {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let scheme = if host.starts_with("localhost") || host.starts_with("127.") { "http" } else { "https" };
        invited.link = format!("{scheme}://{host}{}{}", shell.base, invited.path);
    }
    render(&InvitedPage { shell, invited })
}
