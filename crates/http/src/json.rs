//! Bodies into values: [`Json`] is axum's extractor with a named problem for every way in which a body can be wrong.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::problem::Problem;
use crate::wire::{EnrolmentRequest, LookupRequest, MAX_BATCH, RedemptionBatch, VerifyRequest};

/// A JSON body that was read and is within its [`Bounds`].
///
/// Refusals: `unsupported_media_type` (415), `not_json`, `too_deep` (400), `unknown_field`, `missing_field`,
/// `duplicate_field`, `wrong_value`, `too_long` (422).
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// What a type's fields may hold beyond their types. The `max_length` of its schema, enforced.
pub trait Bounds {
    /// The first field that is too long, and how long it may be.
    fn too_long(&self) -> Option<TooLong> {
        None
    }
}

/// A field beyond its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// Its name.
    pub field: &'static str,
    /// Most characters or entries.
    pub most: usize,
}

impl<S: Send + Sync, T: DeserializeOwned + Bounds> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let kind = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(kind, "unsupported_media_type", "请求内容应为 JSON")
                .detail("请设置请求头 Content-Type: application/json"));
        }
        let body = Bytes::from_request(request, state).await.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", "请求内容不完整").detail("请检查网络后重发")
        })?;
        from_slice(&body).map(Self)
    }
}

/// Reads `body` as `T`.
///
/// # Errors
/// As [`Json`], except for the content type.
pub fn from_slice<T: DeserializeOwned + Bounds>(body: &[u8]) -> Result<T, Problem> {
    let value: T = serde_json::from_slice(body).map_err(|error| refusal(&error))?;
    match value.too_long() {
        None => Ok(value),
        Some(TooLong { field, most }) => Err(wrong("too_long", format!("字段 {field} 过长，最多 {most}"))),
    }
}

impl Bounds for VerifyRequest {
    fn too_long(&self) -> Option<TooLong> {
        longest(&[("code", &self.code, 4096)])
    }
}

impl Bounds for EnrolmentRequest {
    fn too_long(&self) -> Option<TooLong> {
        longest(&[("code", &self.code, 64), ("device", &self.device, 40)])
    }
}

impl Bounds for LookupRequest {
    fn too_long(&self) -> Option<TooLong> {
        longest(&[("number", &self.number, 20)])
    }
}

impl Bounds for RedemptionBatch {
    fn too_long(&self) -> Option<TooLong> {
        if self.redemptions.len() + self.reversals.len() > MAX_BATCH {
            return Some(TooLong { field: "redemptions", most: MAX_BATCH });
        }
        self.redemptions.iter().find_map(|use_| {
            longest(&[("offer", &use_.offer, 64), ("number", &use_.number, 10), ("key_id", &use_.key_id, 8)])
        })
    }
}

/// The first of `(field, text, most characters)` that is too long.
pub fn longest(fields: &[(&'static str, &str, usize)]) -> Option<TooLong> {
    let over = |text: &str, most: usize| text.len() > most && text.chars().count() > most;
    fields.iter().find(|(_, text, most)| over(text, *most)).map(|&(field, _, most)| TooLong { field, most })
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn refusal(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let place = format!("第 {} 行第 {} 列", error.line(), error.column());
    let quoted = || text.split('`').nth(1).unwrap_or_default().chars().take(40).collect::<String>();
    if error.classify() != Category::Data {
        if text.starts_with("recursion limit exceeded") {
            return Problem::new(StatusCode::BAD_REQUEST, "too_deep", "JSON 嵌套过深").detail(place);
        }
        return Problem::new(StatusCode::BAD_REQUEST, "not_json", "请求内容不是 JSON").detail(place);
    }
    if text.starts_with("unknown field") {
        return wrong("unknown_field", format!("没有字段 {}", quoted())).detail(place);
    }
    if text.starts_with("missing field") {
        return wrong("missing_field", format!("缺少字段 {}", quoted()));
    }
    if text.starts_with("duplicate field") {
        return wrong("duplicate_field", format!("字段 {} 出现两次", quoted())).detail(place);
    }
    wrong("wrong_value", "有字段的值不合规定").detail(format!("{place}，格式见 openapi.json"))
}

fn wrong(code: &'static str, title: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(body: &str) -> &'static str {
        from_slice::<VerifyRequest>(body.as_bytes()).unwrap_err().code
    }

    #[test]
    fn a_good_body_is_read() {
        assert_eq!(from_slice::<VerifyRequest>(br#"{"code":"1"}"#).unwrap().code, "1");
    }

    #[test]
    fn not_json() {
        for body in ["", "{", "code=1", r#"{"code":"1"} x"#, "\u{feff}{}"] {
            assert_eq!(code_of(body), "not_json", "{body:?}");
        }
        assert_eq!(from_slice::<VerifyRequest>(b"{\"code\":\"\xff\"}").unwrap_err().code, "not_json");
    }

    #[test]
    fn an_unknown_field_is_named() {
        let problem = from_slice::<VerifyRequest>(br#"{"code":"1","kode":"2"}"#).unwrap_err();
        assert_eq!((problem.code, problem.status), ("unknown_field", 422));
        assert!(problem.title.contains("kode"));
    }

    #[test]
    fn missing_duplicate_and_wrong() {
        assert_eq!(code_of("{}"), "missing_field");
        assert_eq!(code_of(r#"{"code":"1","code":"2"}"#), "duplicate_field");
        assert_eq!(code_of(r#"{"code":1}"#), "wrong_value");
        assert_eq!(code_of(r#"[]"#), "wrong_value");
        assert_eq!(code_of("null"), "wrong_value");
    }

    #[test]
    fn too_deep() {
        let deep = format!(r#"{{"redemptions":{}"#, "[".repeat(10_000));
        assert_ne!(from_slice::<RedemptionBatch>(deep.as_bytes()).unwrap_err().status, 500);
        #[derive(serde::Deserialize)]
        struct Anything(#[expect(dead_code, reason = "only read")] serde_json::Value);
        impl Bounds for Anything {}
        let problem = from_slice::<Anything>("[".repeat(10_000).as_bytes()).err().unwrap();
        assert_eq!(problem.code, "too_deep");
    }

    #[test]
    fn too_long_counts_characters() {
        let fits = format!(r#"{{"code":"c","device":"{}"}}"#, "台".repeat(40));
        assert!(from_slice::<EnrolmentRequest>(fits.as_bytes()).is_ok());
        let over = format!(r#"{{"code":"c","device":"{}"}}"#, "台".repeat(41));
        assert_eq!(from_slice::<EnrolmentRequest>(over.as_bytes()).unwrap_err().code, "too_long");
    }

    #[test]
    fn media_types() {
        let is = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            is_json(&headers)
        };
        assert!(is("application/json") && is("Application/JSON; charset=utf-8") && is("application/merge-patch+json"));
        assert!(!is("text/plain") && !is("application/jsonx") && !is("text/json") && !is_json(&HeaderMap::new()));
    }
}
