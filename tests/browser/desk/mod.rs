//! The console in a real browser: a real server, Chromium signed in as a person of a role.
//!
//! A test of a room stands in `tests/browser/console_<room>.rs`:
//!
//! ```ignore
//! #[test]
//! fn a_person_is_found_by_name() {
//!     run(async {
//!         let office = Office::new().await;
//!         let page = office.browser(Role::FederationClerk, Scope::All).await;
//!         page.goto("/people").await;
//!         page.fill("姓名", "王秀英").await;
//!         page.click("查找").await;
//!         page.shows(&["02 0000002"]).await;
//!         page.axe("found").await; // light and dark; serious and critical findings fail
//!         page.keep("people-found").await; // target/screenshots/people-found-{desktop,phone}.png
//!     });
//! }
//! ```
//!
//! One test alone:  `scripts/browser console_people::a_person_is_found`  (any part of the name).
//! Without the script: `ZYZ_AXE=$PWD/target/browser-node-*/node_modules/axe-core/axe.min.js cargo test --test browser -- NAME`.
//!
//! - Every [`Office`] is a federation of its own, copied from the one that [`sample`] makes once a run; whatever a test does
//!   to it touches no other. Making one costs about a second, a [`Page`] another.
//! - Fields, buttons and links go by the words that people read: see [`Page`].
//! - A page that breaks its Content-Security-Policy, throws in a script, misses an asset or answers 500 fails the test, also
//!   where nothing looked at it. A failed test leaves picture, source and the server's log in target/browser-failures.
//! - Chromium takes Secure `__Host-` cookies from http://127.0.0.1, which it trusts like HTTPS; so the sessions are those of
//!   production, cookie attributes included.

mod page;
mod sample;
pub mod walk;
mod work;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use zyz::app::{App, Global};
use zyz::domain::staff::{Role, Scope};
use zyz::service::Federation;
use zyz::store::{ColumnKeys, Store};

pub use crate::stage::run;
pub use page::Page;
pub use sample::{CARDS_OF, COUNTY_UNIT, TOWN_UNIT};

use crate::stage::process::{Process, free_port};

/// A federation with people, cards, hours and a partner, and its server.
pub struct Office {
    /// The office behind the server's back, on the same database: to arrange what a test is not about.
    pub federation: Arc<Federation>,
    /// Numbers of the volunteers, those of [`TOWN_UNIT`] first.
    pub numbers: Vec<String>,
    /// Where the server listens.
    pub port: u16,
    app: App,
    server: Option<Process>,
    folder: TempDir,
}

impl Office {
    /// A copy of the sample federation, its server running.
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// The same with work under way at every desk: see [`work::under_way`].
    pub async fn at_work() -> Self {
        Self::begin("", true).await
    }

    /// The same with more lines of configuration (TOML).
    pub async fn with(configuration: &str) -> Self {
        Self::begin(configuration, false).await
    }

    async fn begin(configuration: &str, at_work: bool) -> Self {
        let folder = TempDir::new().unwrap();
        sample::copy_to(folder.path()).await;
        let port = free_port();
        // Sessions are begun by the program, so nobody has a second factor; tests of signing in say so themselves.
        let console = if configuration.contains("[console]") { "" } else { "[console]\nsecond_factor = false" };
        let settings = format!("public_url = \"http://127.0.0.1:{port}/\"\n{configuration}\n{console}\n");
        std::fs::write(folder.path().join("zyz.toml"), settings).unwrap();
        let app = application(folder.path());
        let federation = Arc::new(app.federation().await.unwrap());
        if at_work {
            work::under_way(&federation, folder.path()).await;
        }
        let server = Some(start(folder.path(), port));
        let people = federation.volunteers(&Default::default()).await.unwrap();
        let numbers = people.into_iter().map(|person| person.number).collect();
        Self { federation, numbers, port, app, server, folder }
    }

    /// Chromium with somebody of this role signed in. The session is begun by the program itself, not by the sign-in page.
    pub async fn browser(&self, role: Role, scope: Scope) -> Page {
        self.browser_with_cookie(role, scope).await.0
    }

    /// The same with the session's cookie, for requests beside the browser.
    pub async fn browser_with_cookie(&self, role: Role, scope: Scope) -> (Page, String) {
        let staff = self.federation.open_account(role, scope).await.unwrap();
        let token = self.federation.begin_session(staff).await.unwrap();
        let page = self.stranger().await;
        page.take_cookie("__Host-zyz", &token.text()).await;
        (page, format!("__Host-zyz={}", token.text()))
    }

    /// A federation administrator's browser.
    pub async fn admin(&self) -> Page {
        self.browser(Role::FederationAdmin, Scope::All).await
    }

    /// A federation clerk's browser.
    pub async fn clerk(&self) -> Page {
        self.browser(Role::FederationClerk, Scope::All).await
    }

    /// The 文明办's of 宁洱县 (21).
    pub async fn county(&self) -> Page {
        self.browser(Role::County, Scope::County(21)).await
    }

    /// Somebody of [`TOWN_UNIT`].
    pub async fn unit(&self) -> Page {
        let scope = self.scope_of(TOWN_UNIT).await;
        self.browser(Role::Unit, scope).await
    }

    /// The 市文明办's.
    pub async fn oversight(&self) -> Page {
        self.browser(Role::Oversight, Scope::All).await
    }

    /// The sample partner's.
    pub async fn partner(&self) -> Page {
        let partner = self.federation.partners(true).await.unwrap().remove(0);
        self.browser(Role::Partner, Scope::Partner(partner.id)).await
    }

    /// A browser that nobody is signed in at.
    pub async fn stranger(&self) -> Page {
        Page::at(format!("http://127.0.0.1:{}", self.port)).await
    }

    /// A unit as a scope, by its name.
    pub async fn scope_of(&self, unit: &str) -> Scope {
        let unit = self.store().await.read().await.unwrap().units_named(unit).await.unwrap().remove(0);
        Scope::Unit { unit: unit.id.0, county: unit.county }
    }

    /// The database, for what no use case tells.
    pub async fn store(&self) -> Store {
        let data = self.app.key_folder().open_data_keys(&self.app.passphrase().unwrap()).unwrap();
        let keys = ColumnKeys { column: *data.column_key(), index: *data.blind_index_key() };
        Store::open(&self.app.database_url().unwrap(), &keys, self.app.entropy().clone()).await.unwrap()
    }

    /// A file for the test, as on the person's own computer.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `zyz` on this federation's data.
    pub fn command(&self, arguments: &[&str]) -> Command {
        command(self.folder.path(), arguments)
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        self.server.as_ref().expect("the server runs").log()
    }

    /// Kills the server as by a power cut, and starts it again at the same address.
    pub fn restart(&mut self) {
        self.server.take().expect("the server runs").kill();
        self.server = Some(start(self.folder.path(), self.port));
    }
}

/// The application of a data folder.
fn application(folder: &std::path::Path) -> App {
    App::new(Global {
        data: folder.join("data"),
        config: Some(folder.join("zyz.toml")),
        passphrase_file: Some(folder.join("passphrase.txt")),
        database_url: None,
        actor: Some("测试员".into()),
        json: false,
    })
    .unwrap()
}

fn command(folder: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zyz"));
    command
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--config")
        .arg(folder.join("zyz.toml"))
        .arg("--passphrase-file")
        .arg(folder.join("passphrase.txt"))
        .args(["--actor", "测试员"])
        .args(arguments);
    command
}

fn start(folder: &std::path::Path, port: u16) -> Process {
    let listen = format!("127.0.0.1:{port}");
    // More than a person asks for in a minute is the tests' haste, not an attack.
    let arguments = ["serve", "--listen", &listen, "--poll-ms", "200", "--anonymous-per-minute", "60000"];
    Process::start(command(folder, &arguments), &format!("http://{listen}/readyz"))
}
