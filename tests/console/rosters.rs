//! Rosters (附件2) under way: upload, preview, correction in place, confirmation.

use jiff::SignedDuration;
use zyz::domain::staff::{Role, Scope};

use crate::console::{Client, ConsoleApp};
use crate::on_both;
use crate::support::{Database, sheets};

/// Headings of the form, as CSV.
pub const FORM: &str = "序号,姓名,性别,民族,出生年月,政治面貌,身份证号码,联系电话,用户名,密码";

/// A line of the form for the `n`th invented person, with a password that must turn up nowhere.
pub fn line(n: usize) -> String {
    let person = sheets::person(n);
    let birth = person.birth.strftime("%Y.%m");
    format!(
        "{},{},{},汉族,{birth},群众,{},{},u{n},secret-pw-77",
        n + 1,
        person.name,
        person.sex,
        person.identity,
        person.phone
    )
}

/// The form with these lines.
pub fn form(lines: &[String]) -> Vec<u8> {
    format!("普洱市志愿者统计表\n{FORM}\n{}\n", lines.join("\n")).into_bytes()
}

/// A unit made by somebody who may; its key.
pub fn unit(client: &Client<'_>, county: &str, name: &str) -> i64 {
    let answer =
        client.post("/units/new", &[("county", county), ("name", name), ("group", "office"), ("head_count", "20")]);
    answer.location().rsplit('/').next().unwrap().parse().unwrap()
}

/// Uploads a roster; the draft's address below the console's.
pub fn upload(client: &Client<'_>, unit: i64, name: &str, bytes: &[u8]) -> String {
    let answer = client.upload("/rosters/drafts", &[("unit", &unit.to_string())], name, bytes);
    answer.location().strip_prefix("/console").unwrap().to_owned()
}

/// What stands in the form of a page: name and value of its inputs.
pub fn inputs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for tag in text.split("<input ").skip(1) {
        let tag = tag.split('>').next().unwrap();
        let attribute = |name: &str| {
            let rest = tag.split_once(&format!("{name}=\""))?.1;
            Some(rest.split('"').next()?.to_owned())
        };
        found.extend(attribute("name").map(|name| (name, attribute("value").unwrap_or_default())));
    }
    found
}

/// The field of a page's form.
pub fn input(text: &str, name: &str) -> String {
    inputs(text).into_iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name} in {text}")).1
}

/// Confirms a draft as its page asks.
pub fn confirm(client: &Client<'_>, draft: &str, sure: bool) -> crate::server::Answer {
    let page = client.get(&format!("{draft}/confirm"));
    let revision = input(&page.text(), "revision");
    let mut fields = vec![("revision", revision.as_str())];
    if sure {
        fields.push(("sure", "yes"));
    }
    client.post(&format!("{draft}/confirm"), &fields)
}

/// A row's form sent with one cell changed.
fn correct(client: &Client<'_>, draft: &str, row: u32, column: u16, text: &str) -> crate::server::Answer {
    let page = client.get(&format!("{draft}/rows/{row}"));
    let mut fields = inputs(page.is(200).text().as_str());
    let name = format!("cell-{column}");
    fields.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, value)| text.clone_into(value));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    client.post(&format!("{draft}/rows/{row}"), &fields)
}

fn volunteers(console: &ConsoleApp) -> usize {
    console.app.wait(console.app.federation.volunteers(&Default::default())).unwrap().len()
}

fn a_roster_is_uploaded_corrected_and_confirmed(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let unit = unit(&admin, "2", "思茅区文化馆");
    let mut bad = line(1);
    bad = bad.replace(&sheets::person(1).identity, "530802199001010000");
    let draft = upload(&admin, unit, "名册.csv", &form(&[line(0), bad, line(2)]));
    let page = admin.get(&draft);
    page.is(200).says(&[
        "思茅区文化馆",
        "还没有登记任何人",
        "只看有问题的 1",
        "有错误",
        "密码已全部丢弃",
        "将新登记 2",
    ]);
    let text = page.text();
    assert!(!text.contains("secret-pw-77") && !text.contains(&sheets::person(0).identity), "{text}");
    assert!(text.contains(&sheets::person(0).identity[..6]), "{text}");
    assert_eq!(volunteers(&console), 0);
    // The row in the clear, its error at its field.
    let row = admin.get(&format!("{draft}/rows/4"));
    row.is(200).says(&["530802199001010000", "aria-invalid=\"true\""]);
    assert!(!row.text().contains("secret-pw-77"));
    let answer = correct(&admin, &draft, 4, 6, &sheets::person(1).identity);
    assert!(answer.location().contains("from=4"), "{}", answer.location());
    admin.get(&draft).says(&["只看有问题的 0"]);
    let done = confirm(&admin, &draft, false);
    assert!(done.location().ends_with("/report"));
    admin.get(&format!("{draft}/report")).says(&["新登记", "送达记录", "思茅区文化馆"]);
    assert_eq!(volunteers(&console), 3);
    admin.get(&format!("/units/{unit}")).says(&["窗口外", "上传名册"]);
    let actions = actions(&console);
    for action in
        ["roster.upload", "roster.reveal", "roster.correct", "import.roster", "roster.confirm", "delivery.add"]
    {
        assert!(actions.iter().any(|known| known == action), "{action}: {actions:?}");
    }
}

/// Every action of the audit trail; nobody's numbers stand in it.
pub fn actions(console: &ConsoleApp) -> Vec<String> {
    let events = console.app.wait(async {
        let store = console.app.store().await;
        store.read().await.unwrap().audit_events(None, 0, 1000).await.unwrap()
    });
    for event in &events {
        assert!(!event.detail.contains(&sheets::person(0).identity), "{event:?}");
        assert!(!event.detail.contains(&sheets::person(0).phone), "{event:?}");
    }
    events.into_iter().map(|event| event.action).collect()
}

fn duplicates_follow_every_correction(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let unit = unit(&admin, "2", "思茅区文化馆");
    let same = |n: usize| line(0).replace(&sheets::person(0).name, &sheets::person(n).name);
    let draft = upload(&admin, unit, "名册.csv", &form(&[line(0), same(2), line(4)]));
    admin.get(&draft).says(&["只看有问题的 1", "与第 3 行身份证号码相同"]);
    // The first gets another number: the second is the first with it now.
    let other = sheets::identity(sheets::person(0).birth, 200, true);
    correct(&admin, &draft, 3, 6, &other).location();
    admin.get(&draft).says(&["只看有问题的 0"]);
    // And back again.
    correct(&admin, &draft, 3, 6, &sheets::person(0).identity).location();
    admin.get(&draft).says(&["只看有问题的 1", "与第 3 行身份证号码相同"]);
    // The first is taken out, and put back.
    let revision = input(&admin.get(&format!("{draft}/rows/3")).text(), "revision");
    admin.post(&format!("{draft}/rows/3/remove"), &[("revision", &revision)]).location();
    admin.get(&draft).says(&["只看有问题的 0", "已删去 1"]);
    let removed = admin.get(&format!("{draft}?show=removed"));
    let revision = input(&removed.text(), "revision");
    admin.post(&format!("{draft}/rows/3/restore"), &[("revision", &revision)]).location();
    admin.get(&draft).says(&["只看有问题的 1"]);
    // A third row given the same number is told too.
    let wrong = correct(&admin, &draft, 5, 6, &sheets::person(0).identity);
    assert!(wrong.location().ends_with("/rows/5"));
    admin.get(&format!("{draft}?show=problems")).says(&["与第 3 行身份证号码相同"]);
}

fn two_people_at_one_row_and_one_roster(database: Database) {
    let console = ConsoleApp::new(database);
    let (first, second) = (console.admin(), console.sign_in(Role::FederationClerk, Scope::All));
    let unit = unit(&first, "2", "思茅区文化馆");
    let draft = upload(&first, unit, "名册.csv", &form(&[line(0), line(1)]));
    let seen = input(&second.get(&format!("{draft}/rows/3")).text(), "revision");
    correct(&first, &draft, 3, 1, "岩温扁").location();
    let late = second.post(&format!("{draft}/rows/3"), &[("revision", &seen), ("cell-1", "玉波罕")]);
    late.is(409).says(&["已经改动过", "玉波罕", "现在的内容：岩温扁"]);
    // Both have the page of confirmation open; one is quicker.
    let revision = input(&first.get(&format!("{draft}/confirm")).text(), "revision");
    let stale = second.get(&format!("{draft}/confirm"));
    assert_eq!(input(&stale.text(), "revision"), revision);
    first.post(&format!("{draft}/confirm"), &[("revision", &revision)]).location();
    let told = second.post(&format!("{draft}/confirm"), &[("revision", &revision)]);
    assert!(told.location().ends_with("/report"));
    assert_eq!(volunteers(&console), 2);
    // What was changed after the page was shown is not confirmed unseen.
    let draft = upload(&first, unit, "名册2.csv", &form(&[line(2), line(3)]));
    let revision = input(&first.get(&format!("{draft}/confirm")).text(), "revision");
    correct(&second, &draft, 3, 1, "扎妥").location();
    first.post(&format!("{draft}/confirm"), &[("revision", &revision)]).is(409).says(&["已经改动过"]);
    assert_eq!(volunteers(&console), 2);
    // Given up by one while the other corrects.
    let row = input(&second.get(&format!("{draft}/rows/3")).text(), "revision");
    first.post(&format!("{draft}/abandon"), &[]).location();
    second.post(&format!("{draft}/rows/3"), &[("revision", &row), ("cell-1", "娜发")]).is(422);
}

fn another_units_roster_is_not_there(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let (own, other) = (unit(&admin, "21", "宁洱县文化馆"), unit(&admin, "22", "墨江县文化馆"));
    let draft = upload(&admin, other, "名册.csv", &form(&[line(0)]));
    let row = format!("{draft}/rows/3");
    for client in [
        console.sign_in(Role::Unit, Scope::Unit { unit: own, county: 21 }),
        console.sign_in(Role::County, Scope::County(21)),
    ] {
        for path in [
            draft.clone(),
            row.clone(),
            format!("{draft}/confirm"),
            format!("{draft}/report"),
            format!("{draft}/abandon"),
        ] {
            client.get(&path).is(404);
        }
        for path in [
            row.clone(),
            format!("{row}/remove"),
            format!("{draft}/confirm"),
            format!("{draft}/abandon"),
            format!("{draft}/errors"),
        ] {
            client.post(&path, &[("revision", "1"), ("sure", "yes")]).is(404);
        }
        client.upload("/rosters/drafts", &[("unit", &other.to_string())], "名册.csv", &form(&[line(1)])).is(404);
        assert!(!client.get("/rosters").text().contains("墨江县文化馆"));
    }
    // A person of the unit sees and confirms it.
    let mine = console.sign_in(Role::Unit, Scope::Unit { unit: other, county: 22 });
    mine.get("/rosters").says(&["名册.csv"]);
    confirm(&mine, &draft, false).location();
    assert_eq!(volunteers(&console), 1);
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    oversight.get("/rosters").is(200);
    oversight.get(&draft).is(403);
}

fn a_roster_is_forgotten_after_thirty_days(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let unit = unit(&admin, "2", "思茅区文化馆");
    let draft = upload(&admin, unit, "名册.csv", &form(&[line(0)]));
    let revision = input(&admin.get(&format!("{draft}/confirm")).text(), "revision");
    console.app.pass(SignedDuration::from_hours(30 * 24));
    let admin = console.admin();
    admin.post(&format!("{draft}/confirm"), &[("revision", &revision)]);
    assert_eq!(volunteers(&console), 0);
    admin.post(&format!("{draft}/rows/3"), &[("revision", "1"), ("cell-1", "娜发")]).is(422).says(&["已过期"]);
    // The next upload sweeps.
    upload(&admin, unit, "名册2.csv", &form(&[line(1)]));
    admin.get(&draft).is(422).says(&["请重新上传"]);
    assert!(actions(&console).iter().any(|action| action == "roster.expire"));
}

fn the_wrong_file_or_unit_is_asked_about(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let (museum, school) = (unit(&admin, "2", "思茅区文化馆"), unit(&admin, "2", "思茅区第一小学"));
    let sheet =
        format!("普洱市志愿者统计表\n单位名称（公章）：思茅区第一小学    日期：2026年9月1日\n{FORM}\n{}\n", line(0));
    let draft = upload(&admin, museum, "名册.csv", sheet.as_bytes());
    admin.get(&draft).says(&["请核对是否选错了文件或单位", "思茅区第一小学"]);
    confirm(&admin, &draft, false).is(422).says(&["确认无误"]);
    assert_eq!(volunteers(&console), 0);
    admin.post(&format!("{draft}/abandon"), &[]).location();
    let draft = upload(&admin, school, "名册.csv", sheet.as_bytes());
    confirm(&admin, &draft, false).location();
    // The same file once more, and everybody in it known.
    let again = upload(&admin, school, "名册.csv", sheet.as_bytes());
    admin.get(&again).says(&["同一份文件已由", "此前已登记 1"]);
    let elsewhere = upload(&admin, museum, "别的.csv", &form(&[line(0)]));
    admin.get(&elsewhere).says(&["1 人此前登记在另一单位"]);
}

fn nothing_is_half_imported(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let unit = unit(&admin, "2", "思茅区文化馆");
    // Everybody wrong: refused by name, still open.
    let bad = line(0).replace(&sheets::person(0).identity, "1");
    let draft = upload(&admin, unit, "名册.csv", &form(&[bad]));
    admin.get(&format!("{draft}/confirm")).says(&["没有一个可以登记的人"]);
    admin.post(&format!("{draft}/confirm"), &[("revision", "1")]).is(422).says(&["没有一个可以登记的人"]);
    admin.get(&draft).is(200).says(&["核对并确认登记"]);
    // The same people in two rosters: whoever comes second finds them known.
    let (one, two) = (
        upload(&admin, unit, "甲.csv", &form(&[line(1), line(2)])),
        upload(&admin, unit, "乙.csv", &form(&[line(2), line(3)])),
    );
    confirm(&admin, &one, false).location();
    confirm(&admin, &two, false).location();
    admin
        .get(&format!("{two}/report"))
        .says(&["<div class=\"figure\">1</div>新登记", "<div class=\"figure\">1</div>此前已登记"]);
    assert_eq!(volunteers(&console), 3);
    assert_eq!(actions(&console).iter().filter(|action| *action == "import.roster").count(), 2);
}

fn the_error_workbook_is_the_units_own_sheet(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let unit = unit(&admin, "2", "思茅区文化馆");
    let bad = line(1).replace(&sheets::person(1).identity, "530802199001010000");
    let draft = upload(&admin, unit, "名册.csv", &form(&[line(0), bad]));
    let answer = admin.post(&format!("{draft}/errors"), &[]);
    let sheet = zyz::roster::sheet::read_bytes(&answer.is(200).body, &zyz::roster::Limits::default()).unwrap();
    let text: Vec<String> =
        sheet.rows().flat_map(|row| row.cells().map(|(_, cell)| cell.text.to_owned()).collect::<Vec<_>>()).collect();
    assert!(text.iter().any(|cell| cell.contains("校验码") || cell.contains("身份证")), "{text:?}");
    assert!(!text.iter().any(|cell| cell.contains("secret-pw-77")), "{text:?}");
    assert!(actions(&console).iter().any(|action| action == "roster.reveal"));
}

fn a_large_roster_stays_usable(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let unit = unit(&admin, "2", "思茅区文化馆");
    let lines: Vec<String> = (0..3_000).map(line).collect();
    let draft = upload(&admin, unit, "大名册.csv", &form(&lines));
    let page = admin.get(&draft);
    page.says(&["全部 3000", "下一页"]);
    assert_eq!(page.text().matches("<th scope=\"row\"").count(), 50);
    admin.get(&format!("{draft}?from=2900")).says(&["更正第 2900 行"]);
    confirm(&admin, &draft, false).location();
    assert_eq!(volunteers(&console), 3_000);
}

on_both!(
    a_roster_is_uploaded_corrected_and_confirmed,
    duplicates_follow_every_correction,
    two_people_at_one_row_and_one_roster,
    another_units_roster_is_not_there,
    a_roster_is_forgotten_after_thirty_days,
    the_wrong_file_or_unit_is_asked_about,
    nothing_is_half_imported,
    the_error_workbook_is_the_units_own_sheet,
    a_large_roster_stays_usable,
);
