//! What the tests stand on: an administrator's desk (a data folder, a database of its own, the real `zyz` binary).
//!
//! Every case that touches the database runs on both: write `fn name(desk: &Desk)` and list it in [`on_both!`].

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod database;
pub mod sheets;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub use database::Database;

/// Address that the desk's configuration prints into codes: 23 characters.
pub const PUBLIC_URL: &str = "https://zyz.example.cn/";

/// A data folder with database and passphrase, and the program.
pub struct Desk {
    folder: TempDir,
    database: Database,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Desk {
    /// An empty desk: nothing is initialised yet.
    pub fn empty(database: Database) -> Self {
        let folder = TempDir::new().unwrap();
        let desk = Self { folder, database };
        desk.write_private("passphrase.txt", "ein Passwort 口令\n");
        std::fs::write(desk.path("zyz.toml"), format!("public_url = \"{PUBLIC_URL}\"\n")).unwrap();
        desk
    }

    /// A desk after `zyz init`.
    pub fn new(database: Database) -> Self {
        let desk = Self::empty(database);
        desk.ok(&["init"]);
        desk
    }

    /// A file or folder of the desk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text, for arguments.
    pub fn arg(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file that only its owner can read.
    pub fn write_private(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// `zyz` with the desk's global options.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zyz"));
        command
            .args(["--data", &self.arg("data"), "--config", &self.arg("zyz.toml")])
            .args(["--passphrase-file", &self.arg("passphrase.txt"), "--actor", "测试员"])
            .stdin(Stdio::null());
        if let Some(url) = self.database.url() {
            command.args(["--database-url", url]);
        }
        command.args(arguments);
        command
    }

    /// The desk's application, for what one process alone cannot show.
    pub fn app(&self) -> zyz::app::App {
        zyz::app::App::new(zyz::app::Global {
            data: self.path("data"),
            config: Some(self.path("zyz.toml")),
            passphrase_file: Some(self.path("passphrase.txt")),
            database_url: self.database.url().map(str::to_owned),
            actor: Some("测试员".into()),
            json: false,
        })
        .unwrap()
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    /// Runs a command that may write no file beyond 40 KB, as on a disk that fills up.
    pub fn run_with_small_files(&self, arguments: &[&str]) -> Said {
        let command = self.command(arguments);
        let mut limited = Command::new("sh");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 80; exec \"$0\" \"$@\""]).arg(command.get_program());
        said(&limited.args(command.get_args()).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs a command that must succeed.
    pub fn ok(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said
    }

    /// Runs a command that must fail with code 1; returns what it said on standard error.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 1, "{arguments:?}: {said:?}");
        assert!(said.err.contains("错误"), "{arguments:?}: {said:?}");
        said.err
    }

    /// Runs a command with `--json` and reads its result.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let said = self.ok(&all);
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {said:?}"))
    }

    /// Imports `people` as a roster of `unit` in 思茅.
    pub fn import(&self, unit: &str, people: &[sheets::Somebody]) -> Value {
        let file = self.path(&format!("{unit}.xlsx"));
        sheets::roster(&file, people);
        self.json(&["roster", "import", &file.display().to_string(), "--unit", unit, "--county", "02"])
    }

    /// A desk with `count` invented people of 思茅区样例单位 registered.
    pub fn with_people(database: Database, count: usize) -> Self {
        let desk = Self::new(database);
        let result = desk.import("思茅区样例单位", &sheets::people(count));
        assert_eq!(result["imported"], count);
        desk
    }

    /// The list of volunteers, those who have left included.
    pub fn volunteers(&self) -> Vec<Value> {
        self.json(&["volunteer", "list"]).as_array().unwrap().clone()
    }

    /// The numbers of all volunteers, in order.
    pub fn numbers(&self) -> Vec<String> {
        self.volunteers().iter().map(|person| person["number"].as_str().unwrap().to_owned()).collect()
    }

    /// What a partner with today's bundle of `folder` says of `text`.
    pub fn judge(&self, text: &str, folder: &str) -> Value {
        let request = zyz_verifier::CheckRequest {
            text,
            root: zyz_verifier::RootKey::from_argument(&self.root()).unwrap(),
            bundle: Some(&self.path(folder).join("bundle.cose")),
            state: None,
            now: now(),
            max_age: None,
        };
        serde_json::to_value(zyz_verifier::check(&request).unwrap()).unwrap()
    }

    /// Publishes into `folder` and returns the verdict's reason for `text`.
    pub fn published_reason(&self, text: &str) -> String {
        self.ok(&["publish", "--out", &self.arg("public")]);
        self.judge(text, "public")["reason"].as_str().unwrap().to_owned()
    }

    /// The text of a number's code.
    pub fn text(&self, number: &str) -> String {
        self.ok(&["card", number, "--text"]).out.trim_end().to_owned()
    }

    /// The root public key, hexadecimal.
    pub fn root(&self) -> String {
        std::fs::read_to_string(self.path("data/keys/root.pub")).unwrap().trim().to_owned()
    }

    /// Where the desk's files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The machine's time: commands run on it too.
#[expect(clippy::disallowed_methods, reason = "the commands under test run on the machine's clock")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// What a finished process said.
pub fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Makes of each `fn case(database: Database)` one test on SQLite and one on PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $case() { super::$case($crate::support::Database::sqlite()) })*
        }
        mod on_postgres {
            $(#[test] fn $case() { super::$case($crate::support::Database::postgres()) })*
        }
    };
}
