//! Who may call what: the whole table, walked.

use axum::body::Body;
use axum::http::Method;
use jiff::SignedDuration;
use zyz::web::router::{Access, ROUTES, Route};

use crate::on_both;
use crate::server::{Answer, TestApp, request};
use crate::support::Database;

/// Calls a route with this `Authorization`, with a body that is at least JSON.
fn call(app: &TestApp, route: &Route, authorization: Option<&str>) -> Answer {
    let path = route.path.replace("{kid}", "00000000");
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    let body = if route.method == "POST" { "{}" } else { "" };
    let method: Method = route.method.parse().unwrap();
    app.send(request(method, &path, &headers, Body::from(body)))
}

fn for_partners() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| matches!(route.access, Access::Partner | Access::PartnerEvenEnded))
}

fn takes_tokens() -> impl Iterator<Item = &'static Route> {
    for_partners().chain(ROUTES.iter().filter(|route| route.access == Access::AnybodyOrPartner))
}

#[test]
fn the_table_is_the_contract() {
    use Access::*;
    let table: Vec<_> = ROUTES.iter().map(|route| (route.method, route.path, route.access)).collect();
    let contract = [
        ("GET", "/v1/federation", Anybody),
        ("GET", "/v1/trust-list", Anybody),
        ("GET", "/v1/bundle", Anybody),
        ("GET", "/v1/partner/bundle", Partner),
        ("GET", "/v1/partner", Partner),
        ("GET", "/status-lists/{kid}", Anybody),
        ("POST", "/v1/verify", AnybodyOrPartner),
        ("POST", "/v1/lookup", Partner),
        ("POST", "/v1/enrolments", OneTimeCode),
        ("POST", "/v1/redemptions", PartnerEvenEnded),
        ("GET", "/healthz", Probe),
        ("GET", "/readyz", Probe),
        ("GET", "/metrics", Operator),
        ("GET", "/openapi.json", Anybody),
    ];
    assert_eq!(table, contract);
}

#[test]
fn every_partners_route_refuses_a_caller_without_token() {
    let app = TestApp::new(Database::sqlite());
    for route in for_partners() {
        let answer = call(&app, route, None);
        answer.is_problem(401, "token_missing");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{}", route.path);
    }
}

#[test]
fn every_route_that_takes_tokens_refuses_malformed_ones() {
    let app = TestApp::new(Database::sqlite());
    let good_form = format!("zyzp_{}", "A".repeat(43));
    for route in takes_tokens() {
        for wrong in
            ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer zyzp_short", &format!("Bearer x{good_form}"), &good_form]
        {
            call(&app, route, Some(wrong)).is_problem(401, "token_malformed");
        }
    }
}

#[test]
fn every_route_that_takes_tokens_refuses_unknown_ones() {
    let app = TestApp::new(Database::sqlite());
    for route in takes_tokens() {
        call(&app, route, Some(&format!("Bearer zyzp_{}", "A".repeat(43)))).is_problem(401, "token_unknown");
    }
}

fn every_route_that_takes_tokens_refuses_a_revoked_device(database: Database) {
    let app = TestApp::new(database);
    let partner = app.partner("小店");
    let (revoked, other) = (app.device(partner), app.device(partner));
    app.wait(app.federation.revoke_device(revoked.id)).unwrap();
    for route in takes_tokens() {
        call(&app, route, Some(&format!("Bearer {}", revoked.token))).is_problem(401, "token_revoked");
    }
    app.get_as(&other, "/v1/partner").ok();
}

fn an_ended_partner_may_report_uses_and_nothing_else(database: Database) {
    let app = TestApp::new(database);
    let partner = app.partner("小店");
    let device = app.device(partner);
    app.wait(app.federation.end_partner(partner, None, "协议到期")).unwrap();
    let bearer = format!("Bearer {}", device.token);
    for route in takes_tokens() {
        let answer = call(&app, route, Some(&bearer));
        if route.access == Access::PartnerEvenEnded {
            answer.ok();
        } else {
            answer.is_problem(403, "agreement_ended");
        }
    }
}

#[test]
fn an_agreement_that_ran_out_is_an_ended_one() {
    let app = TestApp::new(Database::sqlite());
    let device = app.device(app.partner("小店"));
    app.pass(SignedDuration::from_hours(24 * 365 * 2));
    app.get_as(&device, "/v1/partner").is_problem(403, "agreement_ended");
}

fn a_token_is_its_own_partners(database: Database) {
    let app = TestApp::new(database);
    let (one, two) = (app.partner("面馆"), app.partner("药店"));
    app.offer(one, "面条九折");
    app.offer(two, "免费量血压");
    let (one, two) = (app.device(one), app.device(two));
    assert_eq!(app.get_as(&one, "/v1/partner").ok().json()["name"], "面馆");
    assert_eq!(app.get_as(&two, "/v1/partner").ok().json()["name"], "药店");
    let bundle = app.get_as(&one, "/v1/partner/bundle").ok().body;
    let has = |title: &str| bundle.windows(title.len()).any(|part| part == title.as_bytes());
    assert!(has("面条九折"));
    assert!(!has("免费量血压"));
}

#[test]
fn the_scheme_word_is_taken_in_any_case_and_two_headers_are_not() {
    let app = TestApp::new(Database::sqlite());
    let device = app.device(app.partner("小店"));
    let lower = format!("bearer {}", device.token);
    app.get_with("/v1/partner", &[("authorization", &lower)]).ok();
    app.get_with("/v1/partner", &[("authorization", &lower), ("authorization", &lower)])
        .is_problem(401, "token_malformed");
}

on_both![
    every_route_that_takes_tokens_refuses_a_revoked_device,
    an_ended_partner_may_report_uses_and_nothing_else,
    a_token_is_its_own_partners,
];
