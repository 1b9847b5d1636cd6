//! Descriptions, for the OpenAPI documents of both servers, of what the credential core writes as JSON itself. Never made:
//! tests hold them against what is really sent.

use serde::Serialize;
use utoipa::ToSchema;

/// The verdict on one code. `certificate` is there only once the signature held, `offers` and `holder_check` only for
/// `accept` and `caution`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verdict {
    /// The answer.
    pub verdict: Outcome,
    /// The one reason, the first that applies.
    pub reason: Reason,
    /// For people, Chinese: what is so and what to do.
    #[schema(example = "有效 · 三星级志愿者")]
    pub message: String,
    /// What the card says.
    #[schema(nullable = false)]
    pub certificate: Option<Certificate>,
    /// How old the status data is; absent only while there is none.
    #[schema(nullable = false)]
    pub status: Option<StatusAge>,
    /// What the holder gets, the best first.
    #[schema(nullable = false)]
    pub offers: Option<Vec<OfferVerdict>>,
    /// What to look at.
    #[schema(nullable = false, example = "请核对持证人与证件姓名、照片是否一致")]
    pub holder_check: Option<String>,
}

/// The three answers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Good.
    Accept,
    /// The signature is good, but something cannot be known: a person decides.
    Caution,
    /// Not good.
    Reject,
}

/// The reasons, in the order in which they apply.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not this format.
    Malformed,
    /// No issuing key with that key id.
    UnknownKey,
    /// The signature holds under no key with that key id.
    BadSignature,
    /// The issuing key is compromised.
    KeyCompromised,
    /// Issued outside the validity of the issuing key.
    KeyNotValid,
    /// Issued in the future.
    NotYetValid,
    /// Past its expiry.
    Expired,
    /// Revoked for good.
    Revoked,
    /// Suspended for a time.
    Suspended,
    /// Replaced by a newer card.
    Superseded,
    /// The status data is too old.
    StatusStale,
    /// The clock is behind the newest signed time seen.
    ClockSuspect,
    /// Nothing speaks against it.
    Ok,
}

/// What a card whose signature held says.
#[derive(Debug, Serialize, ToSchema)]
pub struct Certificate {
    /// The volunteer's number, ten digits.
    #[schema(pattern = "^[0-9]{10}$", example = "0200012349")]
    pub number: String,
    /// 0 is registered, not yet a star volunteer.
    #[schema(minimum = 0, maximum = 5)]
    pub star: u8,
    /// Masked name, if the card carries it.
    #[schema(nullable = false, example = "张**")]
    pub holder: Option<String>,
    /// When it was issued.
    #[schema(format = DateTime)]
    pub issued_at: String,
    /// When it expires.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// The issuing key's id.
    #[schema(pattern = "^[0-9a-f]{8}$", example = "1a2b3c4d")]
    pub key_id: String,
}

/// How old the status data is.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusAge {
    /// When the bundle was issued.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Seconds since then.
    pub age_seconds: u64,
    /// The bundle's version.
    pub bundle_version: u64,
}

/// One offer and whether this holder gets it now.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferVerdict {
    /// Names it among the partner's offers.
    pub id: String,
    /// 优先, 优惠, 免费.
    pub kind: OfferKind,
    /// For people.
    pub title: String,
    /// The star that it asks for.
    #[schema(minimum = 0, maximum = 5)]
    pub min_star: u8,
    /// Conditions, for people.
    #[schema(nullable = false)]
    pub terms: Option<String>,
    /// How often one holder may use it.
    #[schema(nullable = false)]
    pub limits: Option<OfferLimits>,
    /// Whether an identity document is to be seen.
    #[schema(nullable = false)]
    pub identity_check: Option<bool>,
    /// Whether the holder gets it now.
    pub eligible: bool,
    /// Why not; only where not eligible.
    #[schema(nullable = false)]
    pub reason: Option<Ineligible>,
}

/// What an offer is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// 优先: served first.
    Priority,
    /// 优惠: for less.
    Discount,
    /// 免费: for nothing.
    Free,
}

/// How often one holder may use an offer; a limit that is absent is none.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferLimits {
    /// A day in Beijing.
    #[schema(nullable = false)]
    pub per_day: Option<u32>,
    /// A calendar month in Beijing.
    #[schema(nullable = false)]
    pub per_month: Option<u32>,
    /// In all.
    #[schema(nullable = false)]
    pub in_all: Option<u32>,
}

/// Why a holder does not get an offer now; the first that applies.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ineligible {
    /// It asks for more stars.
    StarTooLow,
    /// It has not begun.
    NotYet,
    /// It has ended.
    Over,
    /// It does not hold on this day of the week.
    NotToday,
    /// It does not hold at this hour.
    NotInHours,
    /// The status data is older than it accepts.
    StatusTooOld,
    /// Used as often as it may be today.
    UsedToday,
    /// Used as often as it may be this month.
    UsedThisMonth,
    /// Used as often as it may be at all.
    UsedUp,
}

/// How the server is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Health {
    /// Whether it may be given work.
    pub ok: bool,
    /// What was looked at, one by one. Empty for `/healthz`.
    pub checks: Vec<HealthCheck>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HealthCheck {
    /// What.
    pub name: &'static str,
    /// Whether it is in order.
    pub ok: bool,
    /// For the operator, Chinese: what is so, and what to do.
    pub says: String,
}
