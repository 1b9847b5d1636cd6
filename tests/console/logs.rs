//! What the server logs holds nobody's data and nothing that opens anything.

use std::io::Write;
use std::sync::{Mutex, Once};

use jiff::SignedDuration;
use jiff::civil::date;
use serde_json::json;
use zyz::domain::staff::{Role, Scope};

use crate::accounts::{PASSWORD, account, between, totp};
use crate::accounts_sign_in::enrol;
use crate::console::ConsoleApp;
use crate::forms::{complete, with};
use crate::on_both;
use crate::support::{Database, sheets};

on_both!(a_days_work_leaves_no_personal_data_in_the_log);

/// What was logged by this test program since the first case here began. Other cases log into it too; theirs must not hold
/// the like either.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Kept;

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Logs as `zyz serve` does, but more: everything that our own code has to say, spans too.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let log = tracing_subscriber::fmt()
            .with_env_filter("warn,zyz=trace,zyz_http=trace,zyz_credential=trace")
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::NEW)
            .with_ansi(false)
            .with_writer(|| Kept);
        tracing::subscriber::set_global_default(log.finish()).unwrap();
    });
}

/// Words that the log must not have, each with what it is.
#[derive(Default)]
struct Private(Vec<(&'static str, String)>);

impl Private {
    fn add(&mut self, what: &'static str, word: &str) {
        assert!(word.chars().count() >= 3, "{what}: {word} would be found anywhere");
        self.0.push((what, word.to_owned()));
    }
}

fn a_days_work_leaves_no_personal_data_in_the_log(database: Database) {
    listen();
    let on_postgres = database.url().is_some();
    let console = ConsoleApp::with_cards(database, 2);
    let mut private = Private::default();
    signing_in(&console, &mut private);
    registering(&console, &mut private);
    looking_somebody_up_until_they_leave(&console, &mut private);
    a_partner_joins(&console, &mut private);
    let client = console.admin();
    private.add("session cookie", client.cookie().split_once('=').unwrap().1);
    if on_postgres {
        // What goes wrong inside is told in full.
        console.app.take_database_away();
        let found = client.post("/people/search", &[("q", &sheets::person(1).identity)]);
        assert!(found.status.is_server_error(), "{}", found.status);
    }
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    for expected in ["POST", "/console/people/search", "/console/invitation/{invitation}", "answered", "status=303"] {
        assert!(log.contains(expected), "{expected} is missing: nothing was logged?");
    }
    assert!(!on_postgres || log.contains("ERROR"), "the failure was not logged");
    for (what, word) in &private.0 {
        let line = log.lines().find(|line| line.contains(word.as_str()));
        assert!(line.is_none(), "{what} “{word}” stands in the log: {line:?}");
    }
}

/// Invitation, second factor, wrong and right passwords and codes.
fn signing_in(console: &ConsoleApp, private: &mut Private) {
    let admin = console.admin();
    let fields = [("login", "yunanhan"), ("name", "玉喃罕"), ("role", "clerk")];
    let page = admin.post("/staff/new", &fields).is(200).text();
    let token = between(&page, "/console/invitation/", "\"");
    private.add("name", "玉喃罕");
    private.add("invitation", token);
    let mut browser = console.browser("");
    let link = format!("/invitation/{token}");
    browser.get(&link).is(200);
    browser.post(&link, &[("new", "zu kurz 短"), ("again", "zu kurz 短")]).is(422);
    browser.post(&link, &[("new", PASSWORD), ("again", PASSWORD)]).location();
    private.add("password", PASSWORD);
    private.add("password", "zu kurz 短");
    let (secret, codes) = enrol(console, &mut browser);
    private.add("session cookie", browser.cookie("__Host-zyz").unwrap());
    private.add("TOTP secret", &secret);
    private.add("TOTP secret", &secret.replace('-', ""));
    private.add("recovery code", &codes[0]);
    console.app.pass(SignedDuration::from_mins(5));
    let mut browser = console.browser("");
    browser.post("/sign-in", &[("login", "yunanhan"), ("password", "falsch 错误的口令 4711")]).is(422);
    browser.post("/sign-in", &[("login", "13988770033"), ("password", PASSWORD)]).is(422);
    browser.post("/sign-in", &[("login", "yunanhan"), ("password", PASSWORD)]).location();
    private.add("password", "falsch 错误的口令 4711");
    private.add("what was typed for a login", "13988770033");
    private.add("cookie of the step", browser.cookie("__Host-zyz-step").unwrap());
    browser.post("/sign-in/code", &[("code", "wrong-31337")]).is(422);
    browser.post("/sign-in/code", &[("code", &codes[0])]).location();
    private.add("code", "wrong-31337");
    private.add("session cookie", browser.cookie("__Host-zyz").unwrap());
    let new = "新的口令 seven calm cranes";
    browser.post("/account/password", &[("old", PASSWORD), ("new", new), ("again", new)]);
    private.add("password", new);
    browser.get(&format!("/people/search?q={}", sheets::person(0).phone));
    browser.get(&format!("/nowhere/{}", sheets::person(0).identity)).is(404);
    browser.post("/sign-out", &[]).location();
    account(console, "aiyanwen", Role::FederationClerk);
    let wrong = totp(console, &secret, 9);
    browser.post("/sign-in/code", &[("code", &wrong)]);
}

/// A form, a roster, a sheet of hours by identity number, and files that are none.
fn registering(console: &ConsoleApp, private: &mut Private) {
    let (admin, unit) = (console.admin(), console.sign_in(Role::Unit, console.first_unit()));
    let identity = sheets::identity(date(1990, 5, 1), 77, true);
    let fields = complete(1);
    let own = [("name", "岩应香罕"), ("mobile", "13988770011"), ("identity", identity.as_str()), ("step", "save")];
    let fields = with(&fields, &own);
    let form = unit.post("/forms/new", &fields).location().to_owned();
    let form = between(&form, "/forms/", "/").to_owned();
    unit.post(&format!("/forms/{form}/submit"), &[("revision", "1")]).location();
    admin.post(&format!("/forms/{form}/approve"), &[("revision", "2"), ("reason", "同意注册。")]).location();
    private.add("name", "岩应香罕");
    private.add("phone", "13988770011");
    private.add("identity number", &identity);

    let person = sheets::Somebody { name: "娜罕应".into(), phone: "13988770022".into(), ..sheets::person(300) };
    let file = console.app.path("roster.xlsx");
    sheets::roster(&file, std::slice::from_ref(&person));
    let bytes = std::fs::read(&file).unwrap();
    let named = format!("{}{}.xlsx", person.name, person.identity);
    let draft = unit.upload("/rosters/drafts", &[("unit", "1")], &named, &bytes);
    let draft = draft.location().strip_prefix("/console").unwrap().to_owned();
    unit.post(&format!("{draft}/confirm"), &[("revision", "1"), ("sure", "yes")]).location();
    private.add("name", &person.name);
    private.add("phone", &person.phone);
    private.add("identity number", &person.identity);
    private.add("password of the sheet", "secret-pw-77");

    sheets::services(&file, &sheets::hours_of(&person.identity, 2026, 8));
    let sheet = unit.upload("/hours/import/file", &[], &named, &std::fs::read(&file).unwrap());
    let sheet = sheet.location().strip_prefix("/console").unwrap().to_owned();
    unit.post(&sheet, &[("expected", "1"), ("late_reason", "设备故障")]);
    for path in ["/rosters/drafts", "/hours/import/file", "/cards/photos/send"] {
        let answer = unit.upload(path, &[("unit", "1")], &named, b"PK\x03\x04 13988770022 broken");
        assert!(answer.status.is_client_error() || answer.status == 303, "{path}: {}", answer.status);
    }
}

/// Found by phone and identity number, shown in the clear, corrected, gone.
fn looking_somebody_up_until_they_leave(console: &ConsoleApp, private: &mut Private) {
    let (unit, person) = (console.sign_in(Role::Unit, console.first_unit()), sheets::person(0));
    let number = console.app.numbers()[0];
    for words in [&person.phone, &person.identity, &person.name] {
        unit.post("/people/search", &[("q", words)]).is(200).says(&[&person.name]);
    }
    let reveal = [("what", "identity"), ("what", "phone"), ("reason", "通知领证")];
    unit.post(&format!("/people/{number}/reveal"), &reveal).is(200).says(&[&person.identity]);
    unit.post(&format!("/people/{number}/exit"), &[("name", "别的人名"), ("reason", "本人申请")]).is(422);
    let leaving = [("name", person.name.as_str()), ("reason", "本人申请")];
    unit.post(&format!("/people/{number}/exit"), &leaving).location();
    unit.get(&format!("/people/{number}/receipt.pdf")).is(200);
    private.add("name", &person.name);
    private.add("name", "别的人名");
    private.add("phone", &person.phone);
    private.add("identity number", &person.identity);
    private.add("certificate number", number.as_str());
    private.add("certificate number", &number.grouped());
}

/// A one-time link, used.
fn a_partner_joins(console: &ConsoleApp, private: &mut Private) {
    let partner = console.first_partner();
    let clerk = console.sign_in(Role::FederationClerk, Scope::All);
    let page = clerk.post(&format!("/partners/{partner}/link"), &[("device", "收银台1"), ("days", "7")]).is(200).text();
    let rest = page.split_once("#enrol=").unwrap().1;
    let code = rest.split(['"', '&', '<']).next().unwrap();
    let answer = console.app.post("/v1/enrolments", &json!({"code": code, "device": "收银台1"})).json();
    private.add("code of the link", code);
    private.add("device token", answer["token"].as_str().unwrap());
    console.app.post("/v1/enrolments", &json!({"code": code, "device": "收银台1"}));
}
