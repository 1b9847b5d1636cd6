//! `/v1/enrolments`, `/v1/partner`

use axum::http::StatusCode;
use jiff::SignedDuration;
use serde_json::json;

use crate::on_both;
use crate::server::TestApp;
use crate::support::Database;

fn a_code_makes_one_device(database: Database) {
    let app = TestApp::new(database);
    let partner = app.partner("小店");
    let request = json!({"code": app.code(partner), "device": "收银台1"});
    let answer = app.post("/v1/enrolments", &request);
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.header("cache-control"), "no-store");
    let enrolment = answer.json();
    assert!(enrolment["token"].as_str().unwrap().starts_with("zyzp_"));
    assert_eq!(enrolment["partner"], json!({"id": partner.to_string(), "name": "小店"}));
    let about = app.get("/v1/federation").ok().json();
    assert_eq!(enrolment["root_public_key"], about["root_public_key"]);

    let bearer = format!("Bearer {}", enrolment["token"].as_str().unwrap());
    let own = app.get_with("/v1/partner", &[("authorization", &bearer)]).ok();
    assert_eq!(own.json(), enrolment["partner"]);
    app.post("/v1/enrolments", &request).is_problem(410, "code_used");
}

fn codes_that_are_no_good(database: Database) {
    let app = TestApp::new(database);
    let partner = app.partner("小店");
    let (late, ended) = (app.code(partner), app.code(partner));
    let enrol = |code: &str, device: &str| app.post("/v1/enrolments", &json!({"code": code, "device": device}));
    enrol("", "收银台1").is_problem(403, "code_unknown");
    enrol("00000000000000000000000000", "收银台1").is_problem(403, "code_unknown");
    enrol(&late, "").is_problem(422, "bad_device_name");
    enrol(&late, "两\n行").is_problem(422, "bad_device_name");
    enrol(&late, &"台".repeat(41)).is_problem(422, "too_long");
    app.wait(app.federation.end_partner(partner, None, "协议到期")).unwrap();
    enrol(&ended, "收银台1").is_problem(403, "agreement_ended");
    app.pass(SignedDuration::from_hours(24 * 8));
    enrol(&late, "收银台1").is_problem(410, "code_expired");
}

on_both![a_code_makes_one_device, codes_that_are_no_good];
