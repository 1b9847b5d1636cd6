//! Lists that are searched: what is found and what is not, whose it may be, and that the workbook follows the search.

use jiff::SignedDuration;
use zyz::domain::staff::{Role, Scope};
use zyz::service::desk::hours::{ActivityForm, RecordQuery};

use crate::console::{Client, ConsoleApp};
use crate::hours::{entered, form, record_of, unit_of, with};
use crate::on_both;
use crate::rosters::{self, confirm, line, upload};
use crate::server::Answer;
use crate::support::Database;

on_both![
    entries_are_found_by_unit_activity_and_person,
    objections_are_found_by_unit_and_person,
    waiting_activities_are_found_by_unit_and_name,
    uploaded_rosters_are_found_by_unit_and_file,
    delivered_rosters_are_found_by_unit_and_year,
    a_search_goes_on_over_pages,
];

/// The unit of 宁洱县 beside the sample's of 思茅区.
const MUSEUM: &str = "宁洱县文化馆";
const SAMPLE: &str = "思茅区样例单位";
/// A name with all the signs that mean something to a database.
const STRANGE: &str = "满意度50%_x'\"!\\日";

/// A page asked for with `q`.
fn ask(client: &Client<'_>, path: &str, q: &str) -> Answer {
    client.get(&format!("{path}?{}", serde_html_form::to_string([("q", q)]).unwrap()))
}

/// Asserts what a page shows and what it does not.
#[track_caller]
fn shows(answer: &Answer, there: &[&str], absent: &[&str]) {
    answer.is(200).says(there);
    let text = answer.text();
    for word in absent {
        assert!(!text.contains(word), "“{word}” stands in {text}");
    }
}

/// All text of a workbook.
#[track_caller]
pub(crate) fn workbook(answer: &Answer) -> String {
    use std::io::Read;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&answer.is(200).body)).unwrap();
    let mut text = String::new();
    for at in 0..archive.len() {
        archive.by_index(at).unwrap().read_to_string(&mut text).unwrap();
    }
    text
}

/// Asserts of every sign that means something in a pattern or a statement that it is only a sign: it finds [`STRANGE`], which
/// holds it, and nothing else; and that what no text may hold is refused.
#[track_caller]
fn signs_are_only_signs(mut asked: impl FnMut(&str) -> Answer, other: &str) {
    for word in ["%", "_", "'", "\"", "!", "\\", "50%_x'\"!\\"] {
        shows(&asked(word), &[">满意度50%_x"], &[other]);
    }
    for word in ["_%", "%x", "' OR 1=1 --", "__", "!!", "\\\\"] {
        shows(&asked(word), &["没有符合条件"], &[other, ">满意度50%_x"]);
    }
    asked("\0").is(400).says(&["空字符"]);
}

/// A unit of 宁洱县 with two people beside the sample's; its key.
fn museum(admin: &Client<'_>) -> i64 {
    let unit = rosters::unit(admin, "21", MUSEUM);
    let draft = upload(admin, unit, "宁洱名册.csv", &rosters::form(&[line(40), line(41)]));
    confirm(admin, &draft, false).location();
    unit
}

fn people_of(console: &ConsoleApp, client: &Client<'_>, unit: i64) -> Vec<String> {
    let page = console.app.wait(client.desk.entry_people(unit, "")).unwrap();
    page.people.into_iter().map(|(number, ..)| number).collect()
}

fn entries_are_found_by_unit_activity_and_person(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let admin = console.admin();
    let (sample, museum) = (unit_of(&admin, &console), museum(&admin));
    let theirs = console.sign_in(Role::Unit, Scope::Unit { unit: museum, county: 21 });
    let (own, other) = (people_of(&console, &admin, sample), people_of(&console, &admin, museum));
    entered(&admin, &sample.to_string(), &own);
    let strange = museum.to_string();
    theirs.post("/hours/enter", &with(form(&strange, "save", &other), "name", STRANGE)).location();
    let path = "/hours/entries";
    shows(&admin.get(path), &["周五环境集中整治日", SAMPLE, MUSEUM], &["没有符合条件", "清除条件"]);
    shows(&ask(&admin, path, "环境集中"), &["周五环境集中整治日", "清除条件", "value=\"环境集中\""], &[MUSEUM]);
    shows(&ask(&admin, path, " 宁洱县 "), &[MUSEUM], &[SAMPLE]);
    shows(&ask(&admin, path, &theirs.desk.staff().login), &[MUSEUM], &[SAMPLE]);
    shows(&ask(&admin, path, "没有这个活动"), &["没有符合条件的录入批次"], &[SAMPLE, MUSEUM, "还没有录入过", "导出"]);
    signs_are_only_signs(|q| ask(&admin, path, q), SAMPLE);
    // The workbook holds what the page shows, and the page leads to it.
    ask(&admin, path, "环境").says(&["/hours/entries/export?q=%E7%8E%AF%E5%A2%83\""]);
    let book = workbook(&ask(&admin, "/hours/entries/export", "环境"));
    assert!(book.contains(SAMPLE) && !book.contains(MUSEUM));
    // Another county's, and another unit's, are not found however they are asked for.
    let county = console.sign_in(Role::County, Scope::County(21));
    for (client, seen) in [(&county, MUSEUM), (&theirs, MUSEUM)] {
        shows(&ask(client, path, "环境"), &["没有符合条件"], &[SAMPLE]);
        shows(&ask(client, path, "样例"), &["没有符合条件"], &[SAMPLE]);
        shows(&ask(client, path, "满意度"), &[seen], &[SAMPLE]);
        assert!(!workbook(&ask(client, "/hours/entries/export", "样例")).contains(SAMPLE));
    }
    let empty = console.sign_in(Role::County, Scope::County(29));
    shows(&empty.get(path), &["还没有录入过服务记录"], &[]);
}

fn objections_are_found_by_unit_and_person(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let admin = console.admin();
    let (sample, museum) = (unit_of(&admin, &console), museum(&admin));
    let mut people = Vec::new();
    for (unit, words) in [(sample, "实际服务四小时"), (museum, STRANGE)] {
        let numbers = people_of(&console, &admin, unit);
        entered(&admin, &unit.to_string(), &numbers);
        let record = record_of(&admin, &numbers[0]);
        admin.post(&format!("/hours/records/{record}/dispute"), &[("objection", words)]).location();
        people.push((numbers[0].clone(), record));
    }
    let name = console.app.wait(admin.desk.hours_find_people(&people[0].0)).unwrap()[0].name.clone();
    let search = |client: &Client<'_>, text: &str, state: &str| {
        client.post("/hours/disputes/search", &[("text", text), ("state", state)])
    };
    shows(
        &admin.get("/hours/disputes"),
        &["实际服务四小时", ">满意度50%", "单位、志愿者姓名或证书编号"],
        &["清除条件"],
    );
    let grouped = format!("{} {} {}", &people[0].0[..2], &people[0].0[2..6], &people[0].0[6..]);
    for words in [name.as_str(), &people[0].0, &grouped, "样例单"] {
        shows(&search(&admin, words, ""), &["实际服务四小时", "清除条件"], &[">满意度50%"]);
        let book = admin.post("/hours/disputes/export", &[("text", words), ("state", "")]);
        let book = workbook(&book);
        assert!(book.contains("实际服务四小时") && !book.contains(MUSEUM), "{words}");
    }
    shows(&search(&admin, "宁洱", ""), &[">满意度50%"], &["实际服务四小时"]);
    // A part of a name, what the objection says, and what was decided or not are not what is asked for.
    let family: String = name.chars().take(1).collect();
    for (words, state) in [(family.as_str(), ""), ("实际", ""), (name.as_str(), "decided"), ("0299999999", "")] {
        shows(&search(&admin, words, state), &["没有符合条件的异议"], &["实际服务四小时", "导出 Excel"]);
    }
    for words in ["%", "_", "'", "!", "\\", "' OR 1=1 --", "%样例%", "样_单"] {
        shows(&search(&admin, words, ""), &["没有符合条件的异议"], &["实际服务四小时", ">满意度50%"]);
    }
    search(&admin, "\0", "").is(400).says(&["空字符"]);
    assert_eq!(search(&admin, " ", "decided").location(), "/console/hours/disputes?state=decided");
    assert_eq!(search(&admin, "", "").location(), "/console/hours/disputes");
    // Whoever does not reach the unit finds neither it nor the person.
    for client in [
        console.sign_in(Role::County, Scope::County(21)),
        console.sign_in(Role::Unit, Scope::Unit { unit: museum, county: 21 }),
    ] {
        for words in [name.as_str(), &people[0].0, "样例"] {
            shows(&search(&client, words, ""), &["没有符合条件的异议"], &["实际服务四小时"]);
            let book = client.post("/hours/disputes/export", &[("text", words)]);
            assert!(!workbook(&book).contains("实际服务四小时"), "{words}");
        }
        shows(&search(&client, "宁洱", ""), &[">满意度50%"], &["实际服务四小时"]);
    }
    // Decided, and the record void, it is still the person's.
    let page = search(&admin, &name, "").text();
    let dispute = page.split("/hours/disputes/").find(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    let dispute = dispute.unwrap().split('"').next().unwrap();
    let judge = console.sign_in(Role::FederationClerk, Scope::All);
    judge
        .post(&format!("/hours/disputes/{dispute}"), &[("decision", "void"), ("revision", "1"), ("reason", "没有参加")])
        .location();
    for words in [name.as_str(), &people[0].0] {
        shows(&search(&judge, words, "decided"), &["属实：已作废", "实际服务四小时"], &[]);
    }
}

fn waiting_activities_are_found_by_unit_and_name(database: Database) {
    let console = ConsoleApp::with_cards(database, 1);
    let admin = console.admin();
    let (sample, museum) = (unit_of(&admin, &console), museum(&admin));
    for (unit, name) in [(sample, "河道清理"), (museum, STRANGE)] {
        let unit = unit.to_string();
        admin.post("/hours/enter", &with(form(&unit, "note", &[]), "name", name)).location();
    }
    let path = "/hours/pending";
    shows(&admin.get(path), &["河道清理", SAMPLE, MUSEUM], &["清除条件"]);
    shows(&ask(&admin, path, "清理"), &["河道清理", "清除条件"], &[MUSEUM]);
    shows(&ask(&admin, path, "文化馆"), &[MUSEUM], &["河道清理"]);
    shows(&ask(&admin, path, "洗马湖"), &["没有符合条件的待录入活动"], &["河道清理", "没有待录入的活动", "导出"]);
    signs_are_only_signs(|q| ask(&admin, path, q), "河道清理");
    // The choice of what is due is kept, and keeps the search.
    admin.get(&format!("{path}?q=%E6%B2%B3&due=1")).is(200).says(&[
        "name=\"due\" value=\"1\"",
        "没有符合条件",
        "?q=%E6%B2%B3",
    ]);
    ask(&admin, path, "河").says(&["/hours/pending/export?q=%E6%B2%B3\"", "due=1&amp;q=%E6%B2%B3"]);
    let book = workbook(&ask(&admin, "/hours/pending/export", "河"));
    assert!(book.contains("河道清理") && !book.contains(MUSEUM));
    let county = console.sign_in(Role::County, Scope::County(21));
    for words in ["河道", "样例"] {
        shows(&ask(&county, path, words), &["没有符合条件"], &["河道清理"]);
        assert!(!workbook(&ask(&county, "/hours/pending/export", words)).contains("河道清理"));
    }
    shows(&ask(&county, path, "满意"), &[MUSEUM], &["河道清理"]);
    let empty = console.sign_in(Role::County, Scope::County(29));
    shows(&empty.get(path), &["没有待录入的活动"], &[]);
}

fn uploaded_rosters_are_found_by_unit_and_file(database: Database) {
    let console = ConsoleApp::with_cards(database, 1);
    let admin = console.admin();
    let (sample, museum) = (unit_of(&admin, &console), museum(&admin));
    upload(&admin, sample, "秋季补报.csv", &rosters::form(&[line(60)]));
    // A file's name travels in a header, where the quotation mark and the backslash are not its own.
    upload(&admin, museum, "满意度50%_x'!日.csv", &rosters::form(&[line(61)]));
    let path = "/rosters";
    shows(&admin.get(path), &["秋季补报.csv", MUSEUM, SAMPLE], &["清除条件"]);
    shows(&ask(&admin, path, "秋季"), &["秋季补报.csv", "清除条件"], &[MUSEUM]);
    shows(&ask(&admin, path, "宁洱"), &[MUSEUM, "宁洱名册.csv"], &[SAMPLE]);
    shows(&ask(&admin, path, "春季"), &["没有符合条件的名册"], &[SAMPLE, MUSEUM, "还没有上传过", "导出"]);
    for word in ["%", "_", "'", "!"] {
        shows(&ask(&admin, path, word), &[">满意度50%_x"], &["秋季补报.csv", "宁洱名册.csv"]);
    }
    for word in ["_%", "%x", "\\", "' OR 1=1 --"] {
        shows(&ask(&admin, path, word), &["没有符合条件"], &["秋季补报.csv", ">满意度"]);
    }
    ask(&admin, path, "\0").is(400).says(&["空字符"]);
    ask(&admin, path, "秋季").says(&["/rosters/export?q=%E7%A7%8B%E5%AD%A3\""]);
    let book = workbook(&ask(&admin, "/rosters/export", "秋季"));
    assert!(book.contains("秋季补报.csv") && !book.contains(MUSEUM));
    for client in [
        console.sign_in(Role::County, Scope::County(21)),
        console.sign_in(Role::Unit, Scope::Unit { unit: museum, county: 21 }),
    ] {
        for words in ["秋季", "样例"] {
            shows(&ask(&client, path, words), &["没有符合条件"], &["秋季补报.csv"]);
            assert!(!workbook(&ask(&client, "/rosters/export", words)).contains("秋季补报.csv"));
        }
        shows(&ask(&client, path, "名册"), &["宁洱名册.csv"], &["秋季补报.csv"]);
    }
}

fn delivered_rosters_are_found_by_unit_and_year(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let admin = console.admin();
    let (sample, _) = (unit_of(&admin, &console), museum(&admin));
    admin.post(&format!("/units/{sample}/deliver"), &[]).location();
    // Early in the year after, the sample's unit once more.
    console.app.pass(SignedDuration::from_hours(60 * 24));
    let admin = console.admin();
    admin.post(&format!("/units/{sample}/deliver"), &[]).location();
    let path = "/rosters/delivered";
    shows(&admin.get(path), &["2027-01-22", "2026-11-23", MUSEUM, SAMPLE, "全部年度"], &["清除条件"]);
    shows(&ask(&admin, path, "样例"), &["2027-01-22", "2026-11-23", "清除条件"], &[MUSEUM]);
    let asked = |client: &Client<'_>, q: &str, year: &str| {
        client.get(&format!("{path}?{}", serde_html_form::to_string([("q", q), ("year", year)]).unwrap()))
    };
    shows(&asked(&admin, "", "2026"), &["2026-11-23", MUSEUM, SAMPLE], &["2027-01-22"]);
    shows(&asked(&admin, "样例", "2027"), &["2027-01-22"], &["2026-11-23", MUSEUM]);
    shows(&asked(&admin, "宁洱", "2027"), &["没有符合条件的名册"], &[MUSEUM, "还没有送达", "导出"]);
    for word in ["%", "_", "'", "!", "\\", "样_单位", "' OR 1=1 --"] {
        shows(&ask(&admin, path, word), &["没有符合条件的名册"], &[MUSEUM, SAMPLE]);
    }
    ask(&admin, path, "\0").is(400).says(&["空字符"]);
    asked(&admin, "", "next").is(200).says(&[SAMPLE]);
    let export = "/rosters/delivered/export?q=%E6%A0%B7%E4%BE%8B&#38;year=2027\"";
    asked(&admin, "样例", "2027").says(&[export]);
    let book = workbook(&admin.get("/rosters/delivered/export?q=%E6%A0%B7%E4%BE%8B&year=2027"));
    assert!(book.contains("2027-01-22") && !book.contains("2026-11-23<") && !book.contains(MUSEUM), "{book}");
    let county = console.sign_in(Role::County, Scope::County(21));
    shows(&asked(&county, "样例", ""), &["没有符合条件的名册"], &[SAMPLE]);
    shows(&asked(&county, "", "2026"), &[MUSEUM], &[SAMPLE]);
    assert!(!workbook(&county.get("/rosters/delivered/export?q=%E6%A0%B7%E4%BE%8B")).contains(SAMPLE));
    let empty = console.sign_in(Role::County, Scope::County(29));
    shows(&empty.get(path), &["还没有送达的名册"], &[]);
}

/// Where a page's link to the next one leads.
fn next_page(page: &str) -> Option<String> {
    let link = page.split("<a ").find(|link| link.contains("rel=\"next\""))?;
    let address = link.split_once("href=\"")?.1.split('"').next()?;
    Some(address.strip_prefix("/console")?.replace("&amp;", "&"))
}

fn a_search_goes_on_over_pages(database: Database) {
    let console = ConsoleApp::with_cards(database, 52);
    let admin = console.admin();
    let unit = unit_of(&admin, &console);
    let desk = &admin.desk;
    for n in 0..60 {
        let name = if n % 6 == 5 { format!("别的{n:02}") } else { format!("清扫{n:02}号") };
        let form = ActivityForm { name, date: "2026-11-20".into(), ..noted() };
        console.app.wait(desk.note_activity(unit, &form)).unwrap();
    }
    // Fifty are on a page: ten others lie between.
    let first = ask(&admin, "/hours/pending", "清扫").is(200).text();
    assert_eq!(first.matches("清扫").count(), 50 * 2 + 1, "a name in its cell and its link, and the box");
    assert!(!first.contains("别的") && next_page(&first).is_none());
    console.app.wait(desk.note_activity(unit, &ActivityForm { name: "清扫99号".into(), ..noted() })).unwrap();
    let first = ask(&admin, "/hours/pending", "清扫").text();
    let second = admin.get(&next_page(&first).expect("one more than a page holds")).is(200).text();
    assert!(second.contains("清扫99号") && !second.contains("清扫00号") && !second.contains("别的"), "{second}");
    assert!(second.contains("回到第一页") && next_page(&second).is_none());

    // By POST the place goes with the form, the words with it.
    let people = people_of(&console, &admin, unit);
    entered(&admin, &unit.to_string(), &people);
    let records = console.app.wait(desk.records(&RecordQuery::default())).unwrap();
    let more = RecordQuery { after: records.next.clone(), ..RecordQuery::default() };
    let rest = console.app.wait(desk.records(&more)).unwrap();
    for (n, row) in records.rows.iter().chain(&rest.rows).enumerate() {
        console.app.wait(desk.note_dispute(row.id, &format!("异议第{n:02}条"))).unwrap();
    }
    let first = admin.post("/hours/disputes/search", &[("text", "样例")]).is(200).text();
    assert!(first.contains("异议第51条") && first.contains("异议第02条") && !first.contains("异议第01条"));
    let fields = rosters::inputs(first.split("class=\"pager\"").nth(1).expect("a second page"));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let second = admin.post("/hours/disputes/search", &fields).is(200).text();
    assert!(second.contains("异议第01条") && second.contains("异议第00条") && !second.contains("异议第02条"));
    let book = workbook(&admin.post("/hours/disputes/export", &[("text", "样例")]));
    assert_eq!(book.matches("异议第").count(), 52);
}

fn noted() -> ActivityForm {
    ActivityForm {
        date: "2026-11-21".into(),
        content: "清扫步道".into(),
        place: "洗马湖".into(),
        organiser: SAMPLE.into(),
        in_charge: "岩温扁".into(),
        ..ActivityForm::default()
    }
}
