//! What the node counts beyond the requests, for `/metrics`.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use zyz_credential::Verdict;
use zyz_http::metrics::Metrics;

use crate::ledger::SyncMemory;

/// The node's measurements.
#[derive(Clone)]
pub struct Measures {
    /// Those of both servers.
    pub common: Arc<Metrics>,
    redemptions: Counter,
    reversals: Counter,
    rounds: Family<Outcomes, Counter>,
    queue: Gauge,
    bundle_version: Gauge,
    bundle_issued: Gauge,
    synced: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcomes {
    outcome: &'static str,
}

impl Default for Measures {
    fn default() -> Self {
        let (redemptions, reversals, rounds) = (Counter::default(), Counter::default(), Family::default());
        let [queue, bundle_version, bundle_issued, synced] = std::array::from_fn(|_| Gauge::default());
        let common = Metrics::new(|registry| {
            registry.register("node_redemptions", "Offers given", Counter::clone(&redemptions));
            registry.register("node_reversals", "Offers taken back", Counter::clone(&reversals));
            registry.register("node_sync_rounds", "Rounds of syncing, by their first failure", Family::clone(&rounds));
            registry.register("node_queue", "Entries that the federation does not know yet", Gauge::clone(&queue));
            registry.register("node_bundle_version", "Version of the bundle in force", Gauge::clone(&bundle_version));
            let issued = "When the bundle in force was signed, seconds since 1970";
            registry.register("node_bundle_issued_seconds", issued, Gauge::clone(&bundle_issued));
            let since = "When a round of syncing last went well, seconds since 1970";
            registry.register("node_synced_seconds", since, Gauge::clone(&synced));
        });
        Self { common: Arc::new(common), redemptions, reversals, rounds, queue, bundle_version, bundle_issued, synced }
    }
}

impl Measures {
    pub(super) fn judged(&self, verdict: &Verdict) {
        self.common.judged(verdict);
    }

    pub(super) fn redeemed(&self) {
        self.redemptions.inc();
        self.queue.inc();
    }

    pub(super) fn reversed(&self) {
        self.reversals.inc();
    }

    pub(super) fn synced(&self, outcome: &'static str, memory: &SyncMemory) {
        self.rounds.get_or_create(&Outcomes { outcome }).inc();
        self.synced.set(signed(memory.succeeded_at.unwrap_or(0)));
    }

    pub(super) fn queue(&self, waiting: u64) {
        self.queue.set(signed(waiting));
    }

    pub(super) fn bundle(&self, version: u64, issued_at: u64) {
        self.bundle_version.set(signed(version));
        self.bundle_issued.set(signed(issued_at));
    }
}

impl std::fmt::Debug for Measures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measures").finish_non_exhaustive()
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
