//! Service records: many people at once, sheets, the clock, objections, corrections, papers.

use jiff::SignedDuration;
use zyz::domain::staff::{Role, Scope};

use crate::console::{Client, ConsoleApp};
use crate::on_both;
use crate::support::Database;

on_both![
    one_activity_for_many_people,
    the_same_activity_twice_is_refused,
    late_hours_need_a_reason_and_are_marked,
    an_activity_waits_for_its_hours,
    an_objection_is_decided_by_somebody_else,
    two_people_correct_the_same_record,
    a_void_record_counts_nowhere,
    a_sheet_is_looked_at_before_it_counts,
];

/// The unit of the sample people.
pub fn unit_of(client: &Client<'_>, console: &ConsoleApp) -> i64 {
    console.app.wait(client.desk.hours_find_units("样例")).unwrap()[0].id
}

fn numbers(console: &ConsoleApp) -> Vec<String> {
    console.app.numbers().iter().map(|number| number.as_str().to_owned()).collect()
}

/// A right number that nobody has.
fn nobody() -> String {
    let right = |check: &u8| zyz_credential::CertificateNumber::parse(&format!("029999999{check}")).is_ok();
    format!("029999999{}", (0..10).find(right).unwrap())
}

/// A form of 3 hours on Friday 20 November for `people`.
pub fn form<'a>(unit: &'a str, step: &'a str, people: &'a [String]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("unit", unit),
        ("step", step),
        ("name", "周五环境集中整治日"),
        ("date", "2026-11-20"),
        ("start", "08:30"),
        ("end", "11:30"),
        ("hours", ""),
        ("content", "清扫洗马湖步道"),
        ("place", "洗马湖公园"),
        ("item", "3"),
        ("organiser", "思茅区样例单位"),
        ("in_charge", "岩温扁"),
    ];
    fields.extend(people.iter().map(|number| ("chosen", number.as_str())));
    fields
}

/// The form with another value of a field.
pub fn with<'a>(mut fields: Vec<(&'a str, &'a str)>, name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    fields.retain(|(known, _)| *known != name);
    fields.push((name, value));
    fields
}

/// Enters the form and returns the address of the entry.
pub fn entered(client: &Client<'_>, unit: &str, people: &[String]) -> String {
    let answer = client.post("/hours/enter", &form(unit, "save", people));
    answer.location().strip_prefix("/console").unwrap().to_owned()
}

/// The key of the record on the page of somebody.
pub fn record_of(client: &Client<'_>, number: &str) -> String {
    let text = client.get(&format!("/hours/people/{number}")).text();
    let rest = text.split("/hours/records/").nth(1).expect("a record is listed");
    rest.chars().take_while(char::is_ascii_digit).collect()
}

fn one_activity_for_many_people(database: Database) {
    let console = ConsoleApp::with_cards(database, 6);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let unit = unit_of(&clerk, &console).to_string();
    let people = numbers(&console);
    clerk.get("/hours/enter").is(200).says(&["先选择单位", "思茅区样例单位"]);
    clerk.get(&format!("/hours/enter?unit={unit}")).is(200).says(&["参加的志愿者", &people[0]]);

    // Ticks are kept while the list is searched, and everybody found can be ticked at once.
    let search = clerk.post("/hours/enter", &with(form(&unit, "search", &people[..2]), "search", &people[5]));
    search.is(200).says(&["已选 2 人（其中 2 人不在下面的名单里）"]);
    clerk.post("/hours/enter", &form(&unit, "all", &[])).is(200).says(&["已选 6 人"]);

    let own = format!("h.{}", people[1]);
    let check = clerk.post("/hours/enter", &with(form(&unit, "check", &people[..3]), &own, "1.5"));
    check.is(200).says(&["2026-11-20　星期五", "3 人，7.5 小时", "确认录入 3 人", "1.5"]);
    clerk.get(&format!("/hours/people/{}", people[0])).is(200).says(&["还没有服务记录"]);

    let saved = clerk.post("/hours/enter", &with(form(&unit, "save", &people[..3]), &own, "1.5"));
    let entry = saved.location().strip_prefix("/console").unwrap().to_owned();
    clerk.get(&entry).is(200).says(&["周五环境集中整治日", "3 条，共 7.5 小时", "作废这 3 条记录"]);
    clerk.get("/hours/entries").is(200).says(&["批量录入", "周五环境集中整治日"]);
    clerk.get("/hours").is(200).says(&["共 3 条，合计 7.5 小时", "08:30—11:30", "清扫洗马湖步道"]);
    clerk.get("/hours?from=2026-11-21").is(200).says(&["没有符合条件的服务记录"]);
    clerk.get("/hours?unit=%E6%A0%B7%E4%BE%8B").is(200).says(&["共 3 条"]);
    clerk.get("/hours?unit=nowhere&from=yesterday").is(200).says(&["没有唯一对应的单位", "请写成 2026-11-20"]);
    let book = clerk.get("/hours/export?to=2026-11-20").is(200).body.clone();
    assert!(book.starts_with(b"PK"));
    // A person is found by POST, so that no name stands in an address.
    let found = clerk.post("/hours/find", &[("text", &people[2])]);
    assert_eq!(found.location(), format!("/console/hours/people/{}", people[2]));
    clerk.post("/hours/find", &[("text", "没有此人")]).is(200).says(&["没有找到这个人"]);

    // Whatever is wrong is said at its field or row, and nothing is written.
    let wrong = with(with(form(&unit, "check", &[]), "date", "2026-11-24"), "end", "08:00");
    clerk.post("/hours/enter", &wrong).is(422).says(&[
        "在录入日期 2026-11-23 之后",
        "不晚于开始时间",
        "还没有选择志愿者",
    ]);
    let stranger = [nobody()];
    let strange = clerk.post("/hours/enter", &form(&unit, "save", &stranger));
    strange.is(409).says(&["没有写入任何记录", "不是本单位的志愿者"]);
    clerk.get("/hours").says(&["共 3 条"]);

    // Another unit's people and records are out of reach.
    let elsewhere = crate::rosters::unit(&console.admin(), "2", "思茅区文化馆");
    let other = console.sign_in(Role::Unit, Scope::Unit { unit: elsewhere, county: 2 });
    other.post("/hours/enter", &form(&unit, "save", &people[3..4])).is(404);
    other.get(&format!("/hours/enter?unit={unit}")).is(404);
    other.get(&entry).is(404);
    other.get(&format!("/hours/people/{}", people[0])).is(404);
    other.get(&format!("/hours/records/{}", record_of(&clerk, &people[0]))).is(404);
    other.post("/hours/find", &[("text", &people[0])]).is(200).says(&["没有找到这个人"]);
    let county = console.sign_in(Role::County, Scope::County(21));
    county.get("/hours").is(200).says(&["没有符合条件的服务记录"]);
    county.get(&entry).is(404);
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    oversight.get(&entry).is(200);
    oversight.post("/hours/enter", &form(&unit, "save", &people[3..4])).is(403);
}

fn the_same_activity_twice_is_refused(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let unit = unit_of(&clerk, &console).to_string();
    let people = numbers(&console);
    let entry = entered(&clerk, &unit, &people[..2]);
    // The form sent twice, by another person too.
    let admin = console.admin();
    let again = admin.post("/hours/enter", &form(&unit, "save", &people));
    again.is(409).says(&["没有写入任何记录", "服务时间重叠"]);
    // Without times of day the name tells.
    let bare = with(with(with(form(&unit, "check", &people), "start", ""), "end", ""), "hours", "2");
    admin.post("/hours/enter", &bare).is(200).says(&["2 人有问题", "已登记过“周五环境集中整治日”：请勿重复录入"]);
    // The afternoon of the same activity is another service.
    let later = with(with(form(&unit, "check", &people), "start", "14:00"), "end", "16:00");
    admin.post("/hours/enter", &later).is(200).says(&["确认录入 3 人"]);
    // A wrong date: all of it is declared void at once, and can be entered again.
    admin.post(&format!("{entry}/void"), &[("reason", "")]).is(422).says(&["请写明原因"]);
    admin.post(&format!("{entry}/void"), &[("reason", "日期填错")]).location();
    clerk.get("/hours").says(&["没有符合条件的服务记录"]);
    clerk.get("/hours?state=void").says(&["共 2 条", "已作废"]);
    entered(&clerk, &unit, &people);
    clerk.get("/hours").says(&["共 3 条，合计 9 小时"]);
}

fn late_hours_need_a_reason_and_are_marked(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let unit = unit_of(&clerk, &console).to_string();
    let people = numbers(&console);
    // Friday 6 November has eleven working days behind it on the 23rd; Monday the 9th has ten.
    let late = with(form(&unit, "check", &people), "date", "2026-11-06");
    clerk.post("/hours/enter", &late).is(422).says(&["超过 10 个工作日的录入期限，请写明迟录原因"]);
    let in_time = with(form(&unit, "check", &people), "date", "2026-11-09");
    clerk.post("/hours/enter", &in_time).is(200).says(&["确认录入 2 人"]);
    let reasoned = with(with(form(&unit, "save", &people), "date", "2026-11-06"), "late_reason", "经办人住院");
    clerk.post("/hours/enter", &reasoned).location();
    clerk.get("/hours?state=late").is(200).says(&["共 2 条", "迟录"]);
    let record = record_of(&clerk, &people[0]);
    clerk.get(&format!("/hours/records/{record}")).is(200).says(&["迟录原因", "经办人住院"]);
}

fn an_activity_waits_for_its_hours(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let unit = unit_of(&clerk, &console).to_string();
    let people = numbers(&console);
    clerk.post("/hours/enter", &form(&unit, "note", &[])).location();
    clerk.get("/hours/pending").is(200).says(&["周五环境集中整治日", "期限内", "剩 9 个工作日"]);
    let summary = || console.app.wait(clerk.desk.late_hours_summary()).unwrap();
    assert_eq!((summary().due_soon, summary().overdue), (0, 0));
    console.app.pass(SignedDuration::from_hours(24 * 8));
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    clerk.get("/hours/pending?due=1").is(200).says(&["快到期", "剩 3 个工作日"]);
    assert_eq!((summary().due_soon, summary().overdue), (1, 0));
    console.app.pass(SignedDuration::from_hours(24 * 6));
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    clerk.get("/hours/pending").is(200).says(&["已逾期", "1 个工作日"]);
    assert_eq!((summary().due_soon, summary().overdue), (0, 1));
    let text = clerk.get("/hours/pending").text();
    let id: String = text.split("activity=").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    clerk.get(&format!("/hours/enter?activity={id}")).is(200).says(&["清扫洗马湖步道", "2026-11-20"]);
    clerk.post(&format!("/hours/pending/{id}/drop"), &[("reason", "")]).location();
    clerk.get("/hours/pending").says(&["周五环境集中整治日"]);
    let late = with(with(form(&unit, "save", &people), "late_reason", "等待名单"), "pending", &id);
    clerk.post("/hours/enter", &late).location();
    clerk.get("/hours/pending").is(200).says(&["没有待录入的活动"]);
    let county = console.sign_in(Role::County, Scope::County(21));
    county.get(&format!("/hours/enter?activity={id}")).is(404);
}

fn an_objection_is_decided_by_somebody_else(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let unit_id = unit_of(&clerk, &console);
    let unit = unit_id.to_string();
    let people = numbers(&console);
    let team = console.sign_in(Role::Unit, Scope::Unit { unit: unit_id, county: 2 });
    entered(&team, &unit, &people);
    let record = record_of(&team, &people[0]);
    let path = format!("/hours/records/{record}");
    team.post(&format!("{path}/dispute"), &[("objection", "")]).is(422).says(&["请写明志愿者的异议"]);
    team.post(&format!("{path}/dispute"), &[("objection", "实际服务 4 小时")]).location();
    team.get(&path).is(200).says(&["有异议", "实际服务 4 小时", "待处理"]);
    assert_eq!(console.app.wait(team.desk.late_hours_summary()).unwrap().open_disputes, 1);
    // While it waits, nobody changes the record past it, and no proof is issued from it.
    let change = correction(&team, &record);
    team.post(&format!("{path}/correct"), &sent(&change)).is(422).says(&["待处理的异议"]);
    team.post(&format!("{path}/void"), &[("revision", "1"), ("reason", "错")]).is(422);
    let proof = [("from", "2026-01-01"), ("to", "2026-12-31")];
    team.post(&format!("/hours/people/{}/proof", people[0]), &proof).is(422).says(&["请先处理异议"]);
    // The unit may not decide; whoever noted it may not either.
    let list = clerk.get("/hours/disputes").is(200).text();
    let id: String = list
        .split("/hours/disputes/")
        .find_map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            (!digits.is_empty()).then_some(digits)
        })
        .unwrap();
    let dispute = format!("/hours/disputes/{id}");
    team.post(&dispute, &[("decision", "reject"), ("reason", "核实无误")]).is(403);
    let county = console.sign_in(Role::County, Scope::County(21));
    county.get(&dispute).is(404);
    county.post(&dispute, &[("decision", "reject"), ("reason", "核实无误")]).is(404);
    clerk.post(&dispute, &[("decision", "reject"), ("reason", "")]).is(422).says(&["请写明原因"]);
    let mut fields = correction(&clerk, &record);
    fields.retain(|(name, _)| !matches!(name.as_str(), "end" | "reason"));
    let more = [("end", "12:30"), ("reason", "签到表为 8:30—12:30"), ("decision", "correct"), ("hours", "4")];
    fields.retain(|(name, _)| name != "hours");
    fields.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    clerk.post(&dispute, &sent(&fields)).location();
    clerk.get(&dispute).is(200).says(&["属实：已更正", "签到表为 8:30—12:30"]);
    clerk.get(&path).is(200).says(&["更正历史", "<del>3 小时</del> → 4 小时", "<del>11:30</del> → 12:30"]);
    // Decided is decided.
    clerk.post(&dispute, &[("decision", "reject"), ("reason", "再看")]).is(409);

    // Who noted an objection leaves its decision to another one.
    let other = format!("/hours/records/{}", record_of(&team, &people[1]));
    clerk.post(&format!("{other}/dispute"), &[("objection", "没有参加")]).location();
    let text = clerk.get(&other).text();
    let own: String = text.split("/hours/disputes/").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    let own = format!("/hours/disputes/{own}");
    clerk.post(&own, &[("decision", "void"), ("revision", "1"), ("reason", "属实")]).is(422).says(&["不能自己处理"]);
    let admin = console.admin();
    admin.post(&own, &[("decision", "void"), ("revision", "1"), ("reason", "属实")]).location();
    admin.get(&own).says(&["属实：已作废", "已作废，不计入"]);
}

/// The fields of a record's correction as its page shows them.
fn correction(client: &Client<'_>, record: &str) -> Vec<(String, String)> {
    let id: i64 = record.parse().unwrap();
    let page = client.get(&format!("/hours/records/{id}"));
    page.is(200);
    let fields = [
        ("revision", "1"),
        ("name", "周五环境集中整治日"),
        ("date", "2026-11-20"),
        ("start", "08:30"),
        ("end", "11:30"),
        ("hours", "3"),
        ("content", "清扫洗马湖步道"),
        ("place", "洗马湖公园"),
        ("item", "3"),
        ("organiser", "思茅区样例单位"),
        ("in_charge", "岩温扁"),
        ("reason", "更正"),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn sent(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn two_people_correct_the_same_record(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let (first, second) = (console.sign_in(Role::FederationClerk, Scope::All), console.admin());
    let unit = unit_of(&first, &console).to_string();
    let people = numbers(&console);
    entered(&first, &unit, &people);
    let record = record_of(&first, &people[0]);
    let path = format!("/hours/records/{record}/correct");
    first.get(&path).is(200).says(&["保存更正"]);
    let fields = correction(&first, &record);
    first.post(&path, &with(sent(&fields), "hours", "2")).location();
    // The second one is told, sees what the first changed, and keeps what she typed.
    let told = second.post(&path, &with(sent(&fields), "content", "劝导不文明行为"));
    told.is(409).says(&[
        "已经改动过",
        first.desk.staff().name.as_str(),
        "劝导不文明行为",
        "<del>3 小时</del> → 2 小时",
    ]);
    told.says(&["name=\"revision\" value=\"2\""]);
    second.post(&path, &with(with(sent(&fields), "content", "劝导不文明行为"), "revision", "2")).location();
    second.get(&format!("/hours/records/{record}")).says(&["→ 劝导不文明行为", "清扫洗马湖步道"]);
    // Values that cannot be, and no reason.
    let wrong = with(with(sent(&fields), "revision", "3"), "reason", "");
    second.post(&path, &with(wrong, "hours", "30")).is(422).says(&["24 小时", "请写明原因"]);
}

fn a_void_record_counts_nowhere(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let unit = unit_of(&clerk, &console).to_string();
    let people = numbers(&console);
    entered(&clerk, &unit, &people);
    let proof = [("from", "2026-01-01"), ("to", "2026-12-31")];
    let address = format!("/hours/people/{}/proof", people[0]);
    let paper = clerk.post(&address, &proof);
    assert!(paper.is(200).body.starts_with(b"%PDF"), "{}", paper.text());
    clerk.get(&format!("/hours/people/{}", people[0])).says(&["3 小时", "2026-000001", "出具过的证明"]);
    for by in ["people", "activity"] {
        let book = clerk.get(&format!("/hours/book.pdf?unit={unit}&from=2026-11-01&to=2026-11-30&by={by}"));
        assert!(book.is(200).body.starts_with(b"%PDF"));
        keep(&format!("record-book-{by}.pdf"), &book.body);
    }
    keep("proof-of-record.pdf", &paper.body);
    clerk.get(&format!("/hours/book.pdf?unit={unit}&from=2026-11-30&to=2026-11-01")).is(422).says(&["早于开始日期"]);

    let record = record_of(&clerk, &people[0]);
    clerk.get(&format!("/hours/records/{record}/void")).is(200).says(&["作废这条服务记录？", "3 小时将不再计入"]);
    clerk.post(&format!("/hours/records/{record}/void"), &[("revision", "1"), ("reason", "没有参加")]).location();
    clerk.get(&format!("/hours/people/{}", people[0])).is(200).says(&["0 小时", "已作废"]);
    clerk.post(&address, &proof).is(422).says(&["没有计入时长的服务记录"]);
    clerk.get("/hours").says(&["共 1 条，合计 3 小时"]);
    clerk.get(&format!("/hours/records/{record}")).is(200).says(&["已作废，不计入", "没有参加"]);
    clerk.post(&format!("/hours/records/{record}/void"), &[("revision", "1"), ("reason", "又")]).is(422);
    let again = correction(&clerk, &record);
    clerk.post(&format!("/hours/records/{record}/correct"), &sent(&again)).is(422).says(&["已经作废"]);
}

/// Leaves a paper for a look.
fn keep(name: &str, bytes: &[u8]) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/papers");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}

fn a_sheet_is_looked_at_before_it_counts(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let people = numbers(&console);
    let csv = format!(
        "证书编号,日期,小时数,服务内容\n{},2026-11-20,2,清扫\n{},2026-10-09,3,劝导\n{},2026-11-20,2,清扫\n{},2026-12-20,2,清扫\n",
        people[0],
        people[1],
        nobody(),
        people[2]
    );
    clerk.get("/hours/import").is(200);
    clerk.upload("/hours/import/file", &[], "时长.csv", b"\x00\x01 nothing").is(422);
    let preview = clerk.upload("/hours/import/file", &[], "时长.csv", csv.as_bytes());
    let path = preview.location().strip_prefix("/console").unwrap().to_owned();
    let shown = clerk.get(&path);
    shown.is(200).says(&[
        "检查结果：时长.csv",
        "导入这 2 条，共 5 小时",
        "名册中没有这位志愿者",
        "在录入日期",
        "迟录原因",
    ]);
    clerk.get("/hours").says(&["没有符合条件的服务记录"]);
    assert!(clerk.get(&format!("{path}/report")).is(200).body.starts_with(b"PK"));
    // Somebody else does not see it.
    console.admin().get(&path).is(404);
    clerk.post(&path, &[("expected", "2"), ("late_reason", "")]).is(422).says(&["请写明原因"]);
    // What was shown is what is written, or nothing.
    clerk.post(&path, &[("expected", "3"), ("late_reason", "补报")]).is(409).says(&["没有写入任何记录"]);
    clerk.post(&path, &[("expected", "2"), ("late_reason", "补报")]).location();
    clerk.get("/hours").says(&["共 2 条，合计 5 小时", "迟录"]);
    clerk.get(&path).is(404);
    let again = clerk.upload("/hours/import/file", &[], "时长.csv", csv.as_bytes());
    let path = again.location().strip_prefix("/console").unwrap().to_owned();
    clerk.get(&path).is(200).says(&["此前已登记"]);
    clerk.post(&format!("{path}/drop"), &[]).location();
    clerk.get(&path).is(404);

    // A unit's sheet about other units' people refuses them like nobody's.
    let elsewhere = crate::rosters::unit(&console.admin(), "2", "思茅区文化馆");
    let other = console.sign_in(Role::Unit, Scope::Unit { unit: elsewhere, county: 2 });
    let foreign = other.upload("/hours/import/file", &[], "时长.csv", csv.as_bytes());
    let path = foreign.location().strip_prefix("/console").unwrap().to_owned();
    let shown = other.get(&path).text();
    assert!(!shown.contains("导入这") && shown.matches("名册中没有这位志愿者").count() == 3, "{shown}");
}
