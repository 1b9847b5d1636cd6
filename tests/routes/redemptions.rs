//! `/v1/redemptions`

use serde_json::{Value, json};
use zyz::domain::certificate::Reason;

use crate::on_both;
use crate::server::TestApp;
use crate::support::Database;

/// A UUID of version 7.
fn id(n: u32) -> String {
    format!("019abc00-0000-7000-8000-{n:012x}")
}

/// A use of `offer` by the first card, now.
fn use_of(app: &TestApp, offer: &str, n: u32) -> Value {
    let text = app.text(app.numbers()[0]);
    let card = app.post("/v1/verify", &json!({ "code": text })).ok().json()["certificate"].clone();
    json!({
        "id": id(n), "offer": offer, "number": card["number"], "key_id": card["key_id"], "issued_at": card["issued_at"],
        "redeemed_at": app.now().to_string(), "bundle_version": 1,
    })
}

fn a_batch_is_taken_once(database: Database) {
    let app = TestApp::with_cards(database, 1);
    let partner = app.partner("小店");
    let offer = app.offer(partner, "全场九折");
    let device = app.device(partner);
    let given = use_of(&app, &offer, 1);
    let back = json!({"id": id(2), "redemption": id(1), "reversed_at": app.now().to_string()});
    let batch = json!({"redemptions": [given], "reversals": [back]});
    let first = app.post_as(&device, "/v1/redemptions", &batch).ok().json();
    let expected = json!([{"id": id(1), "outcome": "recorded", "standing": "valid", "over_limit": false}]);
    assert_eq!(first["redemptions"], expected);
    assert_eq!(first["reversals"], json!([{"id": id(2), "outcome": "recorded"}]));
    let again = app.post_as(&device, "/v1/redemptions", &batch).ok().json();
    assert_eq!(again["redemptions"][0]["outcome"], "repeated");
    assert_eq!(again["reversals"][0]["outcome"], "repeated");
    let usage = app.wait(app.federation.partner_usage(partner, None, None)).unwrap();
    assert_eq!((usage.total.uses, usage.total.reversed), (0, 1));
}

fn what_was_given_on_a_revoked_card_is_recorded_as_such(database: Database) {
    let app = TestApp::with_cards(database, 1);
    let partner = app.partner("小店");
    let offer = app.offer(partner, "全场九折");
    let device = app.device(partner);
    let given = use_of(&app, &offer, 1);
    app.wait(app.federation.revoke(app.numbers()[0], Reason::Exit)).unwrap();
    app.wait(app.federation.end_partner(partner, None, "协议到期")).unwrap();
    let mut late = given.clone();
    app.pass(jiff::SignedDuration::from_hours(1));
    late["id"] = json!(id(2));
    late["redeemed_at"] = json!(app.now().to_string());
    let result = app.post_as(&device, "/v1/redemptions", &json!({"redemptions": [given, late]})).ok().json();
    assert_eq!(result["redemptions"][1]["outcome"], "recorded");
    assert_eq!(result["redemptions"][1]["standing"], "revoked");
}

#[test]
fn entries_that_are_no_good_are_named_in_the_answer() {
    let app = TestApp::with_cards(Database::sqlite(), 1);
    let partner = app.partner("小店");
    let offer = app.offer(partner, "全场九折");
    let device = app.device(partner);
    let mut wrong = use_of(&app, &offer, 1);
    wrong["id"] = json!("019abc00-0000-4000-8000-000000000001");
    let result = app.post_as(&device, "/v1/redemptions", &json!({"redemptions": [wrong]})).ok().json();
    assert_eq!(result["redemptions"][0]["outcome"], "refused", "{result}");
}

#[test]
fn a_whole_number_may_be_written_with_a_point() {
    let app = TestApp::with_cards(Database::sqlite(), 1);
    let partner = app.partner("小店");
    let offer = app.offer(partner, "全场九折");
    let device = app.device(partner);
    let send = |n: u32, version: Value| {
        let mut given = use_of(&app, &offer, n);
        given["bundle_version"] = version;
        app.post_as(&device, "/v1/redemptions", &json!({"redemptions": [given]}))
    };
    send(1, json!(7.0)).ok();
    for wrong in [json!(7.5), json!(-1), json!(1e300), json!(u64::MAX), json!("7")] {
        send(2, wrong).is_problem(422, "wrong_value");
    }
}

#[test]
fn what_is_no_batch() {
    let app = TestApp::with_cards(Database::sqlite(), 1);
    let device = app.device(app.partner("小店"));
    let send = |batch: Value| app.post_as(&device, "/v1/redemptions", &batch);
    send(json!({"redemption": []})).is_problem(422, "unknown_field");
    send(json!({"redemptions": [{"id": "x"}]})).is_problem(422, "wrong_value");
    let mut long = use_of(&app, "1", 1);
    long["offer"] = json!("x".repeat(65));
    send(json!({"redemptions": [long]})).is_problem(422, "too_long");
    let reversal = |n| json!({"id": id(n), "redemption": id(0), "reversed_at": "2026-11-23T08:00:00Z"});
    let many: Vec<_> = (0..501).map(reversal).collect();
    send(json!({ "reversals": many })).is_problem(422, "too_long");
    let most: Vec<_> = (0..500).map(reversal).collect();
    send(json!({ "reversals": most })).ok();
}

on_both![a_batch_is_taken_once, what_was_given_on_a_revoked_card_is_recorded_as_such];
