//! The first page, partners, statistics, the audit trail.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::json;
use zyz::domain::staff::{Role, Scope};
use zyz::service::desk::oversight::actions;
use zyz::service::desk::oversight::recount::Recount;

use crate::console::ConsoleApp;
use crate::on_both;
use crate::searches::workbook;
use crate::support::Database;

on_both! {
    every_role_has_a_first_page_of_its_own,
    a_partner_is_added_renewed_and_ended,
    the_second_of_two_who_renew_is_told,
    an_offer_is_previewed_before_it_is_added,
    a_link_is_shown_once_and_only_to_who_makes_it,
    a_partner_sees_its_own_and_nothing_else,
    figures_are_those_of_the_federation,
    a_county_and_a_unit_see_their_own_figures,
    the_trail_is_found_by_person_group_object_and_day,
    the_chain_is_checked_and_a_noted_head_compared,
    unusual_use_is_explained,
}

const UNIT: &str = "思茅区样例单位";

fn unit_of(console: &ConsoleApp) -> i64 {
    let people = console.app.wait(console.app.federation.volunteers(&Default::default())).unwrap();
    assert!(!people.is_empty());
    let admin = console.admin();
    let text = admin.get("/statistics/counties/2").text();
    let at = text.find("/statistics/units/").expect("a unit is listed") + "/statistics/units/".len();
    text[at..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

fn recount(console: &ConsoleApp) {
    console.app.pass(SignedDuration::from_mins(20));
    let done = console.app.wait(console.app.federation.recount_if_due()).unwrap();
    assert_eq!(done, Recount::Done);
}

fn every_role_has_a_first_page_of_its_own(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    recount(&console);
    let unit = unit_of(&console);
    let partner = console.app.partner("样例书店");
    console.admin().get("/home").is(200).says(&["首页", "在册志愿者", "待打印", "数据时间", "信任列表", "审计链"]);
    console.sign_in(Role::FederationClerk, Scope::All).get("/home").is(200).says(&["数据时间"]);
    let county = console.sign_in(Role::County, Scope::County(21)).get("/home");
    assert!(!county.is(200).text().contains("数据时间"), "counties do not look after signing");
    let own = console.sign_in(Role::Unit, Scope::Unit { unit, county: 2 });
    own.get("/home").is(200).says(&["在册志愿者", "名册存档"]);
    console.sign_in(Role::Oversight, Scope::All).get("/home").is(200).says(&["名册存档", "审计链"]);
    let shop = console.sign_in(Role::Partner, Scope::Partner(partner.0));
    let page = shop.get("/home");
    page.is(200).says(&["合作协议", "优惠项目", "本月使用"]);
    assert!(!page.text().contains("在册志愿者"));
}

fn a_partner_is_added_renewed_and_ended(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    admin.get("/partners").is(200).says(&["还没有合作单位"]);
    let wrong = admin.post("/partners/new", &[("name", ""), ("number", "1号"), ("from", "2026-01-01"), ("to", "去年")]);
    wrong.is(422).says(&["日期应写作", "value=\"1号\""]);
    let fields = [
        ("name", "样例<书店>"),
        ("kind", "书店"),
        ("number", "普志联1号"),
        ("from", "2026-01-01"),
        ("to", "2026-12-01"),
    ];
    let to = admin.post("/partners/new", &fields).location().to_owned();
    let path = to.strip_prefix("/console").unwrap().to_owned();
    admin.get(&path).is(200).says(&["样例&#60;书店&#62;", "普志联1号", "还有 8 天", "还没有优惠项目"]);
    admin.get("/partners?state=soon").says(&["普志联1号"]);
    assert_eq!(&admin.get("/partners/export").is(200).body[..2], b"PK");
    admin.post("/partners/new", &fields).is(422).says(&["已登记给"]);

    admin.get(&format!("{path}/renew")).is(200).says(&["2026-12-01"]);
    let early = [("number", "普志联2号"), ("to", "2026-11-01"), ("seen", "2026-12-01")];
    admin.post(&format!("{path}/renew"), &early).is(422).says(&["须晚于现在的截止日期", "普志联2号"]);
    let later = [("number", "普志联2号"), ("to", "2027-12-31"), ("seen", "2026-12-01")];
    admin.post(&format!("{path}/renew"), &later).location();
    admin.get(&path).says(&["2027-12-31"]);

    admin.get(&format!("{path}/end")).is(200).says(&["终止以后", "不能恢复"]);
    admin.post(&format!("{path}/end"), &[("reason", ""), ("seen", "2027-12-31")]).is(422).says(&["终止原因"]);
    admin.post(&format!("{path}/end"), &[("reason", "双方协商"), ("seen", "2027-12-31")]).location();
    admin.get(&path).says(&["已终止", "双方协商"]);
    admin.get(&format!("{path}/renew")).is(422).says(&["已于"]);
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    oversight.get(&path).is(200);
    oversight.get("/partners/new").is(403);
    console.sign_in(Role::County, Scope::County(2)).get(&path).is(403);
}

fn the_second_of_two_who_renew_is_told(database: Database) {
    let console = ConsoleApp::new(database);
    let partner = console.app.partner("样例书店");
    let path = format!("/partners/{partner}/renew");
    let first = [("number", "新1号"), ("to", "2028-12-31"), ("seen", "2027-12-31")];
    let second = [("number", "新2号"), ("to", "2029-12-31"), ("seen", "2027-12-31")];
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    clerk.post(&path, &first).location();
    let answer = console.admin().post(&path, &second);
    answer.is(409).says(&["已经改动过", &clerk.desk.staff().login, "新2号", "2028-12-31"]);
}

fn an_offer_is_previewed_before_it_is_added(database: Database) {
    let console = ConsoleApp::new(database);
    let partner = console.app.partner("样例医院");
    let path = format!("/partners/{partner}/offers/new");
    let admin = console.admin();
    admin.get(&path).is(200).says(&["新增优惠项目", "协议期"]);
    let fields = |step| {
        [
            ("kind", "discount"),
            ("title", "体检费八折"),
            ("terms", "不含特需"),
            ("min_star", "2"),
            ("weekday", "0"),
            ("weekday", "4"),
            ("hours", "09:00-12:00"),
            ("per_day", "1"),
            ("identity_check", "yes"),
            ("step", step),
        ]
    };
    let rules = ["体检费八折", "不含特需", "二星级以上", "周一、周五", "09:00 至 12:00", "每人每天 1 次", "身份证件"];
    admin.post(&path, &fields("preview")).is(200).says(&rules);
    assert!(!admin.get(&format!("/partners/{partner}")).text().contains("体检费八折"), "a preview adds nothing");
    admin.post(&path, &fields("add")).location();
    admin.get(&format!("/partners/{partner}")).says(&["体检费八折", "周一、周五"]);
    let wrong = [("kind", "discount"), ("title", "x"), ("hours", "9点"), ("per_day", "0"), ("step", "add")];
    admin.post(&path, &wrong).is(422).says(&["时段应写作", "至少选一天", "应为 1 到 10000"]);
    let offer = console.app.wait(console.app.federation.offers(None, true)).unwrap()[0].id;
    let other = console.app.partner("样例书店");
    admin.get(&format!("/partners/{other}/offers/{offer}")).is(404);
    admin.post(&format!("/partners/{other}/offers/{offer}/end"), &[]).is(404);
    admin.get(&format!("/partners/{partner}/offers/{offer}/end")).says(&["将会发生", "不能恢复"]);
    admin.post(&format!("/partners/{partner}/offers/{offer}/end"), &[]).location();
    admin.get(&format!("/partners/{partner}/offers/{offer}")).says(&["已终止"]);
}

fn a_link_is_shown_once_and_only_to_who_makes_it(database: Database) {
    let console = ConsoleApp::new(database);
    let partner = console.app.partner("样例书店");
    let path = format!("/partners/{partner}/link");
    let admin = console.admin();
    admin.post(&path, &[("days", "0")]).is(422).says(&["1 到 90"]);
    let answer = admin.post(&path, &[("device", "收银台1"), ("days", "7")]);
    answer.is(200).says(&["scan#enrol=", "class=\"qr\"", "只在这里显示一次", "2026-11-30 16:00"]);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!admin.get(&path).text().contains("enrol="));
    console.sign_in(Role::Oversight, Scope::All).post(&path, &[("days", "7")]).is(403);

    let device = console.app.device(partner);
    let revoke = format!("/partners/{partner}/devices/{}/revoke", device.id);
    let other = console.app.partner("样例医院");
    admin.get(&format!("/partners/{other}/devices/{}/revoke", device.id)).is(404);
    admin.get(&revoke).is(200).says(&["不能恢复", "收银台1"]);
    admin.post(&revoke, &[]).location();
    admin.get(&format!("/partners/{partner}")).says(&["已停用"]);
}

fn a_partner_sees_its_own_and_nothing_else(database: Database) {
    let console = ConsoleApp::new(database);
    let (own, other) = (console.app.partner("样例书店"), console.app.partner("样例医院"));
    let (ours, theirs) = (console.app.offer(own, "图书九折"), console.app.offer(other, "体检八折"));
    let shop = console.sign_in(Role::Partner, Scope::Partner(own.0));
    let page = shop.get("/offers");
    page.is(200).says(&["样例书店", "图书九折", "每人每天 1 次"]);
    assert!(!page.text().contains("体检八折"));
    shop.get(&format!("/offers/{ours}")).is(200).says(&["图书九折"]);
    shop.get(&format!("/offers/{theirs}")).is(404);
    assert_eq!(&shop.get("/offers/export").is(200).body[..2], b"PK");
    for path in ["/partners", "/statistics", "/audit", "/partners/unusual", &format!("/partners/{own}")] {
        shop.get(path).is(403);
    }
    console.admin().get("/offers").is(403);
}

fn figures_are_those_of_the_federation(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    admin.get("/statistics").is(200).says(&["还没有统计数据"]);
    console.app.add_cards(4);
    admin.post("/statistics/recount", &[]).location();
    let page = admin.get("/statistics");
    page.is(200).says(&[
        "思茅区",
        "在册志愿者",
        "<figcaption>每月服务小时数</figcaption><svg class=\"chart\" role=\"img\"",
        "2026-11-23 16:00",
        "未填",
    ]);
    let unit = unit_of(&console);
    admin.get(&format!("/statistics/units/{unit}")).is(200).says(&[UNIT, "没有填写在职人数", "2026-11"]);
    admin.post("/statistics/recount", &[]).location();
    assert_eq!(console.app.wait(console.app.federation.recount_now()).unwrap(), Recount::Fresh, "not twice a minute");
    let figures = console
        .app
        .wait(admin.desk.figures(zyz::service::desk::oversight::statistics::About::County(2), None))
        .unwrap()
        .unwrap();
    assert_eq!((figures.standing.people, figures.standing.cards_valid, figures.standing.unprinted), (4, 4, 4));
    assert_eq!((figures.standing.without_card, figures.total.registered, figures.total.issued), (0, 4, 4));
    assert_eq!(figures.standing.rate(), None, "nobody said how many people there are");
    admin.get("/statistics/counties/2").is(200).says(&[UNIT, "未填", "未设"]);
    admin.get("/statistics/counties/2?q=没有").says(&["没有名称含这些字的单位"]);
    admin.get("/statistics/counties/77").is(404);
    admin.get("/statistics/report").is(200).says(&["督查报告", "资料不全的单位", UNIT]);
    assert_eq!(&admin.get("/statistics/report/pdf").is(200).body[..5], b"%PDF-");
    assert_eq!(&admin.get("/statistics/export").is(200).body[..2], b"PK");
    admin.get("/statistics/partners").is(200);
}

fn a_county_and_a_unit_see_their_own_figures(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    recount(&console);
    let unit = unit_of(&console);
    let county = console.sign_in(Role::County, Scope::County(2));
    county.get("/statistics").is(200).says(&["思茅区", UNIT]);
    county.get("/statistics/counties/21").is(404);
    county.get("/statistics/report?county=21").is(404);
    county.get("/statistics/partners").is(403);
    let own = console.sign_in(Role::Unit, Scope::Unit { unit, county: 2 });
    own.get("/statistics").is(200).says(&[UNIT]);
    own.get("/statistics/counties/2").is(404);
    own.get("/statistics/export?county=2").is(404);
    assert_eq!(&own.get("/statistics/export").is(200).body[..2], b"PK");
    let foreign = console.sign_in(Role::County, Scope::County(21));
    foreign.get(&format!("/statistics/units/{unit}")).is(404);
    foreign.get(&format!("/statistics/report/pdf?unit={unit}")).is(404);
}

fn the_trail_is_found_by_person_group_object_and_day(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let partner = console.app.partner("样例书店");
    let admin = console.admin();
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    clerk.post(&format!("/partners/{partner}/renew"), &[("number", "x"), ("to", "2028-12-31"), ("seen", "2027-12-31")]);
    let login = clerk.desk.staff().login.clone();
    let by = admin.get(&format!("/audit?actor={login}&group=partners"));
    by.is(200).says(&["续签协议", "合作单位 ", "协议编号：x"]);
    assert!(!by.text().contains("<td>登录</td>"));
    let number = console.app.numbers()[0];
    let about = admin.get(&format!("/audit?object={number}"));
    about.is(200).says(&["签发志愿服务证", &number.grouped()]);
    assert!(!about.text().contains("续签协议"));
    admin.get("/audit?from=2026-11-24").says(&["没有符合条件的记录"]);
    admin.get("/audit?to=2026-11-23&from=x").says(&["日期应写作", "续签协议"]);
    admin.get("/audit?group=hours").says(&["没有符合条件的记录"]);
    assert_eq!(&admin.get(&format!("/audit/export?actor={login}")).is(200).body[..2], b"PK");
    admin.get("/audit/events/1").is(200).says(&["第 1 条", "内容与其摘要相符"]);
    admin.get("/audit/events/999999").is(404);
    clerk.get("/audit").is(403);
    console.sign_in(Role::Oversight, Scope::All).get("/audit").is(200);
    // More than a page: each event once, newest first.
    for _ in 0..60 {
        console.admin();
    }
    let first = admin.get("/audit?group=staff").text();
    let at = first.find("&#38;before=").or_else(|| first.find("&before=")).expect("there is a next page");
    let next: String = first[..at].rsplit("/audit?").next().unwrap().to_owned();
    let before: String = first[at..].split('=').nth(1).unwrap().chars().take_while(|c| *c != '"').collect();
    let second = admin.get(&format!("/audit?{next}&before={before}")).text();
    let seqs = |text: &str| -> BTreeSet<String> {
        text.split("/audit/events/")
            .skip(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
            .collect()
    };
    assert_eq!(seqs(&first).len(), 50);
    assert!(seqs(&first).is_disjoint(&seqs(&second)) && !seqs(&second).is_empty());
}

fn the_chain_is_checked_and_a_noted_head_compared(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let admin = console.admin();
    admin.get("/audit").is(200).says(&["末端摘要", "还没有在这里核对过"]);
    let first = console.app.wait(admin.desk.audit_event(1)).unwrap();
    let same = [("seq", "1"), ("hash", &first.hash[..16])];
    admin.post("/audit/compare", &same).location();
    let compared = console.app.wait(admin.desk.compare_audit_hash(1, "0000000000000000")).unwrap();
    assert!(matches!(compared, zyz::service::desk::oversight::audit::Comparison::Differs { .. }));
    assert!(console.app.wait(admin.desk.compare_audit_hash(1, "xyz")).is_err());
    admin.post("/audit/checks", &[]).location();
    admin.get("/audit").says(&["审计链完整"]);
    let walk = console.app.wait(admin.desk.begin_audit_check()).unwrap();
    assert!(walk.ended_at.is_some() && walk.broken_at.is_none());
    admin.post("/audit/checks/999/step", &[]).is(404);
}

fn unusual_use_is_explained(database: Database) {
    let console = ConsoleApp::with_cards(database, 1);
    let partner = console.app.partner("样例书店");
    let admin = console.admin();
    admin.get("/partners/unusual").is(200).says(&["没有发现异常"]);
    let offer = console.app.offer(partner, "图书九折");
    let device = console.app.device(partner);
    let number = console.app.numbers()[0];
    let card =
        console.app.post("/v1/verify", &json!({"code": console.app.text(number)})).ok().json()["certificate"].clone();
    let uses: Vec<_> = (0..6)
        .map(|minute| {
            json!({
                "id": format!("019abc00-0000-7000-8000-00000000000{minute}"), "offer": offer, "number": card["number"],
                "key_id": card["key_id"], "issued_at": card["issued_at"],
                "redeemed_at": format!("2026-11-23T08:00:0{minute}Z"), "bundle_version": 1,
            })
        })
        .collect();
    console.app.pass(SignedDuration::from_mins(5));
    console.app.post_as(&device, "/v1/redemptions", &json!({"redemptions": uses})).ok();
    recount(&console);
    admin.get("/partners/unusual").says(&[
        "超过次数限制",
        "短时间内多次",
        &number.grouped(),
        "一小时内 6 次",
        "常见原因",
    ]);
    for (words, found) in [("样例", true), (number.as_str(), true), (&number.grouped(), true), ("没有的", false)] {
        let asked = serde_html_form::to_string([("q", words)]).unwrap();
        let page = admin.get(&format!("/partners/unusual?{asked}")).is(200).text();
        assert_eq!(page.contains("样例书店"), found, "{words}");
        assert_eq!(page.contains("没有符合条件的情况"), !found, "{words}");
        let book = workbook(&admin.get(&format!("/partners/unusual/export?{asked}")));
        assert_eq!(book.contains("一小时内 6 次"), found, "{words}");
    }
    admin.get(&format!("/partners/{partner}")).says(&["值得核对", "图书九折"]);
    let shop = console.sign_in(Role::Partner, Scope::Partner(partner.0));
    shop.get("/offers").says(&["每月使用次数"]);
    admin.get("/statistics/partners").says(&["样例书店"]);
}

#[test]
fn every_action_that_is_written_has_a_name() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut nameless = BTreeSet::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for text in source.split('"').skip(1).step_by(2) {
            let Some((thing, done)) = text.split_once('.') else { continue };
            let word =
                |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let file = matches!(done, "sql" | "db" | "html" | "rs");
            // Columns are written like actions where two tables meet.
            let told = source.contains(&format!("audit(\"{text}\"")) || source.contains(&format!("=> \"{text}\""));
            if word(thing) && word(done) && !file && told && actions::label(text) == text {
                nameless.insert(text.to_owned());
            }
        }
    }
    assert!(nameless.is_empty(), "name these in service/desk/oversight/actions.rs: {nameless:?}");
}
