//! A database of a test's own, on either engine.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, Executor};

/// Where the administrator's PostgreSQL of the test run is; `scripts/test` starts one and sets it.
const ADMIN: &str = "ZYZ_TEST_POSTGRES";

/// An empty database, removed when dropped.
pub enum Database {
    /// The default file in the data folder.
    Sqlite,
    /// A database made for this test.
    Postgres {
        /// Its URL.
        url: String,
        /// Its name.
        name: String,
    },
}

impl Database {
    /// SQLite in the data folder.
    pub fn sqlite() -> Self {
        Self::Sqlite
    }

    /// A new PostgreSQL database. Without a server the test fails: it must not look as if it had passed.
    pub fn postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("zyz_cli_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        administer(&format!("CREATE DATABASE {name}"));
        let (server, _) = admin_url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        Self::Postgres { url: format!("{server}/{name}"), name }
    }

    /// Takes a PostgreSQL database away from whoever uses it.
    pub fn take_away(&self) {
        let Self::Postgres { name, .. } = self else { panic!("only a server's database goes away") };
        administer(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }

    /// The `--database-url`, or none for the default.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { url, .. } => Some(url),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { name, .. } = self {
            administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn admin_url() -> String {
    std::env::var(ADMIN)
        .unwrap_or_else(|_| panic!("{ADMIN} is not set: run scripts/test, or scripts/with-postgres cargo test"))
}

fn administer(sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&admin_url()).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    });
}
