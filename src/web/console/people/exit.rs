//! Leaving, and its receipt.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::error::PageError;
use super::super::page::{self, Shell, done, render_as};
use super::super::{ConsoleForm, Signed};
use super::{Errors, number};
use crate::service::desk::DeskError;
use crate::service::desk::people::{ExitPage, Farewell};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    name: String,
    cause: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "console/people/exit.html")]
struct Page {
    shell: Shell,
    exit: ExitPage,
    typed: String,
    deceased: bool,
    reason: String,
    errors: Errors,
}

/// What leaving would do.
pub(super) async fn page(signed: Signed, Path(text): Path<String>) -> Result<Response, PageError> {
    show(signed, &text, Fields::default(), Errors::default(), StatusCode::OK).await
}

/// Lets them leave.
pub(super) async fn leave(
    signed: Signed,
    Path(text): Path<String>,
    ConsoleForm(fields): ConsoleForm<Fields>,
) -> Result<Response, PageError> {
    let of = number(&text)?;
    let deceased = fields.cause == "deceased";
    let farewell = Farewell { name: fields.name.clone(), deceased, reason: fields.reason.clone() };
    match signed.desk.let_leave(of, &farewell).await {
        Ok(said) => Ok(done(&signed.shell, &format!("/people/{of}"), said)),
        Err(DeskError::Invalid(wrong)) => {
            show(signed, &text, fields, Errors(wrong), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The receipt.
pub(super) async fn receipt(signed: Signed, Path(text): Path<String>) -> Result<Response, PageError> {
    let of = number(&text)?;
    let bytes = signed.desk.exit_receipt(of).await?;
    Ok(page::download("application/pdf", &format!("退出凭证-{of}.pdf"), bytes))
}

async fn show(
    signed: Signed,
    text: &str,
    fields: Fields,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let exit = signed.desk.exit_page(number(text)?).await?;
    let page = Page {
        shell: signed.shell,
        exit,
        deceased: fields.cause == "deceased",
        typed: fields.name,
        reason: fields.reason,
        errors,
    };
    render_as(status, &page)
}
