//! Approving, returning, rejecting, taking back; who may, and what comes of it.

use super::{Office, begun, complete, with};
use crate::on_both;
use crate::support::Database;
use zyz::domain::staff::{Role, Scope};

on_both!(
    approval_registers_the_volunteer,
    many_are_approved_each_wholly_or_not_at_all,
    withdrawing_erases_what_was_written,
    copies_are_archived_after_approval
);

const AGREE: (&str, &str) = ("reason", "同意注册。");

fn approval_registers_the_volunteer(database: Database) {
    let office = Office::new(database);
    let (unit, clerk) = (office.unit(), office.clerk());
    let fields = complete(1);
    let id = office.submitted(&unit, &with(&fields, &[("national_number", "5308020000123")]));
    clerk.get(&format!("/forms/{id}/approve")).is(200).says(&["岩温扁立即注册为思茅区文化馆的志愿者", "不再重复注册"]);
    clerk.post(&format!("/forms/{id}/approve"), &[("revision", "2"), ("reason", "")]).is(422);
    clerk.post(&format!("/forms/{id}/approve"), &[("revision", "2"), AGREE]).location();
    let person = office.console.app.wait(async {
        let store = office.console.app.store().await;
        let mut reader = store.read().await.unwrap();
        reader.volunteer_by_identity(fields.last().unwrap().1.as_str()).await.unwrap().unwrap()
    });
    assert_eq!((person.name.as_str(), person.county, person.ethnicity), ("岩温扁", 2, 18));
    assert_eq!(person.national_number.as_deref(), Some("5308020000123"));
    unit.get(&format!("/forms/{id}")).says(&["已通过", "同意注册。", "02 0000001", "可直接制证"]);
    // Once only.
    clerk.post(&format!("/forms/{id}/approve"), &[("revision", "3"), AGREE]).is(422).says(&["已审批通过"]);
}

#[test]
fn nobody_decides_a_form_they_wrote_or_handed_in() {
    let office = Office::new(Database::sqlite());
    let (writer, other) = (office.clerk(), office.clerk());
    let fields = complete(1);
    let place = [("unit_county", "02"), ("unit_name", "思茅区文化馆")];
    let id = office.submitted(&writer, &with(&fields, &place));
    for word in ["approve", "return", "reject"] {
        writer.get(&format!("/forms/{id}/{word}")).is(422).says(&["您填写或提交过这份登记表"]);
        writer.post(&format!("/forms/{id}/{word}"), &[("revision", "2"), AGREE]).is(422).says(&["不能由您审批"]);
    }
    writer.get(&format!("/forms/{id}")).says(&["您填写或提交过这份登记表"]);
    // Also not after somebody else wrote in it last and handed it in.
    other.post(&format!("/forms/{id}/return"), &[("revision", "2"), ("reason", "请更正")]).location();
    let mut again = with(&fields, &place);
    again.extend([("revision", "3"), ("step", "submit")]);
    other.post(&format!("/forms/{id}/edit"), &again).location();
    other.post(&format!("/forms/{id}/submit"), &[("revision", "4")]).location();
    for clerk in [&writer, &other] {
        clerk.post(&format!("/forms/{id}/approve"), &[("revision", "5"), AGREE]).is(422);
    }
    office.clerk().post(&format!("/forms/{id}/approve"), &[("revision", "5"), AGREE]).location();
}

#[test]
fn only_the_delegated_approver_decides() {
    let office = Office::new(Database::sqlite());
    let unit = office.county_unit();
    let fields = complete(1);
    let id = office.submitted(&unit, &with(&fields, &[]));
    let approve = format!("/forms/{id}/approve");
    let step = [("revision", "2"), AGREE];
    for federation in [office.clerk(), office.console.admin()] {
        federation.get(&format!("/forms/{id}")).is(200).says(&["由宁洱县文明办审批"]);
        federation.post(&approve, &step).is(422).says(&["由宁洱县文明办审批，您不能代为办理"]);
    }
    office.county(22).post(&approve, &step).is(404);
    office.county(22).get(&format!("/forms/{id}")).is(404);
    office.unit().get(&format!("/forms/{id}")).is(404);
    unit.post(&approve, &step).is(403);
    office.console.sign_in(Role::Oversight, Scope::All).post(&approve, &step).is(403);
    office.county(21).post(&approve, &step).location();
    // 思茅区's forms are the federation's, whatever account the district has.
    let id = office.submitted(&office.unit(), &with(&complete(2), &[]));
    office.county(2).post(&format!("/forms/{id}/approve"), &step).is(422).says(&["市志愿服务联合会"]);
}

fn many_are_approved_each_wholly_or_not_at_all(database: Database) {
    let office = Office::new(database);
    let (unit, clerk) = (office.unit(), office.clerk());
    let ids: Vec<String> = (1..=3).map(|n| office.submitted(&unit, &with(&complete(n), &[]))).collect();
    let stale = format!("{}:1", ids[2]);
    let picked: Vec<String> = ids[..2].iter().map(|id| format!("{id}:2")).collect();
    let mut chosen: Vec<(&str, &str)> = picked.iter().map(|form| ("form", form.as_str())).collect();
    chosen.extend([("form", stale.as_str()), ("form", "999:1"), ("form", "x")]);
    clerk.post("/forms/approve", &chosen).is(200).says(&["审批通过 3 份登记表", "有 1 份不能由您审批", "没有找到"]);
    chosen.push(AGREE);
    let answer = clerk.post("/forms/approved", &chosen);
    answer.is(200).says(&["2 份通过，2 份未办理", "02 0000001", "02 0000002", "已经改动过"]);
    let standing = |id: &str| unit.get(&format!("/forms/{id}")).text().contains("证书编号");
    assert!(standing(&ids[0]) && standing(&ids[1]) && !standing(&ids[2]));
    clerk.post("/forms/approved", &[("form", &format!("{}:2", ids[2])), ("reason", "")]).is(422);
    assert!(clerk.post("/forms/approve", &[]).location().ends_with("/forms?queue=mine"));
}

fn withdrawing_erases_what_was_written(database: Database) {
    let office = Office::new(database);
    let unit = office.unit();
    let id = begun(&unit, &with(&complete(1), &[("school", "普洱一中")]));
    unit.get(&format!("/forms/{id}/withdraw")).is(200).says(&["立即删除，不能恢复"]);
    unit.post(&format!("/forms/{id}/withdraw"), &[("revision", "1")]).location();
    let page = unit.get(&format!("/forms/{id}"));
    page.says(&["已撤回", "填写的内容已删除"]);
    assert!(!page.text().contains("普洱一中"));
    unit.post(&format!("/forms/{id}/print"), &[]).is(422);
    unit.post(&format!("/forms/{id}/reveal"), &[("reason", "核对材料")]).is(422).says(&["已删除"]);
    // The person may be registered with another form.
    office.submitted(&unit, &with(&complete(1), &[]));
}

fn copies_are_archived_after_approval(database: Database) {
    let office = Office::new(database);
    let (unit, clerk) = (office.unit(), office.clerk());
    let id = office.submitted(&unit, &with(&complete(1), &[]));
    let archive = format!("/forms/{id}/archive");
    let ours = [("copy", "approver"), ("place", "档案室 3 柜 12 号盒"), ("archived_on", TODAY)];
    clerk.post(&archive, &ours).is(422).says(&["审批通过后才登记"]);
    clerk.post(&format!("/forms/{id}/approve"), &[("revision", "2"), AGREE]).location();
    let today = zyz::clock::beijing_date(office.console.app.now()).to_string();
    let ours = [("copy", "approver"), ("place", "档案室 3 柜 12 号盒"), ("archived_on", today.as_str())];
    clerk.post(&archive, &ours).location();
    unit.post(&archive, &ours).is(422).says(&["由市志愿服务联合会审批"]);
    unit.post(&archive, &[("copy", "unit"), ("place", ""), ("archived_on", &today)]).is(422).says(&["请填写存放地点"]);
    unit.post(&archive, &[("copy", "unit"), ("place", "一楼"), ("archived_on", "2020-01-01")]).is(422).says(&["之间"]);
    unit.post(&archive, &[("copy", "both"), ("place", "一楼"), ("archived_on", &today)]).is(400);
    unit.post(&archive, &[("copy", "unit"), ("place", "人事科 2 柜"), ("archived_on", &today)]).location();
    unit.get(&format!("/forms/{id}")).says(&["档案室 3 柜 12 号盒", "人事科 2 柜", "审批机构存档（密封）", "单位留存"]);
}

const TODAY: &str = "2026-11-23";

#[test]
fn reasons_are_asked_for_and_shown() {
    let office = Office::new(Database::sqlite());
    let (unit, clerk) = (office.unit(), office.clerk());
    let id = office.submitted(&unit, &with(&complete(1), &[]));
    for word in ["return", "reject"] {
        let path = format!("/forms/{id}/{word}");
        clerk.get(&path).is(200);
        clerk.post(&path, &[("revision", "2"), ("reason", " ")]).is(422).says(&["请写明"]);
        clerk.post(&path, &[("revision", "2"), ("reason", &"长".repeat(201))]).is(422).says(&["最多 200 个字"]);
        clerk.post(&path, &[("revision", "2"), ("reason", "改\u{202e}动")]).is(422).says(&["不可见字符"]);
    }
    clerk.post(&format!("/forms/{id}/reject"), &[("revision", "2"), ("reason", "材料不实")]).location();
    unit.get(&format!("/forms/{id}")).says(&["未通过", "材料不实"]);
}

#[test]
fn personal_data_are_masked_until_asked_for_with_a_reason() {
    let office = Office::new(Database::sqlite());
    let (unit, clerk) = (office.unit(), office.clerk());
    let fields = complete(1);
    let number = fields.last().unwrap().1.clone();
    let typed = with(&fields, &[("address", "茶城大道一号"), ("resume", "曾任教师"), ("qq", "123456")]);
    let id = office.submitted(&unit, &typed);
    let page = clerk.get(&format!("/forms/{id}"));
    for secret in [number.as_str(), "13800000001", "茶城大道", "曾任教师", "123456"] {
        assert!(!page.text().contains(secret), "{secret} is shown");
    }
    page.says(&["530*************", "138******01"]);
    let reveal = format!("/forms/{id}/reveal");
    clerk.post(&reveal, &[("reason", "")]).is(422).says(&["请写明查看的事由"]);
    clerk.post(&reveal, &[("reason", "与纸质登记表核对")]).is(200).says(&[&number, "茶城大道一号", "查看完整内容"]);
    let oversight = office.console.sign_in(Role::Oversight, Scope::All);
    assert!(!oversight.get(&format!("/forms/{id}")).is(200).text().contains(&number));
    oversight.post(&reveal, &[("reason", "检查")]).is(403);
    office.county(21).post(&reveal, &[("reason", "检查")]).is(404);
}
