//! The signed volunteer credential of Pu'er: what a card's QR code says, and what a partner may believe of it.
//!
//! Values in, values out: no clock, no randomness, no file, no network. `no_std` with `alloc`, so that the federation, a
//! partner's node and the browser judge with the same code. The bytes are described in `docs/CREDENTIAL.md`.
//!
//! # The federation's side
//! 1. [`CertificateNumber::from_parts`] once for each volunteer.
//! 2. [`Claims`] → [`sign_credential`] → [`digits::code_text`]: the text of the QR code.
//! 3. [`StatusSet`]s of the cards revoked, suspended, superseded → [`status_list::bits`] → [`status_list::cwt`],
//!    [`status_list::jwt`] for the world, and [`Bundle`] with [`Offer`]s for the partners.
//! 4. [`TrustList`] signed by the root whenever a key comes or goes.
//!
//! # The partner's side
//! 1. [`TrustState::new`] with the pinned root key (or [`TrustState::restore`] with the stored [`Ratchet`]).
//! 2. [`TrustState::accept`] each bundle that arrives; store [`TrustState::ratchet`] before relying on it.
//! 3. [`judge`] each text that is scanned: a [`Verdict`], as JSON with the feature `serde`.
//! 4. [`Verdict::count_uses`] where a ledger of uses is kept, so that the offers' limits count.
//!
//! Absent on purpose: anything that fetches an address, a key or a list named by a card; batch verification (it accepts
//! what single verification refuses); a lenient mode.
#![no_std]

extern crate alloc;

mod bundle;
mod cbor;
mod claims;
mod derive;
pub mod digits;
mod envelope;
mod holder;
mod key;
mod number;
mod offer;
mod refusal;
pub mod status_list;
mod status_set;
mod trust;
mod trust_list;
mod uses;
mod verdict;

pub use bundle::{BUNDLE_TYPE, Bundle, BundleError, ListStatus, MAX_OFFERS, OpenBundle};
pub use cbor::EncodingError;
pub use claims::{CLAIM_CARD, Claims, Credential, CredentialError, MAX_CREDENTIAL_LEN, sign_credential};
pub use derive::{CWT_TYPE, DeriveError, StandardClaims};
pub use digits::{DigitsError, code_text};
pub use ed25519_dalek::SigningKey;
pub use envelope::{ALG_ED25519, EnvelopeError, TAG_SIGN1};
pub use holder::{Holder, HolderError, MAX_HOLDER_CHARS};
pub use key::{BadSignature, KeyId, KeyRefusal, PublicKey, Thumbprint};
pub use number::{CertificateNumber, MAX_SERIAL, NUMBER_LEN, NumberError};
pub use offer::{HourWindow, Ineligible, Offer, OfferError, OfferKind, OfferLimits, Weekdays};
pub use status_list::Status;
pub use status_set::{LIST_SIZE, StatusSet, StatusSetError};
pub use trust::{Accepted, Ratchet, RatchetError, TrustState};
pub use trust_list::{BundleKey, IssuingKey, KeyState, MAX_KEYS, TRUST_LIST_TYPE, TrustList, TrustListError};
pub use verdict::{
    Certificate, HOLDER_CHECK, ISSUED_AHEAD_LEEWAY, Malformed, OfferVerdict, Outcome, Reason, StatusAge, Verdict, judge,
};

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
pub type Seconds = u64;

/// The last second of the year 9998 (UTC): no later time is signed or read, and every earlier one can be shown.
pub const MAX_TIME: Seconds = 253_370_764_799;
