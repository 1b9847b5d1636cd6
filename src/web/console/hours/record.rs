//! One record: its history, its correction, its end, an objection to it.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::page::{self, Shell};
use super::super::{ConsoleForm, PageError, Signed};
use super::{Errors, activity_field, items};
use crate::domain::staff::Permission;
use crate::service::desk::hours::{ActivityForm, Correction, RecordPage};
use crate::service::desk::{Desk, DeskError};

#[derive(Template)]
#[template(path = "console/hours/record.html")]
struct OnePage {
    shell: Shell,
    record: RecordPage,
    may_write: bool,
    objection: String,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/hours/correct.html")]
pub(super) struct CorrectPage {
    pub shell: Shell,
    pub record: RecordPage,
    pub form: ActivityForm,
    pub revision: i64,
    pub reason: String,
    pub items: Vec<(String, &'static str)>,
    pub errors: Errors,
    pub conflict: String,
    /// The objection that the correction answers.
    pub dispute: Option<i64>,
}

#[derive(Template)]
#[template(path = "console/hours/void.html")]
struct VoidPage {
    shell: Shell,
    record: RecordPage,
    reason: String,
    errors: Errors,
}

/// A record with all that happened to it.
pub(super) async fn page(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    one(&desk, shell, id, String::new(), Errors::default(), StatusCode::OK).await
}

/// The form of a correction.
pub(super) async fn correction(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let record = desk.record_page(id).await?;
    let (form, revision) = (record.form.clone(), record.row.revision);
    page::render(&CorrectPage {
        shell,
        record,
        form,
        revision,
        reason: String::new(),
        items: items(),
        errors: Errors::default(),
        conflict: String::new(),
        dispute: None,
    })
}

/// Corrects it.
pub(super) async fn correct(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(fields): ConsoleForm<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let correction = read(fields);
    match desk.correct_record(id, &correction).await {
        Ok(()) => Ok(page::done(&shell, &format!("/hours/records/{id}"), "已更正，原来的内容保留在历史中")),
        Err(error) => corrected_wrong(&desk, shell, (id, None), correction, error).await,
    }
}

/// The form again, with what was typed and what is wrong.
pub(super) async fn corrected_wrong(
    desk: &Desk,
    shell: Shell,
    (id, dispute): (i64, Option<i64>),
    correction: Correction,
    error: DeskError,
) -> Result<Response, PageError> {
    let (status, errors, conflict) = match error {
        DeskError::Invalid(wrong) => (StatusCode::UNPROCESSABLE_ENTITY, Errors(wrong), String::new()),
        error @ DeskError::Conflict { .. } => (StatusCode::CONFLICT, Errors::default(), error.to_string()),
        other => return Err(other.into()),
    };
    let record = desk.record_page(id).await?;
    // After a conflict the next attempt is made against what stands there now, which the page shows beside.
    let revision = if conflict.is_empty() { correction.revision } else { record.row.revision };
    let page = CorrectPage {
        shell,
        record,
        form: correction.form,
        revision,
        reason: correction.reason,
        items: items(),
        errors,
        conflict,
        dispute,
    };
    page::render_as(status, &page)
}

/// Says what declaring it void does.
pub(super) async fn voiding(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let record = desk.record_page(id).await?;
    page::render(&VoidPage { shell, record, reason: String::new(), errors: Errors::default() })
}

#[derive(Debug, Deserialize)]
pub(super) struct VoidForm {
    revision: i64,
    #[serde(default)]
    reason: String,
}

/// Declares it void.
pub(super) async fn void(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<VoidForm>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.void_record(id, form.revision, &form.reason).await {
        Ok(()) => Ok(page::done(&shell, &format!("/hours/records/{id}"), "已作废，这条记录不再计入任何合计")),
        Err(DeskError::Invalid(wrong)) => {
            let record = desk.record_page(id).await?;
            let page = VoidPage { shell, record, reason: form.reason, errors: Errors(wrong) };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Objection {
    #[serde(default)]
    objection: String,
}

/// Notes an objection.
pub(super) async fn dispute(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<Objection>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.note_dispute(id, &form.objection).await {
        Ok(_) => Ok(page::done(&shell, &format!("/hours/records/{id}"), "已登记异议，待有权处理的人核实")),
        Err(DeskError::Invalid(wrong)) => {
            one(&desk, shell, id, form.objection, Errors(wrong), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn one(
    desk: &Desk,
    shell: Shell,
    id: i64,
    objection: String,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let record = desk.record_page(id).await?;
    let may_write = desk.may(Permission::WriteHours);
    page::render_as(status, &OnePage { shell, record, may_write, objection, errors })
}

/// A correction as sent.
pub(super) fn read(fields: Vec<(String, String)>) -> Correction {
    let mut correction = Correction::default();
    for (name, value) in fields {
        match name.as_str() {
            "revision" => correction.revision = value.parse().unwrap_or_default(),
            "reason" => correction.reason = value,
            name => {
                if let Some(field) = activity_field(&mut correction.form, name) {
                    *field = value;
                }
            }
        }
    }
    correction
}
