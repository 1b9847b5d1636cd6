//! Stolen and stale cookies: each case ends at the sign-in page.

use jiff::SignedDuration;
use zyz::domain::staff::{Role, Scope};

use crate::accounts::{PASSWORD, account, id_of, signed_in};
use crate::console::ConsoleApp;
use crate::on_both;
use crate::support::Database;

on_both!(
    a_cookie_after_signing_out,
    a_cookie_after_the_password_changed,
    a_cookie_after_role_or_reach_changed,
    a_cookie_of_a_closed_account,
    a_cookie_left_lying,
    a_cookie_kept_busy_for_too_long,
    a_token_from_before_signing_in,
    sessions_ended_from_elsewhere,
);

/// Whether this cookie opens anything.
#[track_caller]
fn opens(console: &ConsoleApp, cookies: &str) -> bool {
    let answer = console.browser(cookies).get("/account");
    match answer.status.as_u16() {
        200 => true,
        303 => {
            assert_eq!(answer.location(), "/console/sign-in?next=/account");
            false
        }
        other => panic!("{other}: {}", answer.text()),
    }
}

fn a_cookie_after_signing_out(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let mut browser = signed_in(&console, "yanwen");
    let stolen = browser.cookies.clone();
    assert!(opens(&console, &stolen));
    browser.post("/sign-out", &[]).location();
    assert!(!opens(&console, &stolen));
}

fn a_cookie_after_the_password_changed(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let mut browser = signed_in(&console, "yanwen");
    let (stolen, elsewhere) = (browser.cookies.clone(), signed_in(&console, "yanwen").cookies);
    let new = "four paper lanterns 夜";
    let change = |old: &str| [("password", old.to_owned()), ("new", new.to_owned()), ("again", new.to_owned())];
    let wrong = change("wrong");
    let wrong: Vec<_> = wrong.iter().map(|(k, v)| (*k, v.as_str())).collect();
    browser.post("/account/password", &wrong).is(422).says(&["现在的密码不对"]);
    assert!(opens(&console, &stolen));
    let right = change(PASSWORD);
    let right: Vec<_> = right.iter().map(|(k, v)| (*k, v.as_str())).collect();
    assert_eq!(browser.post("/account/password", &right).location(), "/console/account");
    assert!(opens(&console, &browser.cookies), "who changed it goes on under a new token");
    assert!(!opens(&console, &stolen) && !opens(&console, &elsewhere));
    console.browser("").post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]).is(422);
}

fn a_cookie_after_role_or_reach_changed(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::County);
    let id = id_of(&console, "yanwen");
    let admin = console.admin();
    let change = |role: &str, county: &str, revision: &str| {
        let fields = [("name", "岩温扁"), ("role", role), ("county", county), ("revision", revision)];
        assert_eq!(admin.post(&format!("/staff/{id}"), &fields).location(), format!("/console/staff/{id}"));
    };
    let cookie = signed_in(&console, "yanwen").cookies;
    change("county", "21", "1");
    assert!(opens(&console, &cookie), "a new name alone ends nothing");
    change("county", "22", "2");
    assert!(!opens(&console, &cookie));
    let cookie = signed_in(&console, "yanwen").cookies;
    change("clerk", "", "3");
    assert!(!opens(&console, &cookie));
}

fn a_cookie_of_a_closed_account(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let id = id_of(&console, "yanwen");
    let cookie = signed_in(&console, "yanwen").cookies;
    console.admin().post(&format!("/staff/{id}/disable"), &[("revision", "1")]).location();
    assert!(!opens(&console, &cookie));
    console.browser("").post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]).is(422);
    console.admin().post(&format!("/staff/{id}/enable"), &[("revision", "2")]).location();
    assert!(!opens(&console, &cookie));
    let cookie = signed_in(&console, "yanwen").cookies;
    console.admin().post(&format!("/staff/{id}/reset"), &[]).is(200).says(&["/console/invitation/"]);
    assert!(!opens(&console, &cookie));
}

fn a_cookie_left_lying(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let cookie = signed_in(&console, "yanwen").cookies;
    for _ in 0..3 {
        console.app.pass(SignedDuration::from_mins(29));
        assert!(opens(&console, &cookie));
    }
    console.app.pass(SignedDuration::from_mins(31));
    assert!(!opens(&console, &cookie));
}

fn a_cookie_kept_busy_for_too_long(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    let cookie = signed_in(&console, "yanwen").cookies;
    for _ in 0..36 {
        console.app.pass(SignedDuration::from_mins(20));
        assert!(opens(&console, &cookie));
    }
    console.app.pass(SignedDuration::from_mins(1));
    assert!(!opens(&console, &cookie));
}

fn a_token_from_before_signing_in(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    account(&console, "other", Role::FederationClerk);
    // An attacker's own session planted in the victim's browser.
    let planted = signed_in(&console, "other").cookies;
    let mut victim = console.browser(&planted);
    assert_eq!(victim.post("/sign-in", &[("login", "yanwen"), ("password", PASSWORD)]).location(), "/console/home");
    assert_ne!(victim.cookie("__Host-zyz"), console.browser(&planted).cookie("__Host-zyz"));
    assert!(!opens(&console, &planted), "the session that was there before is over");
    victim.get("/account").says(&["yanwen"]);
}

fn sessions_ended_from_elsewhere(database: Database) {
    let console = ConsoleApp::new(database);
    account(&console, "yanwen", Role::FederationClerk);
    account(&console, "other", Role::FederationClerk);
    let (mut here, there) = (signed_in(&console, "yanwen"), signed_in(&console, "yanwen").cookies);
    let foreign = signed_in(&console, "other").cookies;
    let page = here.get("/account");
    page.says(&["Chrome · Windows", "（当前）"]);
    let id = crate::accounts::between(&page.text(), "name=\"id\" value=\"", "\"").to_owned();
    // Nobody ends somebody else's.
    console.browser(&foreign).post("/account/sessions/end", &[("id", &id)]).is(404);
    assert!(opens(&console, &there));
    here.post("/account/sessions/end", &[("id", &id)]).location();
    assert!(!opens(&console, &there) && opens(&console, &here.cookies));
    let (mine, again) = (here.cookies.clone(), signed_in(&console, "yanwen").cookies);
    assert_eq!(here.post("/account/sessions/end-all", &[]).location(), "/console/sign-in");
    assert!(!opens(&console, &mine) && !opens(&console, &again) && opens(&console, &foreign));
}

#[test]
fn cookies_that_were_changed_or_made_up() {
    let console = ConsoleApp::new(Database::sqlite());
    let client = console.sign_in(Role::FederationAdmin, Scope::All);
    let (name, value) = client.cookie().split_once('=').unwrap();
    let flipped =
        if let Some(rest) = value.strip_prefix('A') { format!("B{rest}") } else { format!("A{}", &value[1..]) };
    for cookie in [
        format!("{name}={flipped}"),
        format!("{name}={value}A"),
        format!("{name}={}", &value[..42]),
        format!("{name}="),
        format!("{name}={}", "A".repeat(43)),
        format!("zyz={value}"),
        format!("__Host-zyz-step={value}"),
        format!("{name}=%00"),
    ] {
        assert!(!opens(&console, &cookie), "{cookie}");
    }
    assert!(opens(&console, client.cookie()));
}
