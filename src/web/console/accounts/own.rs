//! One's own account: password, second factor, sessions.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use super::{Faults, Typed};
use crate::domain::account::PASSWORD_RULE;
use crate::service::desk::accounts::own::OwnSession;
use crate::service::desk::accounts::second_factor::SecondFactor;
use crate::service::desk::{Desk, DeskError};
use crate::web::console::guard::{SESSION_COOKIE, browser};
use crate::web::console::page::{self, Shell, render_as};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    password: Typed,
    #[serde(default)]
    new: Typed,
    #[serde(default)]
    again: Typed,
}

#[derive(Deserialize)]
pub(super) struct SessionForm {
    id: i64,
}

#[derive(Template)]
#[template(path = "console/accounts/account.html")]
struct AccountPage<'a> {
    shell: Shell,
    login: String,
    second: SecondFactor,
    sessions: Vec<OwnSession>,
    rule: &'a str,
    faults: Faults,
    /// What the form about recovery codes or dropping the factor is refused for.
    second_problem: String,
}

/// The page.
pub(super) async fn page(signed: Signed) -> Result<Response, PageError> {
    show(signed, Faults::default(), String::new(), StatusCode::OK).await
}

/// A new password. The session goes on under a new token; all others end.
pub(super) async fn change_password(
    signed: Signed,
    headers: HeaderMap,
    ConsoleForm(form): ConsoleForm<PasswordForm>,
) -> Result<Response, PageError> {
    let changed = signed.desk.change_own_password(&form.password, form.new.0, &form.again, &browser(&headers)).await;
    match changed {
        Ok(token) => {
            let mut answer = page::done(&signed.shell, "/account", "密码已修改，其他地方的登录都已退出");
            let cookie = page::cookie_text(SESSION_COOKIE, &token.text(), None);
            answer.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(answer)
        }
        Err(DeskError::Invalid(faults)) => {
            show(signed, Faults(faults), String::new(), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends one of the own sessions.
pub(super) async fn end_session(
    signed: Signed,
    ConsoleForm(form): ConsoleForm<SessionForm>,
) -> Result<Response, PageError> {
    signed.desk.end_own_session(form.id).await?;
    Ok(page::done(&signed.shell, "/account", "已退出那一处的登录"))
}

/// Ends all of the own sessions.
pub(super) async fn end_sessions(signed: Signed) -> Result<Response, PageError> {
    let ended = signed.desk.end_own_sessions().await?;
    let mut answer = page::done(&signed.shell, "/sign-in", format!("已退出全部 {ended} 处登录"));
    answer.headers_mut().append(header::SET_COOKIE, page::forget(SESSION_COOKIE));
    Ok(answer)
}

/// The page again, with what is wrong with the second factor's forms.
pub(super) async fn show_second_problem(signed: Signed, problem: String) -> Result<Response, PageError> {
    show(signed, Faults::default(), problem, StatusCode::UNPROCESSABLE_ENTITY).await
}

async fn show(
    signed: Signed,
    faults: Faults,
    second_problem: String,
    status: StatusCode,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (second, sessions) = facts(&desk).await?;
    let login = desk.staff().login.clone();
    render_as(status, &AccountPage { shell, login, second, sessions, rule: PASSWORD_RULE, faults, second_problem })
}

async fn facts(desk: &Desk) -> Result<(SecondFactor, Vec<OwnSession>), PageError> {
    Ok((desk.second_factor().await?, desk.own_sessions().await?))
}
