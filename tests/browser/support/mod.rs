//! What the browser tests stand on: a federation with cards and partners, its server, browsers, films.

pub mod axe;
pub mod browser;
pub mod film;
pub mod process;
pub mod screens;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{Database, Desk, sheets};
use process::{Process, free_port};

/// A federation with a few cards, a partner, and the server that may be killed and started again at the same address.
pub struct Federation {
    /// Its administrator's desk.
    pub desk: Desk,
    /// Where its server listens.
    pub port: u16,
    server: Option<Process>,
}

/// Calendar year in which the hours for the stars were served: the last full one.
fn served_year() -> i16 {
    crate::support::now().to_string()[..4].parse::<i16>().unwrap() - 1
}

impl Federation {
    /// Six people with cards, the first of them with three stars; no partner yet, the server running.
    pub fn new() -> Self {
        let desk = Desk::empty(Database::sqlite());
        let port = free_port();
        // 23 characters, as long as a real address may be without a larger symbol.
        let config = format!("public_url = \"http://127.0.0.1:{port}/\"\n[card]\nphone = \"0879-2120000\"\n");
        std::fs::write(desk.path("zyz.toml"), config).unwrap();
        desk.ok(&["init"]);
        desk.import("思茅区样例单位", &sheets::people(6));
        let first = desk.numbers().remove(0);
        let hours = desk.path("hours.xlsx");
        sheets::services(&hours, &sheets::hours_of(&first, served_year(), 600));
        desk.ok(&["hours", "import", &desk.arg("hours.xlsx")]);
        desk.ok(&["stars", "certify", "--year", &served_year().to_string()]);
        desk.ok(&["issue", "--all"]);
        let mut federation = Self { desk, port, server: None };
        federation.start();
        federation
    }

    /// Starts the server.
    pub fn start(&mut self) {
        let command = self.desk.command(&["serve", "--listen", &format!("127.0.0.1:{}", self.port), "--poll-ms", "50"]);
        self.server = Some(Process::start(command, &self.url("readyz")));
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        self.server.take().expect("the server runs").kill();
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        self.server.as_ref().expect("the server runs").log()
    }

    /// An address of the server.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// A partner with two offers: a discount once a day for everybody, and something free from five stars on.
    pub fn partner(&self, name: &str) -> Partner {
        let (first, last) = (format!("{}-01-01", served_year()), format!("{}-12-31", served_year() + 2));
        let agreement = ["--agreement", "普志联〔2026〕8号", "--from", &first, "--to", &last];
        let added = self.desk.json(&[&["partner", "add", name], &agreement[..]].concat());
        let id = added["id"].as_i64().unwrap().to_string();
        let discount = ["--kind", "discount", "--title", "全场九折", "--terms", "特价商品除外", "--per-day", "1"];
        let free = ["--kind", "free", "--title", "免费早餐一份", "--min-star", "5"];
        for offer in [&discount[..], &free[..]] {
            self.desk.ok(&[&["offer", "add", &id], offer].concat());
        }
        Partner { id }
    }

    /// The numbers of the six, the first with three stars.
    pub fn numbers(&self) -> Vec<String> {
        self.desk.numbers()
    }

    /// A one-time link for a device of this partner.
    pub fn enrolment_link(&self, partner: &Partner) -> String {
        self.desk.json(&["partner", "enrol", &partner.id])["link"].as_str().unwrap().to_owned()
    }

    /// What the federation knows of the partner's uses.
    pub fn usage(&self, partner: &Partner) -> Value {
        self.desk.json(&["partner", "usage", &partner.id])
    }

    /// Waits until the federation counts this many uses of the partner's as `what`.
    pub fn awaits_usage(&self, partner: &Partner, what: &str, count: u64) {
        let patience = browser::deadline();
        loop {
            let usage = self.usage(partner);
            if usage["total"][what] == count {
                return;
            }
            assert!(std::time::Instant::now() < patience, "never {count} {what}: {usage}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    /// A browser profile of this test's own.
    pub fn profile(&self, name: &str) -> PathBuf {
        self.desk.path(name)
    }
}

/// The partner's program, enrolled and running.
pub struct Node {
    port: u16,
    _process: Process,
}

impl Node {
    /// Enrols in a folder of the federation's desk, and serves.
    pub fn enrolled(federation: &Federation, partner: &Partner) -> Self {
        let data = federation.desk.arg("node");
        let mut enrol = Command::new(process::zyz_verify());
        let said = enrol.args(["enrol", &federation.enrolment_link(partner), "--data", &data]).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        let port = free_port();
        let mut serve = Command::new(process::zyz_verify());
        let listen = format!("127.0.0.1:{port}");
        serve.args(["serve", "--data", &data, "--listen", &listen, "--sync-every", "1s"]);
        let process = Process::start(serve, &format!("http://127.0.0.1:{port}/readyz"));
        Self { port, _process: process }
    }

    /// An address of the node.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

/// A partner.
pub struct Partner {
    /// Its id.
    pub id: String,
}

/// Runs a test of the browser on a runtime of its own.
pub fn run(test: impl Future<Output = ()>) {
    // chromedriver is asked over plain HTTP, but its client wants to know how it would do TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}
