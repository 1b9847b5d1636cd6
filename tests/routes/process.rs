//! `zyz serve` as a process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use crate::on_both;
use crate::support::{Database, Desk};

/// A server that is killed when dropped.
struct Server {
    process: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(desk: &Desk, more: &[&str]) -> Server {
    let mut command = desk.command(&["serve", "--listen", "127.0.0.1:0", "--poll-ms", "20"]);
    let mut process = command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let Some(url) = line.trim().strip_prefix("listening on ") else {
        let mut said = String::new();
        process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        panic!("{line:?} {said}");
    };
    Server { url: url.to_owned(), process }
}

fn signal(process: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

fn it_says_where_it_listens_answers_and_ends_when_asked(database: Database) {
    let desk = Desk::new(database);
    let mut server = serve(&desk, &[]);
    let ready = ureq::get(format!("{}readyz?secret=1", server.url)).call().unwrap();
    assert_eq!(ready.status(), 200);
    signal(&server.process, "HUP");
    assert_eq!(ureq::get(format!("{}healthz", server.url)).call().unwrap().status(), 200, "a hang-up ends nothing");
    signal(&server.process, "TERM");
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    server.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("answered") && log.contains("/readyz") && !log.contains("secret"), "{log}");
}

#[test]
fn the_log_as_json_has_route_status_and_id() {
    let desk = Desk::new(Database::sqlite());
    let mut server = serve(&desk, &["--log-json"]);
    let answer = ureq::get(format!("{}v1/federation", server.url)).header("x-request-id", "abc-123").call().unwrap();
    assert_eq!(answer.headers()["x-request-id"], "abc-123");
    signal(&server.process, "TERM");
    server.process.wait().unwrap();
    let mut log = String::new();
    server.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = lines.iter().find(|line| line["fields"]["message"] == "answered").unwrap();
    assert_eq!(answered["fields"]["status"], 200);
    assert_eq!(answered["span"]["route"], "/v1/federation");
    assert_eq!(answered["span"]["request"], "abc-123");
}

#[test]
fn without_database_it_names_the_command() {
    let desk = Desk::empty(Database::sqlite());
    let said = desk.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("zyz init"), "{said}");
}

#[test]
fn with_a_missing_signing_key_it_does_not_start() {
    let desk = Desk::new(Database::sqlite());
    let bundle_key = std::fs::read_dir(desk.path("data/keys")).unwrap().map(|entry| entry.unwrap());
    let bundle_key =
        bundle_key.into_iter().find(|entry| entry.file_name().to_string_lossy().starts_with("bundle")).unwrap();
    std::fs::remove_file(bundle_key.path()).unwrap();
    let said = desk.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("bundle") && said.contains("zyz"), "{said}");
}

/// Changes the desk's database behind the program's back.
fn sql(desk: &Desk, statement: &'static str) {
    use sqlx::{Connection, Executor};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}", desk.path("data/zyz.db").display());
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn with_an_older_database_it_names_the_command() {
    let desk = Desk::new(Database::sqlite());
    sql(&desk, "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)");
    let said = desk.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("zyz migrate"), "{said}");
}

#[test]
fn without_a_trust_list_it_names_the_command() {
    let desk = Desk::new(Database::sqlite());
    sql(&desk, "DELETE FROM trust_list");
    let said = desk.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("zyz key renew"), "{said}");
}

#[test]
fn half_a_tls_pair_wrong_addresses_and_short_tokens_are_refused() {
    let desk = Desk::new(Database::sqlite());
    let usage = |arguments: &[&str]| {
        let said = desk.run(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        assert_eq!(said.code, 2, "{said:?}");
    };
    usage(&["--tls-cert", "x"]);
    usage(&["--tls-key", "x"]);
    usage(&["--trusted-proxy", "10.0.0.0/33"]);
    let refused = |arguments: &[&str]| desk.refused(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
    assert!(refused(&["--tls-cert", "none.crt", "--tls-key", "none.key"]).contains("none.crt"));
    assert!(refused(&["--public-url", "zyz.example.cn"]).contains("--public-url"));
    desk.write_private("token", "short\n");
    assert!(refused(&["--metrics-token-file", &desk.arg("token")]).contains("16"));
}

#[test]
fn a_taken_address_is_said() {
    let desk = Desk::new(Database::sqlite());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let said = desk.refused(&["serve", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert!(said.contains("--listen"), "{said}");
}

on_both![it_says_where_it_listens_answers_and_ends_when_asked];
