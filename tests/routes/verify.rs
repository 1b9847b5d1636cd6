//! `/v1/verify`

use axum::body::Body;
use axum::http::Method;
use jiff::SignedDuration;
use serde_json::json;
use zyz::domain::certificate::Reason;

use crate::on_both;
use crate::server::{TestApp, request};
use crate::support::Database;

fn good_and_bad_codes_are_judged(database: Database) {
    let app = TestApp::with_cards(database, 3);
    let numbers = app.numbers();
    let texts: Vec<_> = numbers.iter().map(|number| app.text(*number)).collect();
    app.wait(app.federation.revoke(numbers[1], Reason::Exit)).unwrap();
    app.wait(app.federation.suspend(numbers[2], Reason::Misuse)).unwrap();
    let reason = |code: &str| {
        let verdict = app.post("/v1/verify", &json!({ "code": code })).ok().json();
        (verdict["verdict"].as_str().unwrap().to_owned(), verdict["reason"].as_str().unwrap().to_owned())
    };
    let is = |outcome: &str, why: &str| (outcome.to_owned(), why.to_owned());
    assert_eq!(reason(&texts[0]), is("accept", "ok"));
    assert_eq!(reason(&texts[1]), is("reject", "revoked"));
    assert_eq!(reason(&texts[2]), is("reject", "suspended"));
    for nonsense in ["", "https://zyz.example.cn/", "hello", "0", "#", "12345678901234567"] {
        assert_eq!(reason(nonsense), is("reject", "malformed"), "{nonsense}");
    }
    app.pass(SignedDuration::from_hours(24 * 365 * 2));
    assert_eq!(reason(&texts[0]), is("reject", "expired"));
}

#[test]
fn a_stranger_sees_no_offers_and_a_partner_its_own() {
    let app = TestApp::with_cards(Database::sqlite(), 1);
    let (one, two) = (app.partner("面馆"), app.partner("药店"));
    let offer = app.offer(one, "面条九折");
    app.offer(two, "免费量血压");
    let device = app.device(one);
    let code = json!({ "code": app.text(app.numbers()[0]) });
    let public = app.post("/v1/verify", &code).ok().json();
    assert_eq!(public["offers"], json!([]));
    assert_eq!(public["holder_check"], "请核对持证人与证件姓名、照片是否一致");
    assert_eq!(public["certificate"]["number"], app.numbers()[0].as_str());
    let own = app.post_as(&device, "/v1/verify", &code).ok().json();
    let offers = own["offers"].as_array().unwrap();
    assert_eq!(offers.len(), 1);
    assert_eq!((&offers[0]["id"], &offers[0]["eligible"]), (&json!(offer), &json!(true)));
}

#[test]
fn what_is_no_request() {
    let app = TestApp::new(Database::sqlite());
    for (body, status, code) in [
        ("", 400, "not_json"),
        ("{", 400, "not_json"),
        ("{}", 422, "missing_field"),
        (r#"{"code":1}"#, 422, "wrong_value"),
        (r#"{"code":"1","number":"2"}"#, 422, "unknown_field"),
        (r#"{"code":"1","code":"2"}"#, 422, "duplicate_field"),
    ] {
        let json = [("content-type", "application/json")];
        app.send(request(Method::POST, "/v1/verify", &json, body.into())).is_problem(status, code);
    }
    app.post("/v1/verify", &json!({"code": "1".repeat(4097)})).is_problem(422, "too_long");
    app.post("/v1/verify", &json!({"code": "1".repeat(4096)})).ok();
    app.post("/v1/verify", &json!({"code": "1".repeat(300_000)})).is_problem(413, "too_large");
    app.send(request(Method::POST, "/v1/verify", &[], Body::from("code=1"))).is_problem(415, "unsupported_media_type");
    let answer = app.get("/v1/verify");
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST");
}

#[test]
fn verdicts_are_counted_by_reason_and_no_code_is_kept_anywhere() {
    let app = TestApp::with_cards(Database::sqlite(), 1);
    let text = app.text(app.numbers()[0]);
    app.post("/v1/verify", &json!({ "code": text })).ok();
    app.post("/v1/verify", &json!({ "code": "x" })).ok();
    let metrics = String::from_utf8(app.get("/metrics").ok().body).unwrap();
    assert!(metrics.contains(r#"zyz_verdicts_total{verdict="accept",reason="ok"} 1"#), "{metrics}");
    assert!(metrics.contains(r#"zyz_verdicts_total{verdict="reject",reason="malformed"} 1"#));
    assert!(!metrics.contains(app.numbers()[0].as_str()));
}

#[test]
fn the_answer_is_not_to_be_kept() {
    let app = TestApp::new(Database::sqlite());
    let answer = app.post("/v1/verify", &json!({"code": "x"})).ok();
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

on_both![good_and_bad_codes_are_judged];
