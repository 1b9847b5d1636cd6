//! Conditional requests (RFC 9110 §13): whoever has the newest answer already is told so instead of getting it again.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A body that is sent whole or, to whom has it, as 304.
#[derive(Debug, Clone)]
pub struct Cacheable {
    body: axum::body::Bytes,
    etag: HeaderValue,
    content_type: &'static str,
    cache_control: HeaderValue,
    for_everybody: bool,
}

impl Cacheable {
    /// `cache_control` must be printable ASCII, else `no-cache` is sent. The ETag is a strong one over the body.
    pub fn new(body: impl Into<axum::body::Bytes>, content_type: &'static str, cache_control: &str) -> Self {
        let body = body.into();
        let tag = etag(&body);
        Self::with(body, tag, content_type, cache_control)
    }

    /// The same where the entity tag is known already, quotes included.
    pub fn tagged(
        body: impl Into<axum::body::Bytes>,
        tag: &str,
        content_type: &'static str,
        cache_control: &str,
    ) -> Self {
        let body = body.into();
        let tag = HeaderValue::from_str(tag).unwrap_or_else(|_| etag(&body));
        Self::with(body, tag, content_type, cache_control)
    }

    fn with(body: axum::body::Bytes, etag: HeaderValue, content_type: &'static str, cache_control: &str) -> Self {
        let cache_control = HeaderValue::from_str(cache_control).unwrap_or(HeaderValue::from_static("no-cache"));
        Self { body, etag, content_type, cache_control, for_everybody: false }
    }

    /// For pages of other origins too: what is published to the world (CORS, and no Cross-Origin-Resource-Policy).
    pub fn for_everybody(self) -> Self {
        Self { for_everybody: true, ..self }
    }

    /// 200 with the body, or 304 if `request` shows that the client has it.
    pub fn answer(self, request: &HeaderMap) -> Response {
        let mut response = if none_match(request, &self.etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let kind = HeaderValue::from_static(self.content_type);
            ([(header::CONTENT_TYPE, kind)], Body::from(self.body)).into_response()
        };
        response.headers_mut().insert(header::ETAG, self.etag);
        response.headers_mut().insert(header::CACHE_CONTROL, self.cache_control);
        if self.for_everybody {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        }
        response
    }
}

/// A strong ETag: half the body's SHA-256 in hexadecimal, quoted.
pub fn etag(body: &[u8]) -> HeaderValue {
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(body)[..16]));
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether `If-None-Match` lists `etag` (weak comparison, RFC 9110 §8.8.3.2) or is `*`.
pub fn none_match(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(own) = etag.to_str() else { return false };
    let lists = request.get_all(header::IF_NONE_MATCH);
    lists.iter().filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(',')).any(|entry| {
        let entry = entry.trim();
        entry == "*" || entry.strip_prefix("W/").unwrap_or(entry) == own
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_NONE_MATCH, line.parse().unwrap());
        }
        none_match(&headers, &HeaderValue::from_static("\"abc\""))
    }

    #[test]
    fn strong_weak_list_and_star_match() {
        for lines in [&["\"abc\""][..], &["W/\"abc\""], &["\"x\", W/\"y\" ,\"abc\""], &["\"x\"", "\"abc\""], &["*"]] {
            assert!(matches(lines), "{lines:?}");
        }
    }

    #[test]
    fn anything_else_does_not() {
        for lines in [&[][..], &[""], &["\"ab\""], &["abc"], &["w/\"abc\""], &["\"*\""]] {
            assert!(!matches(lines), "{lines:?}");
        }
    }

    #[test]
    fn other_bodies_have_other_tags() {
        assert_ne!(etag(b"a"), etag(b"b"));
        assert_eq!(etag(b"a").len(), 34);
    }
}
