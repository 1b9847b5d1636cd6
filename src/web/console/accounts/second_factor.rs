//! Setting up the second factor; recovery codes.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::{Faults, Typed, own};
use crate::render::qr;
use crate::service::desk::DeskError;
use crate::service::desk::accounts::second_factor::{Enrolment, SecondFactor};
use crate::web::console::page::{self, Shell, render, render_as};
use crate::web::console::{ConsoleForm, PageError, Signed};

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    password: Typed,
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
}

/// A QR code as the path of its dark modules.
struct Picture {
    /// Modules a side, the quiet zone included.
    side: usize,
    path: String,
}

#[derive(Template)]
#[template(path = "console/accounts/second_factor.html")]
struct SecondFactorPage {
    shell: Shell,
    second: SecondFactor,
    enrolment: Option<(Enrolment, Picture)>,
    faults: Faults,
}

#[derive(Template)]
#[template(path = "console/accounts/recovery_codes.html")]
struct CodesPage {
    shell: Shell,
    login: String,
    codes: Vec<String>,
    first: bool,
}

/// How it stands, or the secret that waits to be confirmed.
pub(super) async fn page(signed: Signed) -> Result<Response, PageError> {
    show(signed, Faults::default(), StatusCode::OK).await
}

/// A new secret. Who has a second factor already gives the password.
pub(super) async fn begin(signed: Signed, ConsoleForm(form): ConsoleForm<PasswordForm>) -> Result<Response, PageError> {
    match signed.desk.propose_second_factor(&form.password).await {
        Ok(_) => Ok(page::go(&signed.shell, "/account/second-factor", None)),
        Err(DeskError::Invalid(faults)) => show(signed, Faults(faults), StatusCode::UNPROCESSABLE_ENTITY).await,
        Err(error) => Err(error.into()),
    }
}

/// A first code of the new secret. The recovery codes are shown in the answer and never again.
pub(super) async fn confirm(signed: Signed, ConsoleForm(form): ConsoleForm<CodeForm>) -> Result<Response, PageError> {
    match signed.desk.confirm_second_factor(&form.code).await {
        Ok(codes) => codes_page(signed, codes, true).await,
        Err(DeskError::Invalid(faults)) => show(signed, Faults(faults), StatusCode::UNPROCESSABLE_ENTITY).await,
        Err(DeskError::Refused(why)) => Ok(page::failed(&signed.shell, "/account/second-factor", why)),
        Err(error) => Err(error.into()),
    }
}

/// Takes the second factor away.
pub(super) async fn drop_factor(
    signed: Signed,
    ConsoleForm(form): ConsoleForm<PasswordForm>,
) -> Result<Response, PageError> {
    match signed.desk.drop_second_factor(&form.password).await {
        Ok(()) => Ok(page::done(&signed.shell, "/account", "动态验证码已停用")),
        Err(error @ (DeskError::Invalid(_) | DeskError::Refused(_))) => {
            own::show_second_problem(signed, words(error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// New recovery codes in place of the old ones.
pub(super) async fn new_codes(
    signed: Signed,
    ConsoleForm(form): ConsoleForm<PasswordForm>,
) -> Result<Response, PageError> {
    match signed.desk.new_recovery_codes(&form.password).await {
        Ok(codes) => codes_page(signed, codes, false).await,
        Err(error @ (DeskError::Invalid(_) | DeskError::Refused(_))) => {
            own::show_second_problem(signed, words(error)).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn codes_page(signed: Signed, codes: Vec<String>, first: bool) -> Result<Response, PageError> {
    let login = signed.desk.staff().login.clone();
    render(&CodesPage { shell: signed.shell, login, codes, first })
}

async fn show(signed: Signed, faults: Faults, status: StatusCode) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let second = desk.second_factor().await?;
    let enrolment = desk.second_factor_proposal().await?;
    let enrolment =
        enrolment.map(|enrolment| picture(&enrolment.uri).map(|picture| (enrolment, picture))).transpose()?;
    render_as(status, &SecondFactorPage { shell, second, enrolment, faults })
}

fn picture(text: &str) -> Result<Picture, PageError> {
    let matrix = qr::matrix(text).map_err(|error| PageError::Desk(DeskError::Refused(error.to_string())))?;
    let size = matrix.size();
    let mut path = String::new();
    for (x, y) in (0..size).flat_map(|y| (0..size).map(move |x| (x, y))).filter(|(x, y)| matrix.dark(*x, *y)) {
        path.push_str(&format!("M{} {}h1v1h-1z", x + qr::QUIET_ZONE, y + qr::QUIET_ZONE));
    }
    Ok(Picture { side: size + 2 * qr::QUIET_ZONE, path })
}

fn words(error: DeskError) -> String {
    match error {
        DeskError::Invalid(faults) => faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("；"),
        other => other.to_string(),
    }
}
