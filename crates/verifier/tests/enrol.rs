//! `zyz-verify enrol`: with the real program and a server that does what the test says.

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::World;
use support::federation::{Federation, Serves, TOKEN};
use support::node::{TestNode, enrol_at, started};
use zyz_verifier::enrol::EnrolError;

fn federation(world: &World) -> Federation {
    Federation::new(world.bundle_bytes(&world.trust_list(7), 42, world.bundled()), world.root_hex())
}

fn run(world: &World, link: &str, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zyz-verify"));
    command.args(["enrol", link, "--data"]).arg(world.path("data")).args(more);
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    (status.code().expect("not killed"), String::from_utf8([stdout, stderr].concat()).expect("UTF-8"))
}

fn link(world: &World, federation: &Federation) -> String {
    federation.link(world.root.verifying_key().as_bytes())
}

#[test]
fn a_device_is_made_and_the_fingerprint_shown() {
    let world = World::new();
    let federation = federation(&world);
    let (code, out) = run(&world, &link(&world, &federation), &["--device", "收银台1"]);
    assert_eq!(code, 0, "{out}");
    for words in ["8a88 e3dd", "普洱茶馆", "普洱市志愿服务联合会", "第 42 版", "3 个", "zyz-verify serve"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(!out.contains(TOKEN), "the token is shown to nobody");
    assert_eq!(federation.script().enrolled, 1);
}

#[test]
#[cfg(unix)]
fn only_the_owner_reads_the_token() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let federation = federation(&world);
    assert_eq!(run(&world, &link(&world, &federation), &[]).0, 0);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.path("data")), 0o700);
    assert_eq!(mode(&world.path("data/node.db")), 0o600);
}

#[test]
fn a_second_time_needs_again_and_keeps_the_ledger() {
    let world = World::new();
    let federation = federation(&world);
    assert_eq!(run(&world, &link(&world, &federation), &[]).0, 0);
    let (code, out) = run(&world, &link(&world, &federation), &[]);
    assert!(code == 1 && out.contains("--again") && out.contains("普洱茶馆"), "{out}");
    assert_eq!(federation.script().enrolled, 1, "the code was not spent");
    assert_eq!(run(&world, &link(&world, &federation), &["--again"]).0, 0);
}

#[tokio::test]
async fn again_keeps_what_was_given() {
    let (world, federation, node) = started().await;
    node.give("k1", &world.card(), "all-10").await;
    node.close().await;
    let enrolled = enrol_at(&world, &federation, true).await.unwrap();
    assert_eq!(enrolled.waiting, 1);
    let node = TestNode::open(&world, &federation, world.bundled() + 3600).await;
    assert!(node.sync().await.is_empty());
    assert_eq!(federation.times_kept().len(), 1);
}

#[tokio::test]
async fn another_partners_link_does_not_take_over_a_ledger() {
    let (world, federation, node) = started().await;
    node.close().await;
    federation.script().partner = "partner-2".into();
    assert!(matches!(enrol_at(&world, &federation, true).await, Err(EnrolError::OtherPartner { .. })));
    let node = TestNode::open(&world, &federation, world.bundled()).await;
    assert_eq!(node.status().await["partner"]["id"], "partner-1");
}

#[tokio::test]
async fn a_server_with_another_root_is_refused() {
    let world = World::new();
    let federation = federation(&world);
    federation.script().root = "00".repeat(32);
    assert!(matches!(enrol_at(&world, &federation, false).await, Err(EnrolError::OtherRoot)));
    let (code, out) = run(&world, &link(&world, &federation), &[]);
    assert!(code == 1 && out.contains("根公钥"), "{out}");
}

#[test]
fn a_spent_or_wrong_code_says_so() {
    let world = World::new();
    let federation = federation(&world);
    let wrong = link(&world, &federation).replace("ABCDEF", "XXXXXX");
    let (code, out) = run(&world, &wrong, &[]);
    assert!(code == 1 && out.contains("登记没有成功") && out.contains("unknown_code"), "{out}");
}

#[test]
fn no_server_no_enrolment() {
    let world = World::new();
    let federation = federation(&world);
    federation.unplug();
    let (code, out) = run(&world, &link(&world, &federation), &[]);
    assert!(code == 1 && out.contains("登记没有成功"), "{out}");
}

#[test]
fn in_the_clear_over_a_network_is_refused() {
    let world = World::new();
    let federation = federation(&world);
    let link = link(&world, &federation).replace(&federation.address.to_string(), "zyz.example.cn");
    let (code, out) = run(&world, &link, &[]);
    assert!(code == 1 && out.contains("https"), "{out}");
    assert!(!world.path("data").exists());
}

#[test]
fn without_the_first_bundle_the_machine_is_enrolled_all_the_same() {
    let world = World::new();
    let federation = federation(&world);
    federation.script().serves = Serves::Status(503, "overloaded");
    let (code, out) = run(&world, &link(&world, &federation), &[]);
    assert!(code == 0 && out.contains("还没有取到") && out.contains("自动重试"), "{out}");
}

#[test]
fn a_folder_in_use_is_named() {
    let world = World::new();
    let federation = federation(&world);
    assert_eq!(run(&world, &link(&world, &federation), &[]).0, 0);
    let _held = zyz_verifier::data::DataDir::open(&world.path("data")).unwrap();
    let (code, out) = run(&world, &link(&world, &federation), &["--again"]);
    assert!(code == 1 && out.contains("正被另一个 zyz-verify 使用"), "{out}");
    assert_eq!(federation.script().enrolled, 1, "the code was not spent");
}

#[test]
fn certificates_that_are_none_are_refused() {
    let world = World::new();
    let federation = federation(&world);
    std::fs::write(world.path("ca.pem"), "nothing").unwrap();
    let ca = world.path("ca.pem");
    let (code, out) = run(&world, &link(&world, &federation), &["--ca-file", ca.to_str().unwrap()]);
    assert!(code == 1 && out.contains("--ca-file"), "{out}");
}

#[test]
fn a_name_that_is_none_is_refused() {
    let world = World::new();
    let federation = federation(&world);
    let long = "台".repeat(41);
    for name in ["", "  ", long.as_str(), "a\u{7}b"] {
        let (code, out) = run(&world, &link(&world, &federation), &["--device", name]);
        assert!(code == 1 && out.contains("设备名称"), "{out}");
    }
}
