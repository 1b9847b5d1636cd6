//! Signing in and out; accepting an invitation.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use super::Typed;
use crate::domain::account::PASSWORD_RULE;
use crate::service::desk::accounts::sign_in::{Invited, SignInError, SignedIn};
use crate::service::desk::accounts::throttle::Origin;
use crate::service::desk::{DeskError, Opened};
use crate::web::Shared;
use crate::web::console::guard::{DEVICE_COOKIE, SESSION_COOKIE, STEP_COOKIE};
use crate::web::console::page::{self, Flash, Shell, render, render_as};
use crate::web::console::{ConsoleForm, PageError, Visitor};

/// Seconds for which the step cookie is kept; the server lets the step wait no longer either.
const STEP_SECONDS: u32 = 600;
/// Seconds for which a browser keeps its proofs: 180 days.
const DEVICE_SECONDS: u32 = 180 * 24 * 3600;
/// Proofs a browser keeps: an office's computer has several users.
const DEVICES: usize = 6;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct SignInForm {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: Typed,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    new: Typed,
    #[serde(default)]
    again: Typed,
}

#[derive(Template)]
#[template(path = "console/accounts/sign_in.html")]
struct SignInPage<'a> {
    shell: Shell,
    login: &'a str,
    next: &'a str,
    problem: String,
}

#[derive(Template)]
#[template(path = "console/accounts/code.html")]
struct CodePage<'a> {
    shell: Shell,
    next: &'a str,
    problem: String,
}

#[derive(Template)]
#[template(path = "console/accounts/invitation.html")]
struct InvitationPage<'a> {
    shell: Shell,
    invited: Option<Invited>,
    rule: &'a str,
    new_problem: String,
    again_problem: String,
    problem: String,
}

/// The sign-in page.
pub(super) async fn page(visitor: Visitor, Query(wanted): Query<Wanted>) -> Result<Response, PageError> {
    let next = safe(&wanted.next);
    render(&SignInPage { shell: visitor.shell, login: "", next, problem: String::new() })
}

/// Login name and password.
pub(super) async fn sign_in(
    visitor: Visitor,
    State(web): State<Shared>,
    ConsoleForm(form): ConsoleForm<SignInForm>,
) -> Result<Response, PageError> {
    let origin = Origin { address: &visitor.address, devices: &visitor.devices };
    let next = safe(&form.next);
    match web.federation.sign_in(&form.login, form.password.0, origin, &visitor.browser).await {
        Ok(signed) => enter(&web, &visitor, signed, next).await,
        Err(error) => {
            let (status, problem, wait) = explained(error)?;
            let page = SignInPage { shell: visitor.shell, login: &form.login, next, problem };
            Ok(waiting(render_as(status, &page)?, wait))
        }
    }
}

/// The page that asks for the second factor.
pub(super) async fn code_page(
    visitor: Visitor,
    State(web): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let waits = match &visitor.step {
        Some(step) => web.federation.waits_for_second(step).await.map_err(internal)?,
        None => false,
    };
    if !waits {
        return Ok(page::go(&visitor.shell, "/sign-in", None));
    }
    render(&CodePage { shell: visitor.shell, next: safe(&wanted.next), problem: String::new() })
}

/// A code of the second factor, or a recovery code.
pub(super) async fn code(
    visitor: Visitor,
    State(web): State<Shared>,
    ConsoleForm(form): ConsoleForm<CodeForm>,
) -> Result<Response, PageError> {
    let over = |shell| page::failed(shell, "/sign-in", SignInError::StepOver.to_string());
    let Some(step) = &visitor.step else { return Ok(over(&visitor.shell)) };
    let origin = Origin { address: &visitor.address, devices: &visitor.devices };
    let next = safe(&form.next);
    match web.federation.sign_in_second(step, &form.code, origin, &visitor.browser).await {
        Ok(opened) => enter(&web, &visitor, SignedIn::Open(opened), next).await,
        Err(SignInError::StepOver) => Ok(over(&visitor.shell)),
        Err(error) => {
            let (status, problem, wait) = explained(error)?;
            Ok(waiting(render_as(status, &CodePage { shell: visitor.shell, next, problem })?, wait))
        }
    }
}

/// Ends the session of this browser, and that of a step that still waits.
pub(super) async fn sign_out(visitor: Visitor, State(web): State<Shared>) -> Result<Response, PageError> {
    for token in [&visitor.session, &visitor.step].into_iter().flatten() {
        web.federation.sign_out(token).await?;
    }
    let mut answer = page::done(&visitor.shell, "/sign-in", "已退出登录");
    forget(&mut answer, &[SESSION_COOKIE, STEP_COOKIE]);
    Ok(answer)
}

/// The page on which somebody who was invited sets a password.
pub(super) async fn invitation_page(
    visitor: Visitor,
    State(web): State<Shared>,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    invitation(visitor.shell, web.federation.invited(&token).await, None)
}

/// Sets the password of whoever was invited, and lets them in.
pub(super) async fn accept_invitation(
    visitor: Visitor,
    State(web): State<Shared>,
    Path(token): Path<String>,
    ConsoleForm(form): ConsoleForm<PasswordForm>,
) -> Result<Response, PageError> {
    match web.federation.accept_invitation(&token, form.new.0, &form.again, &visitor.browser).await {
        Ok(signed) => enter(&web, &visitor, signed, "").await,
        Err(error) => invitation(visitor.shell, web.federation.invited(&token).await, Some(error)),
    }
}

fn invitation(
    shell: Shell,
    invited: Result<Invited, SignInError>,
    refused: Option<SignInError>,
) -> Result<Response, PageError> {
    let mut page = InvitationPage {
        shell,
        invited: None,
        rule: PASSWORD_RULE,
        new_problem: String::new(),
        again_problem: String::new(),
        problem: String::new(),
    };
    match invited {
        Ok(invited) => page.invited = Some(invited),
        Err(error @ SignInError::Invitation) => {
            page.problem = error.to_string();
            return render_as(StatusCode::NOT_FOUND, &page);
        }
        Err(error) => return Err(internal(error)),
    }
    match refused {
        None => return render(&page),
        Some(SignInError::Password(fault)) => page.new_problem = fault.to_string(),
        Some(error @ SignInError::Differs) => page.again_problem = error.to_string(),
        Some(error) => return Err(internal(error)),
    }
    render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// Into the console, or to the second factor. An earlier session of this browser ends: nobody goes on under a token that was
/// there before.
async fn enter(web: &Shared, visitor: &Visitor, signed: SignedIn, next: &str) -> Result<Response, PageError> {
    match signed {
        SignedIn::SecondFactor(token) => {
            let to = if next.is_empty() { "/sign-in/code".to_owned() } else { format!("/sign-in/code?next={next}") };
            let mut answer = page::go(&visitor.shell, &to, None);
            cookie(&mut answer, page::cookie_text(STEP_COOKIE, &token.text(), Some(STEP_SECONDS)));
            Ok(answer)
        }
        SignedIn::Open(Opened { token, device }) => {
            if let Some(before) = &visitor.session {
                web.federation.sign_out(before).await?;
            }
            let to = if next.is_empty() { "/home" } else { next };
            let mut answer = page::go(&visitor.shell, to, None::<Flash>);
            cookie(&mut answer, page::cookie_text(SESSION_COOKIE, &token.text(), None));
            let devices: Vec<&str> =
                std::iter::once(device.as_str()).chain(visitor.devices.split('.')).take(DEVICES).collect();
            let devices = devices.join(".");
            cookie(&mut answer, page::cookie_text(DEVICE_COOKIE, devices.trim_end_matches('.'), Some(DEVICE_SECONDS)));
            forget(&mut answer, &[STEP_COOKIE]);
            Ok(answer)
        }
    }
}

/// Where to go after signing in: a path below the console's address, of plain characters; else nowhere in particular.
fn safe(next: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    let good = next.starts_with('/')
        && !next.contains("//")
        && !next.contains("..")
        && next.len() <= 200
        && next.bytes().all(plain)
        && !next.starts_with("/sign-");
    if good { next } else { "" }
}

/// A refusal to be shown on the form again: status, words, seconds to wait.
fn explained(error: SignInError) -> Result<(StatusCode, String, Option<i64>), PageError> {
    let words = error.to_string();
    match error {
        SignInError::Service(_) => Err(internal(error)),
        SignInError::Later { seconds } => Ok((StatusCode::TOO_MANY_REQUESTS, words, Some(seconds))),
        _ => Ok((StatusCode::UNPROCESSABLE_ENTITY, words, None)),
    }
}

fn internal(error: SignInError) -> PageError {
    match error {
        SignInError::Service(error) => PageError::Desk(error.into()),
        other => PageError::Desk(DeskError::Refused(other.to_string())),
    }
}

fn waiting(mut answer: Response, wait: Option<i64>) -> Response {
    if let Some(seconds) = wait {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn cookie(answer: &mut Response, value: HeaderValue) {
    answer.headers_mut().append(header::SET_COOKIE, value);
}

fn forget(answer: &mut Response, names: &[&str]) {
    for name in names {
        cookie(answer, page::forget(name));
    }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn next_stays_within_the_console() {
        for good in ["/people", "/people/0200012349", "/staff/7/reset"] {
            assert_eq!(safe(good), good);
        }
        for bad in [
            "",
            "people",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/../v1",
            "/a?b=c",
            "/a#b",
            "/a\nb",
            "/sign-out",
        ] {
            assert_eq!(safe(bad), "", "{bad}");
        }
    }
}
