//! The trust list: which keys issue cards and sign bundles. Signed by the root key, which every verifier pins.

use alloc::string::String;
use alloc::vec::Vec;

use ed25519_dalek::SigningKey;
use thiserror::Error;

use crate::cbor::{EncodingError, Reader, Writer};
use crate::claims::{CLAIM_EXP, CLAIM_IAT};
use crate::envelope::{Envelope, EnvelopeError, seal};
use crate::key::{KeyId, KeyRefusal, PublicKey, Thumbprint};
use crate::offer::is_line;
use crate::{MAX_TIME, Seconds};

/// The header `typ` that keeps a trust list apart from everything else that is signed.
pub const TRUST_LIST_TYPE: &str = "application/vnd.zyz.trust-list+cose";
/// The most keys of each role that a trust list names.
pub const MAX_KEYS: usize = 256;

const CLAIM_TRUST_LIST: i64 = -70002;
const MAX_ISSUER_CHARS: usize = 80;
const MAX_URI_LEN: usize = 255;

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum KeyState {
    /// Signs.
    Active = 0,
    /// Signs no more; what an issuing key signed stays good.
    Retired = 1,
    /// In wrong hands: nothing that it signed is believed.
    Compromised = 2,
}

/// A key that issues cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuingKey {
    /// The key.
    pub key: PublicKey,
    /// Whose key it is, for people: 1 to 80 characters.
    pub issuer: String,
    /// Where its status list is published: an `http` or `https` address of at most 255 printable ASCII characters. Never
    /// fetched by a verifier.
    pub list_uri: String,
    /// The first second in which it may issue.
    pub not_before: Seconds,
    /// The last second in which it may issue.
    pub not_after: Seconds,
    /// Where it stands.
    pub state: KeyState,
}

/// A key that signs bundles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleKey {
    /// The key.
    pub key: PublicKey,
    /// The first second in which it may sign.
    pub not_before: Seconds,
    /// The last second in which it may sign.
    pub not_after: Seconds,
    /// Where it stands.
    pub state: KeyState,
}

/// What the root says of all other keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustList {
    /// From 1 on, higher each time.
    pub version: u64,
    /// When it was signed.
    pub issued_at: Seconds,
    /// From when on verifiers say that they are out of date.
    pub expires_at: Seconds,
    /// Keys that issue or issued cards; several may share a key id.
    pub issuing_keys: Vec<IssuingKey>,
    /// Keys that sign or signed bundles.
    pub bundle_keys: Vec<BundleKey>,
}

/// Why bytes are not a trust list of this root, or a trust list cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TrustListError {
    /// Not the deterministic encoding.
    #[error(transparent)]
    Encoding(EncodingError),
    /// Not the envelope of a trust list.
    #[error(transparent)]
    Envelope(EnvelopeError),
    /// Signed by a key that is not the pinned root, as its key id says.
    #[error("signed by the key {0}, which is not the pinned root")]
    OtherRoot(KeyId),
    /// The root's signature does not hold.
    #[error("the root's signature does not hold")]
    BadSignature,
    /// A claim that does not belong there.
    #[error("unknown claim {0}")]
    UnknownClaim(i64),
    /// A claim is missing.
    #[error("claim {0} is missing")]
    MissingClaim(i64),
    /// An array with another number of items than the format sets.
    #[error("an array of {0} items where the format sets another number")]
    Items(u64),
    /// Version 0.
    #[error("versions count from 1")]
    Version,
    /// It expires before or as it is issued, or after [`MAX_TIME`].
    #[error("the trust list's validity is no stretch of time")]
    Validity,
    /// More than [`MAX_KEYS`] keys of one role.
    #[error("more than 256 keys of one role")]
    TooManyKeys,
    /// A key that is not 32 bytes long.
    #[error("a public key has 32 bytes, this has {0}")]
    KeySize(usize),
    /// A key that must not be trusted.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// A key id that is not the key's own.
    #[error("the key id {0} is not the key's own")]
    KeyIdMismatch(KeyId),
    /// A key that stands there twice, in one role or in two, or is the root itself.
    #[error("the key {0} stands there twice, or is the root")]
    KeyTwice(KeyId),
    /// An issuer's name that is empty, longer than 80 characters or has control characters.
    #[error("the issuer of the key {0} is empty, too long or has control characters")]
    Issuer(KeyId),
    /// An address that is not `http(s)://` and at most 255 printable ASCII characters.
    #[error("the list address of the key {0} is no http address of printable ASCII")]
    ListUri(KeyId),
    /// Two keys with one status list.
    #[error("the list address of the key {0} is another key's too")]
    ListUriTwice(KeyId),
    /// A key whose validity ends before it begins, or after [`MAX_TIME`].
    #[error("the validity of the key {0} is no stretch of time")]
    KeyValidity(KeyId),
    /// A key state above 2.
    #[error("unknown key state {0}")]
    State(u64),
}

impl TrustList {
    /// Signs the list with the root key.
    ///
    /// # Errors
    /// [`TrustListError`]: nothing is signed that [`TrustList::open`] would refuse.
    pub fn sign(&self, root: &SigningKey) -> Result<Vec<u8>, TrustListError> {
        self.check(&PublicKey::of(root))?;
        let mut writer = Writer::with_capacity(64 + 160 * self.issuing_keys.len() + 64 * self.bundle_keys.len());
        writer.map(3);
        writer.integer(CLAIM_EXP).unsigned(self.expires_at);
        writer.integer(CLAIM_IAT).unsigned(self.issued_at);
        writer.integer(CLAIM_TRUST_LIST).array(3).unsigned(self.version);
        writer.array(self.issuing_keys.len());
        for entry in &self.issuing_keys {
            writer.array(7).bytes(&entry.key.key_id().0).bytes(entry.key.as_bytes());
            writer.text(&entry.issuer).text(&entry.list_uri);
            writer.unsigned(entry.not_before).unsigned(entry.not_after).unsigned(entry.state as u64);
        }
        writer.array(self.bundle_keys.len());
        for entry in &self.bundle_keys {
            writer.array(5).bytes(&entry.key.key_id().0).bytes(entry.key.as_bytes());
            writer.unsigned(entry.not_before).unsigned(entry.not_after).unsigned(entry.state as u64);
        }
        Ok(seal(&writer.finish(), Some(TRUST_LIST_TYPE), root))
    }

    /// Reads a list that `root` signed.
    ///
    /// # Errors
    /// [`TrustListError`].
    pub fn open(bytes: &[u8], root: &PublicKey) -> Result<Self, TrustListError> {
        let envelope = Envelope::split(bytes, Some(TRUST_LIST_TYPE))?;
        if envelope.key_id != root.key_id() {
            return Err(TrustListError::OtherRoot(envelope.key_id));
        }
        envelope.verify(root).map_err(|_| TrustListError::BadSignature)?;
        let list = read_payload(envelope.payload)?;
        list.check(root)?;
        Ok(list)
    }

    /// The issuing key with this thumbprint.
    pub fn issuing_key(&self, thumbprint: &Thumbprint) -> Option<&IssuingKey> {
        self.issuing_keys.iter().find(|entry| entry.key.thumbprint() == *thumbprint)
    }

    /// The bundle key with this thumbprint.
    pub fn bundle_key(&self, thumbprint: &Thumbprint) -> Option<&BundleKey> {
        self.bundle_keys.iter().find(|entry| entry.key.thumbprint() == *thumbprint)
    }

    fn check(&self, root: &PublicKey) -> Result<(), TrustListError> {
        if self.version == 0 {
            return Err(TrustListError::Version);
        }
        if self.expires_at <= self.issued_at || self.expires_at > MAX_TIME {
            return Err(TrustListError::Validity);
        }
        if self.issuing_keys.len() > MAX_KEYS || self.bundle_keys.len() > MAX_KEYS {
            return Err(TrustListError::TooManyKeys);
        }
        let issuing = self.issuing_keys.iter().map(|entry| (&entry.key, entry.not_before, entry.not_after));
        let bundle = self.bundle_keys.iter().map(|entry| (&entry.key, entry.not_before, entry.not_after));
        let mut seen = alloc::vec![root.thumbprint()];
        for (key, not_before, not_after) in issuing.chain(bundle) {
            if seen.contains(&key.thumbprint()) {
                return Err(TrustListError::KeyTwice(key.key_id()));
            }
            seen.push(key.thumbprint());
            if not_before > not_after || not_after > MAX_TIME {
                return Err(TrustListError::KeyValidity(key.key_id()));
            }
        }
        for (at, entry) in self.issuing_keys.iter().enumerate() {
            let key_id = entry.key.key_id();
            if !is_line(&entry.issuer, MAX_ISSUER_CHARS) {
                return Err(TrustListError::Issuer(key_id));
            }
            if !is_web_address(&entry.list_uri) {
                return Err(TrustListError::ListUri(key_id));
            }
            if self.issuing_keys[..at].iter().any(|other| other.list_uri == entry.list_uri) {
                return Err(TrustListError::ListUriTwice(key_id));
            }
        }
        Ok(())
    }
}

fn read_payload(payload: &[u8]) -> Result<TrustList, TrustListError> {
    let mut reader = Reader::new(payload);
    let mut keys = reader.map()?;
    let (mut expires_at, mut issued_at, mut body) = (None, None, None);
    while let Some(key) = keys.next(&mut reader)? {
        match key {
            CLAIM_EXP => expires_at = Some(reader.unsigned()?),
            CLAIM_IAT => issued_at = Some(reader.unsigned()?),
            CLAIM_TRUST_LIST => body = Some(read_body(&mut reader)?),
            other => return Err(TrustListError::UnknownClaim(other)),
        }
    }
    reader.finish()?;
    let (version, issuing_keys, bundle_keys) = body.ok_or(TrustListError::MissingClaim(CLAIM_TRUST_LIST))?;
    Ok(TrustList {
        version,
        issued_at: issued_at.ok_or(TrustListError::MissingClaim(CLAIM_IAT))?,
        expires_at: expires_at.ok_or(TrustListError::MissingClaim(CLAIM_EXP))?,
        issuing_keys,
        bundle_keys,
    })
}

type Body = (u64, Vec<IssuingKey>, Vec<BundleKey>);

fn read_body(reader: &mut Reader<'_>) -> Result<Body, TrustListError> {
    items(reader, 3)?;
    let version = reader.unsigned()?;
    let issuing_keys = read_keys(reader, |reader| {
        items(reader, 7)?;
        Ok(IssuingKey {
            key: read_key(reader)?,
            issuer: reader.text()?.into(),
            list_uri: reader.text()?.into(),
            not_before: reader.unsigned()?,
            not_after: reader.unsigned()?,
            state: read_state(reader)?,
        })
    })?;
    let bundle_keys = read_keys(reader, |reader| {
        items(reader, 5)?;
        Ok(BundleKey {
            key: read_key(reader)?,
            not_before: reader.unsigned()?,
            not_after: reader.unsigned()?,
            state: read_state(reader)?,
        })
    })?;
    Ok((version, issuing_keys, bundle_keys))
}

fn read_keys<'b, T>(
    reader: &mut Reader<'b>,
    mut read: impl FnMut(&mut Reader<'b>) -> Result<T, TrustListError>,
) -> Result<Vec<T>, TrustListError> {
    let count = reader.array()?;
    if count > MAX_KEYS as u64 {
        return Err(TrustListError::TooManyKeys);
    }
    (0..count).map(|_| read(reader)).collect()
}

fn read_key(reader: &mut Reader<'_>) -> Result<PublicKey, TrustListError> {
    let key_id = reader.bytes()?;
    let key_id = key_id.try_into().map(KeyId).map_err(|_| EnvelopeError::KeyIdSize(key_id.len()))?;
    let bytes = reader.bytes()?;
    let key = PublicKey::accept(bytes.try_into().map_err(|_| TrustListError::KeySize(bytes.len()))?)?;
    if key.key_id() == key_id { Ok(key) } else { Err(TrustListError::KeyIdMismatch(key_id)) }
}

fn read_state(reader: &mut Reader<'_>) -> Result<KeyState, TrustListError> {
    match reader.unsigned()? {
        0 => Ok(KeyState::Active),
        1 => Ok(KeyState::Retired),
        2 => Ok(KeyState::Compromised),
        other => Err(TrustListError::State(other)),
    }
}

fn items(reader: &mut Reader<'_>, wanted: u64) -> Result<(), TrustListError> {
    match reader.array()? {
        items if items == wanted => Ok(()),
        items => Err(TrustListError::Items(items)),
    }
}

fn is_web_address(uri: &str) -> bool {
    uri.len() <= MAX_URI_LEN
        && ["https://", "http://"].iter().any(|scheme| uri.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
        && uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

impl From<EncodingError> for TrustListError {
    fn from(error: EncodingError) -> Self {
        Self::Encoding(error)
    }
}

impl From<EnvelopeError> for TrustListError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Encoding(error) => Self::Encoding(error),
            other => Self::Envelope(other),
        }
    }
}
