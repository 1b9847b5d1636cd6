//! A sheet: handed in, looked at, confirmed.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::page::{self, Shell};
use super::super::{ConsoleForm, PageError, Signed, Upload};
use super::Errors;
use crate::domain::hours::hours_of;
use crate::service::desk::DeskError;
use crate::service::desk::hours::{UploadOutcome, UploadPreview};

#[derive(Template)]
#[template(path = "console/hours/import.html")]
struct ImportPage {
    shell: Shell,
    problem: String,
}

#[derive(Template)]
#[template(path = "console/hours/preview.html")]
struct PreviewPage {
    shell: Shell,
    total: String,
    preview: UploadPreview,
    changed: bool,
    late_reason: String,
    errors: Errors,
}

/// Where a file is chosen.
pub(super) async fn page(signed: Signed) -> Result<Response, PageError> {
    page::render(&ImportPage { shell: signed.shell, problem: String::new() })
}

/// Takes a file in.
pub(super) async fn take(signed: Signed, upload: Upload) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.upload_hours(upload.path(), &upload.name).await {
        Ok(id) => Ok(page::go(&shell, &format!("/hours/import/{id}"), None)),
        Err(DeskError::Service(error)) if !error.is_internal() => {
            let page = ImportPage { shell, problem: error.to_string() };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// What it would come to.
pub(super) async fn preview(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let preview = desk.hours_upload(id).await?;
    let errors = Errors::default();
    let total = hours_of(preview.import.minutes);
    page::render(&PreviewPage { shell, total, preview, changed: false, late_reason: String::new(), errors })
}

#[derive(Debug, Deserialize)]
pub(super) struct Confirm {
    expected: usize,
    #[serde(default)]
    late_reason: String,
}

/// Writes it.
pub(super) async fn confirm(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<Confirm>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.confirm_hours_upload(id, form.expected, &form.late_reason).await {
        Ok(UploadOutcome::Saved(done)) => {
            let text = format!(
                "已导入 {} 条服务记录，共 {} 小时；退回 {} 行",
                done.imported,
                hours_of(done.minutes),
                done.refused.len()
            );
            Ok(page::done(&shell, "/hours/entries", text))
        }
        Ok(UploadOutcome::Changed(preview)) => {
            let (late_reason, errors) = (form.late_reason, Errors::default());
            let total = hours_of(preview.import.minutes);
            let page = PreviewPage { shell, total, preview, changed: true, late_reason, errors };
            page::render_as(StatusCode::CONFLICT, &page)
        }
        Err(DeskError::Invalid(wrong)) => {
            let preview = desk.hours_upload(id).await?;
            let (late_reason, errors) = (form.late_reason, Errors(wrong));
            let total = hours_of(preview.import.minutes);
            let page = PreviewPage { shell, total, preview, changed: false, late_reason, errors };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// The sheet with its problems.
pub(super) async fn report(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let bytes = signed.desk.hours_upload_report(id).await?;
    Ok(page::workbook("服务记录_检查结果.xlsx", bytes))
}

/// Gives it up.
pub(super) async fn drop_upload(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    desk.drop_hours_upload(id).await?;
    Ok(page::done(&shell, "/hours/import", "已放弃这份表格，没有导入任何内容；上传的文件已删除"))
}
