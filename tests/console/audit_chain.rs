//! The audit trail after somebody was at the database itself: what the page says, and to whom.

use sqlx::{AnyConnection, Connection, Executor};
use zyz::domain::staff::{Role, Scope};
use zyz::store::DatabaseUrl;

use crate::console::ConsoleApp;
use crate::on_both;
use crate::support::Database;

on_both! {
    an_intact_chain_says_so,
    an_altered_event_is_named,
    each_part_of_an_event_is_held,
    a_deleted_event_is_named,
    a_removed_end_is_named,
    only_those_of_the_trail_are_told,
}

/// Where the last check stands on the page.
const CHECK: &str = "<div id=\"check\">";

/// Does something to the database that no use case does.
fn behind_the_back(console: &ConsoleApp, sql: &str) {
    let url = match console.app.database_url() {
        DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseUrl::Postgres(url) => url,
    };
    console.app.wait(async {
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        let done = connection.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
        assert!(done.rows_affected() > 0, "{sql}");
        connection.close().await.unwrap();
    });
}

fn head(console: &ConsoleApp) -> i64 {
    console.app.wait(console.admin().desk.audit_trail(&Default::default())).unwrap().head_seq
}

/// The part of the page that tells of the check.
fn told(page: &str) -> &str {
    let from = page.find(CHECK).expect("the page tells of the check");
    let rest = &page[from..];
    &rest[..rest.find("</div>").unwrap()]
}

fn an_intact_chain_says_so(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let oversight = console.sign_in(Role::Oversight, Scope::All);
    assert!(told(&oversight.get("/audit").is(200).text()).contains("还没有在这里核对过"));
    let end = head(&console);
    oversight.post("/audit/checks", &[]).location();
    let page = oversight.get("/audit").text();
    // The administrator who asked for the head signed in meanwhile: an event of its own.
    assert!(told(&page).contains("审计链完整：第 1 条到第"), "{page}");
    assert!(!told(&page).contains("断开") && !page.contains("摘要不符"));
    let walk = console.app.wait(oversight.desk.audit_trail(&Default::default())).unwrap().check.unwrap();
    assert!(walk.head_seq >= end && walk.checked == walk.head_seq && walk.broken_at.is_none());
    assert_eq!(walk.begun_by, oversight.desk.staff().login);
}

fn an_altered_event_is_named(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let (admin, oversight) = (console.admin(), console.sign_in(Role::Oversight, Scope::All));
    let end = head(&console);
    let bad = end / 2;
    // Valid JSON in place of valid JSON, as a careful hand would leave it; a second one behind it.
    behind_the_back(
        &console,
        &format!("UPDATE audit_event SET detail = '{{\"reason\":\"other\"}}' WHERE seq IN ({bad}, {end})"),
    );
    admin.post("/audit/checks", &[]).location();
    for client in [&admin, &oversight] {
        let page = client.get("/audit").is(200).text();
        let told = told(&page);
        assert!(told.contains("role=\"alert\"") && told.contains(&format!("审计链在第 {bad} 条断开")), "{told}");
        assert!(told.contains(&format!("第 1 条到第 {} 条无误", bad - 1)), "{told}");
        assert!(!page.contains("审计链完整"));
        // In the list the events themselves are marked, these two and no others.
        assert_eq!(page.matches("摘要不符").count(), if end - bad < 45 { 2 } else { 1 }, "{page}");
        client.get(&format!("/audit/events/{bad}")).is(200).says(&["内容与其摘要不符", "立即停止改动"]);
        client.get(&format!("/audit/events/{}", bad - 1)).is(200).says(&["内容与其摘要相符"]);
    }
    // Looked at again, it is still broken, and at the same event.
    oversight.post("/audit/checks", &[]).location();
    assert!(told(&admin.get("/audit").text()).contains(&format!("第 {bad} 条断开")));
}

fn each_part_of_an_event_is_held(database: Database) {
    let console = ConsoleApp::with_cards(database, 1);
    let admin = console.admin();
    let sqlite = matches!(console.app.database_url(), DatabaseUrl::Sqlite(_));
    let bytes = |hex: &str| if sqlite { format!("x'{hex}'") } else { format!("'\\x{hex}'") };
    // The last, damaged to what no event can be, is named all the same and hides no other. Each lies before the last one.
    let parts = [
        "actor = 'admin'".to_owned(),
        "action = 'volunteer.exit'".into(),
        "object = 'volunteer/0200000011'".into(),
        "detail = 'no JSON'".into(),
        "at = at - 86400".into(),
        format!("previous_hash = {}", bytes(&"ab".repeat(32))),
        format!("hash = {}", bytes(&"cd".repeat(32))),
        format!("previous_hash = {}", bytes("0102")),
        format!("hash = {}", bytes("0102")),
        "at = 9223372036854775807".into(),
    ];
    let mut bad = head(&console);
    assert!(bad > parts.len() as i64);
    for part in parts {
        bad -= 1;
        behind_the_back(&console, &format!("UPDATE audit_event SET {part} WHERE seq = {bad}"));
        admin.post("/audit/checks", &[]).location();
        let page = admin.get("/audit").is(200).text();
        assert!(told(&page).contains(&format!("审计链在第 {bad} 条断开")), "{part}: {page}");
        admin.get(&format!("/audit/events/{bad}")).is(200).says(&["内容与其摘要不符"]);
        assert_eq!(&admin.get("/audit/export").is(200).body[..2], b"PK");
    }
}

fn a_deleted_event_is_named(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let admin = console.admin();
    let bad = head(&console) / 2;
    behind_the_back(&console, &format!("DELETE FROM audit_event WHERE seq = {bad}"));
    let answer = admin.post("/audit/checks", &[]);
    assert!(answer.location().ends_with("/audit"));
    let page = admin.get("/audit").text();
    assert!(told(&page).contains(&format!("审计链在第 {bad} 条断开：这一条缺失或被改动过")), "{page}");
    admin.get(&format!("/audit/events/{bad}")).is(404);
    // A gap that is closed by counting anew shows as well.
    behind_the_back(&console, &format!("UPDATE audit_event SET seq = {bad} WHERE seq = {}", bad + 1));
    admin.post("/audit/checks", &[]).location();
    assert!(told(&admin.get("/audit").text()).contains(&format!("第 {bad} 条断开")));
}

fn a_removed_end_is_named(database: Database) {
    let console = ConsoleApp::with_cards(database, 3);
    let admin = console.admin();
    let end = head(&console);
    behind_the_back(&console, &format!("DELETE FROM audit_event WHERE seq > {}", end - 3));
    admin.post("/audit/checks", &[]).location();
    let page = admin.get("/audit").text();
    assert!(told(&page).contains(&format!("审计链在第 {} 条断开", end - 2)), "{page}");
    // Who noted the end outside of the system is told as well.
    let noted = [("seq", format!("{end}")), ("hash", "ab".repeat(32))];
    let noted: Vec<_> = noted.iter().map(|(name, value)| (*name, value.as_str())).collect();
    admin.post("/audit/compare", &noted).location();
    let compared = console.app.wait(admin.desk.compare_audit_hash(end, &"ab".repeat(32))).unwrap();
    assert_eq!(compared, zyz::service::desk::oversight::audit::Comparison::Missing);
}

fn only_those_of_the_trail_are_told(database: Database) {
    let console = ConsoleApp::with_cards(database, 1);
    let admin = console.admin();
    behind_the_back(&console, "UPDATE audit_event SET actor = 'x' WHERE seq = 2");
    admin.post("/audit/checks", &[]).location();
    let partner = console.first_partner();
    for (role, scope) in [
        (Role::FederationClerk, Scope::All),
        (Role::County, Scope::County(2)),
        (Role::Unit, console.first_unit()),
        (Role::Partner, Scope::Partner(partner)),
    ] {
        let client = console.sign_in(role, scope);
        for path in ["/audit", "/audit/events/2", "/audit/export"] {
            let answer = client.get(path);
            assert!(!answer.is(403).text().contains("断开"), "{role:?} {path}");
        }
        client.post("/audit/checks", &[]).is(403);
        client.post("/audit/checks/1/step", &[]).is(403);
        client.post("/audit/compare", &[("seq", "2"), ("hash", &"0".repeat(16))]).is(403);
    }
    console.sign_in(Role::Oversight, Scope::All).get("/audit").is(200).says(&["审计链在第 2 条断开"]);
}
