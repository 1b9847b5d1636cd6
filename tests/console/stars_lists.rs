//! A year's batch and registrations that are merged meanwhile; who sees and makes which new cards; what its workbooks hold.

use std::sync::atomic::AtomicBool;

use jiff::SignedDuration;
use zyz::domain::staff::{Role, Scope};
use zyz::service::Selection;
use zyz::service::hours::HoursRequest;
use zyz::service::issue::IssueRequest;
use zyz::service::volunteers::ListFilter;
use zyz_credential::CertificateNumber;

use crate::console::{Client, ConsoleApp};
use crate::on_both;
use crate::people::{import, revision};
use crate::server::Answer;
use crate::support::{Database, sheets};

on_both![
    a_merge_while_the_batch_has_rows_of_both,
    new_cards_are_within_reach_and_made_by_the_federation,
    the_workbooks_hold_the_rows_and_no_formula,
];

/// A name that Excel would compute if it were let.
const TOWN: &str = "=1+1样例局";
const COUNTY: &str = "宁洱县样例单位";

/// People of 思茅区 with 320, 99 and no hours in 2026; of 宁洱县 with 110 (the first one again), 150 and 130 (the third one
/// again).
struct Year {
    console: ConsoleApp,
    town: Vec<CertificateNumber>,
    county: Vec<CertificateNumber>,
    batch: String,
}

impl Year {
    fn new(database: Database) -> Self {
        let console = ConsoleApp::new(database);
        let again = |n: usize| {
            let person = sheets::person(n);
            sheets::Somebody { identity: sheets::identity(person.birth, 433, n.is_multiple_of(2)), ..person }
        };
        let unit = console.admin().post("/units/new", &[("county", "02"), ("name", TOWN), ("group", "office")]);
        unit.location();
        import(&console, TOWN, "02", &[0, 1, 2].map(sheets::person));
        import(&console, COUNTY, "21", &[again(0), sheets::person(11), again(2)]);
        let app = &console.app;
        let of = |unit: &str| -> Vec<CertificateNumber> {
            let filter = ListFilter { unit: Some(unit.into()), ..ListFilter::default() };
            let people = app.wait(app.federation.volunteers(&filter)).unwrap();
            people.iter().map(|person| CertificateNumber::parse(&person.number).unwrap()).collect()
        };
        let (town, county) = (of(TOWN), of(COUNTY));
        let mut csv = String::from("证书编号,日期,小时数,服务内容\n");
        for (number, month, days, hours) in [
            (town[0], 1, 20, 16),
            (town[1], 2, 11, 9),
            (county[0], 3, 11, 10),
            (county[1], 4, 15, 10),
            (county[2], 5, 13, 10),
        ] {
            for day in 1..=days {
                csv.push_str(&format!("{number},2026-{month:02}-{day:02},{hours},值守\n"));
            }
        }
        let file = app.path("hours.csv");
        std::fs::write(&file, csv).unwrap();
        let done = app.wait(app.federation.import_hours(HoursRequest { file: &file, dry_run: false, report: None }));
        assert_eq!(done.unwrap().refused.len(), 0);
        let request = IssueRequest { selection: Selection::All, reissue: false };
        app.wait(app.federation.issue(request, &AtomicBool::new(false), &|_, _| ())).unwrap();
        let clerk = console.sign_in(Role::FederationClerk, Scope::All);
        let batch = clerk.post("/stars", &[("year", "2026")]).location().strip_prefix("/console").unwrap().to_owned();
        let from = [("revision", "1"), ("from", "2026-11-23"), ("to", "2026-11-30")];
        clerk.post(&format!("{batch}/announce"), &from).location();
        Self { town, county, batch, console }
    }

    /// Makes `ends` part of `stays`, as the page does.
    fn merge(&self, stays: CertificateNumber, ends: CertificateNumber) {
        let admin = self.console.admin();
        let path = format!("/people/{stays}/merge");
        let plan = admin.get(&format!("{path}?other={ends}")).is(200).text();
        let fields = [
            ("other", ends.as_str()),
            ("keep", stays.as_str()),
            ("stays_revision", &revision(&plan, "stays_revision")),
            ("ends_revision", &revision(&plan, "ends_revision")),
            ("confirm", ends.as_str()),
            ("reason", "本人确认"),
        ];
        admin.post(&path, &fields).location();
    }

    /// Confirms the batch, when the notice is over.
    fn confirm(&self) {
        let oversight = self.console.sign_in(Role::Oversight, Scope::All);
        let page = oversight.get(&format!("{}/confirm", self.batch)).is(200).text();
        let at = revision(&page, "revision");
        oversight.post(&format!("{}/confirm", self.batch), &[("revision", &at)]).location();
    }

    fn star(&self, number: CertificateNumber) -> u8 {
        self.console.app.wait(self.console.app.federation.volunteer(number)).unwrap().star
    }

    fn unit(&self) -> Client<'_> {
        let unit = self.console.app.wait(self.console.admin().desk.hours_find_units(TOWN)).unwrap()[0].id;
        self.console.sign_in(Role::Unit, Scope::Unit { unit, county: 2 })
    }
}

/// A workbook's cells as text; fails if any of them is a formula, in whatever sheet.
fn cells(answer: &Answer) -> Vec<Vec<String>> {
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(answer.is(200).body.clone())).unwrap();
    for name in calamine::Reader::sheet_names(&book) {
        assert_eq!(calamine::Reader::worksheet_formula(&mut book, &name).unwrap().cells().count(), 0);
    }
    let sheet = calamine::Reader::worksheet_range_at(&mut book, 0).unwrap().unwrap();
    sheet.rows().map(|row| row.iter().map(|cell| format!("{cell}")).collect()).collect()
}

fn a_merge_while_the_batch_has_rows_of_both(database: Database) {
    let year = Year::new(database);
    let console = &year.console;
    console.app.pass(SignedDuration::from_hours(24 * 8));
    let (admin, oversight) = (console.admin(), console.sign_in(Role::Oversight, Scope::All));
    let confirm = format!("{}/confirm", year.batch);
    let shown = revision(&oversight.get(&confirm).is(200).text(), "revision");
    // Both are in the batch: the row of the one that ends is taken out, as if somebody had objected, and says why.
    year.merge(year.town[0], year.county[0]);
    admin.get(&year.batch).is(200).says(&["移出名单", &format!("登记已并入 {}", year.town[0])]);
    // Only the one that ends is in it: the row goes over, with its star, to the other's name, number and unit.
    year.merge(year.town[2], year.county[2]);
    admin.post(&format!("{}/find", year.batch), &[("number", year.town[2].as_str())]).location();
    admin.post(&format!("{}/find", year.batch), &[("number", year.county[2].as_str())]).says(&["本批次中没有这个编号"]);
    let rows = cells(&admin.get(&format!("{}/export", year.batch)));
    let expected = [
        [
            sheets::person(0).name,
            year.town[0].grouped(),
            TOWN.into(),
            "思茅区".into(),
            "320".into(),
            "二星级志愿者".into(),
        ],
        [
            sheets::person(11).name,
            year.county[1].grouped(),
            COUNTY.into(),
            "宁洱县".into(),
            "150".into(),
            "一星级志愿者".into(),
        ],
        [
            sheets::person(2).name,
            year.town[2].grouped(),
            TOWN.into(),
            "思茅区".into(),
            "130".into(),
            "一星级志愿者".into(),
        ],
        [
            sheets::person(0).name,
            year.county[0].grouped(),
            COUNTY.into(),
            "宁洱县".into(),
            "110".into(),
            "一星级志愿者".into(),
        ],
    ];
    let found: Vec<_> = rows[2..].iter().map(|row| [0, 1, 2, 3, 4, 7].map(|at| row[at].clone())).collect();
    assert_eq!(found, expected);
    assert_eq!(rows[2..].iter().map(|row| row[8].as_str()).collect::<Vec<_>>(), ["", "", "", "是"]);
    // What 市文明办 had on the screen is not what would be certified.
    oversight.post(&confirm, &[("revision", &shown)]).is(422).says(&["有变动"]);
    year.confirm();
    let stars = |people: &[CertificateNumber]| people.iter().map(|number| year.star(*number)).collect::<Vec<_>>();
    assert_eq!((stars(&year.town), stars(&year.county)), (vec![2, 0, 1], vec![0, 1, 0]));
    admin.get(&year.batch).says(&["已认定", "3 人星级变更"]);
    // Nobody who ended gets a card: three are to be made.
    let due = cells(&admin.get(&format!("{}/reissue/export", year.batch)));
    assert_eq!(due.len(), 2 + 3, "{due:?}");
}

fn new_cards_are_within_reach_and_made_by_the_federation(database: Database) {
    let year = Year::new(database);
    let console = &year.console;
    console.app.pass(SignedDuration::from_hours(24 * 8));
    year.confirm();
    let (town, county) = (&year.town, &year.county);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    let own = console.sign_in(Role::County, Scope::County(21));
    let foreign = console.sign_in(Role::County, Scope::County(22));
    let unit = year.unit();
    let reissue = format!("{}/reissue", year.batch);
    let seen = |client: &Client<'_>, path: &str| -> Vec<CertificateNumber> {
        let page = client.get(path).is(200).text();
        town.iter().chain(county).filter(|number| page.contains(&number.grouped())).copied().collect()
    };
    let all = vec![town[0], county[0], county[1], county[2]];
    for (client, expected) in [
        (&clerk, all.clone()),
        (&oversight, all),
        (&own, county.clone()),
        (&unit, vec![town[0]]),
        (&foreign, Vec::new()),
    ] {
        let role = client.desk.role_words();
        assert_eq!(seen(client, &reissue), expected, "{role}");
        assert_eq!(seen(client, "/cards/choose?kind=star"), expected, "{role}");
        let rows = cells(&client.get(&format!("{reissue}/export")));
        let listed: Vec<_> = rows[2..].iter().map(|row| row[1].clone()).collect();
        assert_eq!(listed, expected.iter().map(|number| number.grouped()).collect::<Vec<_>>(), "{role}");
        let rows = cells(&client.get("/cards/choose/export?kind=star"));
        let mut listed: Vec<_> = rows[2..].iter().map(|row| row[0].clone()).collect();
        listed.sort();
        assert_eq!(listed, expected.iter().map(|number| number.as_str().to_owned()).collect::<Vec<_>>(), "{role}");
    }
    console.sign_in(Role::Partner, Scope::Partner(console.first_partner())).get(&reissue).is(403);
    // Another county's unit is not chosen by its key either.
    let theirs = console.app.wait(clerk.desk.hours_find_units(COUNTY)).unwrap()[0].id;
    for client in [&foreign, &unit] {
        client.get(&format!("/cards/choose?kind=star&unit={theirs}")).is(404);
        client.get(&format!("/cards/choose/export?kind=star&unit={theirs}")).is(404);
    }
    // Nobody but the federation makes cards, be they of their own people or of others'.
    let frozen = clerk.post("/cards/choose/freeze", &[("kind", "star"), ("unit", "")]).location().to_owned();
    let list = frozen.strip_prefix("/console").unwrap();
    for client in [&own, &foreign, &unit, &oversight] {
        client.post("/cards/choose/freeze", &[("kind", "star"), ("unit", "")]).is(403);
        client.post(&format!("{list}/issue"), &[("count", "4")]).is(403);
        client.post(&format!("{list}/print"), &[]).is(403);
        client.post("/cards/numbers/text", &[("numbers", county[1].as_str())]).is(403);
        client.post(&format!("/cards/of/{}/list", county[1]), &[]).is(403);
    }
    foreign.get(list).is(404);
    foreign.get(&format!("/cards/of/{}", county[1])).is(404);
    // Job and page go on without JavaScript: the page asks for itself anew until the job is done.
    let job = clerk.post(&format!("{list}/issue"), &[("count", "4")]);
    let job = job.location().strip_prefix("/console").unwrap();
    let refresh = "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>";
    clerk.get(job).is(200).says(&[refresh, "排队中"]);
    assert_eq!(console.app.wait(console.app.federation.run_jobs_once()).unwrap(), 1);
    let done = clerk.get(job).is(200).text();
    assert!(done.contains("已完成") && !done.contains("http-equiv=\"refresh\""), "{done}");
    for client in [&clerk, &own] {
        assert!(seen(client, &reissue).is_empty(), "the new cards show the stars");
    }
    assert_eq!(cells(&clerk.get(&format!("{reissue}/export"))).len(), 2);
}

fn the_workbooks_hold_the_rows_and_no_formula(database: Database) {
    let year = Year::new(database);
    let console = &year.console;
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let heads = "姓名|证书编号|单位|县（区）|周期内小时|累计小时|现在星级|拟认定星级|异议后移出";
    let line = |n: usize, number: CertificateNumber, unit: &str, county: &str, hours: u32, star: &str| {
        let name = sheets::person(n).name;
        format!("{name}|{}|{unit}|{county}|{hours}|{hours}|注册志愿者|{star}|", number.grouped())
    };
    let joined = |client: &Client<'_>, path: &str| -> Vec<String> {
        cells(&client.get(path)).iter().skip(1).map(|row| row.join("|")).collect()
    };
    let all = [
        heads.to_owned(),
        line(0, year.town[0], TOWN, "思茅区", 320, "二星级志愿者"),
        line(11, year.county[1], COUNTY, "宁洱县", 150, "一星级志愿者"),
        line(2, year.county[2], COUNTY, "宁洱县", 130, "一星级志愿者"),
        line(0, year.county[0], COUNTY, "宁洱县", 110, "一星级志愿者"),
    ];
    let export = format!("{}/export", year.batch);
    assert_eq!(joined(&clerk, &export), all);
    assert_eq!(joined(&year.unit(), &export), all[..2]);
    let county = console.sign_in(Role::County, Scope::County(21));
    assert_eq!(joined(&county, &export), [&all[..1], &all[2..]].concat());
    // The list for public notice has masked names and no number in full, and is no formula either.
    let notice = joined(&clerk, &format!("{}/notice.xlsx", year.batch)).join("\n");
    assert!(notice.contains(TOWN) && !notice.contains(&sheets::person(0).name), "{notice}");
    assert!(!notice.contains(year.town[0].as_str()) && !notice.contains(&year.town[0].grouped()), "{notice}");

    console.app.pass(SignedDuration::from_hours(24 * 8));
    year.confirm();
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let due = joined(&clerk, &format!("{}/reissue/export", year.batch));
    let row = |n: usize, number: CertificateNumber, unit: &str, star: &str| {
        format!("{}|{}|{unit}|注册志愿者|{star}", sheets::person(n).name, number.grouped())
    };
    let expected = [
        "姓名|证书编号|单位|证上星级|认定星级".to_owned(),
        row(0, year.town[0], TOWN, "二星级志愿者"),
        row(0, year.county[0], COUNTY, "一星级志愿者"),
        row(11, year.county[1], COUNTY, "一星级志愿者"),
        row(2, year.county[2], COUNTY, "一星级志愿者"),
    ];
    assert_eq!(due, expected);
}
