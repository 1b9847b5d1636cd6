//! `zyz revoke`, `suspend`, `resume`, `replace`: what the partner sees after the next bundle.

use crate::support::{Database, Desk};

crate::on_both!(
    exit_revokes_and_erases,
    suspended_and_resumed,
    a_lost_card_is_superseded_by_a_new_one,
    final_states_stay,
    revoking_twice_changes_nothing,
    leaving_without_a_card,
);

fn issued(database: Database) -> (Desk, String, String) {
    let desk = Desk::with_people(database, 2);
    desk.ok(&["issue", "--all"]);
    let number = desk.numbers().remove(0);
    let text = desk.text(&number);
    assert_eq!(desk.published_reason(&text), "ok");
    (desk, number, text)
}

fn exit_revokes_and_erases(database: Database) {
    let (desk, number, text) = issued(database);
    let change = desk.json(&["revoke", &number, "--reason", "exit"]);
    assert_eq!((change["changed"].as_bool(), change["state"].as_str()), (Some(true), Some("revoked")));
    assert_eq!(desk.published_reason(&text), "revoked");
    let person = desk.json(&["volunteer", "show", &number]);
    assert_eq!(person["state"], "exited");
    assert_eq!(person["phone_masked"], "", "contact data are gone");
    assert_ne!(person["identity_masked"], "", "hours and identity stay for the record");
    assert!(desk.refused(&["card", &number, "--text"]).contains("已注销"));
}

fn suspended_and_resumed(database: Database) {
    let (desk, number, text) = issued(database);
    desk.ok(&["suspend", &number, "--reason", "misuse"]);
    assert_eq!(desk.published_reason(&text), "suspended");
    assert!(desk.refused(&["print", "--number", &number, "--out", &desk.arg("p")]).contains("没有可打印"));
    desk.ok(&["resume", &number, "--reason", "resumed"]);
    assert_eq!(desk.published_reason(&text), "ok");
}

fn a_lost_card_is_superseded_by_a_new_one(database: Database) {
    let (desk, number, old) = issued(database);
    desk.ok(&["replace", &number, "--reason", "lost"]);
    let new = desk.text(&number);
    assert_ne!(old, new);
    assert_eq!(desk.published_reason(&old), "superseded");
    assert_eq!(desk.published_reason(&new), "ok");
    let cards = desk.json(&["volunteer", "show", &number])["certificates"].as_array().unwrap().clone();
    assert_eq!(cards.len(), 2);
    assert_ne!(cards[0]["status_index"], cards[1]["status_index"]);
}

fn final_states_stay(database: Database) {
    let (desk, number, _) = issued(database);
    desk.ok(&["revoke", &number, "--reason", "misuse"]);
    for command in ["suspend", "resume", "replace"] {
        let said = desk.refused(&[command, &number, "--reason", "other"]);
        assert!(said.contains("已注销"), "{command}: {said}");
    }
    // Not an exit: the volunteer may be given a new card.
    assert_eq!(desk.json(&["issue", "--volunteer", &number])["issued"], serde_json::json!([number]));
}

fn revoking_twice_changes_nothing(database: Database) {
    let (desk, number, _) = issued(database);
    desk.ok(&["revoke", &number, "--reason", "exit"]);
    assert_eq!(desk.json(&["revoke", &number, "--reason", "exit"])["changed"], false);
}

fn leaving_without_a_card(database: Database) {
    let desk = Desk::with_people(database, 1);
    let number = desk.numbers().remove(0);
    assert!(desk.refused(&["revoke", &number, "--reason", "misuse"]).contains("还没有志愿服务证"));
    assert_eq!(desk.json(&["revoke", &number, "--reason", "exit"])["changed"], true);
    assert_eq!(desk.volunteers()[0]["state"], "exited");
}

#[test]
fn an_unknown_reason_is_a_usage_error() {
    let desk = Desk::empty(Database::sqlite());
    assert_eq!(desk.run(&["revoke", "0200012349", "--reason", "because"]).code, 2);
}
