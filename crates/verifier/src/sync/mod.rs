//! Keeping up with the federation: sends what waits, fetches what is new, and says how that went.
//!
//! A round is [`Syncer::round`]; [`Syncer::run`] makes rounds by the [`Schedule`] until told to stop. No failure here
//! changes what is believed: a bundle is taken whole or not at all ([`crate::trust`]), an entry leaves the queue only when
//! the federation has answered for it.

mod schedule;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::watch;
use zyz_http::wire::RedemptionBatch;

use crate::client::{Answer, Audience, ClientError, Federation, Fetched};
use crate::clock::seconds;
use crate::ledger::{LedgerError, SyncMemory};
use crate::node::Node;
use crate::trust::TrustError;

pub use schedule::{Moment, Schedule};

/// How often the clocks are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Old entries are cleared away, and the federation's name asked for, once in so many seconds.
const DAY: u64 = 86_400;

/// One of the things that a round does, and how it went.
#[derive(Debug, Default)]
pub struct Round {
    /// Entries that the federation answered for.
    pub sent: u64,
    /// Version of a bundle that was new.
    pub new_bundle: Option<u64>,
    /// How far the machine's clock is ahead of the server's, seconds (behind: negative).
    pub clock_ahead: Option<i64>,
    /// What went wrong, in order.
    pub failures: Vec<SyncError>,
}

/// What went wrong in a round.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The server gave no usable answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The bundle was not taken.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The own record failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The server answered for nothing of what was sent.
    #[error("服务器没有说明上传的记录是否收到。记录保留在本机，稍后自动重试")]
    Unanswered,
    /// A thread of this program died.
    #[error("本机程序内部出错")]
    Internal,
}

/// The node and the server it syncs with.
#[derive(Debug, Clone)]
pub struct Syncer {
    node: Arc<Node>,
    federation: Federation,
}

impl Syncer {
    /// Syncs `node` with `federation`.
    pub fn new(node: Arc<Node>, federation: Federation) -> Self {
        Self { node, federation }
    }

    /// Makes rounds, the first at once, until `stop` says so. A round under way is finished.
    pub async fn run(&self, every: Duration, mut stop: watch::Receiver<bool>) {
        let mut schedule = Schedule::new(every, self.moment());
        while !*stop.borrow() {
            if schedule.is_due(self.moment()) {
                let round = self.round().await;
                let random = self.random();
                match round.failures.is_empty() {
                    true => schedule.succeeded(self.moment(), random),
                    false => schedule.failed(self.moment(), random),
                }
            }
            let remaining = schedule.remaining(self.moment());
            self.node.health.set_next_sync(self.moment().wall.checked_add(remaining).ok());
            tokio::select! {
                () = tokio::time::sleep(remaining.clamp(Duration::from_millis(10), LOOK)) => {}
                () = self.node.sync_wanted.notified() => schedule.now(self.moment()),
                _ = stop.changed() => {}
            }
        }
    }

    /// One round: the queue, the bundle, the housekeeping. Each is tried even if another failed.
    pub async fn round(&self) -> Round {
        let mut round = Round::default();
        let mut memory = match self.node.ledger.sync_memory().await {
            Ok(memory) => memory,
            Err(error) => {
                round.failures.push(error.into());
                SyncMemory::default()
            }
        };
        let before = memory.clone();
        let revoked = self.send_queue(&mut round).await.is_err_and(|error| {
            let revoked = matches!(error, SyncError::Client(ClientError::TokenRevoked));
            round.failures.push(error);
            revoked
        });
        if !revoked && let Err(error) = self.fetch_bundle(&mut round, &mut memory).await {
            round.failures.push(error);
        }
        if round.failures.is_empty()
            && let Err(error) = self.keep_house(&mut memory).await
        {
            round.failures.push(error);
        }
        let now = seconds(self.node.machine.now());
        if round.failures.is_empty() {
            (memory.succeeded_at, memory.failing_since) = (Some(now), None);
        } else {
            memory.failing_since = memory.failing_since.or(Some(now));
        }
        if memory != before
            && let Err(error) = self.node.ledger.set_sync_memory(&memory).await
        {
            round.failures.push(error.into());
        }
        self.report(&round, &memory).await;
        round
    }

    async fn send_queue(&self, round: &mut Round) -> Result<(), SyncError> {
        while let Some(batch) = self.node.ledger.next_batch().await? {
            let answer = self.send(batch).await?;
            self.compare_clocks(round, answer.date);
            let at = seconds(self.node.machine.now());
            let acknowledged = self.node.ledger.acknowledge(&answer.value, at).await?;
            round.sent += acknowledged.struck;
            if acknowledged.refused > 0 {
                tracing::warn!(entries = acknowledged.refused, "the federation did not take some entries");
            }
            if acknowledged.struck == 0 {
                return Err(SyncError::Unanswered);
            }
        }
        Ok(())
    }

    async fn send(&self, batch: RedemptionBatch) -> Result<Answer<zyz_http::wire::BatchResult>, SyncError> {
        let token = self.node.identity.token.clone();
        self.ask(move |federation| federation.send(&token, &batch)).await
    }

    async fn fetch_bundle(&self, round: &mut Round, memory: &mut SyncMemory) -> Result<(), SyncError> {
        let token = self.node.identity.token.clone();
        // Without a bundle there is nothing that could be unchanged.
        let etag = memory.etag.clone().filter(|_| self.node.trust.current().bundle.is_some());
        let own = self.ask(move |federation| federation.bundle(Audience::Partner(&token), etag.as_deref())).await;
        let (answer, own) = match own {
            Ok(answer) => (answer, true),
            // What everybody gets still says who left; it has no offers, and so ends this partner's.
            Err(SyncError::Client(ClientError::AgreementEnded)) => {
                round.failures.push(ClientError::AgreementEnded.into());
                (self.ask(|federation| federation.bundle(Audience::Public, None)).await?, false)
            }
            Err(error) => return Err(error),
        };
        self.compare_clocks(round, answer.date);
        let Fetched::Bundle { bytes, etag } = answer.value else { return Ok(()) };
        let node = Arc::clone(&self.node);
        let accepted = tokio::task::spawn_blocking(move || node.trust.accept(&bytes));
        let accepted = accepted.await.map_err(|_| SyncError::Internal)??;
        memory.etag = etag.filter(|_| own);
        if accepted.new {
            round.new_bundle = Some(accepted.bundle_version);
            tracing::info!(version = accepted.bundle_version, issued_at = accepted.issued_at, "a new bundle");
        }
        Ok(())
    }

    async fn keep_house(&self, memory: &mut SyncMemory) -> Result<(), SyncError> {
        let now = seconds(self.node.machine.now());
        if now.abs_diff(memory.pruned_at) < DAY && self.node.federation_info().is_some() {
            return Ok(());
        }
        memory.pruned_at = now;
        let info = self.ask(|federation| federation.info()).await?.value;
        // Somebody else's root means somebody else: the name is not taken over.
        if info.root_public_key.eq_ignore_ascii_case(&self.node.identity.root) {
            self.node.ledger.set_federation(&info).await?;
            self.node.set_federation_info(info);
        }
        let trust = self.node.trust.current();
        let counted = trust.state.offers().iter().filter(|offer| offer.limits.in_all.is_some());
        let counted: Vec<String> = counted.map(|offer| offer.id.clone()).collect();
        let gone = self.node.ledger.prune(trust.state.newest_signed(), &counted).await?;
        if gone > 0 {
            tracing::info!(entries = gone, "old entries cleared away");
        }
        Ok(())
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Federation) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, SyncError> {
        let federation = self.federation.clone();
        let answer = tokio::task::spawn_blocking(move || question(&federation));
        Ok(answer.await.map_err(|_| SyncError::Internal)??)
    }

    fn compare_clocks(&self, round: &mut Round, date: Option<Timestamp>) {
        if let Some(date) = date {
            round.clock_ahead = Some(self.node.machine.now().as_second() - date.as_second());
        }
    }

    async fn report(&self, round: &Round, memory: &SyncMemory) {
        for failure in &round.failures {
            tracing::warn!(code = failure.code(), %failure, "sync failed");
        }
        self.node.synced(round, memory).await;
    }

    fn moment(&self) -> Moment {
        Moment { wall: self.node.machine.now(), uptime: self.node.machine.uptime() }
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.node.machine.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

impl SyncError {
    /// Names it for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Client(ClientError::Unreachable(_)) => "unreachable",
            Self::Client(ClientError::Timeout) => "timeout",
            Self::Client(ClientError::Tls(_)) => "tls",
            Self::Client(ClientError::Incomplete) => "incomplete",
            Self::Client(ClientError::TooLarge) => "too_large",
            Self::Client(ClientError::Redirect) => "redirect",
            Self::Client(ClientError::TokenRevoked) => "token_revoked",
            Self::Client(ClientError::AgreementEnded) => "agreement_ended",
            Self::Client(ClientError::Refused { .. }) => "refused",
            Self::Client(ClientError::Unavailable(_)) => "unavailable",
            Self::Client(ClientError::Unexpected(_)) => "unexpected",
            Self::Trust(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Unanswered => "unanswered",
            Self::Internal => "internal",
        }
    }
}
