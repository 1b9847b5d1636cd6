//! Refusals as pages: each error of a use case to a status and words, once.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::service::ServiceError;
use crate::service::desk::DeskError;

/// Why there is no page. The guard puts it into the frame of the console.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A use case refused.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The request is none that a page of ours makes.
    #[error("{0}")]
    Malformed(String),
    /// A file or form is larger than it may be.
    #[error("{0}")]
    TooLarge(String),
}

/// What a page of an error says. Travels from handler to guard in the answer's extensions.
#[derive(Debug, Clone)]
pub(super) struct Explained {
    pub status: StatusCode,
    pub title: String,
    pub detail: String,
}

impl From<ServiceError> for PageError {
    fn from(error: ServiceError) -> Self {
        Self::Desk(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, title) = match &self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "请求无法理解"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "内容过大"),
            Self::Desk(DeskError::Forbidden { .. }) => (StatusCode::FORBIDDEN, "没有权限"),
            Self::Desk(DeskError::NotFound) => (StatusCode::NOT_FOUND, "没有找到"),
            Self::Desk(DeskError::Conflict { .. }) => (StatusCode::CONFLICT, "已被他人改动"),
            Self::Desk(DeskError::Invalid(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "有内容需要更正"),
            Self::Desk(DeskError::Refused(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "不能办理"),
            Self::Desk(DeskError::Service(error)) if error.is_temporary() => {
                tracing::error!(%error, "a page failed for the moment");
                (StatusCode::SERVICE_UNAVAILABLE, "数据库暂时没有应答")
            }
            Self::Desk(DeskError::Service(error)) if error.is_internal() => {
                tracing::error!(%error, "a page failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "服务器内部出错")
            }
            Self::Desk(DeskError::Service(_)) => (StatusCode::UNPROCESSABLE_ENTITY, "不能办理"),
        };
        let detail = match &self {
            _ if status == StatusCode::INTERNAL_SERVER_ERROR => {
                "请稍后重试；若仍出错，请把时间和正在办理的事项告诉管理员。".to_owned()
            }
            _ if status == StatusCode::SERVICE_UNAVAILABLE => "请稍等片刻再试，没有任何内容被改动。".to_owned(),
            Self::Desk(DeskError::Invalid(fields)) => {
                fields.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join("；")
            }
            other => other.to_string(),
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Explained { status, title: title.into(), detail });
        response
    }
}
