//! Steps in the life of a card, each with a page that says what will happen and to whom.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::error::PageError;
use super::super::page::{Shell, done, render_as};
use super::super::{ConsoleForm, Signed};
use super::{Errors, number};
use crate::service::desk::DeskError;
use crate::service::desk::people::{Step, StepInput, StepPage};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    reason: String,
    replace: String,
}

#[derive(Template)]
#[template(path = "console/people/step.html")]
struct Page {
    shell: Shell,
    path: &'static str,
    step: StepPage,
    reason: String,
    replace: bool,
    errors: Errors,
}

/// Two handlers a step: its page, and taking it.
macro_rules! steps {
    ($($page:ident, $take:ident: $step:ident;)*) => {
        $(
            pub(super) async fn $page(signed: Signed, Path(text): Path<String>) -> Result<Response, PageError> {
                page(signed, &text, Step::$step, Fields::default(), Errors::default(), StatusCode::OK).await
            }

            pub(super) async fn $take(
                signed: Signed,
                Path(text): Path<String>,
                ConsoleForm(fields): ConsoleForm<Fields>,
            ) -> Result<Response, PageError> {
                take(signed, &text, Step::$step, fields).await
            }
        )*
    };
}

steps! {
    suspend, do_suspend: Suspend;
    resume, do_resume: Resume;
    lost, do_lost: Lost;
    misuse, do_misuse: Misuse;
    readmit, do_readmit: Readmit;
}

async fn take(signed: Signed, text: &str, step: Step, fields: Fields) -> Result<Response, PageError> {
    let of = number(text)?;
    let input = StepInput { reason: fields.reason.clone(), replace: fields.replace == "yes" };
    match signed.desk.take_step(of, step, &input).await {
        Ok(said) => Ok(done(&signed.shell, &format!("/people/{of}"), said)),
        Err(DeskError::Invalid(wrong)) => {
            page(signed, text, step, fields, Errors(wrong), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    signed: Signed,
    text: &str,
    step: Step,
    fields: Fields,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let said = signed.desk.step_page(number(text)?, step).await?;
    let page = Page {
        shell: signed.shell,
        path: step.path(),
        step: said,
        replace: fields.replace == "yes",
        reason: fields.reason,
        errors,
    };
    render_as(status, &page)
}
