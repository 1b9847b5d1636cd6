//! Leaving and coming back.

use super::{console, county, events, numbers, revision, unit};
use crate::on_both;
use crate::support::{Database, sheets};

const WHY: (&str, &str) = ("reason", "本人书面申请");

fn leaving_erases_and_keeps(database: Database) {
    let console = console(database);
    let (unit, admin, all) = (unit(&console), console.admin(), numbers(&console));
    let (number, person) = (all[0], sheets::person(0));
    // A corrected phone leaves its old value behind, which must go too.
    let form = unit.get(&format!("/people/{number}/edit")).text();
    let (at, birth) = (revision(&form, "revision"), person.birth.to_string());
    let fields = [
        ("revision", at.as_str()),
        ("name", &person.name),
        ("sex", "1"),
        ("ethnicity", "1"),
        ("birth_date", &birth),
        ("phone", "13800000001"),
        WHY,
    ];
    unit.post(&format!("/people/{number}/edit"), &fields).location();
    let path = format!("/people/{number}/exit");
    unit.get(&path).is(200).says(&[&person.name, &birth, "立即删除：联系电话", "保留", "不能恢复", "不可用：已注销"]);
    let answer = unit.post(&path, &[("name", &person.name), WHY]);
    assert_eq!(answer.location(), format!("/console/people/{number}"));
    let page = unit.get(&format!("/people/{number}"));
    page.says(&["已退出", "已注销", "志愿者退出", "退出凭证", "退出志愿服务组织，已删除联系电话", "已删除"]);
    unit.post("/people/search", &[("q", "13800000001")]).says(&["没有人登记这个电话"]);
    // Who they are is still known, their number too; they cannot leave twice.
    admin.post("/people/search", &[("q", &person.identity)]).says(&[&person.name]);
    unit.post(&path, &[("name", &person.name), WHY]).is(422).says(&["此前已办理退出"]);
    unit.get(&format!("/people/{number}/edit")).is(422).says(&["已退出"]);
    let receipt = unit.get(&format!("/people/{number}/receipt.pdf"));
    receipt.is(200);
    assert_eq!(receipt.header("content-type"), "application/pdf");
    assert!(receipt.body.starts_with(b"%PDF"));
    unit.get(&format!("/people/{}/receipt.pdf", all[1])).is(422).says(&["没有办理过退出"]);
    // Back again: the same number, no old card, no old contact.
    unit.post(&format!("/people/{number}/readmit"), &[WHY]).is(403);
    admin.get(&format!("/people/{number}/readmit")).is(200).says(&["沿用原证书编号", "补录"]);
    admin.post(&format!("/people/{number}/readmit"), &[WHY]).location();
    admin.get(&format!("/people/{number}")).says(&["在册", "重新加入", "更正资料"]);
    admin.get("/people?card=none&county=02").says(&[&number.grouped()]);
}

fn the_wrong_person_does_not_leave(database: Database) {
    let console = console(database);
    let (unit, all) = (unit(&console), numbers(&console));
    let path = format!("/people/{}/exit", all[0]);
    for typed in ["", "李建", &sheets::person(1).name, "确认"] {
        let answer = unit.post(&path, &[("name", typed), WHY]);
        answer.is(422).says(&["与要退出的人不符", &sheets::person(0).name]);
    }
    unit.post(&path, &[("name", &sheets::person(0).name)]).is(422).says(&["请写明原因"]);
    county(&console).post(&path, &[("name", &sheets::person(0).name), WHY]).is(404);
    assert!(events(&console, all[0], "volunteer.exit").is_empty());
    unit.get(&format!("/people/{}", all[0])).says(&["在册"]);
}

fn somebody_who_died_is_taken_off(database: Database) {
    let console = console(database);
    let (client, number) = (console.admin(), numbers(&console)[2]);
    let fields = [("name", sheets::person(2).name), ("cause", "deceased".into()), ("reason", "家属告知".into())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    client.post(&format!("/people/{number}/exit"), &fields).location();
    client.get(&format!("/people/{number}")).says(&["志愿者去世", "已退出"]);
}

on_both![leaving_erases_and_keeps, the_wrong_person_does_not_leave, somebody_who_died_is_taken_off];
