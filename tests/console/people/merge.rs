//! Possible duplicates, and merging.

use super::{console, import, numbers, revision, unit};
use crate::console::ConsoleApp;
use crate::on_both;
use crate::searches::workbook;
use crate::support::{Database, sheets};
use zyz::service::hours::HoursRequest;
use zyz_credential::CertificateNumber;

/// Somebody who is registered twice: the same name, birth date and phone, another identity number.
fn twice(database: Database) -> (ConsoleApp, CertificateNumber, CertificateNumber) {
    let console = console(database);
    let mut again = sheets::person(0);
    again.identity = sheets::identity(again.birth, 433, true);
    import(&console, "宁洱县样例单位", "21", &[again]);
    let all = numbers(&console);
    (console, all[0], all[5])
}

fn enter_hours(console: &ConsoleApp, who: CertificateNumber, hours: u32) {
    let file = console.app.path(&format!("hours-{who}.xlsx"));
    sheets::services(&file, &sheets::hours_of(who.as_str(), 2026, hours));
    let app = &console.app;
    let _inside = app.runtime().enter();
    let request = HoursRequest { file: &file, dry_run: false, report: None };
    app.wait(app.federation.import_hours(request)).unwrap();
}

fn duplicates_are_listed(database: Database) {
    let (console, first, second) = twice(database);
    let client = console.admin();
    for path in ["/people/duplicates", "/people/duplicates?by=phone"] {
        client.get(path).is(200).says(&[&first.grouped(), &second.grouped(), "比较", "/people/duplicates/export"]);
    }
    for by in ["name", "phone"] {
        let book = workbook(&client.post("/people/duplicates/export", &[("by", by)]));
        assert!(book.contains(first.as_str()) && book.contains(second.as_str()), "{by}");
    }
    client.get("/audit?action=people.export").is(200).says(&["电话相同", "姓名和出生日期相同"]);
    unit(&console).post("/people/duplicates/export", &[]).is(403);
    client.get(&format!("/people/duplicates?after={first}")).is(200);
    client.get(&format!("/people/duplicates?by=phone&after={first}")).is(200).says(&["没有可能重复的登记"]);
    unit(&console).get("/people/duplicates").is(403);
}

fn merging_moves_hours_and_ends_the_other(database: Database) {
    let (console, stays, ends) = twice(database);
    let client = console.admin();
    enter_hours(&console, stays, 16);
    enter_hours(&console, ends, 24);
    let path = format!("/people/{stays}/merge");
    client.get(&path).is(200).says(&["另一条登记的证书编号"]);
    let plan = client.get(&format!("{path}?other={ends}"));
    plan.is(200).says(&["保留", "停用", "合并不能撤销", "1 条服务记录转入", "另有 2 条两边相同"]);
    let text = plan.text();
    let (one, other) = (revision(&text, "stays_revision"), revision(&text, "ends_revision"));
    let send = |confirm: &str, reason: &str| {
        let fields = [
            ("other", ends.as_str()),
            ("keep", stays.as_str()),
            ("stays_revision", &one),
            ("ends_revision", &other),
            ("confirm", confirm),
            ("reason", reason),
        ];
        client.post(&path, &fields)
    };
    send(&ends.grouped(), "").is(422).says(&["请写明原因"]);
    send(stays.as_str(), "本人确认").is(422).says(&["请照原样输入将要停用的编号"]);
    assert_eq!(send(&ends.grouped(), "本人确认").location(), format!("/console/people/{stays}"));
    // Two days were told for both: they count once.
    client.get(&format!("/people/{stays}")).says(&["并入的登记", &ends.grouped(), "并入", "24 <small>小时"]);
    client.get(&format!("/people/{ends}")).says(&["已并入他人的登记", &stays.grouped()]);
    // What was merged is done: no second time, no steps, no receipt; the number leads to the one that stays.
    client.get(&format!("{path}?other={ends}")).is(422).says(&["已并入别的登记"]);
    client.post(&format!("/people/{ends}/exit"), &[("reason", "本人申请")]).is(422).says(&["已并入另一条"]);
    client.get("/people/duplicates").says(&["没有可能重复的登记"]);
    enter_hours(&console, ends, 48);
    client.get(&format!("/people/{stays}")).says(&["48 <small>小时"]);
}

fn the_other_may_stay_and_identities_change_places(database: Database) {
    let (console, card, plain) = twice(database);
    let client = console.admin();
    // This time the one without a card stays, and the card of the other is superseded.
    let path = format!("/people/{card}/merge");
    let plan = client.get(&format!("{path}?other={plain}&keep={plain}"));
    plan.is(200).says(&["立即作废"]);
    let text = plan.text();
    let (one, other) = (revision(&text, "stays_revision"), revision(&text, "ends_revision"));
    let fields = [
        ("other", plain.as_str()),
        ("keep", plain.as_str()),
        ("stays_revision", &one),
        ("ends_revision", &other),
        ("confirm", card.as_str()),
        ("reason", "本人确认"),
    ];
    assert_eq!(client.post(&path, &fields).location(), format!("/console/people/{plain}"));
    client.get(&format!("/people/{plain}")).says(&["已由新证代替", &card.grouped()]);
    // The identity number of the one that ended was the right one.
    let at = revision(&client.get(&format!("/people/{plain}/identity")).text(), "revision");
    let identity = sheets::person(0).identity;
    let fields = [("revision", at.as_str()), ("identity", &identity), ("reason", "对照原件")];
    client.post(&format!("/people/{plain}/identity"), &fields).location();
    client.post("/people/search", &[("q", &identity)]).says(&[&plain.grouped()]);
}

fn merging_what_changed_meanwhile_is_told(database: Database) {
    let (console, stays, ends) = twice(database);
    let client = console.admin();
    let fields = [
        ("other", ends.as_str()),
        ("keep", stays.as_str()),
        ("stays_revision", "7"),
        ("ends_revision", "1"),
        ("confirm", ends.as_str()),
        ("reason", "本人确认"),
    ];
    client.post(&format!("/people/{stays}/merge"), &fields).is(409).says(&["已经改动过"]);
    for other in ["123", stays.as_str(), "0212345674"] {
        client.get(&format!("/people/{stays}/merge?other={other}")).is(422).says(&["e-other"]);
    }
    unit(&console).post(&format!("/people/{stays}/merge"), &fields).is(403);
}

on_both![
    duplicates_are_listed,
    merging_moves_hours_and_ends_the_other,
    the_other_may_stay_and_identities_change_places,
    merging_what_changed_meanwhile_is_told,
];
