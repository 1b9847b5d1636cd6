//! The node itself, without HTTP: judges, gives offers, takes them back, tells how it is.
//!
//! Judging takes no lock beyond the moment in which the present trust state is picked up, and asks the record only for
//! cards whose signature held, about offers with limits, and whose number has uses at all.

mod guard;
mod health;
mod measures;
mod routes;
mod status;
pub mod wire;

use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::Notify;
use uuid::Uuid;
use zyz_credential::{Ineligible, Outcome, Seconds, Verdict, judge};
use zyz_http::wire::FederationInfo;

use crate::clock::{Machine, seconds};
use crate::data::DataDir;
use crate::ledger::{Identity, Ledger, LedgerError, NewUse, Recorded, Reversed, SyncMemory, Use};
use crate::root::{RootError, RootKey};
use crate::sync::Round;
use crate::trust::{Current, Trust, TrustError};

pub use guard::{Access, ApiKey, ApiKeyError, OpenToOthers};
pub use health::{Health, Trouble};
pub use measures::Measures;
pub use routes::{openapi, router};

/// A running node.
#[derive(Debug)]
pub struct Node {
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) ledger: Ledger,
    pub(crate) trust: Trust,
    pub(crate) identity: Identity,
    pub(crate) health: Health,
    pub(crate) sync_wanted: Notify,
    measures: Measures,
    federation: RwLock<Option<FederationInfo>>,
    max_age: Option<u64>,
}

/// Why a node does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Nobody has enrolled here.
    #[error("本机还没有登记。请先运行 zyz-verify enrol 登记链接")]
    NotEnrolled,
    /// The root key kept is not one.
    #[error(transparent)]
    Root(#[from] RootError),
    /// What is believed cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The record cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why an offer was not given.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RedeemError {
    /// The card is not good.
    #[error("the card is rejected")]
    Rejected(Box<Verdict>),
    /// The bundle in force has no such offer.
    #[error("there is no such offer")]
    UnknownOffer(Box<Verdict>),
    /// The holder does not get it now.
    #[error("the holder is not eligible: {reason}")]
    Ineligible {
        /// Why.
        reason: Ineligible,
        /// The star that the offer asks for.
        min_star: u8,
        /// On the card.
        verdict: Box<Verdict>,
    },
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for something else")]
    KeyReused,
    /// It could not be kept, and so was not given.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// An offer given, now or under this key before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// Now.
    New(Use),
    /// Before.
    Before(Use),
}

impl Node {
    /// Takes up what the data folder holds.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn open(
        data: DataDir,
        ledger: Ledger,
        machine: Arc<dyn Machine>,
        max_age: Option<u64>,
    ) -> Result<Self, NodeError> {
        let identity = ledger.identity().await?.ok_or(NodeError::NotEnrolled)?;
        let root = RootKey::from_hex(&identity.root).ok_or(LedgerError::Content("root"))??;
        let trust = Trust::load(data, &root)?;
        let federation = RwLock::new(ledger.federation().await?);
        let health = Health::new(ledger.sync_memory().await?);
        let measures = Measures::default();
        let node = Self {
            machine,
            ledger,
            trust,
            identity,
            health,
            measures,
            federation,
            max_age,
            sync_wanted: Notify::new(),
        };
        node.measure().await;
        Ok(node)
    }

    /// Judges a text, and counts the uses of this partner's limited offers.
    pub async fn verify(&self, text: &str) -> Verdict {
        let (verdict, _) = self.judge(text).await;
        self.measures.judged(&verdict);
        verdict
    }

    /// Gives an offer to the holder of the card with this code; whoever asks again under the same key gets the same answer.
    ///
    /// # Errors
    /// [`RedeemError`]: the offer was not given.
    pub async fn redeem(&self, key: &str, text: &str, offer: &str) -> Result<Given, RedeemError> {
        let content: [u8; 32] =
            Sha256::new().chain_update(offer).chain_update([0]).chain_update(text.trim()).finalize().into();
        if let Some((known, before)) = self.ledger.by_key(key).await? {
            return if before == content { Ok(Given::Before(known)) } else { Err(RedeemError::KeyReused) };
        }
        let (verdict, at) = self.judge(text).await;
        let verdict = Box::new(verdict);
        let (Outcome::Accept | Outcome::Caution, Some(card), Some(status)) =
            (verdict.verdict, &verdict.certificate, &verdict.status)
        else {
            return Err(RedeemError::Rejected(verdict));
        };
        let offers = verdict.offers.iter().flatten();
        let Some(judged) = offers.into_iter().find(|judged| judged.offer.id == offer) else {
            return Err(RedeemError::UnknownOffer(verdict));
        };
        let min_star = judged.offer.min_star;
        if let Err(reason) = judged.eligibility {
            return Err(RedeemError::Ineligible { reason, min_star, verdict });
        }
        let new = NewUse {
            id: self.new_id(),
            idempotency_key: key.to_owned(),
            content,
            offer: offer.to_owned(),
            title: judged.offer.title.clone(),
            limits: judged.offer.limits,
            number: card.number,
            holder: card.holder.map(|holder| holder.to_string()),
            key_id: card.key_id.to_string(),
            issued_at: card.issued_at,
            redeemed_at: at,
            bundle_version: status.bundle_version,
        };
        let recorded = self.ledger.redeem(new).await;
        self.health.wrote(&recorded);
        match recorded? {
            Recorded::New(given) => {
                self.measures.redeemed();
                tracing::info!(id = %given.id, offer = %given.offer, "offer given");
                self.report_soon();
                Ok(Given::New(given))
            }
            Recorded::Repeated(given) => Ok(Given::Before(given)),
            Recorded::KeyReused => Err(RedeemError::KeyReused),
            // Somebody else was faster: judge again, so that the verdict says so too.
            Recorded::Limit(reason) => {
                Err(RedeemError::Ineligible { reason, min_star, verdict: Box::new(self.judge(text).await.0) })
            }
        }
    }

    /// Takes a use back.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn reverse(&self, id: Uuid) -> Result<Reversed, LedgerError> {
        let reversal = self.new_id();
        let reversed = self.ledger.reverse(id, reversal, self.now_believed(&self.trust.current())).await;
        self.health.wrote(&reversed);
        if let Ok(Reversed::At(_)) = reversed {
            self.measures.reversed();
            tracing::info!(%id, "offer taken back");
            self.report_soon();
        }
        reversed
    }

    /// The newest uses first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn history(&self, most: u32) -> Result<Vec<Use>, LedgerError> {
        self.ledger.history(self.now_believed(&self.trust.current()), most).await
    }

    /// Asks for a round of syncing soon.
    pub fn sync_soon(&self) {
        self.sync_wanted.notify_one();
    }

    /// The partner's other devices should know of a use soon. While the federation cannot be reached the schedule's
    /// growing pauses hold.
    fn report_soon(&self) {
        if self.health.facts().memory.failing_since.is_none() {
            self.sync_soon();
        }
    }

    /// Writes what is in the log of the record into its file, and lets go of the folder.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing is lost then.
    pub async fn close(self) -> Result<(), LedgerError> {
        self.ledger.close().await
    }

    /// Who issues the cards: as it said itself, or what enrolment and the trust list say.
    pub fn federation_known(&self) -> FederationInfo {
        self.federation_info().unwrap_or_else(|| {
            let current = self.trust.current();
            let issuer = current.state.trust_list().and_then(|list| list.issuing_keys.last());
            let name = issuer.map_or_else(|| "联合会".to_owned(), |key| key.issuer.clone());
            FederationInfo { name, root_public_key: self.identity.root.clone(), phone: String::new() }
        })
    }

    pub(crate) fn federation_info(&self) -> Option<FederationInfo> {
        self.federation.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_federation_info(&self, info: FederationInfo) {
        *self.federation.write().unwrap_or_else(PoisonError::into_inner) = Some(info);
    }

    pub(crate) async fn synced(&self, round: &Round, memory: &SyncMemory) {
        self.health.synced(round, memory, self.machine.now());
        self.measures.synced(round.failures.first().map_or("ok", |failure| failure.code()), memory);
        self.measure().await;
    }

    async fn measure(&self) {
        let current = self.trust.current();
        if let Some(bundle) = current.bundle {
            self.measures.bundle(bundle.bundle_version, bundle.issued_at);
        }
        if let Ok(queue) = self.ledger.queue(self.now_believed(&current)).await {
            self.measures.queue(queue.waiting);
        }
    }

    /// The verdict with uses counted, and the moment it was judged at.
    async fn judge(&self, text: &str) -> (Verdict, Seconds) {
        let current = self.trust.current();
        let at = self.now_believed(&current);
        let mut verdict = judge(text, &current.state, seconds(self.machine.now()), self.max_age);
        if let Some(number) = verdict.certificate.map(|card| card.number)
            && self.ledger.may_have_uses(&number)
        {
            let mut counted = Vec::new();
            for judged in verdict.offers.iter().flatten() {
                if judged.eligibility.is_ok() && !judged.offer.limits.are_none() {
                    match self.ledger.uses(&number, &judged.offer.id).await {
                        Ok(uses) => counted.push((judged.offer.id.clone(), uses)),
                        // The verdict on the card stands; whoever then gives the offer is told of the failure.
                        Err(error) => tracing::error!(%error, "uses could not be counted"),
                    }
                }
            }
            if !counted.is_empty() {
                verdict.count_uses(at, |_, offer| {
                    counted.iter().find(|(id, _)| id == offer).map(|(_, uses)| uses.clone()).unwrap_or_default()
                });
            }
        }
        (verdict, at)
    }

    /// The machine's clock, as far as it is believed.
    fn now_believed(&self, current: &Current) -> Seconds {
        seconds(self.machine.now()).max(current.state.newest_signed())
    }

    fn new_id(&self) -> Uuid {
        let mut random = [0; 10];
        self.machine.fill(&mut random);
        let millis = self.machine.now().as_millisecond().try_into().unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}
