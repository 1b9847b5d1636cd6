//! Accounts and signing in, in a browser.

use totp_rs::{Builder, Secret};
use zyz::domain::staff::Role;
use zyz::service::desk::accounts::staff::AccountDraft;

use crate::desk::{Office, Page, run};

const PASSWORD: &str = "茶马古道 three quiet herons";

/// The configuration as it is by default: those who sign need a second factor.
const STRICT: &str = "[console]\nsecond_factor = true";

async fn invite(office: &Office, login: &str, role: Role) -> String {
    let draft =
        AccountDraft { login: login.into(), name: "玉波罕".into(), role: Some(role), ..AccountDraft::default() };
    office.federation.invite_account(&draft).await.unwrap().path
}

/// What the authenticator shows, so many steps from now.
fn code(office: &Office, secret: &str, steps: i64) -> String {
    let bytes = Secret::try_from_base32(secret.replace('-', "")).unwrap();
    let at = office.federation.now().as_second() + 30 * steps;
    Builder::new().with_secret(bytes).build().unwrap().generate(at.try_into().unwrap()).to_string()
}

async fn sign_in(page: &Page, login: &str, password: &str) {
    page.goto("/sign-in").await;
    page.fill("登录名", login).await;
    page.fill("密码", password).await;
    page.click("登录").await;
}

#[test]
fn invited_then_second_factor_then_home() {
    run(async {
        let office = Office::with(STRICT).await;
        let page = office.stranger().await;
        page.goto(&invite(&office, "yubohan", Role::FederationAdmin).await).await;
        page.shows(&["设置密码", "玉波罕", "yubohan"]).await;
        page.axe("invitation").await;
        page.keep("accounts-invitation").await;
        page.fill("新密码", "123456789012").await;
        page.fill("再输入一次", "123456789012").await;
        page.click("设置密码并登录").await;
        page.shows(&["密码太容易被猜到"]).await;
        assert!(page.error_of("新密码").await.contains("太容易被猜到"));
        page.fill("新密码", PASSWORD).await;
        page.fill("再输入一次", PASSWORD).await;
        page.click("设置密码并登录").await;

        page.shows(&["您的角色可以签发", "开始设置"]).await;
        page.click("开始设置").await;
        page.shows(&["扫描二维码", "手动输入"]).await;
        page.axe("second factor").await;
        page.keep("accounts-second-factor").await;
        let secret = page.value("document.querySelector('.secret').textContent").await;
        page.fill("验证码", &code(&office, secret.as_str().unwrap(), 0)).await;
        page.click("确认启用").await;
        page.shows(&["恢复码", "这一页只显示这一次"]).await;
        page.axe("recovery codes").await;
        page.keep("accounts-recovery-codes").await;

        page.goto("/account").await;
        page.shows(&["恢复码还剩 10 个", "（当前）"]).await;
        page.axe("account").await;
        page.keep("accounts-account").await;

        // The next time: password, then the code of the app.
        page.click("退出登录").await;
        page.shows(&["已退出登录"]).await;
        sign_in(&page, "yubohan", PASSWORD).await;
        page.shows(&["输入动态验证码"]).await;
        page.axe("code").await;
        page.keep("accounts-code").await;
        page.fill("验证码", &code(&office, secret.as_str().unwrap(), 1)).await;
        page.click("登录").await;
        page.shows(&["玉波罕", "联合会管理员"]).await;
    });
}

#[test]
fn wrong_five_times_then_right() {
    run(async {
        let office = Office::new().await;
        let page = office.stranger().await;
        page.goto(&invite(&office, "yanwen", Role::FederationClerk).await).await;
        page.fill("新密码", PASSWORD).await;
        page.fill("再输入一次", PASSWORD).await;
        page.click("设置密码并登录").await;
        page.shows(&["退出登录"]).await;
        page.click("退出登录").await;
        page.shows(&["已退出登录"]).await;
        page.axe("sign in").await;
        page.keep("accounts-sign-in").await;

        // At the browser that knows them, five mistakes cost nothing.
        for _ in 0..5 {
            sign_in(&page, "yanwen", "not this one").await;
            page.shows(&["登录名或密码不对"]).await;
            assert_eq!(page.filled("登录名").await, "yanwen", "what was typed is kept");
            assert_eq!(page.filled("密码").await, "");
        }
        page.axe("sign in refused").await;
        page.keep("accounts-sign-in-wrong").await;
        sign_in(&page, "yanwen", PASSWORD).await;
        page.shows(&["联合会经办"]).await;

        // At one that nobody signed in with, they have to wait, and are told how long.
        let stranger = office.stranger().await;
        for _ in 0..5 {
            sign_in(&stranger, "yanwen", "not this one").await;
            stranger.shows(&["登录名或密码不对"]).await;
        }
        stranger.forgive("429");
        sign_in(&stranger, "yanwen", PASSWORD).await;
        stranger.shows(&["尝试次数过多", "秒"]).await;
        stranger.keep("accounts-sign-in-later").await;
    });
}

#[test]
fn an_administrator_invites_and_closes() {
    run(async {
        let office = Office::new().await;
        let page = office.admin().await;
        page.goto("/staff").await;
        page.shows(&["联合会管理员", "在用"]).await;
        page.click("邀请新账号").await;
        page.shows(&["7 天内有效"]).await;
        page.axe("invite").await;
        page.keep("accounts-invite").await;
        page.fill("登录名", "岩温").await;
        page.fill("姓名", "岩温扁").await;
        page.choose("角色", "县文明办").await;
        page.click("生成邀请链接").await;
        page.shows(&["登录名须为"]).await;
        page.fill("登录名", "yanwen").await;
        page.choose("县（区）", "宁洱县").await;
        page.click("生成邀请链接").await;
        page.shows(&["只显示这一次"]).await;
        page.axe("invited").await;
        page.keep("accounts-invited").await;
        page.goto("/staff").await;
        page.shows(&["yanwen", "宁洱县", "待设密码"]).await;
        page.axe("staff").await;
        page.keep("accounts-staff").await;
        page.click("yanwen").await;
        page.shows(&["停用账号"]).await;
        page.axe("one account").await;
        page.keep("accounts-one").await;
        page.click("停用账号").await;
        page.shows(&["此后不能登录"]).await;
        page.axe("disable").await;
        page.keep("accounts-disable").await;
        page.click("停用账号").await;
        page.shows(&["账号已停用"]).await;
    });
}

#[test]
fn a_key_is_changed_by_two_people() {
    run(async {
        let office = Office::new().await;
        let page = office.admin().await;
        page.goto("/settings").await;
        page.shows(&["大批签发和密钥变更须由两人办理"]).await;
        page.axe("settings").await;
        page.keep("accounts-settings").await;
        page.click("密钥").await;
        page.shows(&["更换签发密钥"]).await;
        page.axe("keys").await;
        page.keep("accounts-keys").await;
        page.click("更换签发密钥").await;
        page.shows(&["提交复核"]).await;
        page.axe("key step").await;
        page.click("提交复核").await;
        page.shows(&["已提交复核", "须由另一位"]).await;
        page.axe("own review").await;

        let clerk = office.clerk().await;
        clerk.goto("/reviews").await;
        clerk.shows(&["启用新的签发密钥", "待复核"]).await;
        clerk.axe("reviews").await;
        clerk.keep("accounts-reviews").await;
        clerk.goto("/reviews/1").await;
        clerk.shows(&["通过后会发生什么"]).await;
        clerk.axe("review").await;
        clerk.keep("accounts-review").await;
        clerk.click("不通过").await;
        clerk.shows(&["请写明不通过的原因"]).await;
        clerk.fill("意见", "已核对").await;
        clerk.click("通过并办理").await;
        clerk.shows(&["已办理", "已启用新的签发密钥"]).await;
        clerk.keep("accounts-review-done").await;
    });
}
