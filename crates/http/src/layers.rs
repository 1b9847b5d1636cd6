//! What every request passes on its way in and out: request id, span and log line, counting, body limit, load shedding,
//! time limit, panic catcher, security headers, and problems for what no route answers.
//!
//! [`wrap`] puts all of it around a finished router. From outside in:
//! 1. the request gets an id (the client's own `X-Request-Id` if it is sane) and a span; the answer is logged once, with the
//!    route's pattern and never the address itself, counted, and given its headers;
//! 2. the body is read whole, within [`Settings::body`] bytes and [`Settings::body_patience`] — before a place is taken, so
//!    that slow senders take none;
//! 3. one of [`Settings::concurrency`] places is taken or the request is turned away at once (the [`UNSHED`] routes need none);
//! 4. the handler has [`Settings::patience`], and a panic in it is a 500 that tells the client nothing.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use uuid::Uuid;

use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::wire::MAX_BODY;

/// Routes (ends of their patterns) that answer however busy the server is.
pub const UNSHED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The Content-Security-Policy of whatever brings none of its own: data, nothing of which is to be run or shown in a frame.
pub const STRICT_CSP: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Header that carries the request's id both ways.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How requests are bounded.
#[derive(Clone)]
pub struct Settings {
    /// Longest body, bytes. Default [`MAX_BODY`].
    pub body: usize,
    /// How long a client may take to send its body. Default 20 s.
    pub body_patience: Duration,
    /// How long a handler may take. Default 30 s.
    pub patience: Duration,
    /// Requests handled at the same time; more are turned away. Default 256.
    pub concurrency: usize,
    /// Whether answers tell browsers to keep to HTTPS: only where this process itself speaks TLS.
    pub hsts: bool,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Makes the id of a request that brought none. Default UUID version 7.
    pub new_id: fn() -> Uuid,
}

impl Settings {
    /// The defaults, counting into `metrics`.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            body: MAX_BODY,
            body_patience: Duration::from_secs(20),
            patience: Duration::from_secs(30),
            concurrency: 256,
            hsts: false,
            metrics,
            new_id: Uuid::now_v7,
        }
    }
}

/// The id of the request being handled, for handlers that want to name it. Taken with `Extension<RequestId>`.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// Puts everything of this module around a finished router. Routes added afterwards are not covered.
pub fn wrap(router: Router, settings: Settings) -> Router {
    let gate = Arc::new(Gate { places: Semaphore::new(settings.concurrency), settings });
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked as fn(Box<dyn Any + Send>) -> Response))
        .layer(from_fn_with_state(gate, pass))
}

/// No route has this address.
pub async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "没有这个地址").detail("请核对网址，接口一览见 openapi.json")
}

/// The route is there but not for this method. axum adds the `Allow` header.
pub async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "这个地址不接受这种请求方法")
        .detail("可用的方法见响应头 Allow")
}

/// What a client is told of any failure inside; the log has the rest.
pub fn internal() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "服务器内部出错")
        .detail("请稍后重试；若仍出错，请把响应头 X-Request-Id 告诉联合会")
}

struct Gate {
    settings: Settings,
    places: Semaphore,
}

async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let metrics = gate.settings.metrics.clone();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let id = request_id(request.headers()).unwrap_or_else(|| (gate.settings.new_id)().to_string().into());
    request.extensions_mut().insert(RequestId(id.clone()));

    let span = tracing::info_span!("request", request = %id, %method, route);
    let in_flight = metrics.enter();
    let mut response = async {
        match bounded(&gate, route, request, next).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        }
    }
    .instrument(span.clone())
    .await;
    drop(in_flight);

    let took = started.elapsed();
    let status = response.status();
    metrics.answered(route, &method, status, took);
    span.in_scope(|| {
        let ms = took.as_micros() as f64 / 1000.0;
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), ms, "answered");
        } else {
            tracing::info!(status = status.as_u16(), ms, "answered");
        }
    });
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID.clone(), id);
    }
    guard(headers, gate.settings.hsts);
    response
}

async fn bounded(gate: &Gate, route: &str, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, mut body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > gate.settings.body as u64) {
        return Err(too_large(gate.settings.body));
    }
    let body = if body.is_end_stream() {
        Body::empty()
    } else {
        match tokio::time::timeout(gate.settings.body_patience, read(&mut body, gate.settings.body)).await {
            Ok(read) => Body::from(read?),
            Err(_) => {
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "请求发送过慢，已放弃")
                    .detail("请检查网络后重发"));
            }
        }
    };
    let _place = if UNSHED.iter().any(|unshed| route.ends_with(unshed)) {
        None
    } else {
        Some(gate.places.try_acquire().map_err(|_| busy("overloaded", "服务器正忙"))?)
    };
    tokio::time::timeout(gate.settings.patience, next.run(Request::from_parts(parts, body)))
        .await
        .map_err(|_| busy("timeout", "处理超时"))
}

/// The whole body, if it has at most `limit` bytes.
async fn read(body: &mut Body, limit: usize) -> Result<Bytes, Problem> {
    let mut first = None;
    let mut rest = Vec::new();
    let mut length = 0;
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
        let frame = frame.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", "请求内容不完整").detail("请检查网络后重发")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > limit {
            return Err(too_large(limit));
        }
        match &first {
            None => first = Some(data),
            Some(_) => rest.extend_from_slice(&data),
        }
    }
    let first = first.unwrap_or_default();
    Ok(if rest.is_empty() { first } else { [&first[..], &rest].concat().into() })
}

fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("请求内容超过上限 {limit} 字节"))
        .detail("请分成几次发送")
}

fn busy(code: &'static str, title: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, title).detail("请稍后重试").retry_after(1)
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = words.unwrap_or("unknown"), "a handler panicked");
    internal().into_response()
}

/// The client's own id, if it is 1 to 64 characters that no log or header minds.
fn request_id(headers: &HeaderMap) -> Option<Arc<str>> {
    let id = headers.get(&REQUEST_ID)?.to_str().ok()?;
    let sane = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    sane.then(|| id.into())
}

/// Headers of every answer; the second half only where the handler set none.
fn guard(headers: &mut HeaderMap, hsts: bool) {
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(), geolocation=()"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.entry(policy).or_insert(HeaderValue::from_static("same-origin"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(STRICT_CSP));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if hsts {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
}
