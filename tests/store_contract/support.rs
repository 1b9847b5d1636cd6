//! A database for each case, and invented data to fill it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, SqlSafeStr};
use zyz::clock::SeededEntropy;
use zyz::store::{
    ColumnKeys, Contact, DatabaseUrl, KeyId, KeyRole, NewCertificate, NewKey, NewVolunteer, Store, Tx, Unit, UnitId,
    VolunteerId,
};

/// Makes a test on each database of every case named.
macro_rules! contract {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $case() {
                $crate::support::on_sqlite(super::$case);
            })*
        }
        mod postgres {
            $(#[test]
            fn $case() {
                $crate::support::on_postgres(stringify!($case), super::$case);
            })*
        }
    };
}
pub(crate) use contract;

/// The moment at which every test happens unless it says otherwise.
pub const NOW: i64 = 1_795_000_000;

/// An empty place for a database.
#[derive(Clone)]
pub struct Database {
    pub url: DatabaseUrl,
    driver_url: String,
}

impl Database {
    /// Creates the store.
    pub async fn create(&self) -> Store {
        Store::create(&self.url, &keys(), entropy(1)).await.expect("a new database is made")
    }

    /// Opens it as another process would.
    pub async fn open(&self) -> Store {
        Store::open(&self.url, &keys(), entropy(2)).await.expect("the database opens")
    }

    /// Makes a database (the file, with SQLite) with one migration, as an older release did.
    pub async fn migrate_to(&self, version: i64, name: &'static str, sql: &'static str) {
        if let DatabaseUrl::Sqlite(path) = &self.url {
            std::fs::File::create(path).unwrap();
        }
        let pool = AnyPool::connect(&self.driver_url).await.unwrap();
        let migration = Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false);
        Migrator::with_migrations(vec![migration]).run(&pool).await.unwrap();
        pool.close().await;
    }

    /// Runs a statement behind the store's back; returns how many rows it changed.
    pub async fn execute(&self, sql: &str) -> u64 {
        let pool = AnyPool::connect(&self.driver_url).await.unwrap();
        let done = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap().rows_affected();
        pool.close().await;
        done
    }

    /// Asks for one number behind the store's back.
    pub async fn number(&self, sql: &str) -> i64 {
        let pool = AnyPool::connect(&self.driver_url).await.unwrap();
        let (number,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
        pool.close().await;
        number
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.url, DatabaseUrl::Sqlite(_))
    }
}

pub fn on_sqlite<F: Future<Output = ()>>(case: fn(Database) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zyz.db");
    let driver_url = format!("sqlite://{}", path.display());
    runtime().block_on(case(Database { url: DatabaseUrl::sqlite(path), driver_url }));
}

pub fn on_postgres<F: Future<Output = ()>>(name: &str, case: fn(Database) -> F) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Ok(admin) = std::env::var("ZYZ_TEST_POSTGRES") else {
        if std::env::var("ZYZ_TEST_SKIP_POSTGRES").is_ok_and(|skip| skip == "1") {
            return;
        }
        panic!("ZYZ_TEST_POSTGRES is not set: start a server, or set ZYZ_TEST_SKIP_POSTGRES=1 to leave its cases out");
    };
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("zyz_{}_{count}_{}", std::process::id(), &name[..name.len().min(30)]);
    let runtime = runtime();
    runtime.block_on(async {
        let server = AnyPool::connect(&admin).await.expect("the server of ZYZ_TEST_POSTGRES answers");
        // A schema of its own instead of a database: the same separation, without a checkpoint at each end.
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&server).await.unwrap();
        let separator = if admin.contains('?') { '&' } else { '?' };
        let driver_url = format!("{admin}{separator}options[search_path]={schema}");
        // A failed case leaves its schema behind for a look.
        case(Database { url: DatabaseUrl::parse(&driver_url).unwrap(), driver_url }).await;
        sqlx::query(sqlx::AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).execute(&server).await.unwrap();
    });
}

fn runtime() -> tokio::runtime::Runtime {
    sqlx::any::install_default_drivers();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub fn keys() -> ColumnKeys {
    ColumnKeys { column: [11; 32], index: [22; 32] }
}

pub fn entropy(seed: u64) -> Arc<SeededEntropy> {
    Arc::new(SeededEntropy::new(seed))
}

pub fn now() -> Timestamp {
    later(0)
}

/// So many seconds after [`NOW`].
pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

pub async fn begin(store: &Store) -> Tx {
    store.begin("测试员", now()).await.unwrap()
}

/// A number in the shape of a certificate number; the store does not look at its check digit.
pub fn number(n: u32) -> String {
    format!("02{n:07}0")
}

/// An identity number in shape only: the store sees normalised text.
pub fn identity(n: u32) -> String {
    format!("530802{:08}{:04}", 19_900_101 + n / 10_000, n % 10_000)
}

pub fn person(n: u32, unit: UnitId) -> NewVolunteer {
    let names = ["岩温扁", "玉波罕", "扎妥", "娜发", "艾嘎", "李𬭎", "䶮小明"];
    NewVolunteer {
        number: number(n),
        name: names[n as usize % names.len()].to_owned(),
        sex: 1 + (n % 2) as u8,
        ethnicity: 1 + (n % 56) as u8,
        birth_date: birthday(n),
        political: (!n.is_multiple_of(3)).then_some(13),
        unit,
        identity: identity(n),
        contact: Contact {
            phone: Some(format!("138{n:08}")),
            email: n.is_multiple_of(2).then(|| format!("v{n}@example.cn")),
            address: n.is_multiple_of(5).then(|| format!("思茅区振兴大道{n}号")),
            user_name: Some(format!("user{n}")),
        },
        national_number: n.is_multiple_of(7).then(|| format!("5308{n:010}")),
    }
}

fn birthday(n: u32) -> Date {
    date(1970 + (n % 30) as i16, 1 + (n % 12) as i8, 1 + (n % 28) as i8)
}

/// The unit of most cases.
pub async fn office(tx: &mut Tx) -> Unit {
    tx.ensure_unit(2, "思茅区文化馆").await.unwrap()
}

/// Registers volunteers numbered `from..to` in the office, without an import.
pub async fn register(store: &Store, from: u32, to: u32) -> Vec<VolunteerId> {
    let mut tx = begin(store).await;
    let unit = office(&mut tx).await.id;
    let ids = tx.insert_volunteers(None, (from..to).map(|n| person(n, unit)).collect()).await.unwrap();
    tx.commit().await.unwrap();
    ids
}

pub fn issuing_key(seed: u8) -> NewKey {
    NewKey {
        role: KeyRole::Issuing,
        kid: [seed; 4],
        public_key: [seed; 32],
        not_before: now(),
        not_after: None,
        list_uri: Some(format!("https://zyz.example.cn/status-lists/{seed}")),
    }
}

pub async fn insert_key(store: &Store, seed: u8) -> KeyId {
    let mut tx = begin(store).await;
    let key = tx.insert_key(&issuing_key(seed)).await.unwrap();
    tx.commit().await.unwrap();
    key
}

pub fn card(volunteer: VolunteerId, n: u32, key: KeyId, status_index: u32) -> NewCertificate {
    NewCertificate {
        volunteer,
        number: number(n),
        key,
        status_index,
        star: 0,
        holder: Some("岩**".to_owned()),
        issued_at: now(),
        expires_at: later(86_400),
        code: vec![0xd2, 0x84, n as u8],
    }
}
