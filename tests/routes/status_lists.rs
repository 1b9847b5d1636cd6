//! `/status-lists/{kid}`

use axum::body::Body;
use axum::http::{Method, StatusCode};
use jiff::SignedDuration;

use crate::on_both;
use crate::server::{TestApp, request};
use crate::support::Database;

fn kid(app: &TestApp) -> String {
    let keys = app.wait(app.federation.keys()).unwrap();
    keys.into_iter().find(|key| key.role == "issuing").unwrap().kid
}

fn both_forms_are_served(database: Database) {
    let app = TestApp::new(database);
    let path = format!("/status-lists/{}", kid(&app));
    for (accept, kind) in [
        ("", "application/statuslist+jwt"),
        ("*/*", "application/statuslist+jwt"),
        ("application/statuslist+jwt", "application/statuslist+jwt"),
        ("application/statuslist+cwt", "application/statuslist+cwt"),
        ("application/statuslist+cwt;q=0.9, application/statuslist+jwt;q=0.8", "application/statuslist+cwt"),
        ("application/statuslist+jwt;q=0, */*", "application/statuslist+cwt"),
    ] {
        let answer = app.get_with(&path, &[("accept", accept)]).ok();
        assert_eq!(answer.header("content-type"), kind, "{accept}");
        assert_eq!(answer.header("vary"), "accept");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        if kind.ends_with("jwt") {
            assert_eq!(answer.body.split(|byte| *byte == b'.').count(), 3);
        } else {
            assert_eq!(answer.body[0], 0xd2, "a tagged COSE_Sign1");
        }
    }
}

#[test]
fn neither_form() {
    let app = TestApp::new(Database::sqlite());
    let answer = app.get_with(&format!("/status-lists/{}", kid(&app)), &[("accept", "text/html")]);
    answer.is_problem(406, "not_acceptable");
    assert_eq!(answer.header("vary"), "accept");
}

#[test]
fn no_such_list() {
    let app = TestApp::new(Database::sqlite());
    for unknown in ["00000000", "1", "zzzzzzzz", "0000000000", "ABCDEF01", "%00%00", "..%2f.."] {
        app.get(&format!("/status-lists/{unknown}")).is_problem(404, "unknown_list");
    }
    app.get("/status-lists/").is_problem(404, "not_found");
}

#[test]
fn copies_are_kept_no_longer_than_the_token_says() {
    let app = TestApp::new(Database::sqlite());
    let path = format!("/status-lists/{}", kid(&app));
    let first = app.get(&path).ok();
    assert_eq!(first.header("cache-control"), "public, max-age=43200");
    let again = app.get_with(&path, &[("if-none-match", first.header("etag"))]);
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let other =
        app.get_with(&path, &[("if-none-match", first.header("etag")), ("accept", "application/statuslist+cwt")]);
    assert_eq!(other.status, StatusCode::OK, "another form is another body");
    app.pass(SignedDuration::from_hours(24 * 8));
    let later = app.get(&path).ok();
    assert_ne!(later.body, first.body, "signed anew before it expires");
}

#[test]
fn head() {
    let app = TestApp::new(Database::sqlite());
    let path = format!("/status-lists/{}", kid(&app));
    let head = app.send(request(Method::HEAD, &path, &[], Body::empty())).ok();
    assert!(head.body.is_empty() && !head.header("etag").is_empty());
}

on_both![both_forms_are_served];
