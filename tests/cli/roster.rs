//! `zyz roster import`, `zyz volunteer`.

use crate::support::sheets::{self, Somebody};
use crate::support::{Database, Desk};

crate::on_both!(
    refused_rows_are_named_and_the_rest_is_imported,
    strict_imports_nothing,
    dry_run_changes_nothing,
    the_same_file_twice_changes_nothing,
    a_known_number_with_another_name_is_refused,
    somebody_who_left_is_not_enrolled_by_a_unit,
    two_imports_at_once,
    a_killed_import_is_whole_or_absent,
    a_large_roster_is_registered_in_its_order,
    a_large_roster_that_fails_late_leaves_nothing,
    nothing_personal_in_the_database,
    a_volunteer_by_number,
);

fn mixed() -> Vec<Somebody> {
    let mut people = sheets::people(5);
    let wrong = if people[1].identity.ends_with('1') { "2" } else { "1" };
    people[1].identity.replace_range(17.., wrong);
    people[3].sex = "男".into();
    people
}

fn refused_rows_are_named_and_the_rest_is_imported(database: Database) {
    let desk = Desk::new(database);
    let result = desk.import("思茅区样例单位", &mixed());
    assert_eq!(result["rows"], 5);
    assert_eq!(result["imported"], 3);
    assert_eq!(result["known"], 0);
    let refused = result["refused"].as_array().unwrap();
    assert_eq!(refused.iter().map(|r| r["row"].as_u64().unwrap()).collect::<Vec<_>>(), [4, 6], "the sheet's own rows");
    assert!(refused[0]["column"].as_str().unwrap().contains("身份证"), "{refused:?}");
    assert!(refused[0]["reason"].as_str().unwrap().contains("校验"), "{refused:?}");
    let list = desk.volunteers();
    assert_eq!(list.len(), 3);
    assert_eq!(list[0]["unit"], "思茅区样例单位");
    assert_eq!(list[0]["county"], "02");
    assert_eq!(list[0]["star"], 0);
    assert!(list[0]["certificate"].is_null());
    assert!(list[0]["number"].as_str().unwrap().starts_with("02"));
}

fn strict_imports_nothing(database: Database) {
    let desk = Desk::new(database);
    let file = desk.path("a.xlsx");
    sheets::roster(&file, &mixed());
    let file = file.display().to_string();
    let said = desk.run(&["roster", "import", &file, "--unit", "甲", "--county", "02", "--strict", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let result: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(result["imported"], 0);
    assert_eq!(result["refused"].as_array().unwrap().len(), 2);
    assert!(desk.volunteers().is_empty());
}

fn dry_run_changes_nothing(database: Database) {
    let desk = Desk::new(database);
    let (file, report) = (desk.path("a.xlsx"), desk.arg("report.xlsx"));
    sheets::roster(&file, &mixed());
    let file = file.display().to_string();
    let arguments = ["roster", "import", &file, "--unit", "甲", "--county", "思茅区", "--dry-run", "--report", &report];
    let result = desk.json(&arguments);
    assert_eq!(result["imported"], 3);
    assert!(desk.path("report.xlsx").is_file());
    assert!(desk.volunteers().is_empty());
}

fn the_same_file_twice_changes_nothing(database: Database) {
    let desk = Desk::with_people(database, 4);
    let before = desk.volunteers();
    let again = desk.import("思茅区样例单位", &sheets::people(4));
    assert_eq!((again["imported"].as_u64(), again["known"].as_u64()), (Some(0), Some(4)));
    assert_eq!(desk.volunteers(), before);
}

fn a_known_number_with_another_name_is_refused(database: Database) {
    let desk = Desk::with_people(database, 2);
    let mut people = sheets::people(2);
    people[0].name = "冒名者".into();
    let result = desk.import("另一单位", &people);
    assert_eq!(result["known"], 1);
    let reason = result["refused"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("姓名"), "{reason}");
}

fn somebody_who_left_is_not_enrolled_by_a_unit(database: Database) {
    let desk = Desk::with_people(database, 1);
    let number = desk.numbers().remove(0);
    desk.ok(&["revoke", &number, "--reason", "exit"]);
    let result = desk.import("另一单位", &sheets::people(1));
    assert_eq!(result["imported"], 0);
    let reason = result["refused"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("退出"), "{reason}");
    desk.ok(&["volunteer", "readmit", &number]);
    let result = desk.import("另一单位", &sheets::people(1));
    assert_eq!(result["known"], 1, "after readmission they are known again");
    assert_eq!(desk.numbers(), [number], "with the same number");
}

fn two_imports_at_once(database: Database) {
    let desk = Desk::new(database);
    let files: Vec<String> = (0..4)
        .map(|n| {
            let file = desk.path(&format!("{n}.xlsx"));
            sheets::roster(&file, &sheets::people(60));
            file.display().to_string()
        })
        .collect();
    let running: Vec<_> = files
        .iter()
        .map(|file| {
            let mut command =
                desk.command(&["roster", "import", file, "--unit", "同一单位", "--county", "02", "--json"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut imported = 0;
    for child in running {
        let said = crate::support::said(&child.wait_with_output().unwrap());
        assert_eq!(said.code, 0, "{said:?}");
        let result: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(result["imported"].as_u64().unwrap() + result["known"].as_u64().unwrap(), 60);
        imported += result["imported"].as_u64().unwrap();
    }
    assert_eq!(imported, 60, "everybody once");
    assert_eq!(desk.volunteers().len(), 60);
    assert_eq!(desk.run(&["doctor"]).out.matches("✓ 审计链").count(), 1);
}

fn a_killed_import_is_whole_or_absent(database: Database) {
    let desk = Desk::new(database);
    let file = desk.path("many.xlsx");
    sheets::roster(&file, &sheets::people(400));
    let file = file.display().to_string();
    let arguments = ["roster", "import", &file, "--unit", "甲", "--county", "02"];
    // Killed at several points of its life: what is asserted holds wherever that was.
    for delay in [10, 60, 120, 180, 240] {
        let mut child = desk
            .command(&arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let count = desk.volunteers().len();
        assert!(count == 0 || count == 400, "{count} after {delay} ms");
    }
    desk.ok(&arguments);
    assert_eq!(desk.volunteers().len(), 400);
    assert!(desk.run(&["doctor"]).out.contains("✓ 审计链"));
}

/// More rows than are registered before the rest is read.
const LARGE: usize = 4_600;

fn a_large_roster_is_registered_in_its_order(database: Database) {
    let desk = Desk::new(database);
    let mut people = sheets::people(LARGE);
    people.push(people[1].clone());
    let result = desk.import("思茅区样例单位", &people);
    assert_eq!((result["rows"].as_u64(), result["imported"].as_u64()), (Some(LARGE as u64 + 1), Some(LARGE as u64)));
    let refused = result["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["row"], LARGE + 3, "the second of two, though the first was registered long before");
    assert!(refused[0]["reason"].as_str().unwrap().contains("第 4 行"), "{refused:?}");
    let names: Vec<_> = desk.volunteers().iter().map(|person| person["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, people[..LARGE].iter().map(|person| person.name.clone()).collect::<Vec<_>>());
    let again = desk.import("思茅区样例单位", &people);
    assert_eq!((again["imported"].as_u64(), again["known"].as_u64()), (Some(0), Some(LARGE as u64)));
    assert!(desk.run(&["doctor"]).out.contains("✓ 审计链"));
}

fn a_large_roster_that_fails_late_leaves_nothing(database: Database) {
    let desk = Desk::new(database);
    let mut people = sheets::people(LARGE);
    let (good, long, text) = (desk.arg("good.xlsx"), desk.arg("long.xlsx"), desk.arg("broken.csv"));
    sheets::roster(&desk.path("good.xlsx"), &people);
    people[LARGE - 2].name = "长".repeat(3_000);
    sheets::roster(&desk.path("long.xlsx"), &people);
    people[LARGE - 2].name = "\"没有结束的引号".into();
    let lines: String = people.iter().map(|p| format!("{},{}\n", p.name, p.identity)).collect();
    std::fs::write(&text, format!("姓名,身份证号码\n{lines}")).unwrap();
    people[LARGE - 2].name = "二".into();
    people[LARGE - 2].sex = "男女".into();
    sheets::roster(&desk.path("wrong.xlsx"), &people);
    let wrong = desk.arg("wrong.xlsx");

    let import = |file: &str, more: &[&str]| {
        let mut arguments = vec!["roster", "import", file, "--unit", "甲", "--county", "02", "--json"];
        arguments.extend(more);
        desk.run(&arguments)
    };
    let nowhere = desk.arg("no-such-folder/report.xlsx");
    let cases: [(&str, &[&str], i32, &str); 5] = [
        (&long, &[], 1, "内容过长"),
        (&text, &[], 1, "引号没有结束"),
        (&good, &["--report", &nowhere], 1, "无法写入"),
        (&wrong, &["--strict"], 1, ""),
        (&good, &["--dry-run"], 0, ""),
    ];
    for (file, more, code, said_error) in cases {
        let said = import(file, more);
        assert_eq!(said.code, code, "{file} {more:?}: {}", said.err);
        assert!(said.err.contains(said_error), "{file} {more:?}: {}", said.err);
        assert!(desk.volunteers().is_empty(), "{file} {more:?}");
    }
    let strict: serde_json::Value = serde_json::from_str(&import(&wrong, &["--strict"]).out).unwrap();
    assert_eq!((strict["rows"].as_u64(), strict["imported"].as_u64()), (Some(LARGE as u64), Some(0)));
    assert_eq!(strict["refused"].as_array().unwrap().len(), 1);
    let dry: serde_json::Value = serde_json::from_str(&import(&wrong, &["--dry-run"]).out).unwrap();
    assert_eq!(dry["imported"].as_u64(), Some(LARGE as u64 - 1));

    let done: serde_json::Value = serde_json::from_str(&import(&good, &[]).out).unwrap();
    assert_eq!(done["imported"].as_u64(), Some(LARGE as u64));
    assert!(desk.numbers()[0].starts_with("020000001"), "no number was used up: {}", desk.numbers()[0]);
}

#[test]
fn a_disk_that_fills_up_loses_nothing() {
    let desk = Desk::with_people(Database::sqlite(), 3);
    let file = desk.path("many.xlsx");
    sheets::roster(&file, &sheets::people(400));
    let file = file.display().to_string();
    let arguments = ["roster", "import", &file, "--unit", "甲", "--county", "02"];
    let said = desk.run_with_small_files(&arguments);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("磁盘") || said.err.contains("未保存"), "{said:?}");
    assert_eq!(desk.volunteers().len(), 3, "what was acknowledged is there, of the rest nothing");
    let result = desk.json(&arguments);
    assert_eq!((result["known"].as_u64(), result["imported"].as_u64()), (Some(3), Some(397)));
}

fn nothing_personal_in_the_database(database: Database) {
    let on_disk = matches!(database, Database::Sqlite);
    let desk = Desk::with_people(database, 3);
    let said = desk.ok(&["volunteer", "show", &desk.numbers()[0], "--json"]);
    let person = sheets::person(0);
    for secret in [&person.identity, &person.phone, "secret-pw-77"] {
        assert!(!said.out.contains(secret), "{}", said.out);
        if !on_disk {
            continue;
        }
        for name in ["data/zyz.db", "data/zyz.db-wal"] {
            let bytes = std::fs::read(desk.path(name)).unwrap_or_default();
            assert!(!contains(&bytes, secret.as_bytes()), "{secret} stands in {name}");
        }
    }
}

fn a_volunteer_by_number(database: Database) {
    let desk = Desk::with_people(database, 1);
    let number = desk.numbers().remove(0);
    desk.ok(&["issue", "--volunteer", &number]);
    let spaced = format!("{} {} {}", &number[..2], &number[2..9], &number[9..]);
    let person = desk.json(&["volunteer", "show", &spaced]);
    assert_eq!(person["number"], number);
    assert_eq!(person["certificates"][0]["state"], "valid");
    let actions: Vec<_> = person["history"].as_array().unwrap().iter().map(|e| e["action"].clone()).collect();
    assert!(actions.iter().any(|action| action == "certificate.issue"), "{actions:?}");
}

#[test]
fn a_file_that_is_no_spreadsheet_is_refused_by_name() {
    let desk = Desk::new(Database::sqlite());
    let arguments = |file: &str| -> Vec<String> {
        ["roster", "import", file, "--unit", "甲", "--county", "02"].map(String::from).to_vec()
    };
    let cases: [(&str, &[u8]); 4] = [
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
        ("b.xlsx", b"PK\x03\x04 not really"),
        ("c.png", b"\x89PNG\r\n\x1a\n"),
        ("d.csv", b""),
    ];
    for (name, bytes) in cases {
        std::fs::write(desk.path(name), bytes).unwrap();
        let arguments = arguments(&desk.arg(name));
        let said = desk.refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(said.chars().any(|c| c > '一'), "{name}: {said}");
    }
    let missing = arguments(&desk.arg("nowhere.xlsx"));
    desk.refused(&missing.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(desk.volunteers().is_empty());
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
