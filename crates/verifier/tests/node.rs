//! The node's HTTP interface: verdicts, offers given and taken back, limits, keys, status.

mod support;

use std::sync::Arc;

use serde_json::json;
use support::federation::etag;
use support::node::{TestNode, started, started_in, why_not};
use support::{BUNDLED, REVOKED, World};
use zyz_credential::{CertificateNumber, Claims};

const DAY: u64 = 86_400;

#[tokio::test]
async fn a_verdict_is_the_librarys_with_this_partners_offers() {
    let (world, _federation, node) = started().await;
    let verdict = node.verify(&world.card()).await;
    let run = world.check_text(&world.card(), &["--json"]);
    assert_eq!(verdict, run.json(), "the same as the command's, and nothing is wrong here");
    assert_eq!(node.verify(&world.card_with_status(REVOKED)).await["reason"], "revoked");
    assert_eq!(node.verify("你好").await["reason"], "malformed");
}

#[tokio::test]
async fn requests_that_are_none() {
    let (_world, _federation, node) = started().await;
    for (body, status, code) in [
        (json!({"code": 1}), 422, "wrong_value"),
        (json!({}), 422, "missing_field"),
        (json!({"code": "1", "x": 1}), 422, "unknown_field"),
        (json!({"code": "1".repeat(4097)}), 422, "too_long"),
    ] {
        let (got, problem) = node.ask("POST", "/v1/verify", &[], Some(body)).await;
        assert_eq!((got.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
    }
    for path in
        ["/v1/redemptions?limit=0", "/v1/redemptions?limit=501", "/v1/redemptions?limit=x", "/v1/redemptions?l=1"]
    {
        let (got, problem) = node.ask("GET", path, &[], None).await;
        assert_eq!((got.as_u16(), problem["code"].as_str()), (400, Some("wrong_query")), "{path}");
    }
    assert_eq!(node.ask("GET", "/v1/nothing", &[], None).await.1["code"], "not_found");
    assert_eq!(node.ask("PUT", "/v1/verify", &[], None).await.1["code"], "method_not_allowed");
}

#[tokio::test]
async fn an_offer_is_given_once_a_key() {
    let (world, _federation, node) = started().await;
    let (status, given) = node.redeem("key-1", &world.card(), "all-10").await;
    assert_eq!(status, 201);
    let expected = json!({
        "id": given["id"], "offer": "all-10", "title": "全场九折", "number": "0200012349", "holder": "张**",
        "redeemed_at": "2026-11-23T20:30:00Z",
    });
    assert_eq!(given, expected);
    assert_eq!(given["id"].as_str().unwrap().as_bytes()[14], b'7', "a UUIDv7");
    node.machine.advance(60);
    assert_eq!(node.redeem("key-1", &world.card(), "all-10").await, (200, given.clone()));
    let history = node.ask("GET", "/v1/redemptions", &[], None).await.1;
    assert_eq!(history["redemptions"].as_array().unwrap().len(), 1);
    assert_eq!(history["redemptions"][0]["id"], given["id"]);
}

#[tokio::test]
async fn idempotency_key_reuse_is_refused() {
    let (world, _federation, node) = started().await;
    node.give("key-1", &world.card(), "all-10").await;
    let (status, problem) = node.redeem("key-1", &world.card(), "clinic").await;
    assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")));
    let other = world.signed(&Claims { status: 6, ..world.claims() });
    assert_eq!(node.redeem("key-1", &other, "all-10").await.0, 422);
}

#[tokio::test]
async fn idempotency_keys_that_are_none() {
    let (world, _federation, node) = started().await;
    let body = || Some(json!({"code": world.card(), "offer": "all-10"}));
    let (status, problem) = node.ask("POST", "/v1/redemptions", &[], body()).await;
    assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("idempotency_key_missing")));
    let long = "k".repeat(65);
    for key in ["", "a b", long.as_str(), "\u{e9}"] {
        let (status, problem) = node.ask("POST", "/v1/redemptions", &[("idempotency-key", key)], body()).await;
        assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("idempotency_key_invalid")), "{key:?}");
    }
    let two = [("idempotency-key", "a"), ("idempotency-key", "b")];
    assert_eq!(node.ask("POST", "/v1/redemptions", &two, body()).await.1["code"], "idempotency_key_invalid");
}

#[tokio::test]
async fn what_is_not_given_says_why_and_shows_the_verdict() {
    let (world, _federation, node) = started().await;
    for (code, offer, word) in [
        (world.card_with_status(REVOKED), "all-10", "revoked"),
        ("123".to_owned(), "all-10", "malformed"),
        (world.card(), "tea-free", "star_too_low"),
        (world.card(), "nothing", "unknown_offer"),
    ] {
        let (status, problem) = node.redeem("key", &code, offer).await;
        assert_eq!((status, problem["code"].as_str()), (409, Some(word)), "{problem}");
        assert_eq!((problem["status"].as_u64(), problem["type"].as_str()), (Some(409), Some("about:blank")));
        assert!(problem["verdict"]["verdict"].is_string());
        assert!(!problem["title"].as_str().unwrap().is_empty());
    }
    // A refused key is free again.
    node.give("key", &world.card(), "all-10").await;
}

#[tokio::test]
async fn limits_count_in_the_verdict_and_reversal_frees_them() {
    let (world, _federation, node) = started().await;
    let first = node.give("1", &world.card(), "clinic").await;
    assert_eq!(why_not(&node.verify(&world.card()).await, "clinic"), None);
    node.give("2", &world.card(), "clinic").await;
    assert_eq!(why_not(&node.verify(&world.card()).await, "clinic").as_deref(), Some("used_this_month"));
    let (status, problem) = node.redeem("3", &world.card(), "clinic").await;
    assert_eq!((status, &problem["code"]), (409, &json!("used_this_month")));
    assert_eq!(why_not(&problem["verdict"], "clinic").as_deref(), Some("used_this_month"));
    // Somebody else's card is another's.
    let number = CertificateNumber::from_parts(2, 1235).unwrap();
    let other = world.signed(&Claims { number, status: 6, ..world.claims() });
    assert_eq!(why_not(&node.verify(&other).await, "clinic"), None);

    let (status, reversed) = node.reverse(&first).await;
    assert_eq!((status, &reversed["id"]), (200, &json!(first)));
    node.machine.advance(100);
    assert_eq!(node.reverse(&first).await, (200, reversed), "again gives the same");
    assert_eq!(why_not(&node.verify(&world.card()).await, "clinic"), None);
    node.give("3", &world.card(), "clinic").await;
}

#[tokio::test]
async fn a_new_card_of_the_same_volunteer_has_no_new_limit() {
    let (world, _federation, node) = started().await;
    node.give("1", &world.card(), "clinic").await;
    let newer = world.signed(&Claims { status: 9, issued_at: world.issued + 60, ..world.claims() });
    node.give("2", &newer, "clinic").await;
    assert_eq!(why_not(&node.verify(&newer).await, "clinic").as_deref(), Some("used_this_month"));
}

#[tokio::test]
async fn a_new_month_is_a_new_limit() {
    let world = World::new();
    let (federation, node) = started_in(&world).await;
    node.give("1", &world.card(), "clinic").await;
    node.give("2", &world.card(), "clinic").await;
    // The first second of December in Beijing.
    let december = 1_796_054_400;
    let bundle = world.bundle_bytes(&world.trust_list(7), 43, december - 7200);
    federation.script().serves = support::federation::Serves::Bundle(bundle);
    node.machine.set(december - 1);
    assert!(node.sync().await.is_empty());
    assert_eq!(why_not(&node.verify(&world.card()).await, "clinic").as_deref(), Some("used_this_month"));
    node.machine.set(december);
    assert_eq!(why_not(&node.verify(&world.card()).await, "clinic"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_redemptions_on_a_limit_of_one() {
    let world = World::new();
    let (federation, node) = started_in(&world).await;
    let bundle = world.once_bundle(43, world.bundled() + 60);
    federation.script().serves = support::federation::Serves::Bundle(bundle);
    assert!(node.sync().await.is_empty());
    let (node, card) = (Arc::new(node), world.card());
    let tries = (0..16).map(|number| {
        let (node, card) = (Arc::clone(&node), card.clone());
        tokio::spawn(async move { node.redeem(&format!("key-{number}"), &card, "once").await })
    });
    let answers = all(tries.collect()).await;
    let given = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(given, 1);
    for (status, problem) in answers.iter().filter(|(status, _)| *status != 201) {
        assert_eq!((*status, &problem["code"]), (409, &json!("used_up")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_at_once_gives_once() {
    let (world, _federation, node) = started().await;
    let (node, card) = (Arc::new(node), world.card());
    let tries = (0..16).map(|_| {
        let (node, card) = (Arc::clone(&node), card.clone());
        tokio::spawn(async move { node.redeem("key", &card, "all-10").await })
    });
    let answers = all(tries.collect()).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1);
    assert!(answers.iter().all(|(status, answer)| [200, 201].contains(status) && *answer == answers[0].1));
}

#[tokio::test]
async fn limits_hold_across_a_restart() {
    let world = World::new();
    let (federation, node) = started_in(&world).await;
    node.give("1", &world.card(), "clinic").await;
    let second = node.give("2", &world.card(), "clinic").await;
    let machine = node.close().await;
    let node = TestNode::open_with(&world.path("data"), &federation, machine).await;
    assert_eq!(node.redeem("3", &world.card(), "clinic").await.0, 409);
    assert_eq!(node.redeem("2", &world.card(), "clinic").await.0, 200, "the key is remembered");
    assert_eq!(node.reverse(&second).await.0, 200);
    node.give("3", &world.card(), "clinic").await;
}

#[tokio::test]
async fn reversals_of_nothing() {
    let (_world, _federation, node) = started().await;
    for id in ["0198c0de-0000-7000-8000-000000000000", "x", "%00"] {
        let (status, problem) = node.reverse(id).await;
        assert_eq!((status, &problem["code"]), (404, &json!("unknown_redemption")), "{id}");
    }
}

#[tokio::test]
async fn the_status_of_a_node_that_is_well() {
    let (_world, federation, node) = started().await;
    assert!(node.sync().await.is_empty());
    let status = node.status().await;
    assert_eq!(status["bundle"]["version"], 42);
    assert_eq!(status["bundle"]["age_seconds"], 1800);
    assert_eq!(status["bundle"]["offers"], 3);
    assert_eq!(status["partner"], json!({"id": "partner-1", "name": "普洱茶馆"}));
    assert_eq!(status["last_sync"]["outcome"], "ok");
    assert_eq!(status["queue"], json!({"waiting": 0, "oldest": null}));
    assert_eq!((&status["problems"], &status["refused"]), (&json!([]), &json!([])));
    assert!(!status.to_string().contains(support::federation::TOKEN));
    let info = node.ask("GET", "/v1/federation", &[], None).await.1;
    assert_eq!((&info["name"], &info["phone"]), (&json!("普洱市志愿服务联合会"), &json!("0879")));
    assert_eq!(federation.script().kept.len(), 0);
}

#[tokio::test]
async fn an_unchanged_bundle_is_a_304() {
    let (world, federation, node) = started().await;
    for _ in 0..4 {
        assert!(node.sync().await.is_empty());
    }
    // At enrolment, in the first round (the tag is not kept by enrolling), and then unchanged.
    assert_eq!(federation.script().bundle_requests, 5);
    assert_eq!(federation.script().not_modified, 3);
    let newer = world.bundle_bytes(&world.trust_list(7), 43, BUNDLED + 60);
    assert_ne!(etag(&newer), "");
    federation.script().serves = support::federation::Serves::Bundle(newer);
    assert!(node.sync().await.is_empty());
    assert_eq!(node.version().await, 43);
}

#[tokio::test]
async fn history_is_the_newest_first_and_limited_in_age() {
    let (world, federation, node) = started().await;
    let first = node.give("1", &world.card(), "all-10").await;
    node.machine.advance(60);
    let second = node.give("2", &world.card(), "all-10").await;
    let history = |limit: u32| {
        let path = format!("/v1/redemptions?limit={limit}");
        let node = &node;
        async move { node.ask("GET", &path, &[], None).await.1["redemptions"].as_array().unwrap().clone() }
    };
    let ids: Vec<_> = history(50).await.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, [second, first]);
    assert_eq!(history(1).await.len(), 1);
    assert_eq!(history(1).await[0]["sent"], false);
    assert!(node.sync().await.is_empty());
    assert_eq!((&history(1).await[0]["sent"], &history(1).await[0]["standing"]), (&json!(true), &json!("valid")));
    node.machine.advance(91 * DAY);
    assert!(history(50).await.is_empty());
    drop(federation);
}

#[tokio::test]
async fn old_entries_are_cleared_by_signed_time_except_what_limits_need() {
    let world = World::new();
    let (federation, node) = started_in(&world).await;
    let serve = |version, issued_at| {
        let mut once = zyz_credential::Offer::new("once", zyz_credential::OfferKind::Free, "免费体检一次");
        once.limits.in_all = Some(1);
        let plain = zyz_credential::Offer::new("all-10", zyz_credential::OfferKind::Discount, "全场九折");
        let mut list = world.trust_list(7 + version);
        list.expires_at += 1000 * DAY;
        list.bundle_keys[0].not_after += 1000 * DAY;
        let bundle = world.bundle_of(&list, version, issued_at, REVOKED, vec![once, plain]);
        federation.script().serves = support::federation::Serves::Bundle(bundle);
    };
    serve(43, BUNDLED + 60);
    assert!(node.sync().await.is_empty());
    node.give("1", &world.card(), "once").await;
    node.give("2", &world.card(), "all-10").await;
    assert!(node.sync().await.is_empty());

    // A clock three years ahead empties nothing.
    node.machine.advance(1100 * DAY);
    node.sync().await;
    assert!(matches!(node.node.redeem("2", "other", "x").await, Err(zyz_verifier::node::RedeemError::KeyReused)));
    // Signed time 401 days on does.
    serve(44, BUNDLED + 401 * DAY);
    node.machine.set(BUNDLED + 401 * DAY + 60);
    assert!(node.sync().await.is_empty());
    assert!(matches!(node.node.redeem("1", "other", "x").await, Err(zyz_verifier::node::RedeemError::KeyReused)));
    assert!(matches!(node.node.redeem("2", "other", "x").await, Err(zyz_verifier::node::RedeemError::Rejected(_))));
}

#[tokio::test]
async fn the_document_names_every_route() {
    let (_world, _federation, node) = started().await;
    let document = node.ask("GET", "/openapi.json", &[], None).await.1;
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let all = [
        "/healthz",
        "/metrics",
        "/readyz",
        "/v1/federation",
        "/v1/redemptions",
        "/v1/redemptions/{id}/reversal",
        "/v1/status",
        "/v1/sync",
        "/v1/verify",
    ];
    assert_eq!(paths, all);
}

#[tokio::test]
async fn the_page_is_served_in_node_mode() {
    let (_world, _federation, node) = started().await;
    assert_eq!(node.ask("GET", "/scan/mode.json", &[], None).await.1, json!({"mode": "node"}));
    assert_eq!(node.ask("GET", "/scan", &[], None).await.0, 200);
    assert_eq!(node.ask("GET", "/", &[], None).await.0, 200);
}

#[tokio::test]
async fn other_pages_and_other_names_are_turned_away() {
    let (world, _federation, node) = started().await;
    let origin = [("origin", "http://evil.example"), ("idempotency-key", "k")];
    let body = json!({"code": world.card(), "offer": "all-10"});
    let (status, problem) = node.ask("POST", "/v1/redemptions", &origin, Some(body)).await;
    assert_eq!((status.as_u16(), &problem["code"]), (403, &json!("cross_origin")));
}

#[tokio::test]
async fn what_is_counted_is_told() {
    let (world, _federation, node) = started().await;
    node.verify(&world.card()).await;
    node.give("1", &world.card(), "all-10").await;
    let request =
        axum::http::Request::get("/metrics").header("host", "localhost").body(axum::body::Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(node.router.clone(), request).await.unwrap();
    let text = axum::body::to_bytes(response.into_body(), 1_000_000).await.unwrap();
    let text = str::from_utf8(&text).unwrap();
    for line in [
        "zyz_verdicts_total{verdict=\"accept\",reason=\"ok\"} 1",
        "zyz_node_redemptions_total 1",
        "zyz_node_queue 1",
        "zyz_node_bundle_version 42",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    assert!(!text.contains("0200012349"));
}

async fn all<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("no panic"));
    }
    results
}
