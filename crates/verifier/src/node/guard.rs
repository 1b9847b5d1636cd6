//! Who may ask the node: programs on this machine, or whoever has the API key.
//!
//! A browser on this machine may be made to ask by any page it shows. So the `Host` header has to be a name of this machine
//! (a page elsewhere that points its own name here, "DNS rebinding", has another), and whatever changes something must
//! not come from another origin.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zyz_http::problem::Problem;

use crate::file;
use crate::link::is_loopback;

/// Fewest characters of an API key.
const MIN_KEY_CHARS: usize = 16;
const MAX_KEY_CHARS: usize = 256;

/// A key that every request has to carry; only its SHA-256 is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey([u8; 32]);

/// Why there is no API key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// The file cannot be read.
    #[error("无法读取 API 密钥文件 {}：{source}", path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Not one line of 16 to 256 printable ASCII characters.
    #[error("API 密钥文件 {} 里应是一行 16 到 256 个英文字母、数字或符号", path.display())]
    Format {
        /// The file.
        path: std::path::PathBuf,
    },
}

/// Who may ask.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where the node listens.
    pub listen: IpAddr,
    /// What requests must carry; without it only this machine may ask.
    pub key: Option<ApiKey>,
}

impl ApiKey {
    /// From a file with the key in its only line.
    ///
    /// # Errors
    /// [`ApiKeyError`].
    pub fn from_file(path: &Path) -> Result<Self, ApiKeyError> {
        let bytes = file::read_bounded(path, 4096)
            .map_err(|source| ApiKeyError::Unreadable { path: path.to_owned(), source })?;
        let text = bytes.as_deref().and_then(|bytes| str::from_utf8(bytes).ok()).map(str::trim).unwrap_or_default();
        Self::new(text).ok_or_else(|| ApiKeyError::Format { path: path.to_owned() })
    }

    /// From 16 to 256 printable ASCII characters.
    pub fn new(text: &str) -> Option<Self> {
        let good = (MIN_KEY_CHARS..=MAX_KEY_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        good.then(|| Self(Sha256::digest(text).into()))
    }

    /// Hashes are compared: how long that takes tells nothing of the key.
    fn is(&self, text: &str) -> bool {
        Sha256::digest(text)[..] == self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey")
    }
}

pub(super) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    match access.refusal(request.method(), request.uri().path(), request.headers()) {
        None => next.run(request).await,
        Some(problem) => problem.into_response(),
    }
}

impl Access {
    fn refusal(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Problem> {
        let host = text(headers, header::HOST);
        if self.key.is_none() && !host.is_some_and(|host| self.is_own(host)) {
            return Some(
                Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", "请求的主机名不是本机")
                    .detail("请使用 http://127.0.0.1 或 http://localhost 访问；其他地址需要设置 --api-key-file"),
            );
        }
        let harmless = [Method::GET, Method::HEAD].contains(method);
        if !harmless && is_cross_origin(headers, host) {
            return Some(
                Problem::new(StatusCode::FORBIDDEN, "cross_origin", "不接受其他网页发来的请求")
                    .detail("请在本机的核验页面里操作"),
            );
        }
        let key = self.key.as_ref()?;
        if !(path.starts_with("/v1/") || path == "/metrics") {
            return None;
        }
        let given = text(headers, header::AUTHORIZATION).and_then(|value| value.split_once(' '));
        match given {
            Some((scheme, given)) if scheme.eq_ignore_ascii_case("bearer") && key.is(given.trim()) => None,
            _ => Some(
                Problem::new(StatusCode::UNAUTHORIZED, "api_key", "需要 API 密钥")
                    .detail("请在请求头里写 Authorization: Bearer 密钥，密钥在启动时指定的文件里"),
            ),
        }
    }

    fn is_own(&self, host: &str) -> bool {
        let name = host_name(host);
        is_loopback(name) || bare(name).parse::<IpAddr>().is_ok_and(|address| address == self.listen)
    }
}

/// Whether a browser says that another page made it ask.
fn is_cross_origin(headers: &HeaderMap, host: Option<&str>) -> bool {
    let site = text(headers, "sec-fetch-site").is_some_and(|site| !["same-origin", "none"].contains(&site));
    let origin = headers.get(header::ORIGIN).is_some_and(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        origin.is_none_or(|(_, origin)| !host.is_some_and(|host| host.eq_ignore_ascii_case(origin)))
    });
    site || origin
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// A `Host` header without its port.
fn host_name(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.find(']').map_or(host, |end| &host[..end + 2]),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

fn bare(name: &str) -> &str {
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
}

/// Why an address must not be listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} 不只供本机访问，需要用 --api-key-file 设置 API 密钥；只供本机使用时请用 127.0.0.1")]
pub struct OpenToOthers(pub SocketAddr);

impl Access {
    /// Who may ask a node that listens on `listen`.
    ///
    /// # Errors
    /// [`OpenToOthers`]: an address that others can reach needs a key.
    pub fn new(listen: SocketAddr, key: Option<ApiKey>) -> Result<Self, OpenToOthers> {
        if listen.ip().is_loopback() || key.is_some() {
            Ok(Self { listen: listen.ip(), key })
        } else {
            Err(OpenToOthers(listen))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(access: &Access, method: &str, path: &str, headers: &[(&'static str, &str)]) -> Option<&'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        access.refusal(&method.parse().unwrap(), path, &map).map(|problem| problem.code)
    }

    fn local() -> Access {
        Access::new("127.0.0.1:8787".parse().unwrap(), None).unwrap()
    }

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for host in ["127.0.0.1:8787", "localhost:8787", "LOCALHOST", "[::1]:8787", "127.0.0.2"] {
            assert_eq!(code(&local(), "GET", "/v1/status", &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example", "evil.example:8787", "localhost.evil.example", "192.168.1.2:8787", "[::2]:1", ""] {
            assert_eq!(code(&local(), "GET", "/v1/status", &[("host", host)]), Some("wrong_host"), "{host}");
        }
        assert_eq!(code(&local(), "GET", "/", &[]), Some("wrong_host"));
    }

    #[test]
    fn other_pages_change_nothing() {
        let post = |headers: &[(&'static str, &str)]| {
            code(&local(), "POST", "/v1/redemptions", &[&[("host", "localhost:8787")], headers].concat())
        };
        assert_eq!(post(&[]), None);
        assert_eq!(post(&[("origin", "http://localhost:8787"), ("sec-fetch-site", "same-origin")]), None);
        for origin in ["http://evil.example", "null", "http://localhost:9999", "http://localhost"] {
            assert_eq!(post(&[("origin", origin)]), Some("cross_origin"), "{origin}");
        }
        assert_eq!(post(&[("sec-fetch-site", "cross-site")]), Some("cross_origin"));
        assert_eq!(post(&[("sec-fetch-site", "same-site")]), Some("cross_origin"));
    }

    #[test]
    fn with_a_key_everything_under_v1_asks_for_it() {
        let key = "0123456789abcdef";
        let access = Access::new("0.0.0.0:8787".parse().unwrap(), ApiKey::new(key)).unwrap();
        let host = ("host", "till.shop.example:8787");
        assert_eq!(code(&access, "GET", "/v1/status", &[host]), Some("api_key"));
        assert_eq!(code(&access, "GET", "/metrics", &[host]), Some("api_key"));
        assert_eq!(code(&access, "GET", "/scan", &[host]), None);
        assert_eq!(code(&access, "GET", "/healthz", &[host]), None);
        for (given, refused) in [
            ("Bearer 0123456789abcdef", None),
            ("bearer  0123456789abcdef", None),
            ("Bearer 0123456789abcdeg", Some("api_key")),
            ("Basic 0123456789abcdef", Some("api_key")),
            ("0123456789abcdef", Some("api_key")),
        ] {
            assert_eq!(code(&access, "GET", "/v1/status", &[host, ("authorization", given)]), refused, "{given}");
        }
        assert!(!format!("{access:?}").contains(key));
    }

    #[test]
    fn short_or_strange_keys_are_none() {
        assert!(ApiKey::new("0123456789abcde").is_none());
        assert!(ApiKey::new("0123456789abcdef 1").is_none());
        assert!(ApiKey::new(&"a".repeat(257)).is_none());
        assert!(ApiKey::new(&"a".repeat(256)).is_some());
    }

    #[test]
    fn an_open_address_needs_a_key() {
        let open: SocketAddr = "0.0.0.0:8787".parse().unwrap();
        assert_eq!(Access::new(open, None).unwrap_err(), OpenToOthers(open));
        assert!(Access::new("[::1]:1".parse().unwrap(), None).is_ok());
    }
}
