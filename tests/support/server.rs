//! A federation's server in this process: the router called without a network, a database of its own, a clock that the test
//! moves.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use zyz::clock::{Clock, SystemEntropy};
use zyz::config::Config;
use zyz::domain::division::County;
use zyz::domain::partner::{DeviceId, PartnerId};
use zyz::keystore::{KeyFolder, Passphrase};
use zyz::service::import::RosterRequest;
use zyz::service::issue::IssueRequest;
use zyz::service::offers::OfferDraft;
use zyz::service::partners::PartnerDraft;
use zyz::service::{Federation, Selection};
use zyz::store::{ColumnKeys, DatabaseUrl, Store};
use zyz::web::router::router;
use zyz::web::{Options, Web};
use zyz_credential::{CertificateNumber, OfferKind, OfferLimits, Weekdays};

use crate::support::{Database, PUBLIC_URL, sheets};

/// The moment at which every test server begins.
pub const START: &str = "2026-11-23T08:00:00Z";

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct HandClock(Arc<Mutex<Timestamp>>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A federation with its server.
pub struct TestApp {
    /// The office, for what is done at the administrator's desk.
    pub federation: Arc<Federation>,
    /// What the server runs on.
    pub web: Arc<Web>,
    router: Router,
    clock: HandClock,
    config: Config,
    // Last, in this order: the runtime before the database it speaks to, the database before its folder.
    runtime: Arc<Runtime>,
    home: Arc<Home>,
}

struct Home {
    database: Database,
    folder: TempDir,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

/// An enrolled device.
#[derive(Debug, Clone)]
pub struct TestDevice {
    /// Its token.
    pub token: String,
    /// Its id.
    pub id: DeviceId,
}

impl TestApp {
    /// An initialised federation without people, its server with the usual bounds.
    pub fn new(database: Database) -> Self {
        Self::with(database, Options::default(), Config { public_url: PUBLIC_URL.into(), ..Config::default() })
    }

    /// The same with other bounds.
    pub fn bounded(options: Options) -> Self {
        let config = Config { public_url: PUBLIC_URL.into(), ..Config::default() };
        Self::with(Database::sqlite(), options, config)
    }

    /// The same with another configuration.
    pub fn with(database: Database, options: Options, config: Config) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = HandClock(Arc::new(Mutex::new(START.parse().unwrap())));
        let home = Home { database, folder: TempDir::new().unwrap() };
        let federation = runtime.block_on(Federation::initialise(
            KeyFolder::create(home.folder.path().join("keys")).unwrap(),
            &home.url(),
            passphrase(),
            config.clone(),
            Arc::new(clock.clone()),
            Arc::new(SystemEntropy),
            "测试员".into(),
        ));
        Self::on(federation.unwrap(), options, config, clock, Arc::new(runtime), Arc::new(home))
    }

    /// A second server on the same database, with keys and connections of its own.
    pub fn second(&self) -> Self {
        let folder = KeyFolder::at(self.home.folder.path().join("keys"));
        let entropy = Arc::new(SystemEntropy);
        let store = self.wait(self.store());
        let (config, clock) = (self.config.clone(), self.clock.clone());
        let federation = Federation::new(
            store,
            folder,
            passphrase(),
            config.clone(),
            Arc::new(clock.clone()),
            entropy,
            "二号".into(),
        );
        Self::on(federation, Options::default(), config, clock, self.runtime.clone(), self.home.clone())
    }

    /// The database, through connections of its own.
    pub async fn store(&self) -> Store {
        let data = KeyFolder::at(self.home.folder.path().join("keys")).open_data_keys(&passphrase()).unwrap();
        let keys = ColumnKeys { column: *data.column_key(), index: *data.blind_index_key() };
        Store::open(&self.home.url(), &keys, Arc::new(SystemEntropy)).await.unwrap()
    }

    fn on(
        federation: Federation,
        options: Options,
        config: Config,
        clock: HandClock,
        runtime: Arc<Runtime>,
        home: Arc<Home>,
    ) -> Self {
        let federation = Arc::new(federation);
        let web = runtime.block_on(Web::open(federation.clone(), &config, options)).unwrap();
        let router = router(web.clone());
        Self { federation, web, router, clock, config, runtime, home }
    }

    /// A federation with `count` people and their cards.
    pub fn with_cards(database: Database, count: usize) -> Self {
        let app = Self::new(database);
        app.add_cards(count);
        app
    }

    /// Registers `count` people and issues their cards.
    pub fn add_cards(&self, count: usize) {
        let file = self.path("roster.xlsx");
        sheets::roster(&file, &sheets::people(count));
        let _inside = self.runtime.enter();
        let roster = self.federation.read_roster(&file);
        let request = RosterRequest {
            roster,
            unit: "思茅区样例单位",
            county: County::parse("02").unwrap(),
            dry_run: false,
            strict: false,
            report: None,
        };
        self.wait(self.federation.import_roster(request, &|_, _| ())).unwrap();
        let request = IssueRequest { selection: Selection::All, reissue: false };
        self.wait(self.federation.issue(request, &AtomicBool::new(false), &|_, _| ())).unwrap();
    }

    /// Waits for a use case.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Where futures of the test run.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// A file beside the keys.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.folder.path().join(name)
    }

    /// Takes the (PostgreSQL) database away.
    pub fn take_database_away(&self) {
        self.home.database.take_away();
    }

    /// Moves the clock.
    pub fn pass(&self, time: SignedDuration) {
        let mut now = self.clock.0.lock().unwrap();
        *now += time;
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The numbers of all volunteers.
    pub fn numbers(&self) -> Vec<CertificateNumber> {
        let people = self.wait(self.federation.volunteers(&Default::default())).unwrap();
        people.iter().map(|person| CertificateNumber::parse(&person.number).unwrap()).collect()
    }

    /// The text of a number's code.
    pub fn text(&self, number: CertificateNumber) -> String {
        self.wait(self.federation.card_text(number)).unwrap()
    }

    /// A partner whose agreement holds all of this year and the next.
    pub fn partner(&self, name: &str) -> PartnerId {
        let draft = PartnerDraft {
            name: name.into(),
            kind: None,
            contact: None,
            agreement_number: format!("普志联〔2026〕{name}号"),
            from: "2026-01-01".parse().unwrap(),
            to: "2027-12-31".parse().unwrap(),
        };
        PartnerId(self.wait(self.federation.add_partner(draft)).unwrap().id)
    }

    /// An offer for everybody, once a day.
    pub fn offer(&self, partner: PartnerId, title: &str) -> String {
        let draft = OfferDraft {
            kind: OfferKind::Discount,
            title: title.into(),
            terms: String::new(),
            min_star: 0,
            from: None,
            to: None,
            weekdays: Weekdays::ALL,
            hours: Vec::new(),
            limits: OfferLimits { per_day: Some(1), ..OfferLimits::default() },
            identity_check: false,
            max_status_age: None,
        };
        self.wait(self.federation.add_offer(partner, draft)).unwrap().id.to_string()
    }

    /// A one-time code for a device of this partner.
    pub fn code(&self, partner: PartnerId) -> String {
        let link = self.wait(self.federation.enrolment_link(partner, None, None, 7)).unwrap().link;
        let (_, fragment) = link.split_once("#enrol=").unwrap();
        fragment.split('&').next().unwrap().to_owned()
    }

    /// A device of this partner, enrolled through the server.
    pub fn device(&self, partner: PartnerId) -> TestDevice {
        let request = serde_json::json!({"code": self.code(partner), "device": "收银台1"});
        let answer = self.post("/v1/enrolments", &request);
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let answer = answer.json();
        TestDevice {
            token: answer["token"].as_str().unwrap().to_owned(),
            id: answer["device_id"].as_str().unwrap().parse().unwrap(),
        }
    }

    /// Sends a request as a peer on this machine, unless it says where it comes from.
    pub fn send(&self, mut request: Request<Body>) -> Answer {
        if request.extensions().get::<ConnectInfo<SocketAddr>>().is_none() {
            from(&mut request, "127.0.0.1");
        }
        self.wait(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
            Answer { status: parts.status, headers: parts.headers, body }
        })
    }

    /// GET.
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// GET with headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request(Method::GET, path, headers, Body::empty()))
    }

    /// GET with a token.
    pub fn get_as(&self, device: &TestDevice, path: &str) -> Answer {
        self.get_with(path, &[("authorization", &format!("Bearer {}", device.token))])
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(request(Method::POST, path, &[("content-type", "application/json")], body.to_string().into()))
    }

    /// POST of JSON with a token.
    pub fn post_as(&self, device: &TestDevice, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", device.token);
        let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
        self.send(request(Method::POST, path, &headers, body.to_string().into()))
    }
}

impl Home {
    fn url(&self) -> DatabaseUrl {
        match self.database.url() {
            Some(url) => DatabaseUrl::parse(url).unwrap(),
            None => DatabaseUrl::sqlite(self.folder.path().join("zyz.db")),
        }
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// A header as text; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that this is the problem of this status and name.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["code"].as_str()), (status, Some(code)), "{body}");
        assert_eq!(body["status"], status);
        assert!(!body["title"].as_str().unwrap().is_empty());
    }

    /// Asserts success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{} {self:?}", String::from_utf8_lossy(&self.body));
        self
    }
}

/// A request.
pub fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body).unwrap()
}

/// Says where a request comes from.
pub fn from(request: &mut Request<Body>, address: &str) {
    let peer = SocketAddr::new(address.parse().unwrap(), 40000);
    request.extensions_mut().insert(ConnectInfo(peer));
}

fn passphrase() -> Passphrase {
    Passphrase::new("ein Passwort 口令").unwrap()
}
