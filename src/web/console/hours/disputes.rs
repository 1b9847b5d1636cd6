//! Objections.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::page::{self, Shell};
use super::super::{ConsoleForm, PageError, Signed};
use super::record::{corrected_wrong, read};
use super::{Errors, items};
use crate::domain::staff::Permission;
use crate::service::desk::hours::{ActivityForm, Decision, DisputeLine, RecordPage};
use crate::service::desk::{Desk, DeskError};

#[derive(Template)]
#[template(path = "console/hours/disputes.html")]
struct ListPage {
    shell: Shell,
    tab: &'static str,
    open: bool,
    /// What was searched for; empty for the list itself.
    text: String,
    first: bool,
    lines: Vec<DisputeLine>,
    next: Option<i64>,
}

#[derive(Template)]
#[template(path = "console/hours/dispute.html")]
struct OnePage {
    shell: Shell,
    line: DisputeLine,
    record: Option<RecordPage>,
    form: ActivityForm,
    items: Vec<(String, &'static str)>,
    may_decide: bool,
    reason: String,
    errors: Errors,
}

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    state: String,
    before: Option<i64>,
}

/// A search, and where its next page begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Find {
    state: String,
    text: String,
    before: String,
}

/// Those that wait, or those decided.
pub(super) async fn list(signed: Signed, Query(which): Query<Which>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let open = which.state != "decided";
    let (lines, next) = desk.disputes(open, "", which.before).await?;
    let first = which.before.is_none();
    page::render(&ListPage { shell, tab: "disputes", open, text: String::new(), first, lines, next })
}

/// Those of a unit or a person; by POST, because a name is nobody's address.
pub(super) async fn search(signed: Signed, ConsoleForm(find): ConsoleForm<Find>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let open = find.state != "decided";
    let text = find.text.trim().to_owned();
    if text.is_empty() {
        return Ok(page::go(&shell, if open { "/hours/disputes" } else { "/hours/disputes?state=decided" }, None));
    }
    let before = find.before.parse().ok();
    let (lines, next) = desk.disputes(open, &text, before).await?;
    page::render(&ListPage { shell, tab: "disputes", open, text, first: before.is_none(), lines, next })
}

/// The same as a workbook.
pub(super) async fn export(signed: Signed, Query(which): Query<Which>) -> Result<Response, PageError> {
    exported(&signed.desk, &which.state, "").await
}

/// What a search found as a workbook.
pub(super) async fn search_export(signed: Signed, ConsoleForm(find): ConsoleForm<Find>) -> Result<Response, PageError> {
    exported(&signed.desk, &find.state, &find.text).await
}

/// One of them.
pub(super) async fn page(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    one(&desk, shell, id, String::new(), Errors::default(), StatusCode::OK).await
}

/// Decides it.
pub(super) async fn decide(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(fields): ConsoleForm<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let choice = fields.iter().find(|(name, _)| name == "decision").map(|(_, value)| value.clone()).unwrap_or_default();
    let correction = read(fields);
    let reason = correction.reason.clone();
    let decision = match choice.as_str() {
        "void" => Decision::Void { revision: correction.revision, reason: reason.clone() },
        "correct" => Decision::Correct(Box::new(correction.clone())),
        "reject" => Decision::Reject { reason: reason.clone() },
        _ => return Err(PageError::Malformed("请选择处理结果".into())),
    };
    match (desk.decide_dispute(id, &decision).await, decision) {
        (Ok(()), _) => Ok(page::done(&shell, &format!("/hours/disputes/{id}"), "已处理这个异议")),
        (Err(error @ (DeskError::Invalid(_) | DeskError::Conflict { .. })), Decision::Correct(_)) => {
            let record = desk.dispute(id).await?.record.map(|row| row.id).ok_or(DeskError::NotFound)?;
            corrected_wrong(&desk, shell, (record, Some(id)), correction, error).await
        }
        (Err(DeskError::Invalid(wrong)), _) => {
            one(&desk, shell, id, reason, Errors(wrong), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        (Err(error), _) => Err(error.into()),
    }
}

async fn exported(desk: &Desk, state: &str, text: &str) -> Result<Response, PageError> {
    let bytes = desk.disputes_workbook(state != "decided", text).await?;
    Ok(page::workbook("异议.xlsx", bytes))
}

async fn one(
    desk: &Desk,
    shell: Shell,
    id: i64,
    reason: String,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let line = desk.dispute(id).await?;
    let record = match &line.record {
        Some(row) => Some(desk.record_page(row.id).await?),
        None => None,
    };
    let form = record.as_ref().map(|record| record.form.clone()).unwrap_or_default();
    let may_decide = line.open && desk.may(Permission::ResolveDisputes);
    let items = items();
    page::render_as(status, &OnePage { shell, line, record, form, items, may_decide, reason, errors })
}
