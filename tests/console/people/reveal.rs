//! Numbers in the clear.

use super::{console, county, events, numbers, unit};
use crate::on_both;
use crate::support::{Database, sheets};
use zyz::domain::staff::{Role, Scope};

fn numbers_are_shown_for_a_reason_and_noted(database: Database) {
    let console = console(database);
    let (unit, number, person) = (unit(&console), numbers(&console)[1], sheets::person(1));
    let page = unit.get(&format!("/people/{number}")).is(200).text();
    assert!(!page.contains(&person.phone) && !page.contains(&person.identity));
    let path = format!("/people/{number}/reveal");
    unit.get(&path).is(200).says(&[&person.name, "原因", "记入审计"]);
    let answer = unit.post(&path, &[("what", "identity"), ("what", "phone"), ("reason", "通知领证")]);
    answer.is(200).says(&[&person.phone, &person.identity, "通知领证"]);
    assert_eq!(answer.header("cache-control"), "no-store");
    let noted = events(&console, number, "volunteer.reveal");
    assert_eq!(noted.len(), 1);
    assert!(noted[0].contains("通知领证") && noted[0].contains("phone"), "{noted:?}");
    assert!(!noted[0].contains(&person.phone) && !noted[0].contains(&person.identity));
    unit.get(&format!("/people/{number}")).says(&["查看身份证号码、联系电话明文（通知领证）"]);
}

fn without_a_reason_nothing_is_shown(database: Database) {
    let console = console(database);
    let (client, number, person) = (console.admin(), numbers(&console)[1], sheets::person(1));
    let path = format!("/people/{number}/reveal");
    let with_number = format!("电话 {}", person.phone);
    for reason in ["", "  ", "看", &with_number] {
        let answer = client.post(&path, &[("what", "phone"), ("reason", reason)]);
        answer.is(422).says(&["f-reason", "aria-invalid"]);
        assert!(!answer.text().contains(&person.identity));
    }
    client.post(&path, &[("reason", "通知领证")]).is(422).says(&["请选择要查看的内容"]);
    client.post(&path, &[("what", "name"), ("reason", "通知领证")]).is(422);
    assert!(events(&console, number, "volunteer.reveal").is_empty());
}

fn who_may_not_reveal_is_refused(database: Database) {
    let console = console(database);
    let number = numbers(&console)[1];
    let path = format!("/people/{number}/reveal");
    let fields = [("what", "phone"), ("reason", "通知领证")];
    console.sign_in(Role::Oversight, Scope::All).post(&path, &fields).is(403);
    county(&console).post(&path, &fields).is(404);
    assert!(events(&console, number, "volunteer.reveal").is_empty());
}

on_both![numbers_are_shown_for_a_reason_and_noted, without_a_reason_nothing_is_shown, who_may_not_reveal_is_refused,];
