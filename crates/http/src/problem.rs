//! How a refusal looks: problem+json (RFC 9457). Clients get what they can act on; what went wrong inside goes to the log.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem document. `code` is for programs and stays; `title` and `detail` are for people.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// RFC 9457 §3.1.1: about:blank, since `code` names the problem.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What is so, in Chinese.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Names the problem for programs.
    pub code: &'static str,
    /// What to do, in Chinese; left out where the title says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Seconds to wait, as in the `Retry-After` header.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem with its status, its name for programs and its title.
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        let title = title.into();
        Self { kind: "about:blank", title, status: status.as_u16(), code, detail: None, retry_after: None }
    }

    /// With what to do.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// With how long to wait, seconds.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
