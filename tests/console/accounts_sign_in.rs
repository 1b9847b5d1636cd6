//! Signing in: invitation, password, second factor, recovery codes, delays.

use jiff::SignedDuration;
use zyz::domain::staff::Role;
use zyz::service::desk::accounts::staff::AccountDraft;

use crate::accounts::{PASSWORD, account, between, id_of, signed_in, totp};
use crate::console::{Browser, ConsoleApp};
use crate::on_both;
use crate::support::Database;

on_both!(
    an_invitation_then_the_second_factor_then_in,
    an_invitation_is_good_once_and_for_seven_days,
    a_code_is_good_once,
    recovery_codes_are_good_once,
    delays_grow_and_end,
    who_signed_in_here_before_is_not_locked_out,
);

fn invite(console: &ConsoleApp, login: &str, role: Role) -> String {
    let draft =
        AccountDraft { login: login.into(), name: "玉波罕".into(), role: Some(role), ..AccountDraft::default() };
    console.app.wait(console.app.federation.invite_account(&draft)).unwrap().path
}

/// Sets the second factor up in this browser; returns the secret and the recovery codes.
pub fn enrol(console: &ConsoleApp, browser: &mut Browser<'_>) -> (String, Vec<String>) {
    assert_eq!(browser.post("/account/second-factor", &[]).location(), "/console/account/second-factor");
    let page = browser.get("/account/second-factor").text();
    let secret = between(&page, "<code class=\"secret\">", "</code>").to_owned();
    assert!(page.contains("<svg class=\"qr\""));
    browser.post("/account/second-factor/confirm", &[("code", "000000x")]).is(422).says(&["验证码不对"]);
    let code = totp(console, &secret, 0);
    let page = browser.post("/account/second-factor/confirm", &[("code", &code)]).is(200).text();
    let codes: Vec<String> =
        page.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    assert_eq!(codes.len(), 10);
    (secret, codes)
}

fn an_invitation_then_the_second_factor_then_in(database: Database) {
    let console = ConsoleApp::strict(database);
    let link = invite(&console, "yubohan", Role::FederationAdmin);
    let mut browser = console.browser("");
    browser.get(&link).is(200).says(&["玉波罕", "yubohan", "联合会管理员", "至少 12 个字符"]);
    browser.post(&link, &[("new", "short"), ("again", "short")]).is(422).says(&["密码至少 12 个字符"]);
    browser.post(&link, &[("new", PASSWORD), ("again", "other")]).is(422).says(&["两次输入的密码不同"]);
    assert_eq!(browser.post(&link, &[("new", PASSWORD), ("again", PASSWORD)]).location(), "/console/home");

    // Nothing but the second factor until there is one.
    for path in ["/staff", "/settings", "/reviews"] {
        assert_eq!(browser.get(path).location(), "/console/account/second-factor", "{path}");
    }
    assert_eq!(browser.post("/staff/new", &[("login", "x")]).location(), "/console/account/second-factor");
    let (secret, _) = enrol(&console, &mut browser);
    browser.get("/staff").is(200);

    console.app.pass(SignedDuration::from_mins(1));
    let mut other = console.browser("");
    let answer = other.post("/sign-in", &[("login", "YuBohan"), ("password", PASSWORD), ("next", "/staff")]);
    assert_eq!(answer.location(), "/console/sign-in/code?next=/staff");
    assert_eq!(other.get("/staff").location(), "/console/sign-in?next=/staff", "the password alone opens nothing");
    other.get("/sign-in/code?next=/staff").is(200).says(&["恢复码"]);
    other.post("/sign-in/code", &[("code", "12 34 5")]).is(422).says(&["验证码不对"]);
    let code = totp(&console, &secret, 0);
    assert_eq!(other.post("/sign-in/code", &[("code", &code), ("next", "/staff")]).location(), "/console/staff");
    other.get("/staff").is(200).says(&["yubohan"]);
}

fn an_invitation_is_good_once_and_for_seven_days(database: Database) {
    let console = ConsoleApp::new(database);
    let link = invite(&console, "first", Role::FederationClerk);
    let mut browser = console.browser("");
    let fields = [("new", PASSWORD), ("again", PASSWORD)];
    assert_eq!(browser.post(&link, &fields).location(), "/console/home");
    browser.get(&link).is(404).says(&["邀请链接无效"]);
    browser.post(&link, &fields).is(404);

    let link = invite(&console, "second", Role::FederationClerk);
    let newer = console.app.wait(console.app.federation.reset_account("second", false)).unwrap().path;
    browser.get(&link).is(404);
    browser.get(&newer).is(200);
    console.app.pass(SignedDuration::from_hours(7 * 24));
    browser.post(&newer, &fields).is(404);
    browser.get("/invitation/AAAAAAAAAAAAAAAAAAAAAA").is(404);

    let link = invite(&console, "third", Role::FederationClerk);
    console.app.wait(console.app.federation.set_account_enabled("third", false, None)).unwrap();
    browser.post(&link, &fields).is(404);
}

fn a_code_is_good_once(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let (secret, _) = enrol(&console, &mut signed_in(&console, "yanwen"));
    console.app.pass(SignedDuration::from_mins(5));
    let code = totp(&console, &secret, 0);
    let step = |code: &str| {
        let mut browser = console.browser("");
        let answer = browser.post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]);
        assert_eq!(answer.location(), "/console/sign-in/code");
        browser.post("/sign-in/code", &[("code", code)])
    };
    assert_eq!(step(&code).location(), "/console/home");
    step(&code).is(422).says(&["已经用过"]);
    step(&totp(&console, &secret, -1)).is(422);
    assert_eq!(step(&totp(&console, &secret, 1)).location(), "/console/home");
    step(&totp(&console, &secret, 2)).is(422);

    // The step between password and code does not wait for ever.
    let mut late = console.browser("");
    late.post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]);
    console.app.pass(SignedDuration::from_mins(11));
    let code = totp(&console, &secret, 0);
    assert_eq!(late.post("/sign-in/code", &[("code", &code)]).location(), "/console/sign-in");
    assert_eq!(console.browser("").post("/sign-in/code", &[("code", &code)]).location(), "/console/sign-in");
}

fn recovery_codes_are_good_once(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    account(&console, "other", Role::FederationClerk);
    let mut home = signed_in(&console, "yanwen");
    let (_, codes) = enrol(&console, &mut home);
    enrol(&console, &mut signed_in(&console, "other"));
    let step = |login: &str, code: &str| {
        let mut browser = console.browser("");
        browser.post("/sign-in", &[("login", login), ("password", PASSWORD)]);
        browser.post("/sign-in/code", &[("code", code)])
    };
    step("other", &codes[0]).is(422);
    assert_eq!(step("yanwen", &codes[0].to_uppercase()).location(), "/console/home");
    step("yanwen", &codes[0]).is(422);
    home.get("/account").says(&["恢复码还剩 9 个"]);

    home.post("/account/recovery-codes", &[("password", "wrong")]).is(422).says(&["现在的密码不对"]);
    home.post("/account/recovery-codes", &[("password", PASSWORD)]).is(200).says(&["以前的全部作废"]);
    step("yanwen", &codes[1]).is(422);
}

fn delays_grow_and_end(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let try_as =
        |login: &str, password: &str| console.browser("").post("/sign-in", &[("login", login), ("password", password)]);
    // A name that nobody has is answered in the same words at every step.
    for n in 1..=5 {
        let (known, unknown) = (try_as("yanwen", "wrong"), try_as("nobody", "wrong"));
        known.is(422).says(&["登录名或密码不对"]);
        let same = |text: String| text.replace("yanwen", "").replace("nobody", "");
        assert_eq!(same(known.text()), same(unknown.text()), "try {n}");
    }
    let refused = try_as("yanwen", PASSWORD);
    refused.is(429).says(&["尝试次数过多"]);
    assert_eq!(refused.header("retry-after"), "30");
    try_as("nobody", PASSWORD).is(429);

    // The second server knows of it.
    let second = ConsoleApp { app: console.app.second() };
    second.browser("").post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]).is(429);

    console.app.pass(SignedDuration::from_secs(31));
    try_as("yanwen", "wrong").is(422);
    assert_eq!(try_as("yanwen", PASSWORD).header("retry-after"), "60");
    console.app.pass(SignedDuration::from_secs(61));
    assert_eq!(try_as("yanwen", PASSWORD).location(), "/console/home");
    try_as("yanwen", "wrong").is(422);
    assert_eq!(try_as("yanwen", PASSWORD).location(), "/console/home", "a success forgives what came before");
}

fn who_signed_in_here_before_is_not_locked_out(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let mut own = signed_in(&console, "yanwen");
    own.post("/sign-out", &[]).location();
    assert!(own.cookie("__Host-zyz-known").is_some());
    assert!(own.cookie("__Host-zyz").is_none());

    // Strangers from many addresses use up what strangers have.
    for n in 0..20 {
        let mut stranger = console.browser("");
        stranger.address = format!("198.51.100.{n}");
        stranger.post("/sign-in", &[("login", "yanwen"), ("password", "wrong")]).is(422);
    }
    let mut stranger = console.browser("");
    stranger.address = "203.0.113.9".into();
    stranger.post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]).is(429);
    // A proof that somebody made up is none.
    let mut forger = console.browser(&format!("__Host-zyz-known={}", "A".repeat(64)));
    forger.address = "203.0.113.10".into();
    forger.post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]).is(429);
    // Somebody else's proof is none for this account.
    account(&console, "other", Role::FederationClerk);
    let others = signed_in(&console, "other");
    let mut borrowed = console.browser(&others.cookies);
    borrowed.address = "203.0.113.11".into();
    borrowed.post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]).is(429);

    let signed = own.post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]);
    assert_eq!(signed.location(), "/console/home");

    // Without such a browser, a new invitation lets its owner in at once, and makes one.
    let link = console.app.wait(console.app.federation.reset_account("yanwen", false)).unwrap().path;
    let mut new = console.browser("");
    assert_eq!(new.post(&link, &[("new", PASSWORD), ("again", PASSWORD)]).location(), "/console/home");
    assert!(id_of(&console, "yanwen") > 0 && new.cookie("__Host-zyz-known").is_some());
}

#[test]
fn next_leads_nowhere_else() {
    let console = ConsoleApp::new(Database::sqlite());
    account(&console, "yanwen", Role::FederationClerk);
    for next in
        ["https://evil.example", "//evil.example", "/\\evil.example", "/../v1/bundle", "/sign-out", "javascript:1"]
    {
        let fields = [("login", "yanwen"), ("password", PASSWORD), ("next", next)];
        assert_eq!(console.browser("").post("/sign-in", &fields).location(), "/console/home", "{next}");
    }
    let asked = console.browser("").get("/sign-in?next=%2F%2Fevil.example");
    asked.is(200);
    assert!(!asked.text().contains("evil"));
}
