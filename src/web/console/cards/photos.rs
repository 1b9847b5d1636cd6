//! Photos in bulk: sent, looked at, confirmed.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::files::{self, Sent};
use super::{error_of, key};
use crate::domain::staff::Permission;
use crate::service::desk::DeskError;
use crate::service::desk::cards::PhotoUploadPage;
use crate::web::console::page::{self, Shell};
use crate::web::console::{PageError, Signed};

#[derive(Template)]
#[template(path = "console/cards/photos.html")]
struct Send {
    shell: Shell,
    error: String,
    megabytes: u64,
    makes: bool,
    edits: bool,
}

pub(super) async fn page(signed: Signed) -> Result<Response, PageError> {
    page::render(&form(&signed, String::new()))
}

pub(super) async fn send(signed: Signed, sent: Sent) -> Result<Response, PageError> {
    match signed.desk.take_photos(sent.0).await {
        Ok(upload) => Ok(page::go(&signed.shell, &format!("/cards/photos/{upload}"), None)),
        Err(DeskError::Invalid(errors)) => {
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &form(&signed, error_of(&errors, "file")))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    wrong: String,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "console/cards/photo_preview.html")]
struct Preview {
    shell: Shell,
    upload: PhotoUploadPage,
    wrong: bool,
}

pub(super) async fn preview(signed: Signed, path: Path<String>, query: Query<Shown>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let after = query.after.as_deref().map(key).transpose()?.unwrap_or(0);
    let wrong = !query.wrong.is_empty();
    let upload = desk.photo_upload(key(&path)?, wrong, after).await?;
    page::render(&Preview { shell, upload, wrong })
}

pub(super) async fn picture(signed: Signed, path: Path<(String, String)>) -> Result<Response, PageError> {
    let bytes = signed.desk.upload_picture(key(&path.0.0)?, key(&path.0.1)?).await?;
    Ok(files::picture("image/jpeg", bytes))
}

pub(super) async fn confirm(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    let set = signed.desk.confirm_photos(key(&path)?).await?;
    Ok(page::done(&signed.shell, "/cards/photos", format!("已保存 {set} 张照片，打印时会印在证上")))
}

pub(super) async fn drop_upload(signed: Signed, path: Path<String>) -> Result<Response, PageError> {
    signed.desk.drop_photos(key(&path)?).await?;
    Ok(page::done(&signed.shell, "/cards/photos", "这批照片已丢弃，没有保存"))
}

fn form(signed: &Signed, error: String) -> Send {
    Send {
        shell: signed.shell.clone(),
        error,
        megabytes: signed.desk.office().config().limits.file_mb,
        makes: signed.desk.may(Permission::PrintCards),
        edits: true,
    }
}
