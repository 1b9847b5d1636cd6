//! `zyz demo`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Database, Desk, said};

#[test]
fn the_demonstration_ends_well_and_can_be_gone_on_with() {
    let desk = Desk::empty(Database::sqlite());
    let folder = desk.arg("demo");
    let mut command = Command::new(env!("CARGO_BIN_EXE_zyz"));
    let said = said(&command.args(["demo", "--dir", &folder]).output().unwrap());
    assert_eq!(said.code, 0, "{said:?}");
    for word in ["accept · ok", "reject · ", "reject · revoked", "caution · status_stale", "拒绝旧版本"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_zyz"));
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

/// Runs it until it serves, presses Ctrl-C, and returns what it printed; it must have ended well.
fn served(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zyz"));
    command.args(["demo", "--serve", "--listen", "127.0.0.1:0", "--dir"]).arg(folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut printed = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        printed.push_str(&line);
        printed.push('\n');
        if line.starts_with("listening on ") {
            assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        }
    }
    assert!(child.wait().unwrap().success(), "{printed}");
    printed
}

#[test]
fn the_console_of_the_demonstration_has_something_in_every_room_and_is_gone_on_with() {
    let desk = Desk::empty(Database::sqlite());
    let folder = desk.path("demo");
    let first = served(&folder);
    for words in ["七、工作台", "cha-ma-gu-dao-8530", "danwei", "shangjia", "listening on http://127.0.0.1:"] {
        assert!(first.contains(words), "{words}: {first}");
    }
    let accounts_of = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zyz"));
        command.arg("--data").arg(folder.join("data"));
        command.arg("--passphrase-file").arg(folder.join("data/passphrase.txt"));
        let output = command.args(["staff", "list", "--json"]).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let accounts = accounts_of();
    assert_eq!(accounts.as_array().unwrap().len(), 6, "{accounts}");
    assert_eq!(
        std::fs::read_dir(folder.join("data").join("work").join("jobs")).unwrap().count(),
        1,
        "a print job's files"
    );
    let second = served(&folder);
    assert!(!second.contains("七、工作台"), "nothing is made twice: {second}");
    assert!(second.contains("cha-ma-gu-dao-8530"), "{second}");
    assert_eq!(accounts_of(), accounts);
    // Without its last page the sample was interrupted: it is not mixed with another.
    std::fs::remove_file(folder.join("6-工作台说明.txt")).unwrap();
    let said = desk.refused(&["demo", "--serve", "--listen", "127.0.0.1:0", "--dir", &desk.arg("demo")]);
    assert!(said.contains("没有准备完"), "{said}");
}
