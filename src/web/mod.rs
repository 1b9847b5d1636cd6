//! The federation's HTTP interface: `zyz serve`.
//!
//! [`router`] is the whole table of routes with who may call each; `access` holds callers to it, so a handler gets a partner's
//! device as a fact. One file an endpoint; `error` maps each operation's refusals to a problem, once.
//!
//! Invariant: names no `store`; everything goes through `service`.
//! To add a route: a handler in its file with its `utoipa::path`, a row in [`router::ROUTES`], its name in `openapi`, a case
//! in `tests/routes`.

mod access;
mod base;
mod bundle;
pub mod console;
mod enrolment;
mod error;
mod federation;
mod health;
mod jobs;
mod lookup;
mod negotiate;
mod openapi;
mod recount;
mod redemption;
mod refresh;
pub mod router;
pub mod server;
mod status_list;
pub mod tls;
mod verify;

use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use zyz_http::layers::Settings;
use zyz_http::limit::{Limiter, Rate, Ticks, TrustedProxies};
use zyz_http::metrics::Metrics;
use zyz_http::wire::FederationInfo;

use crate::config::Config;
use crate::service::{Federation, ServiceError};

pub use refresh::Refreshed;

/// How the server is run.
#[derive(Clone)]
pub struct Options {
    /// What anonymous clients may ask, by client address. Default 600 a minute, 120 at once.
    pub anonymous: Rate,
    /// What a partner's device may ask. Default 1,200 a minute, 240 at once.
    pub device: Rate,
    /// How often one client address may try a one-time code. Default 60 a minute; a code has 128 bits.
    pub enrolment: Rate,
    /// Time for the limits above.
    pub ticks: Ticks,
    /// Whose `X-Forwarded-For` is believed. Default nobody's.
    pub trusted: TrustedProxies,
    /// The bearer token with which `/metrics` answers peers elsewhere. Default none: loopback only.
    pub metrics_token: Option<MetricsToken>,
    /// Bounds of every request. `hsts` is for TLS by this process.
    pub bounds: Bounds,
}

/// Bounds of every request; see [`Settings`].
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Longest body, bytes.
    pub body: usize,
    /// Requests handled at the same time.
    pub concurrency: usize,
    /// How long a handler may take.
    pub patience: std::time::Duration,
    /// Whether answers tell browsers to keep to HTTPS.
    pub hsts: bool,
}

/// A token for `/metrics`, kept as its SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct MetricsToken([u8; 32]);

impl MetricsToken {
    /// Of the token's text.
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

impl std::fmt::Debug for MetricsToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MetricsToken(…)")
    }
}

impl Default for Options {
    fn default() -> Self {
        let bounds = Settings::new(Arc::new(Metrics::default()));
        Self {
            anonymous: Rate::new(600, 120),
            device: Rate::new(1200, 240),
            enrolment: Rate::new(60, 60),
            ticks: Ticks::monotonic(),
            trusted: TrustedProxies::default(),
            metrics_token: None,
            bounds: Bounds {
                body: bounds.body,
                concurrency: bounds.concurrency,
                patience: bounds.patience,
                hsts: bounds.hsts,
            },
        }
    }
}

/// What handlers share.
pub struct Web {
    federation: Arc<Federation>,
    about: FederationInfo,
    metrics: Arc<Metrics>,
    measures: refresh::Measures,
    anonymous: Limiter,
    device: Limiter,
    enrolment: Limiter,
    trusted: TrustedProxies,
    metrics_token: Option<MetricsToken>,
    bounds: Bounds,
    base: String,
    refreshed: Mutex<Refreshed>,
}

impl Web {
    /// Longest file that the console takes, bytes: `limits.file_mb`, and something for the form around it.
    fn upload_bytes(&self) -> usize {
        let megabytes = usize::try_from(self.federation.config().limits.file_mb).unwrap_or(usize::MAX >> 20);
        megabytes.saturating_add(1).saturating_mul(1 << 20)
    }
}

/// Handlers' state.
pub(crate) type Shared = Arc<Web>;

impl Web {
    /// Opens the signing keys and signs what is due, so that a server that starts can also answer.
    ///
    /// # Errors
    /// There is no trust list, a key file is missing or does not open, the database fails: each says which command helps.
    pub async fn open(
        federation: Arc<Federation>,
        config: &Config,
        options: Options,
    ) -> Result<Arc<Self>, ServiceError> {
        let root_public_key = federation.root_public_hex().await?;
        federation.trust_list().await?;
        federation.unlock_signing().await?;
        let about =
            FederationInfo { name: config.card.issuer.clone(), root_public_key, phone: config.card.phone.clone() };
        let measures = refresh::Measures::default();
        let metrics = Arc::new(Metrics::new(|registry| measures.register(registry)));
        let limiter = |rate| Limiter::new(rate, options.ticks.clone());
        let web = Arc::new(Self {
            federation,
            about,
            metrics,
            measures,
            anonymous: limiter(options.anonymous),
            device: limiter(options.device),
            enrolment: limiter(options.enrolment),
            trusted: options.trusted,
            metrics_token: options.metrics_token,
            bounds: options.bounds,
            base: base::of(&config.public_url),
            refreshed: Mutex::new(Refreshed::default()),
        });
        web.refresh().await?;
        Ok(web)
    }
}
