//! What every request passes, shown on a small router.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::Notify;
use tower::ServiceExt;
use zyz_http::json::Json;
use zyz_http::layers::{Settings, wrap};
use zyz_http::metrics::Metrics;
use zyz_http::wire::VerifyRequest;

fn settings() -> Settings {
    Settings::new(Arc::new(Metrics::default()))
}

async fn hello() -> &'static str {
    "hello"
}

async fn echo(Json(request): Json<VerifyRequest>) -> String {
    request.code
}

async fn panics() -> &'static str {
    panic!("the secret reason")
}

async fn never() -> &'static str {
    std::future::pending().await
}

fn router() -> Router {
    Router::new()
        .route("/hello/{name}", get(hello))
        .route("/echo", post(echo))
        .route("/panics", get(panics))
        .route("/never", get(never))
        .route("/healthz", get(hello))
}

async fn send(router: Router, request: Request<Body>) -> Response<Body> {
    router.oneshot(request).await.unwrap()
}

fn request(method: Method, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

async fn problem(response: Response<Body>) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.unwrap()).unwrap();
    assert_eq!(body["status"], status);
    body
}

fn post_json(body: impl Into<Body>) -> Request<Body> {
    let builder = Request::builder().method(Method::POST).uri("/echo").header("content-type", "application/json");
    builder.body(body.into()).unwrap()
}

#[tokio::test]
async fn an_answer_carries_id_and_security_headers() {
    let response = send(wrap(router(), settings()), request(Method::GET, "/hello/a")).await;
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers();
    assert_eq!(uuid::Uuid::parse_str(headers["x-request-id"].to_str().unwrap()).unwrap().get_version_num(), 7);
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    assert!(headers["permissions-policy"].to_str().unwrap().starts_with("camera=(self)"));
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!(headers["cache-control"], "no-store");
    assert!(!headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn https_is_pinned_only_where_asked() {
    let settings = Settings { hsts: true, ..settings() };
    let response = send(wrap(router(), settings), request(Method::GET, "/hello/a")).await;
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_another_replaced() {
    for (sent, kept) in [("abc-1.2_3", true), ("a b", false), ("<x>", false), ("", false)] {
        let mut request = request(Method::GET, "/hello/a");
        request.headers_mut().insert("x-request-id", sent.parse().unwrap());
        let response = send(wrap(router(), settings()), request).await;
        assert_eq!(response.headers()["x-request-id"] == sent, kept, "{sent}");
    }
    let mut long = request(Method::GET, "/hello/a");
    long.headers_mut().insert("x-request-id", "a".repeat(65).parse().unwrap());
    assert_eq!(send(wrap(router(), settings()), long).await.headers()["x-request-id"].len(), 36);
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let response = send(wrap(router(), settings()), request(Method::GET, "/panics")).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = problem(response).await;
    assert_eq!(body["code"], "internal");
    assert!(!body.to_string().contains("secret"));
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_given_up() {
    let settings = Settings { patience: Duration::ZERO, ..settings() };
    let response = send(wrap(router(), settings), request(Method::GET, "/never")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem(response).await["code"], "timeout");
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let response = send(wrap(router(), settings()), request(Method::GET, "/nowhere")).await;
    assert_eq!(
        (response.status(), problem(response).await["code"].clone()),
        (StatusCode::NOT_FOUND, "not_found".into())
    );
    let response = send(wrap(router(), settings()), request(Method::DELETE, "/echo")).await;
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(problem(response).await["code"], "method_not_allowed");
}

#[tokio::test]
async fn a_body_within_the_limit_is_passed_on() {
    let settings = Settings { body: 20, ..settings() };
    let response = send(wrap(router(), settings), post_json(r#"{"code":"12345678"}"#)).await;
    assert_eq!(to_bytes(response.into_body(), 100).await.unwrap(), "12345678");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let small = || Settings { body: 18, ..settings() };
    let response = send(wrap(router(), small()), post_json(r#"{"code":"12345678"}"#)).await;
    assert_eq!(problem(response).await["code"], "too_large");
    let mut announced = post_json("");
    announced.headers_mut().insert("content-length", "19".parse().unwrap());
    let response = send(wrap(router(), small()), announced).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

/// A body that never ends, or never comes.
struct Drip(Option<&'static [u8]>);

impl axum::body::HttpBody for Drip {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        match self.0 {
            Some(chunk) => std::task::Poll::Ready(Some(Ok(http_body::Frame::data(chunk.into())))),
            None => std::task::Poll::Pending,
        }
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_off_at_the_limit() {
    let response = send(wrap(router(), settings()), post_json(Body::new(Drip(Some(b"0123456789"))))).await;
    assert_eq!(problem(response).await["code"], "too_large");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let settings = Settings { body_patience: Duration::ZERO, ..settings() };
    let response = send(wrap(router(), settings), post_json(Body::new(Drip(None)))).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(problem(response).await["code"], "request_timeout");
}

#[tokio::test]
async fn more_than_fit_are_turned_away_but_not_health_checks() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, left) = (entered.clone(), leave.clone());
    let slow = move || async move {
        enter.notify_one();
        left.notified().await;
        "done"
    };
    let app = wrap(router().route("/slow", get(slow)), Settings { concurrency: 1, ..settings() });
    let first = tokio::spawn(send(app.clone(), request(Method::GET, "/slow")));
    entered.notified().await;
    let second = send(app.clone(), request(Method::GET, "/hello/a")).await;
    assert_eq!(second.headers()["retry-after"], "1");
    assert_eq!(problem(second).await["code"], "overloaded");
    assert_eq!(send(app.clone(), request(Method::GET, "/healthz")).await.status(), StatusCode::OK);
    leave.notify_one();
    assert_eq!(first.await.unwrap().status(), StatusCode::OK);
    assert_eq!(send(app, request(Method::GET, "/hello/a")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_never_by_address() {
    let metrics = Arc::new(Metrics::default());
    let app = wrap(router(), Settings::new(metrics.clone()));
    for path in ["/hello/zhang", "/hello/li", "/nowhere/wang"] {
        send(app.clone(), request(Method::GET, path)).await;
    }
    let root = zyz_credential::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    let trust = zyz_credential::TrustState::new(&root).unwrap();
    metrics.judged(&zyz_credential::judge("no card", &trust, 0, None));
    let text = to_bytes(metrics.response().into_body(), 1 << 20).await.unwrap();
    let text = std::str::from_utf8(&text).unwrap();
    for line in [
        r#"zyz_http_requests_total{route="/hello/{name}",method="GET",status="2xx"} 2"#,
        r#"zyz_http_requests_total{route="unmatched",method="GET",status="4xx"} 1"#,
        r#"zyz_http_request_duration_seconds_count{route="/hello/{name}"} 2"#,
        r#"zyz_http_requests_in_flight 0"#,
        r#"zyz_verdicts_total{verdict="reject",reason="malformed"} 1"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("zhang") && !text.contains("wang"));
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let request = Request::builder().method(Method::POST).uri("/echo").body(Body::from("code=1")).unwrap();
    let response = send(wrap(router(), settings()), request).await;
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(problem(response).await["code"], "unsupported_media_type");
}
