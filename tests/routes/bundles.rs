//! `/v1/federation`, `/v1/trust-list`, `/v1/bundle`, `/v1/partner/bundle`.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use zyz::domain::certificate::Reason;
use zyz_credential::{TrustState, judge};

use crate::on_both;
use crate::server::{Answer, TestApp, request};
use crate::support::Database;

/// What a verifier that trusts this federation says with these bundles, in their order.
fn reason(app: &TestApp, bundles: &[&Answer], text: &str) -> String {
    let root = app.get("/v1/federation").ok().json()["root_public_key"].as_str().unwrap().to_owned();
    let mut state = TrustState::new(&hex::decode(root).unwrap().try_into().unwrap()).unwrap();
    for bundle in bundles {
        state.accept(&bundle.body).unwrap();
    }
    let verdict = judge(text, &state, u64::try_from(app.now().as_second()).unwrap(), None);
    serde_json::to_value(verdict).unwrap()["reason"].as_str().unwrap().to_owned()
}

#[test]
fn the_federation_says_who_it_is() {
    let app = TestApp::new(Database::sqlite());
    let about = app.get("/v1/federation").ok().json();
    assert_eq!(about["name"], "普洱市志愿服务联合会");
    assert_eq!(about["root_public_key"].as_str().unwrap().len(), 64);
    assert_eq!(about["phone"], "");
}

#[test]
fn the_trust_list_is_signed_by_the_root() {
    let app = TestApp::new(Database::sqlite());
    let list = app.get("/v1/trust-list").ok();
    assert_eq!(list.header("content-type"), "application/cose");
    assert_eq!(list.header("cache-control"), "public, max-age=300");
    assert_eq!(list.header("access-control-allow-origin"), "*");
    assert_eq!(list.header("cross-origin-resource-policy"), "cross-origin");
    let bundle = app.get("/v1/bundle").ok().body;
    assert!(bundle.windows(list.body.len()).any(|part| part == list.body), "the bundle carries the same bytes");
}

#[test]
fn published_things_are_not_sent_twice() {
    let app = TestApp::new(Database::sqlite());
    let device = app.device(app.partner("小店"));
    let bearer = format!("Bearer {}", device.token);
    for path in ["/v1/trust-list", "/v1/bundle", "/v1/partner/bundle"] {
        let get = |more: &[(&str, &str)]| app.get_with(path, &[&[("authorization", &*bearer)], more].concat());
        let first = get(&[]).ok();
        let etag = first.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 20, "{etag}");
        for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".into()] {
            let again = get(&[("if-none-match", &known)]);
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path} {known}");
            assert_eq!(again.header("etag"), etag);
            assert_eq!(again.header("cache-control"), first.header("cache-control"));
        }
        assert_eq!(get(&[("if-none-match", "\"other\"")]).ok().body, first.body);
    }
}

#[test]
fn head_tells_of_the_body_without_it() {
    let app = TestApp::new(Database::sqlite());
    let (get, head) =
        (app.get("/v1/bundle").ok(), app.send(request(Method::HEAD, "/v1/bundle", &[], Body::empty())).ok());
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(head.header("etag"), get.header("etag"));
}

fn a_revocation_is_in_the_bundle_at_the_next_look(database: Database) {
    let app = TestApp::with_cards(database, 2);
    let (gone, stays) = (app.numbers()[0], app.numbers()[1]);
    let (gone_text, stays_text) = (app.text(gone), app.text(stays));
    let before = app.get("/v1/bundle").ok();
    assert_eq!(reason(&app, &[&before], &gone_text), "ok");

    app.wait(app.federation.revoke(gone, Reason::Exit)).unwrap();
    assert!(app.wait(app.web.refresh()).unwrap(), "the look sees that something changed");
    let after = app.get_with("/v1/bundle", &[("if-none-match", before.header("etag"))]).ok();
    assert_eq!(reason(&app, &[&before, &after], &gone_text), "revoked");
    assert_eq!(reason(&app, &[&before, &after], &stays_text), "ok");
}

fn the_same_bytes_while_nothing_changes(database: Database) {
    let app = TestApp::new(database);
    let first = app.get("/v1/bundle").ok();
    app.pass(SignedDuration::from_mins(59));
    app.wait(app.web.refresh()).unwrap();
    assert_eq!(app.get("/v1/bundle").ok().body, first.body);
    app.pass(SignedDuration::from_mins(2));
    app.wait(app.web.refresh()).unwrap();
    assert_ne!(app.get("/v1/bundle").ok().body, first.body, "signed anew after an hour");
}

#[test]
fn a_look_at_nothing_new_is_short() {
    let app = TestApp::new(Database::sqlite());
    while app.wait(app.web.refresh()).unwrap() {}
    assert!(!app.wait(app.web.refresh()).unwrap());
    app.pass(SignedDuration::from_secs(31));
    assert!(app.wait(app.web.refresh()).unwrap(), "time may have made something due");
}

fn a_partners_bundle_follows_the_public_one(database: Database) {
    let app = TestApp::with_cards(database, 1);
    let partner = app.partner("小店");
    app.offer(partner, "全场九折");
    let device = app.device(partner);
    let (public, own) = (app.get("/v1/bundle").ok(), app.get_as(&device, "/v1/partner/bundle").ok());
    assert_eq!(own.header("cache-control"), "private, no-cache");
    assert_eq!(own.header("access-control-allow-origin"), "");
    assert_ne!(own.body, public.body);
    let text = app.text(app.numbers()[0]);
    assert_eq!(reason(&app, &[&public, &own], &text), "ok", "never two of one version");
}

on_both![
    a_revocation_is_in_the_bundle_at_the_next_look,
    the_same_bytes_while_nothing_changes,
    a_partners_bundle_follows_the_public_one,
];
