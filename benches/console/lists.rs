//! How long each list and search of the console takes in the server, with a province's worth of invented people.
//!
//! `scripts/bench console` runs this on SQLite with 200,000 volunteers and on PostgreSQL with 1,000,000; alone:
//! `cargo run --release --example console_bench -- [--people N] [--requests N] [--only PART] [--keep FOLDER]`, with
//! `ZYZ_TEST_POSTGRES` for PostgreSQL. The addresses stand in `benches/console/addresses.txt`, and every GET route of the
//! table without parameters is added. What is measured is the router's own time: sign-in, query, page; no network.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a yardstick, run by hand")]

mod fill;
mod long;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;
use zyz::clock::{SystemClock, SystemEntropy};
use zyz::config::Config;
use zyz::domain::staff::{Role, Scope};
use zyz::keystore::{KeyFolder, Passphrase};
use zyz::service::Federation;
use zyz::store::{ColumnKeys, DatabaseUrl, Store};
use zyz::web::console::routes::{self, Need};
use zyz::web::{Options, Web, router::router};

use fill::{Sample, fill};

/// Longest a page may take, milliseconds.
const BOUND: f64 = 100.0;

/// Pages and files that want a field in their address.
const WITH_FIELDS: &[&str] = &["/settings/keys/change", "/hours/book.pdf", "/cards/calibration"];

struct Arguments {
    people: u32,
    requests: usize,
    only: String,
    keep: Option<PathBuf>,
}

/// A page to measure: what it is called, method, address, body, and whose cookie.
struct Page {
    line: String,
    method: String,
    path: String,
    body: String,
    who: usize,
}

#[tokio::main]
async fn main() {
    let arguments = arguments();
    sqlx::any::install_default_drivers();
    let temporary = tempfile::tempdir().unwrap();
    let folder = arguments.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder).unwrap();
    let postgres = std::env::var("ZYZ_TEST_POSTGRES").ok();
    let url = match &postgres {
        None => DatabaseUrl::sqlite(folder.join("zyz.db")),
        Some(admin) => DatabaseUrl::parse(&postgres_database(admin, arguments.keep.is_some()).await).unwrap(),
    };
    let known = folder.join("keys").exists();
    let (federation, store) = open(&folder, &url, known).await;
    let began = clock();
    let sample = fill(&federation, &store, &url_text(&url, &postgres), arguments.people, known).await;
    eprintln!("{} volunteers ready after {:.0} s", arguments.people, began.elapsed().as_secs_f64());
    measure(&federation, &sample, &arguments, postgres.is_some()).await;
    // On PostgreSQL the invented cards fill the key's status list; a database that is kept has it behind it.
    if postgres.is_none() && arguments.only.is_empty() && arguments.keep.is_none() {
        long::work(&federation, &sample, arguments.people, &folder).await;
    }
    store.close().await;
}

async fn measure(federation: &Arc<Federation>, sample: &Sample, arguments: &Arguments, postgres: bool) {
    let web = Web::open(federation.clone(), &config(), Options::default()).await.unwrap();
    let router = router(web);
    let scopes = [
        (Role::FederationAdmin, Scope::All),
        (Role::County, Scope::County(29)),
        (Role::County, Scope::County(2)),
        (
            Role::Unit,
            Scope::Unit {
                unit: sample.units[sample.units.len() / 2].0,
                county: sample.units[sample.units.len() / 2].1,
            },
        ),
    ];
    let mut cookies = Vec::new();
    for (role, scope) in scopes {
        let staff = federation.open_account(role, scope).await.unwrap();
        cookies.push(format!("__Host-zyz={}", federation.begin_session(staff).await.unwrap().text()));
    }
    let database = if postgres { "PostgreSQL" } else { "SQLite" };
    println!(
        "\n{database}, {} volunteers, {} requests a page, milliseconds in the server:\n",
        arguments.people, arguments.requests
    );
    println!("| page | p50 | p95 | max | |\n|---|---:|---:|---:|---|");
    let mut over = 0;
    for page in pages().into_iter().filter(|page| page.line.contains(&arguments.only)) {
        let mut times = Vec::new();
        let mut status = StatusCode::OK;
        for n in 0..arguments.requests {
            let path = sample.written(&page.path, n);
            let request = Request::builder()
                .method(page.method.as_str())
                .uri(format!("/console{path}"))
                .header("host", "zyz.example.cn")
                .header("sec-fetch-site", "same-origin")
                .header("cookie", &cookies[page.who])
                .header("content-type", "application/x-www-form-urlencoded")
                .extension(ConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 40000))))
                .body(Body::from(sample.written(&page.body, n)))
                .unwrap();
            let start = clock();
            let answer = router.clone().oneshot(request).await.unwrap();
            status = answer.status();
            // Back to the sign-in or to the account's own pages: no page was measured.
            let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
            if to.contains("/sign-in") || to.contains("/account/") {
                status = StatusCode::FORBIDDEN;
            }
            let _ = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            times.push(start.elapsed());
        }
        let [p50, p95, max] = figures(times);
        // A file has up to 50,000 rows, and no bound.
        let file = page.path.ends_with("/export") || page.path.ends_with("pdf");
        let mark = match (status.is_success() || status.is_redirection(), p95 > BOUND) {
            (false, _) => format!("answers {status}"),
            (true, _) if file => "file".to_owned(),
            (true, true) => "over 100 ms".to_owned(),
            (true, false) => String::new(),
        };
        over += usize::from(!mark.is_empty() && mark != "file");
        println!("| `{}` | {p50:.1} | {p95:.1} | {max:.1} | {mark} |", page.line);
    }
    println!("\n{over} over the bound of 100 ms (p95) or refused.");
}

/// The pages of the list, and every GET address without parameters of the table.
fn pages() -> Vec<Page> {
    let lines = include_str!("addresses.txt").lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut pages: Vec<Page> = lines
        .flat_map(|line| {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            // A county's pages twice: the smallest county, and the one with a third of everybody.
            let who: &[(usize, &str)] = match words.last() {
                Some(&"@county") => &[(1, "@county 29"), (2, "@county 02")],
                Some(&"@unit") => &[(3, "@unit")],
                _ => &[(0, "")],
            };
            words.retain(|word| !word.starts_with('@'));
            let page = |&(who, name): &(usize, &str)| Page {
                line: format!("{} {name}", words.join(" ")).trim().to_owned(),
                method: words[0].to_owned(),
                path: words[1].replace("{county}", name.trim_start_matches("@county ")),
                body: words.get(2).unwrap_or(&"").to_string(),
                who,
            };
            who.iter().map(page).collect::<Vec<_>>()
        })
        .collect();
    for route in routes::all() {
        let page = route.method == "GET"
            && !route.path.contains('{')
            && !WITH_FIELDS.contains(&route.path)
            && matches!(route.need, Need::May(_));
        // Those of a partner's account are the partners' side.
        let partners = matches!(route.need, Need::May(permission) if !Role::FederationAdmin.may(permission));
        if page && !partners {
            let line = format!("GET {}", route.path);
            pages.push(Page { line, method: "GET".into(), path: route.path.into(), body: String::new(), who: 0 });
        }
    }
    pages
}

fn figures(mut times: Vec<Duration>) -> [f64; 3] {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1000.0;
    [at(0.5), at(0.95), at(1.0)]
}

/// No second factor: a role that signs would reach the page that sets one up and no other.
fn config() -> Config {
    let console = zyz::config::Console { second_factor: false, ..Default::default() };
    Config { public_url: "https://zyz.example.cn/".into(), console, ..Config::default() }
}

async fn open(folder: &std::path::Path, url: &DatabaseUrl, known: bool) -> (Arc<Federation>, Store) {
    let passphrase = || Passphrase::new("ein Passwort 口令").unwrap();
    let keys = folder.join("keys");
    if !known {
        let made = Federation::initialise(
            KeyFolder::create(keys.clone()).unwrap(),
            url,
            passphrase(),
            config(),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            "bench".into(),
        );
        drop(made.await.unwrap());
    }
    let at = KeyFolder::at(keys);
    let data = at.open_data_keys(&passphrase()).unwrap();
    let columns = ColumnKeys { column: *data.column_key(), index: *data.blind_index_key() };
    let store = Store::open(url, &columns, Arc::new(SystemEntropy)).await.unwrap();
    let office = Federation::new(
        store.clone(),
        at,
        passphrase(),
        config(),
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        "bench".into(),
    );
    (Arc::new(office), store)
}

/// A database for this run.
async fn postgres_database(admin: &str, keep: bool) -> String {
    let name = "zyz_console_bench";
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(admin).await.unwrap();
    let made = sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await;
    assert!(made.is_ok() || keep, "{made:?}");
    let (server, _) = admin.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

fn url_text(url: &DatabaseUrl, postgres: &Option<String>) -> String {
    match (url, postgres) {
        (DatabaseUrl::Sqlite(path), _) => format!("sqlite://{}", path.display()),
        (DatabaseUrl::Postgres(url), _) => url.clone(),
    }
}

fn clock() -> std::time::Instant {
    std::time::Instant::now()
}

fn arguments() -> Arguments {
    let postgres = std::env::var("ZYZ_TEST_POSTGRES").is_ok();
    let people = if postgres { 1_000_000 } else { 200_000 };
    let mut arguments = Arguments { people, requests: 30, only: String::new(), keep: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} wants a value"));
        match word.as_str() {
            "--people" => arguments.people = value().parse().expect("a number of people"),
            "--requests" => arguments.requests = value().parse().expect("a number of requests"),
            "--only" => arguments.only = value(),
            "--keep" => arguments.keep = Some(value().into()),
            other => panic!("unknown option {other}"),
        }
    }
    arguments
}
