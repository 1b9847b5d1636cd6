//! What the node's own HTTP interface takes and gives, beyond what it shares with the federation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use zyz_credential::Verdict;
use zyz_http::json::{Bounds, TooLong, longest};
use zyz_http::problem::Problem;
use zyz_http::schema;
use zyz_http::wire::PartnerInfo;

use super::health::Trouble;

/// `POST /v1/redemptions`: gives an offer to the holder of a card.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedemptionRequest {
    /// Text of the code, as scanned.
    #[schema(max_length = 4096)]
    pub code: String,
    /// The offer's id, as in the verdict.
    #[schema(max_length = 64)]
    pub offer: String,
}

impl Bounds for RedemptionRequest {
    fn too_long(&self) -> Option<TooLong> {
        longest(&[("code", &self.code, 4096), ("offer", &self.offer, 64)])
    }
}

/// An offer given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Redeemed {
    /// Names it, here and at the federation.
    pub id: Uuid,
    /// The offer's id.
    pub offer: String,
    /// The offer's title at that time.
    pub title: String,
    /// Certificate number, ten digits.
    pub number: String,
    /// Masked name, if the card carries it; cleared after 90 days.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub redeemed_at: Timestamp,
}

/// An offer taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReversedUse {
    /// The use.
    pub id: Uuid,
    /// When it was taken back, the first time this was asked.
    #[schema(value_type = String, format = DateTime)]
    pub reversed_at: Timestamp,
}

/// How many entries of the history.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// 1 to 500; 50 unless said otherwise.
    #[param(minimum = 1, maximum = 500)]
    #[serde(default = "fifty")]
    pub limit: u32,
}

fn fifty() -> u32 {
    50
}

/// The newest uses first, of 90 days.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct History {
    /// The uses.
    pub redemptions: Vec<HistoryEntry>,
}

/// A use in the history.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// The use.
    #[serde(flatten)]
    pub redeemed: Redeemed,
    /// When it was taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub reversed_at: Option<Timestamp>,
    /// Whether the federation has answered for it and for its reversal.
    pub sent: bool,
    /// Whether the federation did not take it.
    pub refused: bool,
    /// How the card stood, as the federation knew when it got the use: `valid`, `revoked`, …
    pub standing: Option<String>,
}

/// A verdict with what is wrong at this node.
#[derive(Debug, Serialize)]
pub struct NodeVerdict {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What is wrong here; left out when nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Trouble>,
}

/// [`NodeVerdict`], described.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeVerdictSchema {
    /// The verdict, as the federation's.
    #[serde(flatten)]
    pub verdict: schema::Verdict,
    /// What is wrong at this node; left out when nothing is.
    #[schema(nullable = false)]
    pub problems: Option<Vec<Trouble>>,
}

/// Why an offer was not given: the problem, and the verdict on the card.
#[derive(Debug, Serialize)]
pub struct NotGiven {
    /// `code` is the reason of the verdict, the word why not eligible, or `unknown_offer`.
    #[serde(flatten)]
    pub problem: Problem,
    /// The verdict.
    pub verdict: Box<Verdict>,
}

/// [`NotGiven`], described.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotGivenSchema {
    /// The problem.
    #[serde(flatten)]
    pub problem: Problem,
    /// The verdict.
    pub verdict: schema::Verdict,
}

/// `GET /v1/status`
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Status {
    /// Of this program.
    pub version: &'static str,
    /// The machine's clock.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// Whose node this is.
    pub partner: PartnerInfo,
    /// What this device is called.
    pub device: String,
    /// The federation's server.
    pub server: String,
    /// What it judges by; `null` before the first bundle.
    pub bundle: Option<BundleStatus>,
    /// How syncing goes.
    pub last_sync: SyncStatus,
    /// When the next round is due.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_sync: Option<Timestamp>,
    /// What the federation does not know yet.
    pub queue: QueueStatus,
    /// What the federation did not take; never sent again. At most 50, the newest first.
    pub refused: Vec<RefusedUse>,
    /// The machine's clock against what is known.
    pub clock: ClockStatus,
    /// What is wrong, the gravest first.
    pub problems: Vec<Trouble>,
}

/// The bundle in force.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct BundleStatus {
    /// Its version.
    pub version: u64,
    /// Of the trust list in it.
    pub trust_list_version: u64,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
    /// From then on every good card is only a caution.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Seconds since it was signed.
    pub age_seconds: u64,
    /// How many offers it has.
    pub offers: usize,
}

/// How the last round of syncing went.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SyncStatus {
    /// When it ended; `null` before the first since the start.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// `ok`, `none` before the first, or the name of the first failure: `unreachable`, `timeout`, `tls`, `token_revoked`, …
    pub outcome: &'static str,
    /// The failure in words.
    pub message: Option<String>,
    /// When a round last went well, over restarts.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub succeeded_at: Option<Timestamp>,
    /// Since when every round has failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
}

/// What waits to be sent.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct QueueStatus {
    /// Uses and reversals.
    pub waiting: u64,
    /// When the oldest was given or taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest: Option<Timestamp>,
}

/// A use that the federation did not take.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefusedUse {
    /// The use.
    pub id: Uuid,
    /// `conflict` or `refused`.
    pub outcome: String,
    /// The offer's title.
    pub title: String,
    /// Certificate number, ten digits.
    pub number: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub redeemed_at: Timestamp,
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ClockStatus {
    /// The newest signed time seen: no clock before it is believed.
    #[schema(value_type = String, format = DateTime)]
    pub newest_signed: Timestamp,
    /// Seconds by which it was ahead of the server's at the last round; `null` before the first.
    pub ahead_seconds: Option<i64>,
    /// Whether it is behind the newest signed time.
    pub suspect: bool,
}
