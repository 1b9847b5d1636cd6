//! What goes over the wire between partners and the federation. Times are RFC 3339 in UTC; ids of uses are UUIDv7 made by
//! whoever gives the offer, so that sending a batch again changes nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest body of any request, bytes.
pub const MAX_BODY: usize = 256 * 1024;
/// Most entries of one batch of uses.
pub const MAX_BATCH: usize = 500;

/// `POST /v1/verify`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// Text of the code, as scanned: with or without the address in front.
    #[schema(max_length = 4096, example = "https://zyz.example.cn/#01234567890123456")]
    pub code: String,
}

/// `POST /v1/enrolments`: the one-time code of an enrolment link for a token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The link's one-time code.
    #[schema(max_length = 64)]
    pub code: String,
    /// What the partner calls this device: 收银台1.
    #[schema(max_length = 40)]
    pub device: String,
}

/// What enrolment gives. The token is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Enrolment {
    /// For `Authorization: Bearer …`.
    pub token: String,
    /// Names the device among the partner's.
    pub device_id: String,
    /// The partner.
    pub partner: PartnerInfo,
    /// Root public key, 64 hex digits; must be the link's.
    pub root_public_key: String,
}

/// A partner, as it may know itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PartnerInfo {
    /// Key of the partner.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// `GET /v1/federation`: who this is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FederationInfo {
    /// The issuing body's name.
    pub name: String,
    /// Root public key, 64 hex digits.
    pub root_public_key: String,
    /// The federation's telephone; empty if it gave none.
    pub phone: String,
}

/// An offer given to a holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// Made by the partner; version 7.
    pub id: Uuid,
    /// The offer's id in the bundle.
    #[schema(max_length = 64)]
    pub offer: String,
    /// Certificate number, ten digits. Another text is refused as an entry, not with the whole batch.
    #[schema(max_length = 10, example = "0200012349")]
    pub number: String,
    /// Key id of the card, eight hex digits; with `issued_at` it says which card of the volunteer it was. Another text is
    /// refused as an entry, not with the whole batch.
    #[schema(max_length = 8, example = "1a2b3c4d")]
    pub key_id: String,
    /// When the card was issued (its `iat`).
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
    /// When the offer was given, by the partner's clock.
    #[schema(value_type = String, format = DateTime)]
    pub redeemed_at: Timestamp,
    /// Version of the bundle it was judged by.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    #[serde(deserialize_with = "whole")]
    pub bundle_version: u64,
}

/// A use taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reversal {
    /// Made by the partner; version 7.
    pub id: Uuid,
    /// Which use.
    pub redemption: Uuid,
    /// When, by the partner's clock.
    #[schema(value_type = String, format = DateTime)]
    pub reversed_at: Timestamp,
}

/// `POST /v1/redemptions` at the federation: uses first, then reversals; at most [`MAX_BATCH`] together.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedemptionBatch {
    /// Offers given.
    #[serde(default)]
    pub redemptions: Vec<Redemption>,
    /// Uses taken back.
    #[serde(default)]
    pub reversals: Vec<Reversal>,
}

/// What became of a batch, entry by entry in its order. Whatever its outcome, an entry named here need not be sent again.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct BatchResult {
    /// Of the uses.
    pub redemptions: Vec<RedemptionResult>,
    /// Of the reversals.
    pub reversals: Vec<ReversalResult>,
}

/// What became of a use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RedemptionResult {
    /// The use.
    pub id: Uuid,
    /// What became of it.
    pub outcome: EntryOutcome,
    /// How the card stood when the offer was given, as the federation knows now.
    pub standing: Standing,
    /// Whether it was one use too many over all of the partner's devices.
    pub over_limit: bool,
}

/// What became of a reversal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReversalResult {
    /// The reversal.
    pub id: Uuid,
    /// What became of it.
    pub outcome: EntryOutcome,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryOutcome {
    /// Kept now.
    Recorded,
    /// Kept before, the same; nothing changed.
    Repeated,
    /// The id is taken by another entry; not kept.
    Conflict,
    /// A reversal of a use that is not known here (or not this partner's); kept, should the use come later.
    Unmatched,
    /// Not kept: the id is not a UUIDv7, the number or key id has a wrong form, or the time lies over a day ahead.
    Refused,
}

/// How a card stood when an offer was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Good.
    Valid,
    /// Revoked before the offer was given.
    Revoked,
    /// Suspended at that time.
    Suspended,
    /// Replaced by a newer card before.
    Superseded,
    /// Past its validity.
    Expired,
    /// No such card is known.
    Unknown,
}

/// `POST /v1/lookup`: asks for a typed number, where no code can be scanned.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupRequest {
    /// Certificate number; blanks between its groups are allowed.
    #[schema(max_length = 20)]
    pub number: String,
}

/// What is known of a number. Nobody's card has been seen: the holder must be asked for it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LookupResult {
    /// Certificate number, ten digits.
    pub number: String,
    /// How its newest card stands now; `unknown` for a number that was never given.
    pub standing: Standing,
    /// Star on that card.
    pub star: Option<u8>,
    /// Masked name.
    pub holder: Option<String>,
    /// Until when that card is good.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// For people.
    pub message: String,
}

/// Largest whole number that every JSON library keeps exactly.
const MAX_WHOLE: u64 = (1 << 53) - 1;

/// A whole number however it is written: to JSON Schema `1.0` is an integer too.
fn whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    use serde::de::Error;
    let number = serde_json::Number::deserialize(from)?;
    let whole = number.as_u64().or_else(|| {
        let float =
            number.as_f64().filter(|float| float.fract() == 0.0 && *float >= 0.0 && *float <= MAX_WHOLE as f64)?;
        Some(float as u64)
    });
    whole.filter(|whole| *whole <= MAX_WHOLE).ok_or_else(|| D::Error::custom("not a whole number"))
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrolment")
            .field("device_id", &self.device_id)
            .field("partner", &self.partner)
            .finish_non_exhaustive()
    }
}
