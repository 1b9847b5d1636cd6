//! Star certification: rules and trials, the year's batch from draft to new cards.

use jiff::SignedDuration;
use zyz::domain::staff::{Role, Scope, Staff};
use zyz::service::desk::{Desk, DeskError};
use zyz::service::hours::HoursRequest;
use zyz::service::stars::CertifyRequest;

use crate::console::{Client, ConsoleApp};
use crate::on_both;
use crate::support::Database;

on_both![
    a_rule_is_tried_and_added,
    a_batch_from_draft_to_new_cards,
    whoever_drafted_does_not_confirm,
    a_batch_is_thrown_away_and_drafted_again,
    a_batch_that_moved_is_not_confirmed,
];

/// Six people, of whom the first has 320 hours in the year, the second 110, the third 99.
fn with_hours(database: Database) -> (ConsoleApp, Vec<String>) {
    let console = ConsoleApp::with_cards(database, 6);
    let numbers: Vec<String> = console.app.numbers().iter().map(|number| number.as_str().to_owned()).collect();
    let mut csv = String::from("证书编号,日期,小时数,服务内容\n");
    let mut serve = |number: &String, days: u32, hours: u32| {
        for day in 0..days {
            csv.push_str(&format!("{number},2026-{:02}-{:02},{hours},值守\n", day / 28 + 1, day % 28 + 1));
        }
    };
    serve(&numbers[0], 32, 10);
    serve(&numbers[1], 11, 10);
    serve(&numbers[2], 11, 9);
    let file = console.app.path("hours.csv");
    std::fs::write(&file, csv).unwrap();
    let request = HoursRequest { file: &file, dry_run: false, report: None };
    let done = console.app.wait(console.app.federation.import_hours(request)).unwrap();
    assert_eq!((done.imported, done.refused.len()), (54, 0));
    (console, numbers)
}

/// Drafts the year and returns the batch's address.
fn drafted(clerk: &Client<'_>) -> String {
    let answer = clerk.post("/stars", &[("year", "2026")]);
    answer.location().strip_prefix("/console").unwrap().to_owned()
}

/// The revision that the page's form carries.
fn revision(client: &Client<'_>, path: &str) -> String {
    let text = client.get(path).is(200).text();
    let rest = text.split("name=\"revision\" value=\"").nth(1).expect("a form with a revision");
    rest.split('"').next().unwrap().to_owned()
}

fn announced(clerk: &Client<'_>, batch: &str) {
    let revision = revision(clerk, &format!("{batch}/announce"));
    let fields = [("revision", revision.as_str()), ("from", "2026-11-23"), ("to", "2026-11-30")];
    clerk.post(&format!("{batch}/announce"), &fields).location();
}

fn rule<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("hours1", "50"),
        ("hours2", "300"),
        ("hours3", "600"),
        ("hours4", "1000"),
        ("hours5", "1500"),
        ("window", "calendar_year"),
        ("keep", "1"),
    ];
    for (name, value) in fields {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    all
}

fn a_rule_is_tried_and_added(database: Database) {
    let (console, numbers) = with_hours(database);
    let admin = console.admin();
    admin.get("/stars/policies").is(200).says(&["2018-07-23", "现行", "自然年度"]);
    admin.get("/stars/what-if").is(200).says(&["试算", "value=\"100\""]);
    let tried = admin.post("/stars/what-if", &rule(&[("year", "2026")]));
    tried.is(200).says(&["1 人的星级会不同", "思茅区", "注册志愿者", "一星级志愿者", "99"]);
    assert!(
        admin.post("/stars/what-if", &rule(&[("year", "2026"), ("step", "export")])).is(200).body.starts_with(b"PK")
    );
    admin
        .post("/stars/what-if", &rule(&[("year", "2031"), ("hours2", "40")]))
        .is(422)
        .says(&["还没有到", "必须大于前一级"]);
    // Nothing was written by trying.
    let person = admin.get(&format!("/hours/people/{}", numbers[2]));
    person.is(200).says(&["99 小时"]);
    admin.get("/stars/policies").says(&["现行"]);

    admin.post("/stars/policies/new", &rule(&[("from", "2026-11-22")])).is(422).says(&["不能早于今天"]);
    admin.post("/stars/policies/new", &rule(&[("from", "2027-01-01"), ("hours1", "x")])).is(422).says(&["如 100"]);
    admin.post("/stars/policies/new", &rule(&[("from", "2027-01-01")])).location();
    admin
        .post("/stars/policies/new", &rule(&[("from", "2027-01-01")]))
        .is(422)
        .says(&["已有一条自 2027-01-01 起施行的规则"]);
    admin.get("/stars/policies").is(200).says(&["2027-01-01", "尚未施行", ">50<"]);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    clerk.post("/stars/policies/new", &rule(&[("from", "2028-01-01")])).is(403);
}

fn a_batch_from_draft_to_new_cards(database: Database) {
    let (console, numbers) = with_hours(database);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    oversight.post("/stars", &[("year", "2026")]).is(403);
    clerk.post("/stars", &[("year", "2027")]).is(422).says(&["2027 年还没有到"]);
    let batch = drafted(&clerk);
    clerk.get(&batch).is(200).says(&["2026 年度星级批次", "草案", "全市", "320", "二星级志愿者", "一星级志愿者"]);
    clerk.post("/stars", &[("year", "2026")]).is(422).says(&["已有一个草案或正在公示的批次"]);

    // What is not yet public is the federation's to look at.
    let county = console.sign_in(Role::County, Scope::County(21));
    assert!(!county.get(&batch).is(200).text().contains("公示名单"));
    for ending in ["notice", "notice.pdf", "notice.xlsx"] {
        county.get(&format!("{batch}/{ending}")).is(422).says(&["还没有公示"]);
    }

    // The list for public notice shows no full names.
    let list = clerk.get(&format!("{batch}/notice")).is(200).text();
    assert!(!list.contains("李建国") && list.contains("李**"), "{list}");
    assert!(!list.contains(&numbers[0]) && list.contains(&numbers[0][6..]), "{list}");
    let paper = clerk.get(&format!("{batch}/notice.pdf"));
    assert!(paper.is(200).body.starts_with(b"%PDF"));
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/papers");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("star-notice.pdf"), &paper.body).unwrap();
    assert!(clerk.get(&format!("{batch}/notice.xlsx")).is(200).body.starts_with(b"PK"));

    // Five working days at least, and no confirmation before they are over.
    clerk.get(&format!("{batch}/announce")).is(200).says(&["2026-11-23", "2026-11-30"]);
    let short = [("revision", "1"), ("from", "2026-11-23"), ("to", "2026-11-27")];
    clerk.post(&format!("{batch}/announce"), &short).is(422).says(&["公示期不少于 5 个工作日：至少到 2026-11-30"]);
    announced(&clerk, &batch);
    clerk.get(&batch).is(200).says(&["公示中", "2026-11-23 至 2026-11-30"]);
    county.get(&format!("{batch}/notice")).is(200);
    oversight.get(&format!("{batch}/confirm")).is(200).says(&["公示还没有期满"]);
    oversight.post(&format!("{batch}/confirm"), &[("revision", "2")]).is(422).says(&["公示到 2026-11-30 结束"]);

    // An objection takes the second person out.
    let found = clerk.post(&format!("{batch}/find"), &[("number", &numbers[1])]);
    let person = found.location().strip_prefix("/console").unwrap().to_owned();
    clerk.get(&person).is(200).says(&["处理对这个人的异议", "110 小时"]);
    clerk
        .post(&person, &[("revision", "2"), ("outcome", "adjust"), ("reason", "")])
        .is(422)
        .says(&["请选择调整后的星级"]);
    oversight.post(&person, &[("revision", "2"), ("outcome", "remove"), ("reason", "重复")]).is(403);
    clerk.post(&person, &[("revision", "2"), ("outcome", "remove"), ("reason", "时长有争议")]).location();
    clerk.post(&person, &[("revision", "2"), ("outcome", "keep"), ("reason", "再看")]).is(422).says(&[
        "有变动",
        &clerk.desk.staff().name,
        "2026-11-23 16:00",
    ]);
    clerk.get(&batch).says(&["异议处理", "移出名单", "时长有争议"]);
    assert_eq!(clerk.get(&format!("{batch}/notice")).text().matches("级志愿者</td>").count(), 1);

    console.app.pass(SignedDuration::from_hours(24 * 8));
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    clerk.post(&format!("{batch}/confirm"), &[("revision", "3")]).is(403);
    let shown = revision(&oversight, &format!("{batch}/confirm"));
    oversight.get(&format!("{batch}/confirm")).says(&["确认后立即生效，不能撤回", "二星 1 人", "一星 0 人"]);
    oversight.post(&format!("{batch}/confirm"), &[("revision", &shown)]).location();
    clerk.get(&batch).is(200).says(&["已认定", "1 人星级变更"]);
    oversight.post(&format!("{batch}/confirm"), &[("revision", &shown)]).is(409);
    clerk.post(&format!("{batch}/drop"), &[("revision", &shown), ("reason", "错")]).is(409);

    // Who needs a new card.
    let due = clerk.get(&format!("{batch}/reissue")).is(200).text();
    assert!(
        due.contains("/cards/choose?kind=star") && due.contains("注册志愿者") && due.contains("二星级志愿者"),
        "{due}"
    );
    let people = console.app.wait(console.app.federation.volunteers(&Default::default())).unwrap();
    let stars: Vec<u8> = people.iter().map(|person| person.star).collect();
    assert_eq!(stars, [2, 0, 0, 0, 0, 0]);
    // The administrator's own command still goes its way.
    let request = CertifyRequest { year: 2026, dry_run: false, list: None };
    let again = console.app.wait(console.app.federation.certify_stars(request)).unwrap();
    assert_eq!((again.changed, again.by_star[1]), (1, 1));

    // A unit elsewhere sees nobody of the batch.
    let county = console.sign_in(Role::County, Scope::County(21));
    county.get(&batch).is(200).says(&["没有符合条件的人"]);
    county.get(&person).is(404);
}

fn whoever_drafted_does_not_confirm(database: Database) {
    let (console, _) = with_hours(database);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let batch = drafted(&clerk);
    announced(&clerk, &batch);
    console.app.pass(SignedDuration::from_hours(24 * 8));
    // The clerk has meanwhile moved to 市文明办: the same person with the other permission.
    let moved = Staff { role: Role::Oversight, ..clerk.desk.staff().clone() };
    let desk = Desk::new(&console.app.federation, moved);
    let id: i64 = batch.rsplit('/').next().unwrap().parse().unwrap();
    let refused = console.app.wait(desk.confirm_stars(id, 2)).unwrap_err();
    assert!(matches!(&refused, DeskError::Refused(text) if text.contains("起草人")), "{refused}");
    let other = console.sign_in(Role::Oversight, Scope::All);
    assert_eq!(console.app.wait(other.desk.confirm_stars(id, 2)).unwrap(), 2);
}

fn a_batch_is_thrown_away_and_drafted_again(database: Database) {
    let (console, numbers) = with_hours(database);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let batch = drafted(&clerk);
    // Frozen: hours entered later do not change it.
    let csv = format!("证书编号,日期,小时数,服务内容\n{},2026-11-20,2,值守\n", numbers[2]);
    let file = console.app.path("more.csv");
    std::fs::write(&file, csv).unwrap();
    let request = HoursRequest { file: &file, dry_run: false, report: None };
    console.app.wait(console.app.federation.import_hours(request)).unwrap();
    clerk.post(&format!("{batch}/find"), &[("number", &numbers[2])]).is(200).says(&["本批次中没有这个编号"]);

    clerk.get(&format!("{batch}/drop")).is(200).says(&["没有人的星级改变"]);
    clerk.post(&format!("{batch}/drop"), &[("revision", "1"), ("reason", "")]).is(422).says(&["请写明作废的原因"]);
    clerk.post(&format!("{batch}/drop"), &[("revision", "1"), ("reason", "漏录时长")]).location();
    clerk.get(&batch).is(200).says(&["已作废", "漏录时长"]);
    let again = drafted(&clerk);
    assert_ne!(again, batch);
    clerk.post(&format!("{again}/find"), &[("number", &numbers[2])]).location();
    clerk.get("/stars").is(200).says(&["草案", "已作废"]);
    clerk.get("/stars/999999").is(404);
}

fn a_batch_that_moved_is_not_confirmed(database: Database) {
    let (console, numbers) = with_hours(database);
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let batch = drafted(&clerk);
    announced(&clerk, &batch);
    console.app.pass(SignedDuration::from_hours(24 * 8));
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    let shown = revision(&oversight, &format!("{batch}/confirm"));
    let found = clerk.post(&format!("{batch}/find"), &[("number", &numbers[1])]);
    let person = found.location().strip_prefix("/console").unwrap().to_owned();
    let adjusted = [("revision", shown.as_str()), ("outcome", "adjust"), ("star", "2"), ("reason", "补认 200 小时")];
    clerk.post(&person, &adjusted).location();
    // What the oversight's page showed is no longer what would be certified.
    let late = oversight.post(&format!("{batch}/confirm"), &[("revision", &shown)]);
    late.is(422).says(&["有变动", &format!("{} 在 2026-12-01 16:00 办理了“", clerk.desk.staff().name)]);
    let fresh = revision(&oversight, &format!("{batch}/confirm"));
    oversight.post(&format!("{batch}/confirm"), &[("revision", &fresh)]).location();
    let people = console.app.wait(console.app.federation.volunteers(&Default::default())).unwrap();
    assert_eq!(people.iter().map(|person| person.star).collect::<Vec<_>>(), [2, 2, 0, 0, 0, 0]);
}
