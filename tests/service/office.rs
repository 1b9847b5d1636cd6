//! A federation in this process, on a clock that the test moves.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use tempfile::TempDir;
use zyz::clock::{Clock, SeededEntropy, SystemEntropy, beijing_date};
use zyz::config::Config;
use zyz::domain::division::County;
use zyz::domain::partner::{DeviceName, PartnerId};
use zyz::keystore::{KeyFolder, Passphrase};
use zyz::service::enrol::{DeviceToken, OneTimeCode, PartnerDevice};
use zyz::service::import::RosterRequest;
use zyz::service::issue::IssueRequest;
use zyz::service::offers::OfferDraft;
use zyz::service::partners::PartnerDraft;
use zyz::service::{Federation, Selection};
use zyz::store::{ColumnKeys, DatabaseUrl, Store};
use zyz_credential::{CertificateNumber, Claims, Credential, KeyId, OfferKind, OfferLimits, Weekdays, digits};
use zyz_http::wire::Enrolment;

use crate::support::{Database, sheets};

/// Monday, 23 November 2026, 16:00 in Beijing.
pub const NOW: &str = "2026-11-23T08:00:00Z";
const PASSPHRASE: &str = "ein Passwort 口令";

/// A clock that stands until it is moved.
pub struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A federation with its folder, database and clock.
pub struct Office {
    pub federation: Federation,
    folder: TempDir,
    database: Option<String>,
    clock: Arc<HandClock>,
    config: Config,
}

impl Office {
    /// After `zyz init`, at [`NOW`].
    pub async fn new(database: Option<String>) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(at(NOW).as_second())));
        let config = Config { public_url: "https://zyz.example.cn/".into(), ..Config::default() };
        let url = database_url(&database, &folder);
        let keys = KeyFolder::create(folder.path().join("keys")).unwrap();
        let entropy = Arc::new(SeededEntropy::new(1));
        let passphrase = Passphrase::new(PASSPHRASE).unwrap();
        let made =
            Federation::initialise(keys, &url, passphrase, config.clone(), clock.clone(), entropy, "测试员".into());
        Self { federation: made.await.unwrap(), folder, database, clock, config }
    }

    /// The same as another process has it: its own connections, keys and memory.
    pub async fn another(&self) -> Federation {
        let keys = KeyFolder::at(self.folder.path().join("keys"));
        let passphrase = Passphrase::new(PASSPHRASE).unwrap();
        let data = keys.open_data_keys(&passphrase).unwrap();
        let columns = ColumnKeys { column: *data.column_key(), index: *data.blind_index_key() };
        let url = database_url(&self.database, &self.folder);
        let store = Store::open(&url, &columns, Arc::new(SystemEntropy)).await.unwrap();
        let (config, clock) = (self.config.clone(), self.clock.clone());
        Federation::new(store, keys, passphrase, config, clock, Arc::new(SystemEntropy), "另一台".into())
    }

    pub fn key_folder(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Takes from the stored bundles what an older release did not note.
    pub async fn forget_digests(&self) {
        let url = match &self.database {
            None => format!("sqlite://{}", self.path("zyz.db").display()),
            Some(url) => url.clone(),
        };
        let pool = sqlx::AnyPool::connect(&url).await.unwrap();
        sqlx::query("UPDATE bundle SET digest = NULL").execute(&pool).await.unwrap();
        pool.close().await;
    }

    /// Moves the clock on.
    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn set(&self, moment: &str) {
        self.clock.0.store(at(moment).as_second(), Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn today(&self) -> Date {
        beijing_date(self.now())
    }

    /// `count` volunteers with cards; their numbers.
    pub async fn volunteers(&self, count: usize) -> Vec<CertificateNumber> {
        let file = self.path("roster.xlsx");
        sheets::roster(&file, &sheets::people(count));
        let county = County::parse("02").unwrap();
        let request =
            RosterRequest {
                file: &file, unit: "思茅区样例单位", county, dry_run: false, strict: true, report: None
            };
        self.federation.import_roster(request, &|_, _| {}).await.unwrap();
        self.issue().await
    }

    /// Cards for all who have none; their numbers.
    pub async fn issue(&self) -> Vec<CertificateNumber> {
        let request = IssueRequest { selection: Selection::All, reissue: false };
        let stop = Arc::new(AtomicBool::new(false));
        let issued = self.federation.issue(request, &stop, &|_, _| {}).await.unwrap().issued;
        issued.iter().map(|number| CertificateNumber::parse(number).unwrap()).collect()
    }

    /// What stands on a number's card.
    pub async fn card(&self, number: CertificateNumber) -> (String, Claims, KeyId) {
        let text = self.federation.card_text(number).await.unwrap();
        let bytes = digits::decode(&text).unwrap();
        let credential = Credential::parse(&bytes).unwrap();
        let key_id = credential.key_id();
        (text.clone(), credential.claims, key_id)
    }

    /// A partner whose agreement holds for the years 2026 and 2027.
    pub async fn partner(&self, n: u32) -> PartnerId {
        PartnerId(self.federation.add_partner(partner_draft(n)).await.unwrap().id)
    }

    pub async fn offer(&self, partner: PartnerId, limits: OfferLimits) -> String {
        self.federation.add_offer(partner, OfferDraft { limits, ..offer_draft() }).await.unwrap().id.to_string()
    }

    pub async fn enrol(&self, partner: PartnerId) -> Enrolment {
        let code = self.code(partner).await;
        self.federation.enrol(&code, &name("收银台1")).await.unwrap()
    }

    /// The one-time code of a new link.
    pub async fn code(&self, partner: PartnerId) -> OneTimeCode {
        let link = self.federation.enrolment_link(partner, None, None, 7).await.unwrap();
        code_of(&link.link)
    }

    /// A partner's new device, as it says who it is.
    pub async fn device(&self, partner: PartnerId) -> PartnerDevice {
        let token: DeviceToken = self.enrol(partner).await.token.parse().unwrap();
        self.federation.authenticate(&token).await.unwrap()
    }
}

pub fn partner_draft(n: u32) -> PartnerDraft {
    PartnerDraft {
        name: format!("思茅区{n}号店"),
        kind: Some("餐饮".into()),
        contact: None,
        agreement_number: format!("普志协〔2026〕{n}号"),
        from: date(2026, 1, 1),
        to: date(2027, 12, 31),
    }
}

pub fn offer_draft() -> OfferDraft {
    OfferDraft {
        kind: OfferKind::Discount,
        title: "全场九折".into(),
        terms: String::new(),
        min_star: 0,
        from: None,
        to: None,
        weekdays: Weekdays::ALL,
        hours: Vec::new(),
        limits: OfferLimits::default(),
        identity_check: false,
        max_status_age: None,
    }
}

pub fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

pub fn code_of(link: &str) -> OneTimeCode {
    let (_, rest) = link.split_once("#enrol=").unwrap();
    rest.split_once('&').unwrap().0.parse().unwrap()
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn database_url(database: &Option<String>, folder: &TempDir) -> DatabaseUrl {
    match database {
        None => DatabaseUrl::sqlite(folder.path().join("zyz.db")),
        Some(url) => DatabaseUrl::parse(url).unwrap(),
    }
}

/// Makes of each `async fn case(office: Office)` one test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $case() {
                $crate::office::run($crate::support::Database::sqlite(), super::$case)
            })*
        }
        mod on_postgres {
            $(#[test] fn $case() {
                $crate::office::run($crate::support::Database::postgres(), super::$case)
            })*
        }
    };
}
pub(crate) use on_both;

/// Runs a case in an office of its own. The database is removed after the runtime: that asks the server once more.
pub fn run<F: Future<Output = ()>>(database: Database, case: fn(Office) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let url = database.url().map(str::to_owned);
    runtime.block_on(async { case(Office::new(url).await).await });
    drop(runtime);
    drop(database);
}
