//! `/v1/lookup`

use serde_json::json;
use zyz::domain::certificate::Reason;
use zyz_credential::CertificateNumber;

use crate::on_both;
use crate::server::TestApp;
use crate::support::Database;

fn numbers_are_looked_up(database: Database) {
    let app = TestApp::with_cards(database, 2);
    let device = app.device(app.partner("小店"));
    let (gone, stays) = (app.numbers()[0], app.numbers()[1]);
    app.wait(app.federation.revoke(gone, Reason::Exit)).unwrap();
    let ask = |number: &str| app.post_as(&device, "/v1/lookup", &json!({ "number": number })).ok().json();
    let good = ask(stays.as_str());
    assert_eq!(
        (&good["standing"], &good["number"], &good["star"]),
        (&json!("valid"), &json!(stays.as_str()), &json!(0))
    );
    assert!(good["holder"].as_str().unwrap().contains('*'), "{good}");
    assert_eq!(ask(gone.as_str())["standing"], "revoked");
    let grouped = stays.as_str();
    assert_eq!(ask(&format!("{} {} {}", &grouped[..2], &grouped[2..9], &grouped[9..]))["standing"], "valid");
    let unknown = ask(CertificateNumber::from_parts(2, 9_999_999).unwrap().as_str());
    assert_eq!((&unknown["standing"], &unknown["star"]), (&json!("unknown"), &json!(null)), "{unknown}");
}

#[test]
fn a_wrong_check_digit_is_refused_before_any_look() {
    let app = TestApp::new(Database::sqlite());
    let device = app.device(app.partner("小店"));
    for wrong in ["0200012348", "", "abc", "02000123490"] {
        app.post_as(&device, "/v1/lookup", &json!({ "number": wrong })).is_problem(404, "bad_number");
    }
    app.post_as(&device, "/v1/lookup", &json!({"number": "0".repeat(21)})).is_problem(422, "too_long");
    app.post_as(&device, "/v1/lookup", &json!({})).is_problem(422, "missing_field");
}

on_both![numbers_are_looked_up];
