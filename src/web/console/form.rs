//! What a browser sends: forms and files.

use std::path::{Path, PathBuf};

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

use super::error::PageError;
use crate::web::Shared;

/// A form as a browser sends it (`application/x-www-form-urlencoded`); a field that is repeated fills a `Vec`. Fields that
/// are missing need `#[serde(default)]`.
#[derive(Debug)]
pub struct ConsoleForm<T>(pub T);

/// A form with one file (`multipart/form-data`).
#[derive(Debug)]
pub struct Upload {
    /// The file, kept until this is dropped.
    file: tempfile::TempPath,
    /// What the browser calls it, without folders.
    pub name: String,
    /// The other fields, in order.
    pub fields: Vec<(String, String)>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ConsoleForm<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(PageError::Malformed("表单的格式不对，请刷新页面后重试".into()));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| PageError::TooLarge("表单超过 1 MB，请减少内容后再提交".into()))?;
        if has_nul(&bytes) {
            return Err(nul());
        }
        let value = serde_html_form::from_bytes(&bytes)
            .map_err(|error| PageError::Malformed(format!("表单的内容不完整，请刷新页面后重试（{error}）")))?;
        Ok(Self(value))
    }
}

impl Upload {
    /// Where the file is, for reading.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// The first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<Shared> for Upload {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, PageError> {
        let broken = |_| PageError::Malformed("上传中断或格式不对，请重新选择文件上传".into());
        let mut parts = Multipart::from_request(request, state)
            .await
            .map_err(|_| PageError::Malformed("上传的格式不对，请刷新页面后重新选择文件".into()))?;
        let (mut file, mut fields) = (None, Vec::new());
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let field = part.name().unwrap_or_default().to_owned();
            let Some(name) = part.file_name().map(bare_name) else {
                let value = part.text().await.map_err(broken)?;
                if value.contains('\0') {
                    return Err(nul());
                }
                fields.push((field, value));
                continue;
            };
            let bytes = part.bytes().await.map_err(broken)?;
            if name.is_empty() || file.is_some() {
                continue; // a file chooser left empty
            }
            file = Some((kept(&name, &bytes, state)?, name));
        }
        let (file, name) = file.ok_or_else(|| PageError::Malformed("没有选择文件，请先选择再上传".into()))?;
        Ok(Self { file, name, fields })
    }
}

/// Whether an encoded form or address carries U+0000, which no keyboard makes, no page may show and no text column takes.
pub(super) fn has_nul(encoded: &[u8]) -> bool {
    encoded.contains(&0) || encoded.windows(3).any(|three| three == b"%00")
}

/// The refusal of such a form or address.
pub(super) fn nul() -> PageError {
    PageError::Malformed("内容里有不能使用的控制字符（空字符），请重新输入后再提交".into())
}

/// The name without folders, which some browsers send along.
fn bare_name(name: &str) -> String {
    let bare = name.rsplit(['/', '\\']).next().unwrap_or_default();
    bare.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Readers tell kinds of files by their content; the ending is kept for those that ask.
fn kept(name: &str, bytes: &[u8], web: &Shared) -> Result<tempfile::TempPath, PageError> {
    let ending: PathBuf = name.into();
    let ending = ending.extension().and_then(|e| e.to_str()).filter(|e| e.len() <= 5 && e.is_ascii());
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "an uploaded file was not kept");
        PageError::Desk(crate::service::desk::DeskError::Refused("服务器没有空间存放上传的文件，请联系管理员".into()))
    };
    let suffix = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
    let folder = web.federation.work_folder().map_err(|error| PageError::Desk(error.into()))?;
    let mut file = tempfile::Builder::new().prefix("upload-").suffix(&suffix).tempfile_in(folder).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)?;
    Ok(file.into_temp_path())
}
