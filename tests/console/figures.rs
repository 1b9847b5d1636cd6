//! The figures of a small invented federation, worked out by hand, on pages, in workbooks and on paper.
//!
//! | unit | county | group | heads | people | rate | hours | a head | target |
//! |---|---|---|---|---|---|---|---|---|
//! | 样例局 | 思茅区 | 机关企事业 | 4 | 3 | 75.0 | 200 + 90 + 9.9 = 299.9 | 99.96… | 100 |
//! | 样例茶厂 | 思茅区 | 公司企业 | 1 | 2 | 200.0 | 60 + 40 = 100 | 50 | 50 |
//! | 样例社区 | 思茅区 | 无目标 | 10 | 1 and 1 left | – | 12 + 3 = 15 | 15 | – |
//! | 样例中学 | 宁洱县 | 学校教师 | 3 | 2 | 66.6… | 40 + 9 = 49 | 24.5 | 25 |
//! | 样例矿业 | 宁洱县 | 公司企业 | 1 | 1 | 100 | 25 | 25 | 25 |
//! | 样例协会 | 市级 | 机关企事业 | unknown | 1 | – | 0 | 0 | 100 |

use std::process::Command;
use std::sync::atomic::AtomicBool;

use jiff::SignedDuration;
use serde_json::json;
use zyz::domain::certificate::Reason;
use zyz::domain::staff::{Role, Scope};
use zyz::service::Selection;
use zyz::service::desk::oversight::recount::Recount;
use zyz::service::hours::HoursRequest;
use zyz::service::issue::IssueRequest;
use zyz::service::stars::CertifyRequest;
use zyz::service::volunteers::ListFilter;
use zyz_credential::CertificateNumber;

use crate::console::ConsoleApp;
use crate::html;
use crate::on_both;
use crate::people::import;
use crate::server::Answer;
use crate::support::{Database, sheets};

on_both![
    the_pages_show_what_was_worked_out,
    the_workbooks_hold_what_was_worked_out,
    the_report_says_what_was_worked_out,
    a_year_before_has_its_own_figures,
];

/// Name, county, group, head count, how many people.
const UNITS: [(&str, &str, &str, &str, usize); 6] = [
    ("样例局", "02", "office", "4", 3),
    ("样例茶厂", "02", "company", "1", 2),
    ("样例社区", "02", "open", "10", 2),
    ("样例中学", "21", "teachers", "3", 2),
    ("样例矿业", "21", "company", "1", 1),
    ("样例协会", "00", "office", "", 1),
];

/// Unit, which of its people, month, days from the first on, hours a day.
const SERVED: [(&str, usize, u32, u32, &str); 11] = [
    ("样例局", 0, 1, 20, "10"),
    ("样例局", 1, 2, 9, "10"),
    ("样例局", 2, 3, 1, "9.9"),
    ("样例茶厂", 0, 3, 6, "10"),
    ("样例茶厂", 1, 4, 4, "10"),
    ("样例社区", 0, 6, 2, "6"),
    ("样例社区", 1, 6, 1, "3"),
    ("样例中学", 0, 5, 5, "8"),
    ("样例中学", 1, 5, 1, "9"),
    ("样例矿业", 0, 7, 2, "10"),
    ("样例矿业", 0, 8, 1, "5"),
];

/// Rows of units as a county's page shows them: group, heads, people, rate, hours, a head, target, stars, cards, without a
/// card, uses.
const SIMAO: [[&str; 12]; 3] = [
    ["样例局", "机关企事业", "4", "3", "75.0%", "299.9", "99.9", "100", "1", "2", "0", "2"],
    ["样例社区", "社区居民与中小学生（无目标）", "—", "1", "—", "15.0", "15.0", "—", "0", "0", "1", "0"],
    ["样例茶厂", "公司企业", "1", "2", "200.0%", "100.0", "50.0", "50", "0", "0", "2", "0"],
];
const NINGER: [[&str; 12]; 2] = [
    ["样例中学", "学校教师", "3", "2", "66.6%", "49.0", "24.5", "25", "0", "2", "0", "1"],
    ["样例矿业", "公司企业", "1", "1", "100.0%", "25.0", "25.0", "25", "0", "0", "1", "0"],
];
/// Counties as the city's page shows them: units, heads, people, rate, hours, a head, units that met their target, stars,
/// cards, without a card, uses. What 样例茶厂 has beyond its one head does not make up for the one missing at 样例局.
const COUNTIES: [[&str; 12]; 3] = [
    ["市级单位", "1", "未填", "1", "—", "0.0", "0.0", "0/1", "0", "0", "1", "0"],
    ["思茅区", "3", "5", "6", "80.0%", "414.9", "69.1", "1/2", "1", "2", "3", "2"],
    ["宁洱县", "2", "4", "3", "75.0%", "74.0", "24.6", "1/2", "0", "2", "1", "1"],
];
/// Months of the city: registered, left, hours, records, cards issued, uses.
const MONTHS: [[&str; 7]; 10] = [
    ["2026-01", "0", "0", "200.0", "20", "0", "0"],
    ["2026-02", "0", "0", "90.0", "9", "0", "0"],
    ["2026-03", "0", "0", "69.9", "7", "0", "0"],
    ["2026-04", "0", "0", "40.0", "4", "0", "0"],
    ["2026-05", "0", "0", "49.0", "6", "0", "0"],
    ["2026-06", "0", "0", "15.0", "3", "0", "0"],
    ["2026-07", "0", "0", "20.0", "2", "0", "0"],
    ["2026-08", "0", "0", "5.0", "1", "0", "0"],
    ["2026-10", "0", "0", "0.0", "0", "0", "0"],
    ["2026-11", "11", "1", "0.0", "0", "5", "3"],
];

struct Sample {
    console: ConsoleApp,
    partner: i64,
}

impl Sample {
    fn new(database: Database) -> Self {
        let console = ConsoleApp::new(database);
        let admin = console.admin();
        let mut first = 0;
        for (name, county, group, heads, people) in UNITS {
            let fields = [("county", county), ("name", name), ("group", group), ("head_count", heads)];
            admin.post("/units/new", &fields).location();
            let people: Vec<_> = (first..first + people).map(sheets::person).collect();
            import(&console, name, county, &people);
            first += people.len();
        }
        let sample = Self { console, partner: 0 };
        sample.served();
        sample.carded();
        let partner = sample.used();
        let app = &sample.console.app;
        let left = sample.people("样例社区")[1];
        app.wait(app.federation.revoke(left, Reason::Exit)).unwrap();
        app.pass(SignedDuration::from_mins(20));
        assert_eq!(app.wait(app.federation.recount_if_due()).unwrap(), Recount::Done);
        Self { partner, ..sample }
    }

    /// The people of a unit, in the order of their rows.
    fn people(&self, unit: &str) -> Vec<CertificateNumber> {
        let filter = ListFilter { unit: Some(unit.into()), ..ListFilter::default() };
        let people = self.console.app.wait(self.console.app.federation.volunteers(&filter)).unwrap();
        people.iter().map(|person| CertificateNumber::parse(&person.number).unwrap()).collect()
    }

    fn served(&self) {
        let app = &self.console.app;
        let mut csv = String::from("证书编号,日期,小时数,服务内容\n");
        for (unit, who, month, days, hours) in SERVED {
            let number = self.people(unit)[who];
            for day in 1..=days {
                csv.push_str(&format!("{number},2026-{month:02}-{day:02},{hours},值守\n"));
            }
        }
        // On the last day of the year before: it counts there, and nowhere in 2026.
        csv.push_str(&format!("{},2025-12-31,8,值守\n", self.people("样例局")[0]));
        let file = app.path("hours.csv");
        std::fs::write(&file, csv).unwrap();
        let request = HoursRequest { file: &file, dry_run: false, report: None };
        let done = app.wait(app.federation.import_hours(request)).unwrap();
        assert_eq!((done.imported, done.refused.len()), (53, 0));
        let request = CertifyRequest { year: 2026, dry_run: false, list: None };
        assert_eq!(app.wait(app.federation.certify_stars(request)).unwrap().changed, 1);
    }

    /// Cards for two units; one is suspended then.
    fn carded(&self) {
        let app = &self.console.app;
        for unit in ["样例局", "样例中学"] {
            let request = IssueRequest { selection: Selection::Unit(unit.into()), reissue: false };
            app.wait(app.federation.issue(request, &AtomicBool::new(false), &|_, _| ())).unwrap();
        }
        app.wait(app.federation.suspend(self.people("样例局")[2], Reason::Other)).unwrap();
    }

    /// Two uses by 样例局 and one by 样例中学; a fourth is taken back.
    fn used(&self) -> i64 {
        let app = &self.console.app;
        let partner = app.partner("样例书店");
        let (offer, device) = (app.offer(partner, "图书九折"), app.device(partner));
        app.pass(SignedDuration::from_mins(5));
        let (office, school) = (self.people("样例局"), self.people("样例中学"));
        let id = |n: usize| format!("019abc00-0000-7000-8000-{n:012x}");
        let uses: Vec<_> = [office[0], office[1], school[0], school[1]]
            .iter()
            .enumerate()
            .map(|(n, number)| {
                let code = json!({"code": app.text(*number)});
                let card = app.post("/v1/verify", &code).ok().json()["certificate"].clone();
                json!({
                    "id": id(n), "offer": offer, "number": card["number"], "key_id": card["key_id"],
                    "issued_at": card["issued_at"], "redeemed_at": app.now().to_string(), "bundle_version": 1,
                })
            })
            .collect();
        let back = json!({"id": id(9), "redemption": id(3), "reversed_at": app.now().to_string()});
        app.post_as(&device, "/v1/redemptions", &json!({"redemptions": uses, "reversals": [back]})).ok();
        partner.0
    }
}

/// Fails unless a table of the page has exactly this row.
#[track_caller]
fn has<const N: usize>(answer: &Answer, expected: [&str; N]) {
    let rows = html::rows(&answer.is(200).text());
    let found: Vec<_> = rows.iter().filter(|row| row.first().is_some_and(|cell| cell == expected[0])).collect();
    assert!(found.iter().any(|row| **row == expected), "{expected:?} is not among {found:?}");
}

fn the_pages_show_what_was_worked_out(database: Database) {
    let sample = Sample::new(database);
    let console = &sample.console;
    let city = console.sign_in(Role::Oversight, Scope::All);
    let page = city.get("/statistics");
    COUNTIES.into_iter().for_each(|row| has(&page, row));
    MONTHS.into_iter().for_each(|row| has(&page, row));
    // In all: 10 people, 9 heads of which 7 are registered, 488.9 hours, 48.89 a head.
    page.says(&[">10</div>", "另有 1 人已退出", ">77.7%</div>", "5 个应注册单位中 4 个填了人数，2 个已达到"]);
    page.says(&[">48.8</div>", "共 488.9 小时；5 个有目标的单位中 2 个达到", "本年度认定 1 人", "未制证 5，未打印 4"]);
    let (simao, ninger) = (city.get("/statistics/counties/2"), city.get("/statistics/counties/21"));
    SIMAO.into_iter().for_each(|row| has(&simao, row));
    NINGER.into_iter().for_each(|row| has(&ninger, row));
    // 99.96 hours are not 100: short of the target by the mark as well as by the count.
    assert!(simao.text().contains("<td class=\"number low\">99.9</td>"));
    assert!(simao.text().contains("<td class=\"number\">50.0</td>"));
    has(
        &city.get("/statistics/counties/0"),
        ["样例协会", "机关企事业", "未填", "1", "—", "0.0", "0.0", "100", "0", "0", "1", "0"],
    );
    // The county itself and the unit itself see the same.
    let own = console.sign_in(Role::County, Scope::County(21)).get("/statistics");
    NINGER.into_iter().for_each(|row| has(&own, row));
    has(&own, ["2026-05", "0", "0", "49.0", "6", "0", "0"]);
    has(&own, ["2026-11", "3", "0", "0.0", "0", "2", "1"]);
    let unit = console.app.wait(city.desk.hours_find_units("样例茶厂")).unwrap()[0].id;
    let unit = console.sign_in(Role::Unit, Scope::Unit { unit, county: 2 }).get("/statistics");
    has(&unit, ["2026-03", "0", "0", "60.0", "6", "0", "0"]);
    unit.says(&[">200.0%</div>", "目标 100%，应注册 1 人", ">50.0</div>", "目标 50 小时；全年共 100.0 小时"]);
    // Uses at the partner: three that stand, one taken back.
    let uses = ["样例书店", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "3", "0", "3", "0", "0", "1"];
    has(&city.get("/statistics/partners"), uses);
    let own = console.sign_in(Role::Partner, Scope::Partner(sample.partner)).get("/offers");
    has(&own, ["图书九折", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "3", "0", "3", "0", "0", "1"]);
}

/// The rows of a workbook below its title and headings.
fn workbook(answer: &Answer) -> Vec<Vec<String>> {
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(answer.is(200).body.clone())).unwrap();
    let sheet = calamine::Reader::worksheet_range_at(&mut book, 0).unwrap().unwrap();
    sheet.rows().skip(2).map(|row| row.iter().map(|cell| format!("{cell}")).collect()).collect()
}

fn the_workbooks_hold_what_was_worked_out(database: Database) {
    let sample = Sample::new(database);
    let admin = sample.console.admin();
    // 县, 单位, 目标群体, 在职, 在册, 注册率, 小时, 人均, 目标, one to five stars, cards, without, unprinted, issued, uses
    let expected = [
        "市级单位|样例协会|机关企事业||1||0|0|100|0|0|0|0|0|0|1|0|0|0",
        "思茅区|样例局|机关企事业|4|3|75|299.9|99.9|100|1|0|0|0|0|2|0|2|3|2",
        "思茅区|样例社区|社区居民与中小学生（无目标）||1||15|15||0|0|0|0|0|0|1|0|0|0",
        "思茅区|样例茶厂|公司企业|1|2|200|100|50|50|0|0|0|0|0|0|2|0|0|0",
        "宁洱县|样例中学|学校教师|3|2|66.6|49|24.5|25|0|0|0|0|0|2|0|2|2|1",
        "宁洱县|样例矿业|公司企业|1|1|100|25|25|25|0|0|0|0|0|0|1|0|0|0",
    ];
    let joined = |path: &str| -> Vec<String> { workbook(&admin.get(path)).iter().map(|row| row.join("|")).collect() };
    assert_eq!(joined("/statistics/export"), expected);
    assert_eq!(joined("/statistics/export?county=21"), expected[4..]);
    let unit = sample.console.app.wait(admin.desk.hours_find_units("样例中学")).unwrap()[0].id;
    let months = joined(&format!("/statistics/export?unit={unit}"));
    assert_eq!(months.len(), 13);
    assert_eq!((months[4].as_str(), months[10].as_str()), ("2026-05|0|0|49|6|0|0", "2026-11|2|0|0|0|2|1"));
    assert_eq!(months[12], "2026|2|0|49|6|2|1");
    assert_eq!(joined("/statistics/partners/export"), ["样例书店|0|0|0|0|0|0|0|0|0|0|3|0|3|0|0|1"]);
}

fn the_report_says_what_was_worked_out(database: Database) {
    let sample = Sample::new(database);
    let oversight = sample.console.sign_in(Role::Oversight, Scope::All);
    let expected: [&[&str]; 12] = [
        &["在册志愿者", "10", "另有 1 人已退出"],
        &["注册率", "77.7%", "目标 100%；5 个应注册单位中 4 个填了人数，2 个已达到"],
        // 二: heads, people, rate, hours, a head, met, stars, cards
        &["市级单位", "未填", "1", "—", "0.0", "0.0", "0/1", "0", "0"],
        &["思茅区", "5", "6", "80.0%", "414.9", "69.1", "1/2", "1", "2"],
        &["宁洱县", "4", "3", "75.0%", "74.0", "24.6", "1/2", "0", "2"],
        // 三: heads, people, rate, how many are missing
        &["样例中学", "3", "2", "66.6%", "1"],
        &["样例局", "4", "3", "75.0%", "1"],
        // 四: group, people, hours a head, target
        &["样例协会", "机关企事业", "1", "0.0", "100"],
        &["样例局", "机关企事业", "3", "99.9", "100"],
        &["样例中学", "学校教师", "2", "24.5", "25"],
        // 五
        &["样例协会", "未填", "已设"],
        &["2026-03", "0", "0", "69.9", "0", "0"],
    ];
    let page = oversight.get("/statistics/report").is(200).text();
    let rows = html::rows(&page);
    for row in expected {
        assert!(rows.iter().any(|found| found == row), "{row:?} is not in {rows:?}");
    }
    // Nobody stands there who did what was asked: each of these is in the table of counties alone, or of months.
    for (name, times) in [("样例茶厂", 0), ("样例矿业", 0), ("样例社区", 0), ("样例局", 2), ("样例协会", 2)]
    {
        assert_eq!(rows.iter().filter(|row| row[0] == name).count(), times, "{name}");
    }
    let paper = oversight.get("/statistics/report/pdf");
    assert!(paper.is(200).body.starts_with(b"%PDF-"));
    let file = sample.console.app.path("report.pdf");
    std::fs::write(&file, &paper.body).unwrap();
    // Read back with poppler where it is there.
    let Ok(read) = Command::new("pdftotext").args(["-enc", "UTF-8", "-layout"]).arg(&file).arg("-").output() else {
        return;
    };
    assert!(read.status.success());
    let text = String::from_utf8(read.stdout).unwrap();
    let lines: Vec<String> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(text.contains("全市志愿服务工作督查报告（2026 年）"), "{text}");
    // A sentence may be broken over lines; rows of figures are not.
    for row in &expected[2..] {
        let row = row.join(" ");
        assert!(lines.contains(&row), "“{row}” is not a line of {text}");
    }
}

fn a_year_before_has_its_own_figures(database: Database) {
    let sample = Sample::new(database);
    let admin = sample.console.admin();
    let page = admin.get("/statistics/counties/2?year=2025");
    has(&page, ["样例局", "机关企事业", "4", "3", "75.0%", "8.0", "2.6", "100", "1", "2", "0", "0"]);
    has(&page, ["2025-12", "0", "0", "8.0", "1", "0", "0"]);
    has(&page, ["2025-11", "0", "0", "0.0", "0", "0", "0"]);
    let rows = workbook(&admin.get("/statistics/export?year=2025&county=2"));
    assert_eq!(rows[0].join("|"), "思茅区|样例局|机关企事业|4|3|75|8|2.6|100|1|0|0|0|0|2|0|2|0|0");
}
