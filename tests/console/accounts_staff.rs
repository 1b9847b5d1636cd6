//! The administrator's pages: accounts of other people, the two-person rule, settings, keys.

use zyz::domain::review::ReviewKind;
use zyz::domain::staff::{Role, Scope};
use zyz::service::desk::DeskError;

use crate::accounts::{PASSWORD, account, between, id_of, signed_in};
use crate::console::ConsoleApp;
use crate::on_both;
use crate::support::Database;

on_both!(
    somebody_is_invited_and_found,
    wrong_drafts_are_told_at_the_field,
    the_second_of_two_editors_is_told,
    the_last_administrator_stays,
    a_step_needs_two_people,
    two_who_decide_at_the_same_time,
    settings_are_switched_and_audited,
    keys_through_a_second_person,
    who_has_a_second_factor_changes_it_with_the_password,
);

fn somebody_is_invited_and_found(database: Database) {
    let console = ConsoleApp::with_cards(database, 1);
    let admin = console.admin();
    let fields = [("login", "Zha.Tuo"), ("name", "扎妥"), ("role", "unit"), ("unit", "思茅区样例单位")];
    let page = admin.post("/staff/new", &fields);
    page.is(200).says(&["扎妥", "zha.tuo", "https://zyz.example.cn/console/invitation/", "只显示这一次"]);
    let link = between(&page.text(), "https://zyz.example.cn/console", "\"").to_owned();
    let mut browser = console.browser("");
    assert_eq!(browser.post(&link, &[("new", PASSWORD), ("again", PASSWORD)]).location(), "/console/home");

    admin.get("/staff").says(&["zha.tuo", "扎妥", "思茅区样例单位", "在用"]);
    admin.get("/staff?q=%E6%A0%B7%E4%BE%8B").says(&["zha.tuo"]);
    admin.get("/staff?q=%25").says(&["没有符合条件的账号"]);
    admin.get("/staff?role=county").says(&["没有符合条件的账号"]);
    let book = admin.get("/staff/export?q=zha");
    assert!(book.is(200).body.starts_with(b"PK"));

    admin.post("/staff/new", &fields).is(422).says(&["已经有人用过", "value=\"扎妥\""]);
    assert!(!console.app.wait(console.app.federation.accounts()).unwrap().is_empty());
}

fn wrong_drafts_are_told_at_the_field(database: Database) {
    let console = ConsoleApp::with_cards(database, 1);
    let admin = console.admin();
    let draft = |fields: &[(&str, &str)], says: &str| {
        let mut all = vec![("login", "yanwen"), ("name", "岩温扁"), ("role", "clerk")];
        for field in fields {
            all.retain(|(name, _)| *name != field.0);
            all.push(*field);
        }
        admin.post("/staff/new", &all).is(422).says(&[says, "aria-invalid=\"true\""]);
    };
    draft(&[("login", "岩温")], "登录名须为 3 至 32 个字符");
    draft(&[("name", " ")], "请填写姓名");
    draft(&[("role", "root")], "请选择角色");
    draft(&[("role", "county"), ("county", "00")], "须选择县（区）");
    draft(&[("role", "unit"), ("unit", "没有的单位")], "须写明单位");
    draft(&[("role", "partner"), ("partner", "77")], "须写明合作单位编号");
}

fn the_second_of_two_editors_is_told(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let path = format!("/staff/{}", id_of(&console, "yanwen"));
    let (first, second) = (console.admin(), console.admin());
    let fields = |name| [("name", name), ("role", "clerk"), ("revision", "1")];
    first.post(&path, &fields("甲先改")).location();
    let answer = second.post(&path, &fields("乙后改"));
    answer.is(409).says(&[first.desk.staff().login.as_str(), "现在是：甲先改", "value=\"乙后改\"", "value=\"2\""]);
    second.get(&path).says(&["甲先改"]);
    second.post(&format!("{path}/disable"), &[("revision", "1")]).location();
    second.get(&path).says(&["在用"]);
}

fn the_last_administrator_stays(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let own = format!("/staff/{}", admin.desk.staff().id);
    let demoted = [("name", "我"), ("role", "clerk"), ("revision", "1")];
    let told = |answer: crate::server::Answer| {
        assert_eq!(answer.location(), format!("/console{own}"));
        assert!(answer.header("set-cookie").contains("__Host-zyz-said"));
        admin.get(&own).is(200).says(&["联合会管理员", "在用"]);
    };
    told(admin.post(&own, &demoted));
    told(admin.post(&format!("{own}/disable"), &[("revision", "1")]));
    told(admin.post(&format!("{own}/reset"), &[]));
    let refused = console.app.wait(console.app.federation.set_account_enabled(&admin.desk.staff().login, false, None));
    assert!(refused.unwrap_err().to_string().contains("最后一位"));

    // Somebody invited who never came is no second administrator; somebody in use is.
    admin.post("/staff/new", &[("login", "invited"), ("name", "未到"), ("role", "admin")]).is(200);
    told(admin.post(&own, &demoted));
    console.admin();
    assert_eq!(admin.post(&own, &demoted).location(), format!("/console{own}"));
    assert_eq!(admin.get(&own).location(), format!("/console/sign-in?next={own}"), "a new role ends the session");
}

fn a_step_needs_two_people(database: Database) {
    let console = ConsoleApp::new(database);
    let (admin, clerk) = (console.admin(), console.sign_in(Role::FederationClerk, Scope::All));
    assert_eq!(admin.post("/settings/keys/change", &[("step", "renew")]).location(), "/console/reviews/1");
    admin.get("/reviews").says(&["续签信任列表", "（本人）"]);
    admin.get("/reviews/1").says(&["须由另一位", "撤回"]);
    let refused = console.app.wait(admin.desk.approve_review(1, "", None)).unwrap_err();
    assert!(matches!(refused, DeskError::Refused(_)), "{refused}");
    assert_eq!(admin.post("/reviews/1/approve", &[]).location(), "/console/reviews/1");
    admin.get("/reviews/1").says(&["待复核"]);

    clerk.get("/reviews/1").says(&["通过后会发生什么", "信任列表"]);
    clerk.post("/reviews/1/refuse", &[("note", " ")]).is(422).says(&["请写明不通过的原因"]);
    clerk.post("/reviews/1/refuse", &[("note", "时间未到")]).location();
    admin.get("/reviews/1").says(&["未通过", "时间未到"]);
    assert!(console.app.wait(clerk.desk.approve_review(1, "", None)).is_err());

    admin.post("/settings/keys/change", &[("step", "renew")]).location();
    clerk.post("/reviews/2/withdraw", &[]).location();
    clerk.get("/reviews/2").says(&["待复核"]);
    assert_eq!(console.app.wait(clerk.desk.reviews_waiting()).unwrap(), 1);
    assert_eq!(console.app.wait(admin.desk.reviews_waiting()).unwrap(), 0);
    admin.post("/reviews/2/withdraw", &[]).location();
    clerk.get("/reviews/2").says(&["已撤回"]);
    clerk.get("/reviews?list=decided").says(&["已撤回", "未通过"]);
    clerk.get("/reviews?list=decided&q=%E6%B2%A1%E6%9C%89").says(&["没有符合条件的事项"]);
    assert!(clerk.get("/reviews/export?list=decided").is(200).body.starts_with(b"PK"));
    clerk.get("/reviews/99").is(404);
}

fn two_who_decide_at_the_same_time(database: Database) {
    let console = ConsoleApp::new(database);
    let admin = console.admin();
    let (clerk, oversight) =
        (console.sign_in(Role::FederationClerk, Scope::All), console.sign_in(Role::Oversight, Scope::All));
    let ask = admin.desk.ask_review(ReviewKind::KeyChange, "续签信任列表".into(), serde_json::json!({"step": "renew"}));
    let id = console.app.wait(ask).unwrap();
    let both =
        async { tokio::join!(clerk.desk.approve_review(id, "", None), oversight.desk.refuse_review(id, "不同意")) };
    let (approved, refused) = console.app.wait(both);
    assert!(approved.is_ok() != refused.is_ok(), "{approved:?} {refused:?}");
}

fn settings_are_switched_and_audited(database: Database) {
    let console = ConsoleApp::new(database);
    let (one, two) = (console.admin(), console.admin());
    one.get("/settings").says(&["现在是默认设置", "value=\"50\"", "checked"]);
    let off = [("issue_over", "10"), ("revision", "0")];
    assert_eq!(one.post("/settings", &off).location(), "/console/settings");
    let settings = console.app.wait(one.desk.settings()).unwrap();
    assert!(!settings.two_person && settings.issue_over == 10);
    two.post("/settings", &[("two_person", "yes"), ("issue_over", "20"), ("revision", "0")]).is(409).says(&[
        one.desk.staff().login.as_str(),
        "关闭",
        "value=\"20\"",
    ]);
    two.post("/settings", &[("issue_over", "10001"), ("revision", "1")]).is(422).says(&["10000"]);
    two.post("/settings", &[("issue_over", "x"), ("revision", "1")]).is(422).says(&["value=\"x\""]);
    two.post("/settings", &[("two_person", "yes"), ("issue_over", "20"), ("revision", "1")]).location();
    let events = console.app.wait(async {
        let store = console.app.store().await;
        let mut reader = store.read().await.unwrap();
        reader.audit_events(Some("setting/two_person"), 0, 10).await.unwrap()
    });
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].actor, one.desk.staff().login);
    assert!(events[0].detail.contains("\"on\":false"), "{}", events[0].detail);
}

fn keys_through_a_second_person(database: Database) {
    let console = ConsoleApp::with_cards(database, 2);
    let (admin, oversight) = (console.admin(), console.sign_in(Role::Oversight, Scope::All));
    let page = admin.get("/settings/keys");
    page.says(&["签发密钥", "数据包密钥", "根密钥", "两人办理"]);
    let text = page.text();
    let kid = between(&text, "step=retire&amp;kid=", "\"").to_owned();
    admin.get(&format!("/settings/keys/change?step=compromise&kid={kid}")).says(&["不能撤销", "提交复核"]);
    admin.get("/settings/keys/change?step=nonsense").is(400);
    admin.post("/settings/keys/change", &[("step", "retire"), ("kid", "00000000")]).is(404);

    admin.post("/settings/keys/change", &[("step", "rotate_issuing")]).location();
    let before = console.app.wait(console.app.federation.keys()).unwrap().len();
    oversight.post("/reviews/1/approve", &[("root", "not the passphrase")]).location();
    oversight.get("/reviews/1").says(&["办理失败", "密钥没有打开"]);
    assert_eq!(console.app.wait(console.app.federation.keys()).unwrap().len(), before);

    admin.post("/settings/keys/change", &[("step", "rotate_issuing")]).location();
    oversight.post("/reviews/2/approve", &[("note", "同意")]).location();
    oversight.get("/reviews/2").says(&["已办理", "已启用新的签发密钥", "同意"]);
    assert_eq!(console.app.wait(console.app.federation.keys()).unwrap().len(), before + 1);

    // Without the rule it is done at once.
    admin.post("/settings", &[("issue_over", "50"), ("revision", "0")]).location();
    assert_eq!(admin.post("/settings/keys/change", &[("step", "renew")]).location(), "/console/settings/keys");
}

fn who_has_a_second_factor_changes_it_with_the_password(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let mut browser = signed_in(&console, "yanwen");
    let set = |browser: &mut crate::console::Browser<'_>| {
        let page = browser.get("/account/second-factor").text();
        let secret = between(&page, "<code class=\"secret\">", "</code>").to_owned();
        let code = crate::accounts::totp(&console, &secret, 0);
        browser.post("/account/second-factor/confirm", &[("code", &code)]).is(200);
        secret
    };
    browser.post("/account/second-factor", &[]).location();
    let first = set(&mut browser);
    browser.post("/account/second-factor", &[("password", "wrong")]).is(422).says(&["现在的密码不对"]);
    browser.post("/account/second-factor", &[("password", PASSWORD)]).location();
    let second = set(&mut browser);
    assert_ne!(first, second);
    browser.post("/account/second-factor/confirm", &[("code", "123456")]).location();
    browser.post("/account/second-factor/drop", &[("password", "wrong")]).is(422).says(&["现在的密码不对"]);
    assert_eq!(browser.post("/account/second-factor/drop", &[("password", PASSWORD)]).location(), "/console/account");
    browser.get("/account").says(&["未启用"]);
    assert!(signed_in(&console, "yanwen").get("/account").status.is_success());
}
