//! `zyz publish`: versions only go up, files are whole.

use crate::support::{Database, Desk};

crate::on_both!(versions_only_go_up, files_for_a_web_server, published_at_once_by_two);

fn versions_only_go_up(database: Database) {
    let desk = Desk::new(database);
    let publish = |more: &[&str]| {
        let folder = desk.arg("public");
        let mut arguments = vec!["publish", "--out", &folder];
        arguments.extend(more);
        desk.json(&arguments)["bundle_version"].as_u64().unwrap()
    };
    assert_eq!(publish(&[]), 1);
    assert_eq!(publish(&[]), 2);
    assert_eq!(publish(&["--at-least", "50"]), 50, "after an older backup was restored");
    assert_eq!(publish(&[]), 51);
    let said = desk.refused(&["publish", "--out", &desk.arg("public"), "--at-least", "99999999999"]);
    assert!(said.contains("太大"), "{said}");
}

fn files_for_a_web_server(database: Database) {
    let desk = Desk::with_people(database, 1);
    desk.ok(&["issue", "--all"]);
    let done = desk.json(&["publish", "--out", &desk.arg("public")]);
    let keys = desk.json(&["key", "list"]);
    let kid = keys.as_array().unwrap().iter().find(|key| key["role"] == "issuing").unwrap()["kid"].as_str().unwrap();
    for name in
        ["trust-list.cose", "bundle.cose", &format!("status-lists/{kid}.cwt"), &format!("status-lists/{kid}.jwt")]
    {
        assert!(desk.path("public").join(name).is_file(), "{name}: {done}");
    }
    let names: Vec<_> = std::fs::read_dir(desk.path("public")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "no half files: {names:?}");
}

fn published_at_once_by_two(database: Database) {
    let desk = Desk::new(database);
    let running: Vec<_> = (0..3)
        .map(|n| {
            let mut command = desk.command(&["publish", "--out", &desk.arg(&format!("public{n}")), "--json"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut versions: Vec<_> = running
        .into_iter()
        .map(|child| {
            let said = crate::support::said(&child.wait_with_output().unwrap());
            let done: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
            done["bundle_version"].as_u64().unwrap()
        })
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3], "each has a version of its own");
}
