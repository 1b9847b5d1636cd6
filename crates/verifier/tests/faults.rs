//! Everything that goes wrong with a shop's computer, by name: the node keeps its last good state and says what is wrong.

mod support;

use serde_json::json;
use support::federation::Serves;
use support::node::{TestNode, enrol_at, started, started_in};
use support::{BUNDLED, REVOKED, World};
use uuid::Uuid;
use zyz_credential::{CertificateNumber, OfferLimits};
use zyz_verifier::data::DataDir;
use zyz_verifier::ledger::{Ledger, NewUse};

const DAY: u64 = 86_400;

/// A round fails with `code`, the bundle of before stays in force, `problem` is told in the status and beside the verdict,
/// and a good bundle afterwards ends all that.
async fn refused(
    world: &World,
    federation: &support::federation::Federation,
    node: &TestNode,
    serves: Serves,
    code: &str,
) {
    let version = node.version().await;
    federation.script().serves = serves;
    assert_eq!(node.sync().await, [code]);
    assert_eq!(node.version().await, version);
    let verdict = node.verify(&world.card()).await;
    assert_eq!(verdict["status"]["bundle_version"], version);
    let status = node.status().await;
    assert_eq!(status["last_sync"]["outcome"], code);
    let problem = if code.starts_with("bundle_") { code } else { "sync_failing" };
    assert_eq!(node.problems().await, node.problems_with_verdict(world).await);
    let problems = node.problems().await;
    assert!(problems.contains(&problem.to_owned()), "{problems:?}");
    assert!(status["last_sync"]["failing_since"].is_string());

    // Nor does a restart believe it: the same bundle as before is in force.
    let next = version + 1;
    let issued_at = node.machine_now() - 60;
    federation.script().serves = Serves::Bundle(world.bundle_bytes(&world.trust_list(7), next, issued_at));
    assert!(node.sync().await.is_empty());
    assert_eq!((node.version().await, node.problems().await), (next, Vec::new()));
}

#[tokio::test]
async fn half_downloaded_bundle() {
    let (world, federation, node) = started().await;
    let newer = world.bundle_bytes(&world.trust_list(7), 43, BUNDLED + 60);
    refused(&world, &federation, &node, Serves::Half(newer.clone()), "incomplete").await;
    // Without a length only the signature tells.
    let newer = world.bundle_bytes(&world.trust_list(7), 50, BUNDLED + 60);
    refused(&world, &federation, &node, Serves::HalfUnannounced(newer), "bundle_corrupt").await;
}

#[tokio::test]
async fn corrupt_bundle() {
    let (world, federation, node) = started().await;
    let mut corrupt = world.bundle_bytes(&world.trust_list(7), 43, BUNDLED + 60);
    let middle = corrupt.len() / 2;
    corrupt[middle] ^= 1;
    refused(&world, &federation, &node, Serves::Bundle(corrupt), "bundle_corrupt").await;
}

#[tokio::test]
async fn older_bundle() {
    let (world, federation, node) = started().await;
    let older = world.bundle_bytes(&world.trust_list(7), 41, BUNDLED - 60);
    refused(&world, &federation, &node, Serves::Bundle(older), "bundle_older").await;
}

#[tokio::test]
async fn older_bundle_after_a_restart() {
    let (world, federation, node) = started().await;
    let machine = node.close().await;
    let node = TestNode::open_with(&world.path("data"), &federation, machine).await;
    let older = world.bundle_bytes(&world.trust_list(7), 41, BUNDLED - 60);
    refused(&world, &federation, &node, Serves::Bundle(older), "bundle_older").await;
}

#[tokio::test]
async fn forked_bundle() {
    let (world, federation, node) = started().await;
    let twin = world.bundle_bytes(&world.trust_list(7), 42, BUNDLED + 1);
    refused(&world, &federation, &node, Serves::Bundle(twin), "bundle_forked").await;
}

#[tokio::test]
async fn a_bundle_under_another_root() {
    let (world, federation, node) = started().await;
    let mut other = World::new();
    other.root = zyz_credential::SigningKey::from_bytes(&[9; 32]);
    let foreign = other.bundle_bytes(&other.trust_list(7), 43, BUNDLED + 60);
    refused(&world, &federation, &node, Serves::Bundle(foreign), "bundle_corrupt").await;
}

#[tokio::test]
async fn oversized_bundle() {
    let (world, federation, node) = started().await;
    refused(&world, &federation, &node, Serves::Endless, "too_large").await;
}

#[tokio::test]
async fn a_network_that_wants_a_login() {
    let (world, federation, node) = started().await;
    refused(&world, &federation, &node, Serves::LoginPage, "bundle_corrupt").await;
    refused(&world, &federation, &node, Serves::Redirect, "redirect").await;
}

#[tokio::test]
async fn a_server_in_trouble() {
    let (world, federation, node) = started().await;
    refused(&world, &federation, &node, Serves::Status(500, "internal"), "unavailable").await;
    refused(&world, &federation, &node, Serves::Status(429, "rate_limited"), "refused").await;
}

#[tokio::test]
async fn weeks_offline() {
    let (world, federation, node) = started().await;
    assert!(node.sync().await.is_empty());
    federation.unplug();
    let failed_at = BUNDLED + 1800 + 60;
    for _ in 0..21 {
        node.machine.advance(DAY);
        // Hung up on before or after the question.
        assert!([["unreachable"], ["incomplete"]].contains(&node.sync().await.try_into().expect("one failure")));
    }
    let verdict = node.verify(&world.card()).await;
    assert_eq!((&verdict["verdict"], &verdict["reason"]), (&json!("caution"), &json!("status_stale")));
    assert_eq!(node.problems().await, ["sync_failing", "data_stale"]);
    let since = node.status().await["last_sync"]["failing_since"].as_str().unwrap().to_owned();
    assert!(since.parse::<jiff::Timestamp>().unwrap().as_second() as u64 > failed_at);
    // The person at the counter may still decide to give it.
    node.give("1", &world.card(), "all-10").await;
    assert_eq!(node.status().await["queue"]["waiting"], 1);

    federation.plug_in();
    let fresh = world.bundle_bytes(&world.trust_list(7), 43, BUNDLED + 21 * DAY);
    federation.script().serves = Serves::Bundle(fresh);
    assert!(node.sync().await.is_empty());
    assert_eq!(node.verify(&world.card()).await["verdict"], "accept");
    assert_eq!((node.problems().await, node.status().await["queue"]["waiting"].as_u64()), (Vec::new(), Some(0)));
    assert_eq!(federation.times_kept().len(), 1);
}

#[tokio::test]
async fn since_when_syncing_fails_is_remembered_over_a_restart() {
    let (world, federation, node) = started().await;
    federation.unplug();
    node.sync().await;
    let since = node.status().await["last_sync"]["failing_since"].clone();
    node.machine.advance(DAY);
    let machine = node.close().await;
    let node = TestNode::open_with(&world.path("data"), &federation, machine).await;
    assert_eq!(node.status().await["last_sync"]["failing_since"], since);
    assert_eq!(node.problems().await, ["sync_failing"]);
}

#[tokio::test]
async fn a_clock_behind() {
    let (world, federation, node) = started().await;
    federation.script().date = Some(BUNDLED + 1800);
    node.machine.set(BUNDLED - 7200);
    assert!(node.sync().await.is_empty());
    let verdict = node.verify(&world.card()).await;
    assert_eq!((&verdict["verdict"], &verdict["reason"]), (&json!("caution"), &json!("clock_suspect")));
    assert_eq!(node.problems().await, ["clock_behind", "clock_suspect"]);
    assert_eq!(support::node::codes(&verdict), ["clock_behind"]);
    let clock = &node.status().await["clock"];
    assert_eq!((&clock["suspect"], &clock["ahead_seconds"]), (&json!(true), &json!(-9000)));
    // What is given then is dated by the newest signed time, not by the clock.
    let (_, given) = node.redeem("1", &world.card(), "all-10").await;
    assert_eq!(given["redeemed_at"], "2026-11-23T20:00:00Z");
    node.machine.set(BUNDLED + 1800);
    assert!(node.sync().await.is_empty());
    assert!(node.problems().await.is_empty());
}

#[tokio::test]
async fn a_clock_ahead() {
    let (world, federation, node) = started().await;
    federation.script().date = Some(BUNDLED + 1800);
    node.machine.set(BUNDLED + 30 * DAY);
    assert!(node.sync().await.is_empty());
    let verdict = node.verify(&world.card()).await;
    assert_eq!(verdict["reason"], "status_stale");
    assert_eq!(support::node::codes(&verdict), ["clock_ahead"], "and it says what to do about it");
    assert_eq!(node.problems().await, ["clock_ahead", "data_stale"]);
    // Four minutes are nothing to speak of.
    node.machine.set(BUNDLED + 1800 + 240);
    assert!(node.sync().await.is_empty());
    assert!(node.problems().await.is_empty());
}

#[tokio::test]
async fn token_revoked_401() {
    let (world, federation, node) = started().await;
    node.give("1", &world.card(), "all-10").await;
    federation.script().revoked = true;
    assert_eq!(node.sync().await, ["token_revoked"]);
    assert_eq!(node.problems().await, ["token_revoked"]);
    let problem = &node.status().await["problems"][0]["message"];
    assert_eq!(problem, "令牌已停用，请联系联合会重新登记");
    assert_eq!(node.problems_with_verdict(&world).await, ["token_revoked"]);
    assert_eq!(node.verify(&world.card()).await["verdict"], "accept");
    // What is given now is kept until somebody enrols anew.
    node.give("2", &world.card(), "all-10").await;
    node.close().await;
    federation.script().revoked = false;
    enrol_at(&world, &federation, true).await.unwrap();
    let node = TestNode::open(&world, &federation, BUNDLED + 3600).await;
    assert!(node.sync().await.is_empty());
    assert_eq!(federation.times_kept().into_values().collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test]
async fn agreement_ended_403() {
    let (world, federation, node) = started().await;
    node.give("1", &world.card(), "all-10").await;
    federation.script().serves = Serves::Status(403, "agreement_ended");
    federation.script().public = world.bundle_of(&world.trust_list(7), 43, BUNDLED + 60, 5, Vec::new());
    assert_eq!(node.sync().await, ["agreement_ended"]);
    // What was given has arrived, the offers have ended, and who left is still known.
    assert_eq!(federation.times_kept().len(), 1);
    assert_eq!(node.problems().await, ["agreement_ended"]);
    assert_eq!(node.status().await["bundle"]["offers"], 0);
    assert_eq!(node.verify(&world.card()).await["reason"], "revoked");
}

#[tokio::test]
async fn a_card_revoked_since_is_rejected_after_a_sync() {
    let (world, federation, node) = started().await;
    assert_eq!(node.verify(&world.card()).await["verdict"], "accept");
    let bundle = world.bundle_of(&world.trust_list(7), 43, BUNDLED + 60, 5, Vec::new());
    federation.script().serves = Serves::Bundle(bundle);
    assert!(node.sync().await.is_empty());
    assert_eq!(node.verify(&world.card()).await["reason"], "revoked");
    assert_ne!(REVOKED, 5);
}

#[tokio::test]
async fn unsent_queue_delivered_exactly_once() {
    let (world, federation, node) = started().await;
    let first = node.give("1", &world.card(), "all-10").await;
    node.give("2", &world.card(), "all-10").await;
    assert_eq!(node.reverse(&first).await.0, 200);
    // It stores everything and dies before it says so: nothing may be lost, nothing may count twice.
    federation.script().dies_after_storing = 2;
    for _ in 0..2 {
        assert_eq!(node.sync().await.len(), 1);
        assert_eq!(node.status().await["queue"]["waiting"], 3);
    }
    let machine = node.close().await;
    let node = TestNode::open_with(&world.path("data"), &federation, machine).await;
    assert!(node.sync().await.is_empty());
    assert_eq!(node.status().await["queue"], json!({"waiting": 0, "oldest": null}));
    // Two uses and a reversal, the same each time (the server checks that); and never again once acknowledged.
    assert_eq!(federation.times_kept().into_values().collect::<Vec<_>>(), [3, 3, 3]);
    assert!(node.sync().await.is_empty());
    assert_eq!(federation.script().batches, [3, 3, 3]);
}

#[tokio::test]
async fn a_use_taken_back_after_it_was_sent() {
    let (world, federation, node) = started().await;
    let id = node.give("1", &world.card(), "all-10").await;
    assert!(node.sync().await.is_empty());
    assert_eq!(node.reverse(&id).await.0, 200);
    assert_eq!(node.status().await["queue"]["waiting"], 1);
    assert!(node.sync().await.is_empty());
    assert_eq!(federation.script().batches, [1, 1]);
    let script = federation.script();
    let reversal = script.kept.values().map(|(_, entry)| entry).find(|entry| entry["redemption"].is_string()).unwrap();
    assert_eq!(reversal["redemption"], json!(id));
}

#[tokio::test]
async fn what_the_federation_does_not_take_is_shown_and_not_sent_again() {
    let (world, federation, node) = started().await;
    federation.script().outcomes.insert("all-10".into(), "refused");
    federation.script().outcomes.insert("clinic".into(), "conflict");
    let refused = node.give("1", &world.card(), "all-10").await;
    let conflict = node.give("2", &world.card(), "clinic").await;
    assert!(node.sync().await.is_empty());
    let status = node.status().await;
    let mut shown: Vec<_> =
        status["refused"].as_array().unwrap().iter().map(|entry| (&entry["id"], &entry["outcome"])).collect();
    shown.sort_by_key(|(id, _)| id.as_str());
    assert_eq!(shown, [(&json!(refused), &json!("refused")), (&json!(conflict), &json!("conflict"))]);
    assert_eq!(
        (status["queue"]["waiting"].as_u64(), node.problems().await),
        (Some(0), vec!["entries_refused".to_owned()])
    );
    // Taking it back concerns nobody there.
    node.reverse(&refused).await;
    assert!(node.sync().await.is_empty());
    assert_eq!(federation.script().batches, [2]);
}

#[tokio::test]
async fn a_long_queue_goes_out_in_batches() {
    let world = World::new();
    let (federation, node) = started_in(&world).await;
    let machine = node.close().await;
    {
        let data = DataDir::open(&world.path("data")).unwrap();
        let ledger = Ledger::open(&data.database().unwrap()).await.unwrap();
        for number in 0..1203_u64 {
            let new = NewUse {
                id: Uuid::from_u64_pair(0x0198_c0de_0000_7000, 1 << 63 | number),
                idempotency_key: format!("key-{number}"),
                content: [0; 32],
                offer: "all-10".into(),
                title: "全场九折".into(),
                limits: OfferLimits::default(),
                number: CertificateNumber::from_parts(2, 1234).unwrap(),
                holder: None,
                key_id: "00000000".into(),
                issued_at: world.issued,
                redeemed_at: world.bundled() + number,
                bundle_version: 42,
            };
            ledger.redeem(new).await.unwrap();
        }
        ledger.close().await.unwrap();
    }
    let node = TestNode::open_with(&world.path("data"), &federation, machine).await;
    assert_eq!(node.status().await["queue"]["waiting"], 1203);
    assert!(node.sync().await.is_empty());
    assert_eq!(federation.script().batches, [500, 500, 203]);
    assert!(federation.times_kept().values().all(|times| *times == 1));
}

#[tokio::test]
async fn no_data_yet() {
    let world = World::new();
    let bundle = world.bundle_bytes(&world.trust_list(7), 42, BUNDLED);
    let federation = support::federation::Federation::new(bundle.clone(), world.root_hex());
    federation.script().serves = Serves::Status(503, "overloaded");
    assert!(enrol_at(&world, &federation, false).await.unwrap().bundle.is_err());
    let node = TestNode::open(&world, &federation, BUNDLED + 60).await;
    assert_eq!(node.verify(&world.card()).await["reason"], "unknown_key");
    assert_eq!((node.problems().await, node.version().await), (vec!["no_data".to_owned()], 0));
    assert_eq!(node.ask("GET", "/readyz", &[], None).await.0, 503);
    assert_eq!(node.ask("GET", "/healthz", &[], None).await.0, 200);
    federation.script().serves = Serves::Bundle(bundle);
    assert!(node.sync().await.is_empty());
    assert_eq!(node.ask("GET", "/readyz", &[], None).await.0, 200);
    assert_eq!(node.verify(&world.card()).await["verdict"], "accept");
}

#[tokio::test]
async fn a_damaged_record_is_named_and_left_alone() {
    let (world, _federation, node) = started().await;
    node.close().await;
    let path = world.path("data/node.db");
    std::fs::write(&path, vec![7; 8192]).unwrap();
    let data = DataDir::open(&world.path("data")).unwrap();
    let error = Ledger::open(&data.database().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("已损坏") && error.to_string().contains("尚未上传"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), vec![7; 8192]);
}
