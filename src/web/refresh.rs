//! Keeping what is published up to date: looks at the end of the audit chain often, which is cheap, and has everything due
//! signed when it moved or time is up.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Web;
use crate::service::ServiceError;
use crate::service::bundles::{Audience, BundleError};

/// At the latest after so long everything is looked at, moved or not: signatures age.
const AT_LATEST_SECONDS: i64 = 30;

/// What the last look found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Refreshed {
    /// The audit chain's end at which everything was up to date.
    pub seq: Option<i64>,
    /// When that was.
    pub at: Option<Timestamp>,
}

/// Measurements of publication.
#[derive(Debug, Default, Clone)]
pub(super) struct Measures {
    bundle_version: Gauge<i64>,
    bundle_issued: Gauge<i64>,
    bundle_expires: Gauge<i64>,
    failures: Counter<u64, AtomicU64>,
}

impl Measures {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("bundle_version", "Version of the newest public bundle", self.bundle_version.clone());
        registry.register(
            "bundle_issued_timestamp_seconds",
            "When the newest public bundle was signed",
            self.bundle_issued.clone(),
        );
        registry.register(
            "bundle_expires_timestamp_seconds",
            "When the newest public bundle expires",
            self.bundle_expires.clone(),
        );
        registry.register("refresh_failures", "Looks at what is due that failed", self.failures.clone());
    }
}

impl Web {
    /// One look: signs what is due if anything changed since the last one, or that was long ago. Returns whether it looked
    /// closely.
    ///
    /// # Errors
    /// The database or a key fails; the next look tries again.
    pub async fn refresh(&self) -> Result<bool, ServiceError> {
        let now = self.federation.now();
        let seq = self.federation.state_seq().await?;
        let last = *self.refreshed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let recent = last.at.is_some_and(|at| (0..AT_LATEST_SECONDS).contains(&(now.as_second() - at.as_second())));
        if last.seq == Some(seq) && recent {
            return Ok(false);
        }
        self.federation.refresh().await?;
        let bundle = self.federation.bundle_for(Audience::Public).await.map_err(|error| match error {
            // The public has no partner to be unknown.
            BundleError::UnknownPartner { .. } => ServiceError::Aborted,
            BundleError::Service(error) => error,
        })?;
        self.measures.bundle_version.set(i64::try_from(bundle.version).unwrap_or(i64::MAX));
        self.measures.bundle_issued.set(bundle.issued_at.as_second());
        self.measures.bundle_expires.set(bundle.expires_at.as_second());
        *self.refreshed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Refreshed { seq: Some(seq), at: Some(now) };
        Ok(true)
    }

    /// Looks every `every` until `stop` ends. A failure is logged and counted, and tried again at the next look.
    pub async fn keep_refreshed(self: Arc<Self>, every: Duration, stop: impl Future<Output = ()> + Send) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.refresh().await {
                self.measures.failures.inc();
                tracing::error!(%error, "what is published could not be brought up to date");
            }
        }
    }
}
