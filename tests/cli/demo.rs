//! `zyz demo`.

use crate::support::{Database, Desk, said};

#[test]
fn the_demonstration_ends_well_and_can_be_gone_on_with() {
    let desk = Desk::empty(Database::sqlite());
    let folder = desk.arg("demo");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_zyz"));
    let said = said(&command.args(["demo", "--dir", &folder]).output().unwrap());
    assert_eq!(said.code, 0, "{said:?}");
    for word in ["accept · ok", "reject · ", "reject · revoked", "caution · status_stale", "拒绝旧版本"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_zyz"));
    let list = command
        .args(["--data", &format!("{folder}/data"), "--passphrase-file", &format!("{folder}/data/passphrase.txt")])
        .args(["volunteer", "list", "--json"])
        .output()
        .unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    assert!(list.as_array().unwrap().len() >= 60);
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let desk = Desk::empty(Database::sqlite());
    std::fs::create_dir(desk.path("demo")).unwrap();
    std::fs::write(desk.path("demo/mine.txt"), "mine").unwrap();
    let said = desk.refused(&["demo", "--dir", &desk.arg("demo")]);
    assert!(said.contains("不是空的"), "{said}");
    assert_eq!(std::fs::read_dir(desk.path("demo")).unwrap().count(), 1);
}

#[test]
fn the_console_of_the_demonstration_is_for_this_computer_alone() {
    let desk = Desk::empty(Database::sqlite());
    let said = desk.refused(&["demo", "--serve", "--listen", "0.0.0.0:8530", "--dir", &desk.arg("demo")]);
    assert!(said.contains("只能在本机打开"), "{said}");
    assert!(!desk.path("demo").exists());
}
