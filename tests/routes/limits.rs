//! How much one client may ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;
use zyz::web::{Bounds, Options};
use zyz_http::limit::{Rate, Ticks, TrustedProxies};

use crate::server::{Answer, TestApp, from, request};
use crate::support::Database;

/// Two requests at once and then one a minute, by a clock in the test's hand.
fn tight() -> (Options, Arc<AtomicU64>) {
    let seconds = Arc::new(AtomicU64::new(0));
    let read = seconds.clone();
    let ticks = Ticks::from_fn(move || Duration::from_secs(read.load(Ordering::Relaxed)));
    let rate = Rate::new(1, 2);
    (Options { anonymous: rate, device: rate, enrolment: rate, ticks, ..Options::default() }, seconds)
}

fn from_peer(app: &TestApp, path: &str, peer: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = request(Method::GET, path, headers, Body::empty());
    from(&mut request, peer);
    app.send(request)
}

#[test]
fn an_address_that_asks_too_often_waits() {
    let (options, seconds) = tight();
    let app = TestApp::bounded(options);
    let ask = |peer: &str| from_peer(&app, "/v1/federation", peer, &[]);
    ask("192.0.2.1").ok();
    ask("192.0.2.1").ok();
    let refused = ask("192.0.2.1");
    refused.is_problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "60");
    ask("192.0.2.2").ok();
    seconds.store(60, Ordering::Relaxed);
    ask("192.0.2.1").ok();
    ask("192.0.2.1").is_problem(429, "rate_limited");
}

#[test]
fn behind_a_trusted_proxy_the_clients_are_told_apart() {
    let (options, _) = tight();
    let trusted = TrustedProxies(vec!["loopback".parse().unwrap()]);
    let app = TestApp::bounded(Options { trusted, ..options });
    let ask = |forwarded: &str| from_peer(&app, "/v1/federation", "127.0.0.1", &[("x-forwarded-for", forwarded)]);
    ask("192.0.2.1").ok();
    ask("6.6.6.6, 192.0.2.1").ok();
    ask("7.7.7.7, 192.0.2.1").is_problem(429, "rate_limited");
    ask("192.0.2.2").ok();
}

#[test]
fn an_untrusted_header_changes_nothing() {
    let (options, _) = tight();
    let app = TestApp::bounded(options);
    let ask = |forwarded: &str| from_peer(&app, "/v1/federation", "192.0.2.9", &[("x-forwarded-for", forwarded)]);
    ask("192.0.2.1").ok();
    ask("192.0.2.2").ok();
    ask("192.0.2.3").is_problem(429, "rate_limited");
}

#[test]
fn devices_are_counted_one_by_one_whatever_their_address() {
    let (options, seconds) = tight();
    let app = TestApp::bounded(options);
    let partner = app.partner("小店");
    let (one, two) = (app.device(partner), app.device(partner));
    app.get_as(&one, "/v1/partner").ok();
    app.get_as(&one, "/v1/partner").ok();
    app.get_as(&one, "/v1/partner").is_problem(429, "rate_limited");
    app.get_as(&two, "/v1/partner").ok();
    app.get("/v1/federation").ok();
    seconds.store(60, Ordering::Relaxed);
    app.get_as(&one, "/v1/partner").ok();
}

#[test]
fn bad_tokens_count_against_the_address() {
    let (options, _) = tight();
    let app = TestApp::bounded(options);
    for _ in 0..2 {
        app.get_with("/v1/partner", &[("authorization", "Bearer zyzp_x")]).is_problem(401, "token_malformed");
    }
    app.get_with("/v1/partner", &[("authorization", "Bearer zyzp_x")]).is_problem(429, "rate_limited");
}

#[test]
fn one_time_codes_cannot_be_tried_out() {
    let (options, _) = tight();
    let app = TestApp::bounded(options);
    let enrol = || app.post("/v1/enrolments", &json!({"code": "0".repeat(26), "device": "x"}));
    enrol().is_problem(403, "code_unknown");
    enrol().is_problem(403, "code_unknown");
    enrol().is_problem(429, "rate_limited");
    app.get("/v1/federation").ok();
}

#[test]
fn health_checks_and_the_page_are_not_counted() {
    let (options, _) = tight();
    let app = TestApp::bounded(options);
    for _ in 0..5 {
        for path in ["/healthz", "/readyz", "/metrics", "/scan"] {
            app.get(path).ok();
        }
    }
}

#[test]
fn a_body_over_the_limit() {
    let defaults = Options::default();
    let app = TestApp::bounded(Options { bounds: Bounds { body: 20, ..defaults.bounds }, ..defaults });
    app.post("/v1/verify", &json!({"code": "1"})).ok();
    app.post("/v1/verify", &json!({"code": "1234567890"})).is_problem(413, "too_large");
}

#[test]
fn a_server_without_a_free_place_turns_away_but_says_that_it_lives() {
    let defaults = Options::default();
    let app = TestApp::bounded(Options { bounds: Bounds { concurrency: 0, ..defaults.bounds }, ..defaults });
    let answer = app.get("/v1/federation");
    answer.is_problem(503, "overloaded");
    assert_eq!(answer.header("retry-after"), "1");
    app.get("/healthz").ok();
}

#[test]
fn the_same_answer_below_a_path() {
    let config = zyz::config::Config { public_url: "https://zyz.example.cn/card/".into(), ..Default::default() };
    let app = TestApp::with(Database::sqlite(), Options::default(), config);
    app.get("/card/v1/federation").ok();
    app.get("/v1/federation").ok();
    app.get("/card/").ok();
    app.get("/card/v1/nothing").is_problem(404, "not_found");
    app.get("/cards/v1/federation").is_problem(404, "not_found");
    let bare = app.get("/card");
    assert_eq!((bare.status, bare.header("location")), (StatusCode::PERMANENT_REDIRECT, "/card/"));
}
