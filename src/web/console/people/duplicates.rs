//! Possible duplicates, and merging two registrations.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use zyz_credential::CertificateNumber;

use super::super::error::PageError;
use super::super::page::{Shell, done, render, render_as, workbook};
use super::super::{ConsoleForm, Signed};
use super::{Errors, number};
use crate::domain::person::bare;
use crate::service::desk::people::{Alike, AlikePage, MergeInput, MergePlan};
use crate::service::desk::{DeskError, FieldError};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    by: String,
    after: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct With {
    other: String,
    keep: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    other: String,
    keep: String,
    stays_revision: i64,
    ends_revision: i64,
    confirm: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "console/people/duplicates.html")]
struct ListPage {
    shell: Shell,
    by: &'static str,
    page: AlikePage,
    resumed: bool,
}

#[derive(Template)]
#[template(path = "console/people/merge_with.html")]
struct WithPage {
    shell: Shell,
    number: String,
    grouped: String,
    name: String,
    other: String,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/people/merge.html")]
struct MergePage {
    shell: Shell,
    /// The volunteer from whose page this began.
    number: String,
    /// The other one.
    other: String,
    /// Which of the two stays.
    keep: String,
    plan: MergePlan,
    confirm: String,
    reason: String,
    errors: Errors,
    conflict: String,
}

/// The list.
pub(super) async fn list(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let alike = Alike::parse(&asked.by);
    let after = CertificateNumber::parse(&asked.after).ok();
    let page = signed.desk.duplicates(alike, after.as_ref().map(CertificateNumber::as_str)).await?;
    render(&ListPage { shell: signed.shell, by: alike.as_str(), page, resumed: after.is_some() })
}

/// The whole list as a workbook.
pub(super) async fn export(signed: Signed, ConsoleForm(asked): ConsoleForm<Asked>) -> Result<Response, PageError> {
    let alike = Alike::parse(&asked.by);
    Ok(workbook("可能重复的登记.xlsx", signed.desk.duplicates_workbook(alike).await?))
}

/// Which other one; or, with it, what merging would do.
pub(super) async fn merge_form(
    signed: Signed,
    Path(text): Path<String>,
    Query(with): Query<With>,
) -> Result<Response, PageError> {
    let own = number(&text)?;
    if with.other.trim().is_empty() {
        return ask_other(signed, own, with.other, Errors::default()).await;
    }
    let Ok(other) = CertificateNumber::parse(&bare(&with.other)) else {
        let message = "不是证书编号：应为 10 位数字，可以带空格".to_owned();
        return ask_other(signed, own, with.other, Errors(vec![FieldError { field: "other", message }])).await;
    };
    let (stays, ends) = if with.keep == other.as_str() { (other, own) } else { (own, other) };
    let plan = match signed.desk.merge_plan(stays, ends).await {
        Ok(plan) => plan,
        Err(refused @ (DeskError::Refused(_) | DeskError::NotFound)) => {
            let message = refused.to_string();
            return ask_other(signed, own, with.other, Errors(vec![FieldError { field: "other", message }])).await;
        }
        Err(error) => return Err(error.into()),
    };
    render(&MergePage {
        shell: signed.shell,
        number: own.to_string(),
        other: other.to_string(),
        keep: stays.to_string(),
        plan,
        confirm: String::new(),
        reason: String::new(),
        errors: Errors::default(),
        conflict: String::new(),
    })
}

/// Merges.
pub(super) async fn merge(
    signed: Signed,
    Path(text): Path<String>,
    ConsoleForm(fields): ConsoleForm<Fields>,
) -> Result<Response, PageError> {
    let own = number(&text)?;
    let other = number(&fields.other)?;
    let keep = number(&fields.keep)?;
    let (stays, ends) = if keep == other { (other, own) } else { (own, other) };
    let input = MergeInput {
        stays,
        ends,
        revisions: (fields.stays_revision, fields.ends_revision),
        confirm: fields.confirm.clone(),
        reason: fields.reason.clone(),
    };
    let error = match signed.desk.merge(&input).await {
        Ok(said) => return Ok(done(&signed.shell, &format!("/people/{stays}"), said)),
        Err(error) => error,
    };
    let (errors, conflict, status) = match error {
        DeskError::Invalid(wrong) => (Errors(wrong), String::new(), StatusCode::UNPROCESSABLE_ENTITY),
        conflict @ DeskError::Conflict { .. } => (Errors::default(), conflict.to_string(), StatusCode::CONFLICT),
        error => return Err(error.into()),
    };
    let plan = signed.desk.merge_plan(stays, ends).await?;
    let page = MergePage {
        shell: signed.shell,
        number: own.to_string(),
        other: other.to_string(),
        keep: stays.to_string(),
        plan,
        confirm: fields.confirm,
        reason: fields.reason,
        errors,
        conflict,
    };
    render_as(status, &page)
}

async fn ask_other(
    signed: Signed,
    own: CertificateNumber,
    other: String,
    errors: Errors,
) -> Result<Response, PageError> {
    let person = signed.desk.person(own).await?;
    let status = if errors.0.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = WithPage {
        shell: signed.shell,
        number: person.number,
        grouped: person.grouped,
        name: person.name,
        other,
        errors,
    };
    render_as(status, &page)
}
