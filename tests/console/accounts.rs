//! Accounts: what the cases of signing in, of stolen sessions and of the administrator's pages share; the guard's rules.

use axum::body::Body;
use axum::http::Method;
use jiff::SignedDuration;
use totp_rs::{Builder, Secret};
use zeroize::Zeroizing;
use zyz::domain::staff::{Role, Scope};
use zyz::service::desk::accounts::staff::AccountDraft;
use zyz::web::console::routes;

use crate::console::{Browser, ConsoleApp};
use crate::server::request;
use crate::support::Database;

/// A password that is accepted.
pub const PASSWORD: &str = "茶马古道 three quiet herons";

/// An account with [`PASSWORD`].
pub fn account(console: &ConsoleApp, login: &str, role: Role) {
    let draft = AccountDraft {
        login: login.into(),
        name: "岩温扁".into(),
        role: Some(role),
        county: "21".into(),
        ..AccountDraft::default()
    };
    console.app.wait(console.app.federation.add_account(&draft, Zeroizing::new(PASSWORD.into()))).unwrap();
}

/// Key of an account.
pub fn id_of(console: &ConsoleApp, login: &str) -> i64 {
    let accounts = console.app.wait(console.app.federation.accounts()).unwrap();
    accounts.into_iter().find(|account| account.login == login).expect("the account is there").id
}

/// Signs in with a password alone.
pub fn signed_in<'a>(console: &'a ConsoleApp, login: &str) -> Browser<'a> {
    let mut browser = console.browser("");
    let answer = browser.post("/sign-in", &[("login", login), ("password", PASSWORD)]);
    assert_eq!(answer.location(), "/console/home");
    browser
}

/// What an authenticator with this secret shows, so many steps from now.
pub fn totp(console: &ConsoleApp, secret: &str, steps: i64) -> String {
    let bytes = Secret::try_from_base32(secret.replace('-', "")).unwrap();
    let at = console.app.now() + SignedDuration::from_secs(30 * steps);
    Builder::new().with_secret(bytes).build().unwrap().generate(at.as_second().try_into().unwrap()).to_string()
}

/// The text between two marks.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("“{before}” is missing in {text}")).1;
    rest.split_once(after).unwrap().0
}

#[test]
fn every_page_is_guarded() {
    let console = ConsoleApp::new(Database::sqlite());
    let client = console.admin();
    for path in ["/sign-in", "/account", "/staff", "/no/such/page"] {
        let answer = client.get(path);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[test]
fn an_unknown_address_is_a_page_of_the_console() {
    let console = ConsoleApp::new(Database::sqlite());
    for answer in [console.admin().get("/no/such/page"), console.get("/no/such/page")] {
        answer.is(404).says(&["没有找到", "<!doctype html>"]);
    }
}

#[test]
fn requests_from_elsewhere_change_nothing() {
    let console = ConsoleApp::new(Database::sqlite());
    let form = ("content-type", "application/x-www-form-urlencoded");
    for route in routes::all().filter(|route| route.method == "POST") {
        let path = route.path.replace(['{', '}'], "").replace("staff/staff", "staff/1");
        for elsewhere in ["cross-site", "same-site", "none"] {
            let client = console.admin();
            let headers = [form, ("sec-fetch-site", elsewhere)];
            client.send(Method::POST, &path, &headers, Body::empty()).is(403).says(&["请求来自别的网站"]);
        }
    }
    let send = |headers: &[(&str, &str)]| {
        let mut all = vec![("host", "zyz.example.cn"), form];
        all.extend_from_slice(headers);
        console.app.send(request(Method::POST, "/console/sign-in", &all, Body::empty()))
    };
    send(&[]).is(403);
    send(&[("origin", "https://evil.example")]).is(403);
    send(&[("origin", "null")]).is(403);
    send(&[("origin", "https://zyz.example.cn.evil.example")]).is(403);
    send(&[("origin", "https://zyz.example.cn")]).is(422);
    send(&[("origin", "https://zyz.example.cn"), ("sec-fetch-site", "cross-site")]).is(403);
}

#[test]
fn pages_are_visited_but_not_taken_into_others() {
    let console = ConsoleApp::new(Database::sqlite());
    let client = console.admin();
    let get = |mode: &str, dest: &str| {
        let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
        client.send(Method::GET, "/account", &headers, Body::empty()).status.as_u16()
    };
    assert_eq!(get("navigate", "document"), 200);
    assert_eq!(get("navigate", "iframe"), 403);
    assert_eq!(get("no-cors", "image"), 403);
    assert_eq!(get("cors", "empty"), 403);
}

#[test]
fn the_frame_says_who_and_of_whom() {
    let console = ConsoleApp::with_cards(Database::sqlite(), 1);
    console.sign_in(Role::County, Scope::County(21)).get("/account").says(&["县文明办 · 宁洱县"]);
    console.sign_in(Role::Unit, console.first_unit()).get("/account").says(&["单位负责人 · 思茅区样例单位"]);
    let partner = Scope::Partner(console.first_partner());
    console.sign_in(Role::Partner, partner).get("/account").says(&["合作单位 · 晨光便利店"]);
    console.admin().get("/account").says(&["联合会管理员"]);
}
