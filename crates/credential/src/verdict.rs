//! The verdict on one scanned text: a pure function of the text, the trust state and the time.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use jiff::Timestamp;
use thiserror::Error;

use crate::claims::{Claims, Credential, CredentialError};
use crate::digits::{self, DigitsError};
use crate::holder::Holder;
use crate::key::KeyId;
use crate::number::CertificateNumber;
use crate::offer::{Ineligible, Offer};
use crate::status_list::Status;
use crate::trust::{Loaded, TrustState};
use crate::trust_list::{IssuingKey, KeyState};
use crate::{MAX_TIME, Seconds};

/// How far ahead of the verifier's clock a card may have been issued, in seconds.
pub const ISSUED_AHEAD_LEEWAY: Seconds = 300;

/// What the person at the counter is asked to do with every card that is not rejected.
pub const HOLDER_CHECK: &str = "请核对持证人与证件姓名、照片是否一致";

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// Good.
    Accept,
    /// The signature is good, but something cannot be known: a person decides.
    Caution,
    /// Not good.
    Reject,
}

/// The one reason, the first that applies in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
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
    /// Issued more than [`ISSUED_AHEAD_LEEWAY`] in the future.
    NotYetValid,
    /// Past its expiry.
    Expired,
    /// Revoked for good.
    Revoked,
    /// Suspended for a time.
    Suspended,
    /// Replaced by a newer card.
    Superseded,
    /// The status data is past its expiry or older than the partner wants.
    StatusStale,
    /// The clock is behind the newest signed time seen.
    ClockSuspect,
    /// Nothing speaks against it.
    Ok,
}

/// What was wrong with a malformed text, for engineers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// No bytes in the digits.
    #[error(transparent)]
    Digits(#[from] DigitsError),
    /// The bytes are no credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

/// The answer, as the library, the command line, the node, the federation and the page give it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Verdict {
    /// Accept, caution or reject.
    pub verdict: Outcome,
    /// Why.
    pub reason: Reason,
    /// For people: what is so and what to do.
    pub message: Cow<'static, str>,
    /// What the card says; only once its signature held.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub certificate: Option<Certificate>,
    /// How old the status data is; absent only while there is none.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub status: Option<StatusAge>,
    /// What the holder gets, the best first; only for accept and caution.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub offers: Option<Vec<OfferVerdict>>,
    /// What to look at; only for accept and caution.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub holder_check: Option<&'static str>,
    /// What was malformed; not part of the JSON.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub malformed: Option<Malformed>,
}

/// What a card whose signature held says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Certificate {
    /// The volunteer's number.
    pub number: CertificateNumber,
    /// 0…5.
    pub star: u8,
    /// The masked name, if the card carries it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub holder: Option<Holder>,
    /// When it was issued; RFC 3339 in JSON.
    #[cfg_attr(feature = "serde", serde(serialize_with = "rfc3339"))]
    pub issued_at: Seconds,
    /// When it expires; RFC 3339 in JSON.
    #[cfg_attr(feature = "serde", serde(serialize_with = "rfc3339"))]
    pub expires_at: Seconds,
    /// The issuing key's id.
    pub key_id: KeyId,
}

/// How old the status data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct StatusAge {
    /// When the bundle was issued; RFC 3339 in JSON.
    #[cfg_attr(feature = "serde", serde(serialize_with = "rfc3339"))]
    pub as_of: Seconds,
    /// Seconds since then.
    pub age_seconds: u64,
    /// The bundle's version.
    pub bundle_version: u64,
}

/// One offer and whether this holder gets it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferVerdict {
    /// The offer; of it the JSON has `id`, `kind`, `title`, `min_star`, and where there are any `terms`, `limits` and
    /// `identity_check`.
    pub offer: Arc<Offer>,
    /// Whether; `eligible` and `reason` in the JSON.
    pub eligibility: Result<(), Ineligible>,
    /// The offer's place in the bundle.
    place: usize,
}

/// Judges the text of a scanned code by what `state` knows.
///
/// `now` is the device's clock in seconds since 1970; it is not believed where it is behind the newest signed time seen,
/// so that a clock set back revives no card. `max_age` is the oldest status data, in seconds, that the partner wants.
pub fn judge(text: &str, state: &TrustState, now: Seconds, max_age: Option<u64>) -> Verdict {
    let at = now.max(state.newest_signed());
    let mut verdict = Verdict {
        verdict: Outcome::Reject,
        reason: Reason::Malformed,
        message: Cow::Borrowed(""),
        certificate: None,
        status: state.loaded().map(|loaded| StatusAge {
            as_of: loaded.bundle.issued_at,
            age_seconds: at.saturating_sub(loaded.bundle.issued_at),
            bundle_version: loaded.bundle.version,
        }),
        offers: None,
        holder_check: None,
        malformed: None,
    };
    verdict.reason = match authentic(text, state) {
        Err(Refusal::Malformed(cause)) => {
            verdict.malformed = Some(cause);
            Reason::Malformed
        }
        Err(Refusal::UnknownKey) => Reason::UnknownKey,
        Err(Refusal::BadSignature) => Reason::BadSignature,
        Ok((claims, key, loaded)) => {
            verdict.certificate = Some(Certificate::new(&claims, key.key.key_id()));
            let age = at.saturating_sub(loaded.bundle.issued_at);
            let reason = standing(&claims, key, loaded, at).unwrap_or_else(|| {
                if at >= loaded.expires_at || max_age.is_some_and(|most| age > most) {
                    Reason::StatusStale
                } else if now < state.newest_signed() {
                    Reason::ClockSuspect
                } else {
                    Reason::Ok
                }
            });
            verdict.verdict = reason.outcome();
            if verdict.verdict != Outcome::Reject {
                verdict.offers = Some(offers(loaded, claims.star, at, age));
                verdict.holder_check = Some(HOLDER_CHECK);
            }
            reason
        }
    };
    verdict.message = message(&verdict);
    verdict
}

enum Refusal {
    Malformed(Malformed),
    UnknownKey,
    BadSignature,
}

/// The claims, once the signature held, with the key it held under.
fn authentic<'s>(text: &str, state: &'s TrustState) -> Result<(Claims, &'s IssuingKey, &'s Loaded), Refusal> {
    let bytes = digits::decode(text).map_err(|error| Refusal::Malformed(error.into()))?;
    let credential = Credential::parse(&bytes).map_err(|error| Refusal::Malformed(error.into()))?;
    let loaded = state.loaded().ok_or(Refusal::UnknownKey)?;
    let key_id = credential.key_id();
    let keys = &loaded.trust_list.issuing_keys;
    let mut named = keys.iter().filter(|entry| entry.key.key_id() == key_id).peekable();
    if named.peek().is_none() {
        return Err(Refusal::UnknownKey);
    }
    let (signed, signature) = credential.signed();
    let key = named.find(|entry| entry.key.verify(&signed, signature).is_ok()).ok_or(Refusal::BadSignature)?;
    Ok((credential.claims, key, loaded))
}

/// What speaks against a card whose signature held, the first in the order of the contract.
fn standing(claims: &Claims, key: &IssuingKey, loaded: &Loaded, at: Seconds) -> Option<Reason> {
    if key.state == KeyState::Compromised {
        return Some(Reason::KeyCompromised);
    }
    if !(key.not_before..=key.not_after).contains(&claims.issued_at) {
        return Some(Reason::KeyNotValid);
    }
    if claims.issued_at > at.saturating_add(ISSUED_AHEAD_LEEWAY) {
        return Some(Reason::NotYetValid);
    }
    if at >= claims.expires_at {
        return Some(Reason::Expired);
    }
    // A bundle without this key's list is never accepted; were it missing all the same, the status would be unknown.
    match loaded.bundle.list(&key.key.thumbprint()).map(|list| list.status(claims.status)) {
        Some(Status::Valid) => None,
        Some(Status::Revoked) => Some(Reason::Revoked),
        Some(Status::Suspended) => Some(Reason::Suspended),
        Some(Status::Superseded) => Some(Reason::Superseded),
        None => Some(Reason::StatusStale),
    }
}

fn offers(loaded: &Loaded, star: u8, at: Seconds, age: u64) -> Vec<OfferVerdict> {
    let judged = loaded.offers.iter().enumerate().map(|(place, offer)| OfferVerdict {
        offer: Arc::clone(offer),
        eligibility: offer.eligibility(star, at, age),
        place,
    });
    let mut offers: Vec<_> = judged.collect();
    best_first(&mut offers);
    offers
}

/// Eligible first; then free before discount before priority; then the bundle's order.
pub(crate) fn best_first(offers: &mut [OfferVerdict]) {
    offers.sort_by_key(|judged| (judged.eligibility.is_err(), core::cmp::Reverse(judged.offer.kind), judged.place));
}

impl Reason {
    /// The answer that goes with it.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Ok => Outcome::Accept,
            Self::StatusStale | Self::ClockSuspect => Outcome::Caution,
            Self::Malformed
            | Self::UnknownKey
            | Self::BadSignature
            | Self::KeyCompromised
            | Self::KeyNotValid
            | Self::NotYetValid
            | Self::Expired
            | Self::Revoked
            | Self::Suspended
            | Self::Superseded => Outcome::Reject,
        }
    }
}

impl Certificate {
    fn new(claims: &Claims, key_id: KeyId) -> Self {
        let Claims { number, star, holder, issued_at, expires_at, .. } = *claims;
        Self { number, star, holder, issued_at, expires_at, key_id }
    }
}

fn message(verdict: &Verdict) -> Cow<'static, str> {
    let text = match verdict.reason {
        Reason::Ok => return accepted(verdict.certificate.map_or(0, |certificate| certificate.star)).into(),
        Reason::Malformed => "这不是普洱市志愿服务证的二维码，或者没有读完整。请把证件放平，对准二维码再扫一次。",
        Reason::UnknownKey if verdict.status.is_none() => {
            "本机还没有联合会的数据，无法判断真伪。请先联网同步数据，再扫一次。"
        }
        Reason::UnknownKey => {
            "本机数据里没有签发该证的单位：可能是数据过旧，也可能不是联合会签发的证。请先同步数据再扫；仍是这样，请勿给予优惠，并告知联合会。"
        }
        Reason::BadSignature => {
            "二维码内容与签发时不符：可能被改动，也可能没有读准。请再扫一次；仍是这样，请勿给予优惠，并告知联合会。"
        }
        Reason::KeyCompromised => {
            "签发该证的密钥已作废，这一批志愿服务证都不再有效。请勿给予优惠，请持证人联系联合会换发。"
        }
        Reason::KeyNotValid => "该证的签发时间不在签发密钥的有效期内，不能认可。请勿给予优惠，并告知联合会核查。",
        Reason::NotYetValid => {
            "该证的签发时间晚于现在，还不能使用。请先核对本机的日期和时间；本机无误，请勿给予优惠，并告知联合会。"
        }
        Reason::Expired => {
            return match verdict.certificate {
                Some(certificate) => alloc::format!(
                    "该证已过有效期（有效期至 {}）。请勿给予优惠，请持证人联系联合会换发。",
                    &beijing(certificate.expires_at)[..10]
                ),
                None => String::new(),
            }
            .into();
        }
        Reason::Revoked => "该证已注销，不能再用。请勿给予优惠，可告知持证人联系联合会。",
        Reason::Suspended => "该证已暂停使用。请勿给予优惠，可告知持证人联系联合会。",
        Reason::Superseded => "该证已换发新证，这张旧证不能再用。请持证人出示新的志愿服务证。",
        Reason::StatusStale => {
            let as_of = verdict.status.map_or_else(String::new, |status| beijing(status.as_of));
            return alloc::format!(
                "该证是联合会签发的，但本机数据已旧（数据时间 {as_of}），此后是否注销不得而知。请先同步数据再扫；无法同步时，核对持证人后自行决定。"
            )
            .into();
        }
        Reason::ClockSuspect => {
            "该证是联合会签发的，但本机时间比已收到的数据还早，可能不准。请校准本机的日期和时间，再扫一次。"
        }
    };
    Cow::Borrowed(text)
}

fn accepted(star: u8) -> &'static str {
    match star {
        0 => "有效 · 注册志愿者",
        1 => "有效 · 一星级志愿者",
        2 => "有效 · 二星级志愿者",
        3 => "有效 · 三星级志愿者",
        4 => "有效 · 四星级志愿者",
        _ => "有效 · 五星级志愿者",
    }
}

/// `2026-11-23 15:30` in Beijing time (UTC+8 all year).
fn beijing(at: Seconds) -> String {
    let text = timestamp(at.saturating_add(8 * 3600)).to_string();
    alloc::format!("{} {}", &text[..10], &text[11..16])
}

pub(crate) fn timestamp(at: Seconds) -> Timestamp {
    // Signed times end with MAX_TIME; eight hours more still fit.
    Timestamp::from_second(at.min(MAX_TIME + 8 * 3600) as i64).unwrap_or(Timestamp::MAX)
}

#[cfg(feature = "serde")]
fn rfc3339<S: serde::Serializer>(at: &Seconds, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&timestamp(*at))
}

#[cfg(feature = "serde")]
impl serde::Serialize for OfferVerdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Json<'a> {
            id: &'a str,
            kind: crate::offer::OfferKind,
            title: &'a str,
            eligible: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<Ineligible>,
            min_star: u8,
            #[serde(skip_serializing_if = "str::is_empty")]
            terms: &'a str,
            #[serde(skip_serializing_if = "crate::offer::OfferLimits::are_none")]
            limits: crate::offer::OfferLimits,
            #[serde(skip_serializing_if = "core::ops::Not::not")]
            identity_check: bool,
        }
        let Offer { id, kind, title, min_star, terms, limits, identity_check, .. } = &*self.offer;
        Json {
            id,
            kind: *kind,
            title,
            eligible: self.eligibility.is_ok(),
            reason: self.eligibility.err(),
            min_star: *min_star,
            terms,
            limits: *limits,
            identity_check: *identity_check,
        }
        .serialize(serializer)
    }
}
