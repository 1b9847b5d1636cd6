//! Asking the federation's server: blocking, bounded in size and time, redirects not followed.
//!
//! Nothing received is believed here. A bundle goes to [`zyz_credential::TrustState::accept`] byte by byte; what JSON says
//! is only used to name things for people and to strike entries off the queue.

use std::io::Read;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ureq::http::{Response, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};
use zyz_http::wire::{BatchResult, Enrolment, EnrolmentRequest, FederationInfo, RedemptionBatch};

use crate::check::MAX_BUNDLE_BYTES;
use crate::link::ServerUrl;

/// Longest answer that is no bundle, bytes.
const MAX_JSON_BYTES: u64 = 1024 * 1024;
/// Longest `ETag` kept, bytes.
const MAX_ETAG_BYTES: usize = 256;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For a whole request; a bundle of some tens of kilobytes passes a bad line in it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The federation's server, as this device sees it.
#[derive(Debug, Clone)]
pub struct Federation {
    agent: Agent,
    server: ServerUrl,
}

/// An answer with the time at which the server said it was given.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// The `Date` header: not signed, good enough to notice a wrong clock.
    pub date: Option<Timestamp>,
}

/// What came of asking for a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Still the one whose `ETag` was named.
    Unchanged,
    /// Another one, not yet looked at.
    Bundle {
        /// Its bytes.
        bytes: Vec<u8>,
        /// To be named the next time.
        etag: Option<String>,
    },
}

/// Which bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience<'a> {
    /// This partner's, with its offers; the token.
    Partner(&'a str),
    /// Everybody's, without offers.
    Public,
}

/// Why the federation's server gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection: no network, wrong address, server down.
    #[error("连不上联合会的服务器（{0}）。请检查网络")]
    Unreachable(String),
    /// It took longer than is waited.
    #[error("联合会的服务器没有及时应答。请检查网络，稍后会自动重试")]
    Timeout,
    /// The certificate is not good, or the line is tampered with.
    #[error("与联合会服务器的加密连接不可信（{0}）。请检查本机日期和网络；仍是这样，请联系联合会")]
    Tls(String),
    /// The answer broke off.
    #[error("下载中断，只收到一部分数据。稍后会自动重试")]
    Incomplete,
    /// Longer than such an answer can be.
    #[error("服务器的应答大得不合理，没有采用。请联系联合会")]
    TooLarge,
    /// The server sends elsewhere, which is not followed.
    #[error("服务器要求转到别的地址，没有跟随。可能接入了需要登录的网络，请检查网络")]
    Redirect,
    /// 401: the token is not (or no longer) good.
    #[error("令牌已停用，请联系联合会重新登记")]
    TokenRevoked,
    /// 403 `agreement_ended`.
    #[error("与联合会的协议已经结束，不再提供优惠项目。有疑问请联系联合会")]
    AgreementEnded,
    /// Another refusal, with its name and words.
    #[error("服务器没有接受（{status} {code}）：{title}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Name of the problem, if it said one.
        code: String,
        /// Its words.
        title: String,
    },
    /// 5xx.
    #[error("联合会的服务器暂时不可用（{0}）。稍后会自动重试")]
    Unavailable(u16),
    /// Not what was asked for: a login page, another program.
    #[error("服务器的应答不是所要的内容（{0}）。可能接入了需要登录的网络，请检查网络")]
    Unexpected(&'static str),
}

/// Why the certificates of `--ca-file` cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("证书文件里没有可用的证书（应为 PEM 格式）。请检查 --ca-file")]
pub struct NoCertificate;

impl Federation {
    /// Asks `server`; `ca` are certificates (PEM) to believe instead of the world's usual ones.
    ///
    /// # Errors
    /// [`NoCertificate`].
    pub fn new(server: ServerUrl, ca: Option<&[u8]>) -> Result<Self, NoCertificate> {
        let roots = match ca {
            Some(pem) => RootCerts::new_with_certs(&certificates(pem)?),
            None => RootCerts::WebPki,
        };
        let config = Agent::config_builder();
        // A proxy of the shop's network does not lead to this machine.
        let config = if server.is_loopback() { config.proxy(None) } else { config };
        let config = config
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .max_idle_connections(1)
            .max_response_header_size(32 * 1024)
            .user_agent(concat!("zyz-verify/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build());
        Ok(Self { agent: config.build().new_agent(), server })
    }

    /// Exchanges the link's one-time code for a token.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn enrol(&self, request: &EnrolmentRequest) -> Result<Answer<Enrolment>, ClientError> {
        self.post("v1/enrolments", None, request)
    }

    /// Who the federation says it is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn info(&self) -> Result<Answer<FederationInfo>, ClientError> {
        let request = self.agent.get(self.server.join("v1/federation"));
        json(answered(request.call())?)
    }

    /// Asks for a bundle, unless it is still the one named by `etag`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn bundle(&self, audience: Audience<'_>, etag: Option<&str>) -> Result<Answer<Fetched>, ClientError> {
        let (path, token) = match audience {
            Audience::Partner(token) => ("v1/partner/bundle", Some(token)),
            Audience::Public => ("v1/bundle", None),
        };
        let mut request = self.agent.get(self.server.join(path)).header(header::ACCEPT, "application/cose");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = answered(request.call())?;
        let date = date(&response);
        match response.status().as_u16() {
            304 if etag.is_some() => Ok(Answer { value: Fetched::Unchanged, date }),
            200 => {
                let etag = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
                let etag = etag.filter(|etag| etag.len() <= MAX_ETAG_BYTES).map(str::to_owned);
                let bytes = body(response, MAX_BUNDLE_BYTES)?;
                Ok(Answer { value: Fetched::Bundle { bytes, etag }, date })
            }
            _ => Err(refusal(response)),
        }
    }

    /// Sends a batch of uses and reversals.
    ///
    /// # Errors
    /// [`ClientError`]: then nothing is known of the batch, and it may be sent again.
    pub fn send(&self, token: &str, batch: &RedemptionBatch) -> Result<Answer<BatchResult>, ClientError> {
        self.post("v1/redemptions", Some(token), batch)
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        token: Option<&str>,
        body: &impl serde::Serialize,
    ) -> Result<Answer<T>, ClientError> {
        let body = serde_json::to_vec(body).map_err(|_| ClientError::Unexpected("无法编码"))?;
        let mut request = self.agent.post(self.server.join(path)).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        json(answered(request.send(&body))?)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, NoCertificate> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| NoCertificate)? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(NoCertificate) } else { Ok(found) }
}

fn json<T: DeserializeOwned>(response: Response<Body>) -> Result<Answer<T>, ClientError> {
    let date = date(&response);
    if !response.status().is_success() {
        return Err(refusal(response));
    }
    let bytes = body(response, MAX_JSON_BYTES)?;
    let value = serde_json::from_slice(&bytes).map_err(|_| ClientError::Unexpected("不是约定的 JSON"))?;
    Ok(Answer { value, date })
}

fn body(response: Response<Body>, limit: u64) -> Result<Vec<u8>, ClientError> {
    if response.body().content_length().is_some_and(|length| length > limit) {
        return Err(ClientError::TooLarge);
    }
    let mut bytes = Vec::new();
    let mut reader = response.into_body().into_with_config().limit(limit + 2).reader().take(limit + 1);
    reader.read_to_end(&mut bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::TimedOut => ClientError::Timeout,
        _ => ClientError::Incomplete,
    })?;
    if bytes.len() as u64 > limit { Err(ClientError::TooLarge) } else { Ok(bytes) }
}

fn date(response: &Response<Body>) -> Option<Timestamp> {
    let text = response.headers().get(header::DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date)
}

fn answered(result: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, ClientError> {
    result.map_err(|error| match error {
        ureq::Error::Timeout(_) => ClientError::Timeout,
        ureq::Error::Rustls(error) => ClientError::Tls(error.to_string()),
        ureq::Error::Tls(text) => ClientError::Tls(text.to_owned()),
        ureq::Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            ClientError::Tls(error.to_string())
        }
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => ClientError::Incomplete,
        ureq::Error::LargeResponseHeader(..) => ClientError::TooLarge,
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => ClientError::Unexpected("不是 HTTP"),
        other => ClientError::Unreachable(other.to_string()),
    })
}

/// What an answer without success says.
fn refusal(response: Response<Body>) -> ClientError {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Problem {
        code: String,
        title: String,
    }
    let status = response.status().as_u16();
    if (300..400).contains(&status) {
        return ClientError::Redirect;
    }
    let bytes = body(response, MAX_JSON_BYTES).unwrap_or_default();
    let Problem { code, title } = serde_json::from_slice(&bytes).unwrap_or_default();
    match (status, code.as_str()) {
        (401, _) => ClientError::TokenRevoked,
        (403, "agreement_ended") => ClientError::AgreementEnded,
        (500.., _) => ClientError::Unavailable(status),
        _ => ClientError::Refused { status, code: shown(&code, 40), title: shown(&title, 200) },
    }
}

/// A stranger's words, made harmless for a terminal and a log.
fn shown(text: &str, most: usize) -> String {
    text.chars().filter(|character| !character.is_control()).take(most).collect()
}
