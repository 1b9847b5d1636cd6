//! Two people at the same form.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{Office, begun, complete, number, with};
use crate::on_both;
use crate::support::Database;

on_both!(
    the_second_is_told_and_keeps_what_she_typed,
    steps_of_a_form_that_moved_on_are_refused,
    a_form_sent_twice_is_one_draft,
);

fn the_second_is_told_and_keeps_what_she_typed(database: Database) {
    let office = Office::new(database);
    let (first, second) = (office.unit(), office.unit());
    let id = begun(&first, &[("name", "岩温扁"), ("school", "普洱一中")]);
    let edit = format!("/forms/{id}/edit");
    let ours = [("revision", "1"), ("name", "岩温扁"), ("school", "普洱二中"), ("step", "save")];
    first.post(&edit, &ours).location();
    let hers = [("revision", "1"), ("name", "岩温扁"), ("school", "普洱三中"), ("step", "save")];
    let answer = second.post(&edit, &hers);
    answer.is(409).says(&[
        "单位负责人 在 ",
        "已经改过",
        "毕业学校",
        "普洱二中",
        "value=\"普洱三中\"",
        "name=\"revision\" value=\"2\"",
    ]);
    second.get(&edit).says(&["value=\"普洱二中\""]);
    // Having seen both, hers may stand.
    let hers = [("revision", "2"), ("name", "岩温扁"), ("school", "普洱三中"), ("step", "save")];
    second.post(&edit, &hers).location();
    first.get(&edit).says(&["value=\"普洱三中\""]);
}

fn steps_of_a_form_that_moved_on_are_refused(database: Database) {
    let office = Office::new(database);
    let (unit, clerk) = (office.unit(), office.clerk());
    let fields = complete(1);
    let id = begun(&unit, &with(&fields, &[]));
    let step = |word: &str| format!("/forms/{id}/{word}");
    unit.post(&step("submit"), &[("revision", "7")]).is(409).says(&["已经改动过"]);
    unit.post(&step("submit"), &[("revision", "1")]).location();
    unit.post(&step("submit"), &[("revision", "2")]).is(422).says(&["已提交、正待审批", "不能再改写"]);
    unit.get(&step("edit")).is(422);
    unit.post(&step("edit"), &[("revision", "2"), ("name", "别人")]).is(422);
    let decide = [("revision", "1"), ("reason", "同意注册。")];
    clerk.post(&step("approve"), &decide).is(409);
    // Taken back and handed in anew, the form that the approver looked at is not the one that stands.
    clerk.post(&step("return"), &[("revision", "2"), ("reason", "请补全学历")]).location();
    clerk.post(&step("approve"), &[("revision", "3"), ("reason", "同意注册。")]).is(422).says(&["已退回单位更正"]);
    unit.get(&step("edit")).is(200).says(&["审批机构退回更正：请补全学历"]);
    unit.post(&step("submit"), &[("revision", "3")]).location();
    clerk.post(&step("reject"), &[("revision", "4"), ("reason", "不符合条件")]).location();
    unit.post(&step("withdraw"), &[("revision", "5")]).is(422).says(&["不予通过", "不能撤回"]);
    clerk.get(&step("approve")).is(422);
}

fn a_form_sent_twice_is_one_draft(database: Database) {
    let office = Office::new(database);
    let (unit, colleague) = (office.unit(), office.unit());
    let person = complete(1);
    let fields = with(&person, &[("step", "submit")]);
    let sent = || number(unit.post("/forms/new", &fields).location());
    let id = sent();
    assert_eq!(sent(), id, "a second click");
    // From the page that the browser still has, after the form was handed in.
    unit.post(&format!("/forms/{id}/submit"), &[("revision", "1")]).location();
    let again = unit.post("/forms/new", &fields);
    assert_eq!(again.location(), format!("/console/forms/{id}"));
    let page = unit.get("/forms?queue=all").is(200).text();
    let links =
        page.split("href=\"/console/forms/").skip(1).filter_map(|rest| rest.split('"').next()?.parse::<u64>().ok());
    assert_eq!(links.collect::<BTreeSet<_>>().len(), 1, "{page}");
    // Another person, another content, another day: other forms.
    let school = with(&person, &[("school", "普洱一中"), ("step", "save")]);
    let other = number(unit.post("/forms/new", &school).location());
    let hers = number(colleague.post("/forms/new", &school).location());
    assert!(other != id && hers != other);
    office.console.app.pass(SignedDuration::from_mins(31));
    let unit = office.unit();
    let later = number(unit.post("/forms/new", &school).location());
    assert!(later != other);
    // What was written in since is no longer what is sent.
    let edit = [("revision", "1"), ("name", "岩温扁"), ("step", "save")];
    unit.post(&format!("/forms/{later}/edit"), &edit).location();
    assert_ne!(number(unit.post("/forms/new", &school).location()), later);
}
