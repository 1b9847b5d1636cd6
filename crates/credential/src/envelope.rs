//! COSE_Sign1 (RFC 9052 §4.2), tagged 18, Ed25519 (alg −19, RFC 9864): split strictly, verified over the bytes received.

use alloc::vec::Vec;

use ed25519_dalek::{Signer, SigningKey};
use thiserror::Error;

use crate::cbor::{EncodingError, Reader, Writer};
use crate::key::{BadSignature, KeyId, PublicKey, signature_input};

/// The COSE tag of COSE_Sign1.
pub const TAG_SIGN1: u64 = 18;
/// The COSE algorithm number of Ed25519 (RFC 9864 §2.2).
pub const ALG_ED25519: i64 = -19;

const HEADER_ALG: i64 = 1;
const HEADER_KID: i64 = 4;
const HEADER_TYP: i64 = 16;

/// What is wrong with an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// Not the deterministic encoding.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Not an array of four.
    #[error("COSE_Sign1 has four items, this has {0}")]
    Items(u64),
    /// A protected header that does not belong there.
    #[error("unknown header {0}")]
    UnknownHeader(i64),
    /// A protected header is missing.
    #[error("header {0} is missing")]
    MissingHeader(i64),
    /// Another algorithm than −19.
    #[error("algorithm {0} is not Ed25519 (-19)")]
    Algorithm(i64),
    /// A key id that is not four bytes long.
    #[error("the key id has four bytes, this has {0}")]
    KeyIdSize(usize),
    /// The header `typ` (RFC 9596) names another kind of document.
    #[error("a document of another type")]
    Type,
    /// Something stands in the unprotected headers.
    #[error("the unprotected headers are not empty")]
    UnprotectedNotEmpty,
    /// A signature that is not 64 bytes long.
    #[error("a signature has 64 bytes, this has {0}")]
    SignatureSize(usize),
}

/// An envelope split into its parts, which borrow from the bytes received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope<'b> {
    pub(crate) key_id: KeyId,
    pub(crate) payload: &'b [u8],
    protected: &'b [u8],
    signature: &'b [u8],
}

impl<'b> Envelope<'b> {
    /// Splits `bytes`, whose `typ` header must be `media_type` (absent for the credential).
    pub(crate) fn split(bytes: &'b [u8], media_type: Option<&str>) -> Result<Self, EnvelopeError> {
        let mut reader = Reader::new(bytes);
        reader.tag(TAG_SIGN1)?;
        let items = reader.array()?;
        if items != 4 {
            return Err(EnvelopeError::Items(items));
        }
        let protected = reader.bytes()?;
        if reader.map()?.len() != 0 {
            return Err(EnvelopeError::UnprotectedNotEmpty);
        }
        let payload = reader.bytes()?;
        let signature = reader.bytes()?;
        reader.finish()?;
        if signature.len() != 64 {
            return Err(EnvelopeError::SignatureSize(signature.len()));
        }
        Ok(Self { key_id: headers(protected, media_type)?, payload, protected, signature })
    }

    /// Whether the signature holds under `key`, over the bytes received.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        key.verify(&signature_input(self.protected, self.payload), self.signature)
    }

    /// What the signature is over; for several keys with one key id.
    pub(crate) fn signed(&self) -> (Vec<u8>, &'b [u8]) {
        (signature_input(self.protected, self.payload), self.signature)
    }
}

/// Signs `payload` and wraps it.
pub(crate) fn seal(payload: &[u8], media_type: Option<&str>, key: &SigningKey) -> Vec<u8> {
    let key_id = PublicKey::of(key).key_id();
    let mut writer = Writer::with_capacity(64);
    writer.map(if media_type.is_some() { 3 } else { 2 });
    writer.integer(HEADER_ALG).integer(ALG_ED25519).integer(HEADER_KID).bytes(&key_id.0);
    if let Some(media_type) = media_type {
        writer.integer(HEADER_TYP).text(media_type);
    }
    let protected = writer.finish();
    let signature = key.sign(&signature_input(&protected, payload));
    let mut writer = Writer::with_capacity(payload.len() + protected.len() + 80);
    writer.tag(TAG_SIGN1).array(4).bytes(&protected).map(0).bytes(payload).bytes(&signature.to_bytes());
    writer.finish()
}

fn headers(protected: &[u8], media_type: Option<&str>) -> Result<KeyId, EnvelopeError> {
    let mut reader = Reader::new(protected);
    let mut keys = reader.map()?;
    let (mut algorithm, mut key_id, mut typ) = (None, None, None);
    while let Some(key) = keys.next(&mut reader)? {
        match key {
            HEADER_ALG => algorithm = Some(reader.integer()?),
            HEADER_KID => key_id = Some(reader.bytes()?),
            HEADER_TYP if media_type.is_some() => typ = Some(reader.text()?),
            other => return Err(EnvelopeError::UnknownHeader(other)),
        }
    }
    reader.finish()?;
    match algorithm.ok_or(EnvelopeError::MissingHeader(HEADER_ALG))? {
        ALG_ED25519 => {}
        other => return Err(EnvelopeError::Algorithm(other)),
    }
    let key_id = key_id.ok_or(EnvelopeError::MissingHeader(HEADER_KID))?;
    let key_id = key_id.try_into().map(KeyId).map_err(|_| EnvelopeError::KeyIdSize(key_id.len()))?;
    if media_type.is_some() && typ.is_none() {
        return Err(EnvelopeError::MissingHeader(HEADER_TYP));
    }
    if typ == media_type { Ok(key_id) } else { Err(EnvelopeError::Type) }
}
