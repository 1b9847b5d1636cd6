//! Suspend, resume, lost, misuse.

use super::{console, county, events, numbers, unit};
use crate::on_both;
use crate::support::{Database, sheets};
use zyz::domain::staff::{Role, Scope};

const WHY: (&str, &str) = ("reason", "核查情况");

fn a_card_is_held_back_and_given_back(database: Database) {
    let console = console(database);
    let (client, number) = (console.admin(), numbers(&console)[0]);
    let name = sheets::person(0).name;
    client.get(&format!("/people/{number}/suspend")).is(200).says(&[&name, "将会发生", "不可用：已暂停", "60 分钟"]);
    client.post(&format!("/people/{number}/suspend"), &[]).is(422).says(&["请写明原因"]);
    let answer = client.post(&format!("/people/{number}/suspend"), &[WHY]);
    assert_eq!(answer.location(), format!("/console/people/{number}"));
    client.get(&format!("/people/{number}")).says(&["已暂停", "暂停志愿服务证（其他），原因：核查情况", "恢复使用"]);
    client.post(&format!("/people/{number}/suspend"), &[WHY]).is(422).says(&["已经处于暂停"]);
    client.get(&format!("/people/{number}/resume")).is(200).says(&["不必重新打印"]);
    client.post(&format!("/people/{number}/resume"), &[WHY]).location();
    client.post(&format!("/people/{number}/resume"), &[WHY]).is(422).says(&["不需要恢复"]);
    client.get(&format!("/people/{number}")).says(&["有效"]);
}

fn a_lost_card_is_replaced_or_reported(database: Database) {
    let console = console(database);
    let (client, unit, all) = (console.admin(), unit(&console), numbers(&console));
    // The federation replaces at once.
    client.get(&format!("/people/{}/lost", all[0])).is(200).says(&["一并签发新证"]);
    client.post(&format!("/people/{}/lost", all[0]), &[WHY, ("replace", "yes")]).location();
    client.get(&format!("/people/{}", all[0])).says(&["已由新证代替", "证件遗失", "未打印"]);
    // A unit reports; the new card is the federation's to issue.
    let page = unit.get(&format!("/people/{}/lost", all[1])).is(200).text();
    assert!(!page.contains("name=\"replace\""));
    unit.post(&format!("/people/{}/lost", all[1]), &[WHY, ("replace", "yes")]).is(403);
    unit.post(&format!("/people/{}/lost", all[1]), &[WHY]).location();
    client.get("/people?card=none").says(&[&all[1].grouped()]);
    // What is gone is not lost again.
    unit.post(&format!("/people/{}/lost", all[1]), &[WHY]).is(422).says(&["该证已注销"]);
    // A suspended card is not replaced, only reported.
    client.post(&format!("/people/{}/suspend", all[2]), &[WHY]).location();
    let answer = client.post(&format!("/people/{}/lost", all[2]), &[WHY, ("replace", "yes")]);
    answer.is(422).says(&["处于暂停，不能直接换发"]);
    client.post(&format!("/people/{}/lost", all[2]), &[WHY]).location();
}

fn a_step_and_its_reason_are_one_event(database: Database) {
    let console = console(database);
    let (client, all) = (console.admin(), numbers(&console));
    let head = || console.app.wait(client.desk.audit_trail(&Default::default())).unwrap().head_seq;
    for (step, action) in
        [("suspend", "certificate.suspend"), ("resume", "certificate.resume"), ("lost", "certificate.revoke")]
    {
        let before = head();
        client.post(&format!("/people/{}/{step}", all[0]), &[("reason", "民警来电核实")]).location();
        assert_eq!(head(), before + 1, "{step}: the reason stands in the event of the step");
        let details = events(&console, all[0], action);
        assert!(details.len() == 1 && details[0].contains("民警来电核实"), "{step}: {details:?}");
    }
    // Leaving is two things, the card revoked and the person gone, at one moment and for one reason.
    let before = head();
    let name = sheets::person(1).name;
    client.post(&format!("/people/{}/exit", all[1]), &[("name", &name), ("reason", "迁往外地")]).location();
    assert_eq!(head(), before + 2);
    for action in ["certificate.revoke", "volunteer.exit"] {
        assert!(events(&console, all[1], action)[0].contains("迁往外地"), "{action}");
    }
    client.post(&format!("/people/{}/readmit", all[1]), &[("reason", "本人申请")]).location();
    assert_eq!(head(), before + 3);
    let page = client.get(&format!("/people/{}", all[1])).text();
    for said in ["已删除联系电话，原因：迁往外地", "重新加入，原因：本人申请"] {
        assert_eq!(page.matches(said).count(), 1, "{said}: {page}");
    }
    assert_eq!(page.matches("迁往外地").count(), 1);
    client.get("/audit?group=cards").says(&["原因说明：民警来电核实"]);
    // What is refused leaves no reason behind.
    client.post(&format!("/people/{}/suspend", all[0]), &[("reason", "再来一次")]).is(422);
    assert_eq!(head(), before + 3);
}

fn misuse_revokes_for_good(database: Database) {
    let console = console(database);
    let (client, all) = (console.admin(), numbers(&console));
    client.get(&format!("/people/{}/misuse", all[0])).is(200).says(&["永久注销", "仍在册"]);
    client.post(&format!("/people/{}/misuse", all[0]), &[WHY]).location();
    client.get(&format!("/people/{}", all[0])).says(&["已注销", "违规使用", "在册"]);
    for step in ["suspend", "resume", "misuse"] {
        client.post(&format!("/people/{}/{step}", all[0]), &[WHY]).is(422).says(&["该证已注销"]);
        client.post(&format!("/people/{}/{step}", all[3]), &[WHY]).is(422).says(&["还没有志愿服务证"]);
    }
    client.post(&format!("/people/{}/readmit", all[0]), &[WHY]).is(422).says(&["没有退出"]);
}

fn others_may_not(database: Database) {
    let console = console(database);
    let (unit, county, all) = (unit(&console), county(&console), numbers(&console));
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    for step in ["suspend", "resume", "misuse", "readmit"] {
        for client in [&unit, &county, &oversight] {
            client.get(&format!("/people/{}/{step}", all[0])).is(403);
            client.post(&format!("/people/{}/{step}", all[0]), &[WHY]).is(403);
        }
    }
    county.post(&format!("/people/{}/lost", all[0]), &[WHY]).is(404);
    oversight.get(&format!("/people/{}", all[0])).is(200).says(&["没有可办理的事项"]);
    assert!(events(&console, all[0], "certificate.suspend").is_empty());
    console.admin().get("/people/0212345678/suspend").is(404);
    console.admin().get("/people/abc/suspend").is(404);
}

on_both![
    a_card_is_held_back_and_given_back,
    a_lost_card_is_replaced_or_reported,
    a_step_and_its_reason_are_one_event,
    misuse_revokes_for_good,
    others_may_not,
];
