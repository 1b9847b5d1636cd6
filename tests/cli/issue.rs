//! `zyz issue`: one valid card a volunteer, whatever happens meanwhile.

use std::collections::HashSet;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use zyz::service::Selection;
use zyz::service::issue::IssueRequest;

use crate::support::sheets;
use crate::support::{Database, Desk, said};

crate::on_both!(
    everybody_gets_one_card_and_only_one,
    by_unit_and_by_number,
    two_processes_share_the_work,
    a_key_rotated_meanwhile_signs_no_more,
    a_killed_batch_is_resumed_without_doubles,
    the_code_says_number_star_and_masked_name,
    who_left_gets_no_card,
);

fn everybody_gets_one_card_and_only_one(database: Database) {
    let desk = Desk::with_people(database, 12);
    let first = desk.json(&["issue", "--all"]);
    assert_eq!(first["issued"].as_array().unwrap().len(), 12);
    assert_eq!(desk.json(&["issue", "--all"])["issued"].as_array().unwrap().len(), 0);
    assert_eq!(desk.json(&["issue", "--all", "--reissue"])["issued"].as_array().unwrap().len(), 0);
    for person in desk.volunteers() {
        assert_eq!(person["certificate"]["state"], "valid");
        let year = crate::support::now().to_string()[..4].parse::<i32>().unwrap() + 1;
        let expires = person["certificate"]["expires_at"].as_str().unwrap();
        assert!(expires.starts_with(&year.to_string()), "end of next year, Beijing: {expires}");
        assert!(expires.ends_with("-12-31T15:59:59Z"), "{expires}");
    }
}

fn by_unit_and_by_number(database: Database) {
    let desk = Desk::with_people(database, 3);
    let others: Vec<_> = (10..14).map(sheets::person).collect();
    desk.import("思茅区另一单位", &others);
    assert_eq!(desk.json(&["issue", "--unit", "思茅区另一单位"])["issued"].as_array().unwrap().len(), 4);
    let number = desk.numbers().remove(0);
    assert_eq!(desk.json(&["issue", "--volunteer", &number])["issued"], serde_json::json!([number]));
    let forced = desk.json(&["issue", "--volunteer", &number, "--reissue"]);
    assert_eq!(forced["replaced"], 1);
    let said = desk.refused(&["issue", "--unit", "没有的单位"]);
    assert!(said.contains("没有名为"), "{said}");
}

fn two_processes_share_the_work(database: Database) {
    let desk = Desk::with_people(database, 150);
    let running: Vec<_> = (0..2)
        .map(|_| {
            let mut command = desk.command(&["issue", "--all", "--json"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut issued = Vec::new();
    for child in running {
        let said = said(&child.wait_with_output().unwrap());
        assert_eq!(said.code, 0, "{said:?}");
        let result: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        issued.extend(result["issued"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()));
    }
    let distinct: HashSet<_> = issued.iter().collect();
    assert_eq!((issued.len(), distinct.len()), (150, 150), "nobody twice, nobody left out");
}

/// Another process rotates the issuing key when the batch has opened it and signed nothing yet.
fn a_key_rotated_meanwhile_signs_no_more(database: Database) {
    let desk = Desk::with_people(database, 3);
    let (stop, rotated) = (AtomicBool::new(false), AtomicBool::new(false));
    let progress = |done, _| {
        if done == 0 && !rotated.swap(true, Ordering::Relaxed) {
            desk.ok(&["key", "rotate", "issuing"]);
        }
    };
    let request = IssueRequest { selection: Selection::All, reissue: false };
    let issued = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let office = desk.app().federation().await.unwrap();
        office.issue(request, &stop, &progress).await.unwrap().issued
    });
    assert_eq!(issued.len(), 3);
    let keys = desk.json(&["key", "list"]);
    let used = |state: &str| {
        let of_state = |key: &&serde_json::Value| key["role"] == "issuing" && key["state"] == state;
        keys.as_array().unwrap().iter().find(of_state).unwrap()["list_used"].as_u64()
    };
    assert_eq!((used("retired"), used("active")), (Some(0), Some(3)));
    assert_eq!(desk.published_reason(&desk.text(&issued[0])), "ok");
}

fn a_killed_batch_is_resumed_without_doubles(database: Database) {
    let desk = Desk::with_people(database, 400);
    // Killed at several points of its life, at whatever it is doing then: what is asserted holds wherever that was.
    for delay in [0, 20, 60, 120, 200] {
        let mut child = desk.command(&["issue", "--all"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    desk.ok(&["issue", "--all"]);
    assert_eq!(desk.volunteers().iter().filter(|p| p["certificate"]["state"] == "valid").count(), 400);
    let said = desk.run(&["doctor"]);
    assert!(said.out.contains("✓ 审计链") && said.out.contains("✓ 数据库"), "{}", said.out);
    let keys = desk.json(&["key", "list"]);
    let used: u64 = keys.as_array().unwrap().iter().filter_map(|key| key["list_used"].as_u64()).sum();
    assert_eq!(used, 400, "no card was signed twice and kept");
}

fn the_code_says_number_star_and_masked_name(database: Database) {
    let desk = Desk::with_people(database, 1);
    let number = desk.numbers().remove(0);
    desk.ok(&["issue", "--all"]);
    let text = desk.text(&number);
    assert!(text.starts_with("https://zyz.example.cn/#"), "{text}");
    assert!(text[text.find('#').unwrap() + 1..].bytes().all(|b| b.is_ascii_digit()));
    desk.ok(&["publish", "--out", &desk.arg("public")]);
    let verdict = desk.judge(&text, "public");
    assert_eq!(verdict["verdict"], "accept", "{verdict}");
    assert_eq!(verdict["certificate"]["number"], number);
    assert_eq!(verdict["certificate"]["star"], 0);
    assert_eq!(verdict["certificate"]["holder"], "李**");
}

fn who_left_gets_no_card(database: Database) {
    let desk = Desk::with_people(database, 2);
    let number = desk.numbers().remove(0);
    desk.ok(&["revoke", &number, "--reason", "exit"]);
    assert_eq!(desk.json(&["issue", "--all"])["issued"].as_array().unwrap().len(), 1);
    let said = desk.refused(&["issue", "--volunteer", &number]);
    assert!(said.contains("readmit"), "{said}");
}
