//! Lists, search, export, paper.

use super::{Office, begun, complete, with};
use crate::on_both;
use crate::support::Database;
use zyz::domain::staff::{Role, Scope};

on_both!(queues_show_what_is_within_reach, search_by_name_and_number);

fn queues_show_what_is_within_reach(database: Database) {
    let office = Office::new(database);
    let (town, county) = (office.unit(), office.county_unit());
    let first = complete(1);
    office.submitted(&town, &with(&first, &[("name", "城里人甲")]));
    office.submitted(&county, &with(&complete(2), &[("name", "县里人乙")]));
    begun(&county, &[("name", "草稿丙")]);
    let seen = |page: String| ["城里人甲", "县里人乙", "草稿丙"].map(|name| page.contains(name));
    assert_eq!(seen(office.clerk().get("/forms").is(200).text()), [true, false, false], "待我审批 first");
    assert_eq!(seen(office.clerk().get("/forms?queue=all").text()), [true, true, true]);
    assert_eq!(seen(office.county(21).get("/forms").text()), [false, true, false]);
    assert_eq!(seen(office.county(21).get("/forms?queue=all").text()), [false, true, true]);
    assert_eq!(seen(office.county(22).get("/forms?queue=all").text()), [false, false, false]);
    assert_eq!(seen(town.get("/forms").text()), [true, false, false]);
    assert_eq!(seen(county.get("/forms?queue=draft").text()), [false, false, true]);
    let oversight = office.console.sign_in(Role::Oversight, Scope::All);
    let page = oversight.get("/forms");
    assert_eq!(seen(page.text()), [true, true, true]);
    assert!(!page.text().contains("/forms/new"), "oversight writes none");
    oversight.get("/forms?queue=mine").is(404);
    county.get("/forms?queue=rejected").is(200).says(&["这里没有登记表"]);
    county.get("/forms?queue=nonsense&after=x.y").is(200);
}

fn search_by_name_and_number(database: Database) {
    let office = Office::new(database);
    let unit = office.unit();
    let fields = complete(1);
    begun(&unit, &with(&fields, &[]));
    begun(&unit, &[("name", "玉波罕")]);
    let found = |words: &str| unit.post("/forms/search", &[("words", words)]).is(200).text();
    assert!(found("岩温").contains(">岩温扁<"));
    assert!(!found("岩温").contains(">玉波罕<"));
    let number = fields.last().unwrap().1.as_str();
    assert!(found(number).contains(">岩温扁<"));
    assert!(found("无此人").contains("没有找到这个人的登记表"));
    assert!(unit.post("/forms/search", &[("words", " ")]).location().ends_with("queue=all"));
    assert!(!office.county_unit().post("/forms/search", &[("words", number)]).text().contains(">岩温扁<"));
    unit.get("/forms/search").location();
}

#[test]
fn long_queues_go_on_page_by_page() {
    let office = Office::new(Database::sqlite());
    let unit = office.unit();
    for n in 0..51 {
        begun(&unit, &[("school", &format!("学校{n}"))]);
    }
    let first = unit.get("/forms?queue=draft").text();
    assert_eq!(first.matches("（未填姓名）").count(), 50);
    let at = first.find("queue=draft&#38;after=").expect("a way to the next page");
    let after: String = first[at + 22..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let second = unit.get(&format!("/forms?queue=draft&after={after}")).text();
    assert_eq!(second.matches("（未填姓名）").count(), 1);
    assert!(second.contains("回到第一页"));
}

#[test]
fn a_queue_is_exported_as_a_workbook_of_texts() {
    let office = Office::new(Database::sqlite());
    let unit = office.unit();
    begun(&unit, &[("name", "=HYPERLINK(1)")]);
    let answer = unit.get("/forms/export?queue=all");
    answer.is(200);
    assert!(answer.header("content-disposition").contains("xlsx"));
    assert!(answer.body.starts_with(b"PK"));
    office.console.sign_in(Role::Partner, Scope::Partner(office.console.first_partner())).get("/forms/export").is(403);
}

#[test]
fn both_copies_are_printed_and_it_is_noted() {
    let office = Office::new(Database::sqlite());
    let unit = office.unit();
    let id = office.submitted(&unit, &with(&complete(1), &[]));
    let answer = unit.post(&format!("/forms/{id}/print"), &[]);
    answer.is(200);
    assert!(answer.body.starts_with(b"%PDF"));
    unit.get(&format!("/forms/{id}")).says(&["打印附件1"]);
    assert!(unit.get("/forms/blank").is(200).body.starts_with(b"%PDF"));
    office.county_unit().post(&format!("/forms/{id}/print"), &[]).is(404);
    office.console.sign_in(Role::Oversight, Scope::All).post(&format!("/forms/{id}/print"), &[]).is(403);
    let rare = begun(&unit, &[("name", "张𠀀")]);
    unit.post(&format!("/forms/{rare}/print"), &[]).is(422).says(&["张𠀀的登记表", "U+20000"]);
}

#[test]
fn a_unit_is_named_by_those_who_have_several() {
    let office = Office::new(Database::sqlite());
    let clerk = office.clerk();
    clerk.get("/forms/new").is(200).says(&["县（区）", "单位名称"]);
    clerk.post("/forms/new", &[("unit_county", "02"), ("unit_name", "没有的单位")]).is(422).says(&["没有这个单位"]);
    clerk.post("/forms/new", &[("unit_county", "02")]).is(422).says(&["请填写单位名称"]);
    clerk.post("/forms/new", &[("unit_name", "思茅区文化馆")]).is(422).says(&["请选择单位所属的县"]);
    let county = office.county(21);
    let text = [("unit_county", "02"), ("unit_name", "思茅区文化馆"), ("name", "越界")];
    county.post("/forms/new", &text).is(422).says(&["没有这个单位"]);
    begun(&county, &[("unit_name", "宁洱县第一中学")]);
    // A unit's own staff cannot name another.
    let unit = office.unit();
    let id = begun(&unit, &[("unit_county", "21"), ("unit_name", "宁洱县第一中学"), ("name", "岩温扁")]);
    unit.get(&format!("/forms/{id}")).says(&["思茅区文化馆"]);
}
