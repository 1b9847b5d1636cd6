//! `/healthz`, `/readyz`, `/metrics`

use axum::body::Body;
use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use zyz::config::Config;
use zyz::web::{MetricsToken, Options};

use crate::on_both;
use crate::server::{Answer, TestApp, from, request};
use crate::support::Database;

fn a_server_that_works_is_alive_and_ready(database: Database) {
    let app = TestApp::new(database);
    assert_eq!(app.get("/healthz").ok().json()["ok"], true);
    let ready = app.get("/readyz").ok().json();
    let names: Vec<_> =
        ready["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["database", "trust_list", "signing_keys", "bundle"]);
    assert!(ready["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true), "{ready}");
}

fn failing(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    let checks = answer.json()["checks"].as_array().unwrap().clone();
    let failed = checks.iter().filter(|check| check["ok"] == false);
    failed.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_expired_trust_list_is_not_ready() {
    let config = Config::default();
    let days = i64::from(config.trust.trust_list_days);
    let app = TestApp::with(Database::sqlite(), Options::default(), config);
    app.pass(SignedDuration::from_hours(24 * days + 1));
    assert!(failing(&app.get("/readyz")).contains(&"trust_list".to_owned()));
    assert_eq!(app.get("/healthz").status, StatusCode::OK);
}

#[test]
fn a_bundle_that_cannot_be_signed_is_not_ready() {
    let app = TestApp::new(Database::sqlite());
    // Somebody rotates the bundle key, and its file does not come to this machine.
    let access = zyz::service::keys::RootAccess::default();
    let change = app.wait(app.federation.rotate_key(zyz::keystore::Role::Bundle, access)).unwrap();
    std::fs::remove_file(app.path("keys").join(format!("bundle-{}.pem", change.kid))).unwrap();
    let failed = failing(&app.get("/readyz"));
    assert!(failed.contains(&"bundle".to_owned()) && failed.contains(&"signing_keys".to_owned()), "{failed:?}");
    assert!(app.wait(app.web.refresh()).is_err());
}

#[test]
fn while_the_database_is_away_clients_are_told_to_come_back() {
    let app = TestApp::new(Database::postgres());
    app.take_database_away();
    let answer = app.post("/v1/enrolments", &serde_json::json!({"code": "0".repeat(26), "device": "收银台1"}));
    answer.is_problem(503, "database_away");
    assert_eq!(answer.header("retry-after"), "5");
    assert!(failing(&app.get("/readyz")).contains(&"database".to_owned()));
}

fn metrics_for(app: &TestApp, peer: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = request(Method::GET, "/metrics", headers, Body::empty());
    from(&mut request, peer);
    app.send(request)
}

#[test]
fn metrics_are_for_this_machine() {
    let app = TestApp::new(Database::sqlite());
    let text = metrics_for(&app, "127.0.0.1", &[]).ok();
    assert!(text.header("content-type").starts_with("application/openmetrics-text"));
    let text = String::from_utf8(text.body).unwrap();
    for name in ["zyz_http_requests_in_flight 1", "zyz_bundle_version ", "zyz_bundle_expires_timestamp_seconds "] {
        assert!(text.contains(name), "{name}\n{text}");
    }
    metrics_for(&app, "::1", &[]).ok();
    metrics_for(&app, "192.0.2.7", &[]).is_problem(403, "local_only");
    // A reverse proxy on this machine speaks for somebody else, believed or not.
    metrics_for(&app, "127.0.0.1", &[("x-forwarded-for", "192.0.2.7")]).is_problem(403, "local_only");
    metrics_for(&app, "127.0.0.1", &[("x-forwarded-for", "127.0.0.1")]).is_problem(403, "local_only");
}

#[test]
fn metrics_for_whoever_has_the_token() {
    let options = Options { metrics_token: Some(MetricsToken::new("0123456789abcdef")), ..Options::default() };
    let app = TestApp::bounded(options);
    metrics_for(&app, "192.0.2.7", &[("authorization", "Bearer 0123456789abcdef")]).ok();
    metrics_for(&app, "192.0.2.7", &[("authorization", "Bearer wrong")]).is_problem(401, "token_unknown");
    metrics_for(&app, "192.0.2.7", &[]).is_problem(401, "token_missing");
    metrics_for(&app, "127.0.0.1", &[]).ok();
}

on_both![a_server_that_works_is_alive_and_ready];
