//! The credential in the standards' own long form, for software that knows CWT and Token Status Lists but not us.
//!
//! The card leaves out what its key id implies; the federation, which knows the key, can add it again: `iss` (1) and
//! `status` (65535). Nothing is lost on the way: [`StandardClaims::claims`] is what the card says.

use alloc::string::String;
use alloc::vec::Vec;

use ed25519_dalek::SigningKey;
use thiserror::Error;

use crate::cbor::{EncodingError, Reader, Writer};
use crate::claims::{CLAIM_CARD, CLAIM_EXP, CLAIM_IAT, CLAIM_SUB, Claims, CredentialError, read_card};
use crate::envelope::{Envelope, EnvelopeError, seal};
use crate::key::{BadSignature, PublicKey};
use crate::number::CertificateNumber;
use crate::trust_list::IssuingKey;

/// The header `typ` of the long form (RFC 9596), which keeps it from being taken for a card.
pub const CWT_TYPE: &str = "application/cwt";

const CLAIM_ISS: i64 = 1;
const CLAIM_STATUS: i64 = 65535;

/// The claims of a card with the issuer and the status reference spelled out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardClaims {
    /// What the card says.
    pub claims: Claims,
    /// `iss`: the issuer's name in the trust list.
    pub issuer: String,
    /// `uri` of `status_list`: the address of the issuing key's status list.
    pub list_uri: String,
}

/// Why bytes are not the long form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DeriveError {
    /// A claim that the card has as well is out of its range, unknown, missing or badly encoded.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The `status` claim is not `{"status_list": {"idx", "uri"}}`.
    #[error("the status claim is not a reference to a status list")]
    StatusReference,
    /// The index in the `status` claim is not the card's.
    #[error("the status claim names another index than the card")]
    StatusIndex,
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] BadSignature),
}

impl StandardClaims {
    /// Spells out what the issuing key implies.
    pub fn derive(claims: &Claims, issued_by: &IssuingKey) -> Self {
        Self { claims: *claims, issuer: issued_by.issuer.clone(), list_uri: issued_by.list_uri.clone() }
    }

    /// The CWT claims set (RFC 8392), deterministic.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(128 + self.list_uri.len());
        writer.map(6);
        writer.integer(CLAIM_ISS).text(&self.issuer);
        writer.integer(CLAIM_SUB).text(self.claims.number.as_str());
        writer.integer(CLAIM_EXP).unsigned(self.claims.expires_at);
        writer.integer(CLAIM_IAT).unsigned(self.claims.issued_at);
        writer.integer(CLAIM_STATUS).map(1).text("status_list").map(2);
        writer.text("idx").unsigned(u64::from(self.claims.status)).text("uri").text(&self.list_uri);
        writer.integer(CLAIM_CARD);
        self.claims.write_card(&mut writer);
        writer.finish()
    }

    /// Reads what [`StandardClaims::encode`] writes.
    ///
    /// # Errors
    /// [`DeriveError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DeriveError> {
        let mut reader = Reader::new(bytes);
        let mut keys = reader.map().map_err(encoding)?;
        let (mut issuer, mut number, mut expires_at, mut issued_at) = (None, None, None, None);
        let (mut reference, mut card) = (None, None);
        while let Some(key) = keys.next(&mut reader).map_err(encoding)? {
            match key {
                CLAIM_ISS => issuer = Some(reader.text().map_err(encoding)?),
                CLAIM_SUB => number = Some(reader.text().map_err(encoding)?),
                CLAIM_EXP => expires_at = Some(reader.unsigned().map_err(encoding)?),
                CLAIM_IAT => issued_at = Some(reader.unsigned().map_err(encoding)?),
                CLAIM_STATUS => reference = Some(read_reference(&mut reader)?),
                CLAIM_CARD => card = Some(read_card(&mut reader)?),
                other => return Err(CredentialError::UnknownClaim(other).into()),
            }
        }
        reader.finish().map_err(encoding)?;
        let number = number.ok_or(CredentialError::MissingClaim(CLAIM_SUB))?;
        let (index, list_uri) = reference.ok_or(CredentialError::MissingClaim(CLAIM_STATUS))?;
        let (star, status, holder) = card.ok_or(CredentialError::MissingClaim(CLAIM_CARD))?;
        let claims = Claims {
            number: CertificateNumber::from_wire(number).map_err(CredentialError::Number)?,
            star,
            status,
            holder,
            issued_at: issued_at.ok_or(CredentialError::MissingClaim(CLAIM_IAT))?,
            expires_at: expires_at.ok_or(CredentialError::MissingClaim(CLAIM_EXP))?,
        };
        claims.check()?;
        if index != u64::from(status) {
            return Err(DeriveError::StatusIndex);
        }
        let issuer = issuer.ok_or(CredentialError::MissingClaim(CLAIM_ISS))?.into();
        Ok(Self { claims, issuer, list_uri: list_uri.into() })
    }

    /// Signs the long form as a CWT of its own, with `typ` [`CWT_TYPE`].
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        seal(&self.encode(), Some(CWT_TYPE), key)
    }

    /// Reads a signed long form.
    ///
    /// # Errors
    /// [`DeriveError`].
    pub fn open(bytes: &[u8], key: &PublicKey) -> Result<Self, DeriveError> {
        let envelope = Envelope::split(bytes, Some(CWT_TYPE)).map_err(envelope_error)?;
        envelope.verify(key)?;
        Self::decode(envelope.payload)
    }
}

fn read_reference<'b>(reader: &mut Reader<'b>) -> Result<(u64, &'b str), DeriveError> {
    let wanted = |holds: bool| if holds { Ok(()) } else { Err(DeriveError::StatusReference) };
    wanted(reader.map().map_err(encoding)?.len() == 1)?;
    wanted(reader.text().map_err(encoding)? == "status_list")?;
    wanted(reader.map().map_err(encoding)?.len() == 2)?;
    wanted(reader.text().map_err(encoding)? == "idx")?;
    let index = reader.unsigned().map_err(encoding)?;
    wanted(reader.text().map_err(encoding)? == "uri")?;
    Ok((index, reader.text().map_err(encoding)?))
}

fn encoding(error: EncodingError) -> DeriveError {
    DeriveError::Credential(error.into())
}

fn envelope_error(error: EnvelopeError) -> DeriveError {
    DeriveError::Credential(error.into())
}
