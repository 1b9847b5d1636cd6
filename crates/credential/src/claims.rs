//! The credential: what a card says, signed; and its strict reading.

use alloc::vec::Vec;

use ed25519_dalek::SigningKey;
use thiserror::Error;

use crate::cbor::{EncodingError, Reader, Writer};
use crate::envelope::{Envelope, EnvelopeError, seal};
use crate::holder::{Holder, HolderError};
use crate::key::{BadSignature, KeyId, PublicKey};
use crate::number::{CertificateNumber, NumberError};
use crate::status_set::LIST_SIZE;
use crate::{MAX_TIME, Seconds};

/// The private claim that carries star, status index and holder.
pub const CLAIM_CARD: i64 = -70001;
/// The longest credential that is read, in bytes; the longest that can be signed has 145.
pub const MAX_CREDENTIAL_LEN: usize = 256;

pub(crate) const CLAIM_SUB: i64 = 2;
pub(crate) const CLAIM_EXP: i64 = 4;
pub(crate) const CLAIM_IAT: i64 = 6;

/// What a card says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The volunteer's number.
    pub number: CertificateNumber,
    /// 0 (registered, not yet a star volunteer) to 5.
    pub star: u8,
    /// Index of this card in its issuing key's status list, below [`LIST_SIZE`].
    pub status: u32,
    /// The masked name, left out where the issuer is set to.
    pub holder: Option<Holder>,
    /// When it was issued.
    pub issued_at: Seconds,
    /// From when on it is no longer good; after `issued_at`.
    pub expires_at: Seconds,
}

/// A credential read strictly; its signature is not yet verified.
#[derive(Debug, Clone, Copy)]
pub struct Credential<'b> {
    /// What it says, if the signature holds.
    pub claims: Claims,
    envelope: Envelope<'b>,
}

/// Why bytes are not a credential, or claims cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// More than [`MAX_CREDENTIAL_LEN`] bytes.
    #[error("longer than any credential: {0} bytes")]
    TooLong(usize),
    /// Not the deterministic encoding.
    #[error(transparent)]
    Encoding(EncodingError),
    /// Not the envelope of a credential.
    #[error(transparent)]
    Envelope(EnvelopeError),
    /// A claim that does not belong there.
    #[error("unknown claim {0}")]
    UnknownClaim(i64),
    /// A claim is missing.
    #[error("claim {0} is missing")]
    MissingClaim(i64),
    /// The card claim has neither two nor three items.
    #[error("the card claim has two or three items, this has {0}")]
    CardItems(u64),
    /// More than five stars.
    #[error("{0} stars: at most five")]
    StarRange(u64),
    /// A status index beyond the list.
    #[error("status index {0} is beyond the list")]
    StatusRange(u64),
    /// A subject that is not a certificate number.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A holder that is not a masked name.
    #[error(transparent)]
    Holder(#[from] HolderError),
    /// A time after [`MAX_TIME`].
    #[error("the time {0} is out of range")]
    TimeRange(u64),
    /// It would expire before or as it is issued.
    #[error("it expires no later than it is issued")]
    ExpiresBeforeIssued,
}

/// Signs a credential: COSE_Sign1, tagged 18, in the one deterministic encoding.
///
/// # Errors
/// [`CredentialError`] where a claim is out of its range: nothing is signed that [`Credential::parse`] would refuse.
pub fn sign_credential(claims: &Claims, key: &SigningKey) -> Result<Vec<u8>, CredentialError> {
    claims.check()?;
    let mut writer = Writer::with_capacity(64);
    writer.map(4);
    writer.integer(CLAIM_SUB).text(claims.number.as_str());
    writer.integer(CLAIM_EXP).unsigned(claims.expires_at);
    writer.integer(CLAIM_IAT).unsigned(claims.issued_at);
    writer.integer(CLAIM_CARD);
    claims.write_card(&mut writer);
    Ok(seal(&writer.finish(), None, key))
}

impl<'b> Credential<'b> {
    /// Reads a credential: exactly the deterministic encoding, or a named refusal.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn parse(bytes: &'b [u8]) -> Result<Self, CredentialError> {
        if bytes.len() > MAX_CREDENTIAL_LEN {
            return Err(CredentialError::TooLong(bytes.len()));
        }
        let envelope = Envelope::split(bytes, None)?;
        Ok(Self { claims: read_claims(envelope.payload)?, envelope })
    }

    /// The key id in its protected header.
    pub fn key_id(&self) -> KeyId {
        self.envelope.key_id
    }

    /// Verifies the signature under `key`, over the bytes received.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        self.envelope.verify(key)
    }

    /// What is signed and the signature, for trying several keys.
    pub(crate) fn signed(&self) -> (Vec<u8>, &'b [u8]) {
        self.envelope.signed()
    }
}

impl Claims {
    /// Every range that the contract sets.
    pub(crate) fn check(&self) -> Result<(), CredentialError> {
        check_star(u64::from(self.star))?;
        check_status(u64::from(self.status))?;
        check_times(self.issued_at, self.expires_at)
    }

    pub(crate) fn write_card(&self, writer: &mut Writer) {
        writer.array(if self.holder.is_some() { 3 } else { 2 });
        writer.unsigned(u64::from(self.star)).unsigned(u64::from(self.status));
        if let Some(holder) = &self.holder {
            writer.text(holder.write_to(&mut [0; 18]));
        }
    }
}

pub(crate) fn read_claims(payload: &[u8]) -> Result<Claims, CredentialError> {
    let mut reader = Reader::new(payload);
    let mut keys = reader.map()?;
    let (mut number, mut expires_at, mut issued_at, mut card) = (None, None, None, None);
    while let Some(key) = keys.next(&mut reader)? {
        match key {
            CLAIM_SUB => number = Some(reader.text()?),
            CLAIM_EXP => expires_at = Some(reader.unsigned()?),
            CLAIM_IAT => issued_at = Some(reader.unsigned()?),
            CLAIM_CARD => card = Some(read_card(&mut reader)?),
            other => return Err(CredentialError::UnknownClaim(other)),
        }
    }
    reader.finish()?;
    let number = number.ok_or(CredentialError::MissingClaim(CLAIM_SUB))?;
    let expires_at = expires_at.ok_or(CredentialError::MissingClaim(CLAIM_EXP))?;
    let issued_at = issued_at.ok_or(CredentialError::MissingClaim(CLAIM_IAT))?;
    let (star, status, holder) = card.ok_or(CredentialError::MissingClaim(CLAIM_CARD))?;
    check_times(issued_at, expires_at)?;
    Ok(Claims { number: CertificateNumber::from_wire(number)?, star, status, holder, issued_at, expires_at })
}

pub(crate) fn read_card(reader: &mut Reader<'_>) -> Result<(u8, u32, Option<Holder>), CredentialError> {
    let items = reader.array()?;
    if !matches!(items, 2 | 3) {
        return Err(CredentialError::CardItems(items));
    }
    let star = check_star(reader.unsigned()?)?;
    let status = check_status(reader.unsigned()?)?;
    let holder = if items == 3 { Some(Holder::from_wire(reader.text()?)?) } else { None };
    Ok((star, status, holder))
}

fn check_star(star: u64) -> Result<u8, CredentialError> {
    if star <= 5 { Ok(star as u8) } else { Err(CredentialError::StarRange(star)) }
}

fn check_status(status: u64) -> Result<u32, CredentialError> {
    if status < u64::from(LIST_SIZE) { Ok(status as u32) } else { Err(CredentialError::StatusRange(status)) }
}

fn check_times(issued_at: Seconds, expires_at: Seconds) -> Result<(), CredentialError> {
    if let Some(time) = [issued_at, expires_at].into_iter().find(|time| *time > MAX_TIME) {
        return Err(CredentialError::TimeRange(time));
    }
    if expires_at > issued_at { Ok(()) } else { Err(CredentialError::ExpiresBeforeIssued) }
}

impl From<EncodingError> for CredentialError {
    fn from(error: EncodingError) -> Self {
        Self::Encoding(error)
    }
}

impl From<EnvelopeError> for CredentialError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Encoding(error) => Self::Encoding(error),
            other => Self::Envelope(other),
        }
    }
}
