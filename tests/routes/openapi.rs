//! `/openapi.json`, held against what the server does.

use serde_json::{Value, json};
use zyz::web::router::{Access, ROUTES};

use crate::server::TestApp;
use crate::support::Database;

#[test]
fn every_route_is_described_with_its_problems_and_who_may_call() {
    let app = TestApp::new(Database::sqlite());
    let document = app.get("/openapi.json").ok().json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{}", route.path);
        let responses = operation["responses"].as_object().unwrap();
        let partner = matches!(route.access, Access::Partner | Access::PartnerEvenEnded);
        assert_eq!(operation["security"] == json!([{"device": []}]), partner, "{}", route.path);
        assert_eq!(
            responses.contains_key("401"),
            partner || matches!(route.access, Access::AnybodyOrPartner | Access::Operator)
        );
        for (status, response) in responses {
            if status.starts_with(['4', '5']) && !(route.path == "/readyz" && status == "503") {
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{} {status}", route.path);
            }
        }
    }
    assert_eq!(document["components"]["securitySchemes"]["device"]["scheme"], "bearer");
}

#[test]
fn every_reference_leads_somewhere() {
    let app = TestApp::new(Database::sqlite());
    let document = app.get("/openapi.json").ok().json();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                found.push(reference.clone());
            }
            map.values().for_each(|value| collect(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[test]
fn a_verdict_has_the_fields_that_are_described() {
    let app = TestApp::with_cards(Database::sqlite(), 1);
    let partner = app.partner("小店");
    app.offer(partner, "全场九折");
    let device = app.device(partner);
    let document = app.get("/openapi.json").ok().json();
    let code = app.text(app.numbers()[0]);
    let verdict = app.post_as(&device, "/v1/verify", &json!({ "code": code })).ok().json();
    for (schema, value) in [
        ("Verdict", &verdict),
        ("Certificate", &verdict["certificate"]),
        ("StatusAge", &verdict["status"]),
        ("OfferVerdict", &verdict["offers"][0]),
    ] {
        let schema = &document["components"]["schemas"][schema];
        for field in value.as_object().unwrap().keys() {
            assert!(schema["properties"][field].is_object(), "{field} is not described");
        }
        for field in schema["required"].as_array().unwrap() {
            assert!(value[field.as_str().unwrap()] != Value::Null, "{field} is not there");
        }
    }
}
