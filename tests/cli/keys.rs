//! `zyz key …`: rotation keeps old cards good, a stolen key's cards are refused, the root may be elsewhere.

use crate::support::{Database, Desk};

crate::on_both!(
    rotation_keeps_old_cards_good,
    a_compromised_key_is_refused_and_its_cards_are_listed,
    the_bundle_key_rotates,
    the_last_key_is_not_retired,
);

fn issued(database: Database) -> (Desk, String, String) {
    let desk = Desk::with_people(database, 2);
    desk.ok(&["issue", "--all"]);
    let number = desk.numbers().remove(0);
    let text = desk.text(&number);
    (desk, number, text)
}

fn active(desk: &Desk, role: &str) -> String {
    let keys = desk.json(&["key", "list"]);
    let key = keys.as_array().unwrap().iter().find(|key| key["role"] == role && key["state"] == "active").unwrap();
    key["kid"].as_str().unwrap().to_owned()
}

fn rotation_keeps_old_cards_good(database: Database) {
    let (desk, number, old) = issued(database);
    let before = active(&desk, "issuing");
    desk.ok(&["key", "rotate", "issuing"]);
    let after = active(&desk, "issuing");
    assert_ne!(before, after);
    assert_eq!(desk.published_reason(&old), "ok");
    desk.ok(&["issue", "--volunteer", &number, "--reissue"]);
    let new = desk.text(&number);
    assert_eq!(desk.published_reason(&new), "ok");
    assert_eq!(desk.judge(&new, "public")["certificate"]["key_id"], after);
    assert_eq!(desk.judge(&old, "public")["reason"], "superseded");
}

fn a_compromised_key_is_refused_and_its_cards_are_listed(database: Database) {
    let (desk, number, old) = issued(database);
    let stolen = active(&desk, "issuing");
    let change = desk.json(&["key", "compromise", &stolen]);
    assert_eq!(change["reissue"].as_array().unwrap().len(), 2);
    assert_eq!(desk.published_reason(&old), "key_compromised");
    assert_eq!(desk.json(&["issue", "--all", "--reissue"])["replaced"], 2);
    assert_eq!(desk.published_reason(&desk.text(&number)), "ok");
    assert!(!desk.path(&format!("public/status-lists/{stolen}.cwt.new")).exists());
    assert!(desk.refused(&["key", "compromise", &stolen]).contains("已作废"));
}

fn the_bundle_key_rotates(database: Database) {
    let (desk, _, text) = issued(database);
    assert_eq!(desk.published_reason(&text), "ok");
    desk.ok(&["key", "rotate", "bundle"]);
    assert_eq!(desk.published_reason(&text), "ok");
}

fn the_last_key_is_not_retired(database: Database) {
    let desk = Desk::new(database);
    let kid = active(&desk, "issuing");
    assert!(desk.refused(&["key", "retire", &kid]).contains("rotate issuing"));
    assert!(desk.refused(&["key", "retire", "00000000"]).contains("没有编号为"));
    let root = desk.json(&["key", "list"])[0]["kid"].as_str().unwrap().to_owned();
    assert!(desk.refused(&["key", "compromise", &root]).contains("根密钥"));
}

#[test]
fn the_root_key_may_be_elsewhere() {
    let (desk, number, text) = issued(Database::sqlite());
    std::fs::create_dir(desk.path("usb")).unwrap();
    std::fs::rename(desk.path("data/keys/root.pem"), desk.path("usb/root.pem")).unwrap();
    // Daily work does not ask for it.
    assert_eq!(desk.published_reason(&text), "ok");
    desk.ok(&["issue", "--volunteer", &number, "--reissue"]);
    let said = desk.refused(&["key", "renew"]);
    assert!(said.contains("root"), "{said}");
    let root = desk.arg("usb/root.pem");
    let before = desk.json(&["publish", "--out", &desk.arg("public")])["trust_list_version"].as_u64().unwrap();
    desk.ok(&["key", "renew", "--root-key", &root]);
    let after = desk.json(&["publish", "--out", &desk.arg("public")])["trust_list_version"].as_u64().unwrap();
    assert_eq!(after, before + 1);
}

#[test]
fn another_root_key_is_refused() {
    let desk = Desk::new(Database::sqlite());
    let other = Desk::new(Database::sqlite());
    let said = desk.refused(&["key", "renew", "--root-key", &other.arg("data/keys/root.pem")]);
    assert!(said.contains("不是本会的根密钥"), "{said}");
}

#[test]
fn a_missing_issuing_key_says_which() {
    let desk = Desk::with_people(Database::sqlite(), 1);
    let kid = active(&desk, "issuing");
    std::fs::rename(desk.path(&format!("data/keys/issuing-{kid}.pem")), desk.path("elsewhere.pem")).unwrap();
    let said = desk.refused(&["issue", "--all"]);
    assert!(said.contains(&kid), "{said}");
}
