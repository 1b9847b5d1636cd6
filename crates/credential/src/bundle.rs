//! The bundle: everything a partner needs to judge cards without a network, signed by a bundle key of the trust list that
//! it carries.

use alloc::vec::Vec;

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::cbor::{EncodingError, Reader, Writer};
use crate::claims::{CLAIM_EXP, CLAIM_IAT};
use crate::envelope::{Envelope, EnvelopeError, seal};
use crate::key::{KeyId, PublicKey, Thumbprint};
use crate::offer::{Offer, OfferError};
use crate::status_list::Status;
use crate::status_set::{StatusSet, StatusSetError};
use crate::trust_list::{BundleKey, KeyState, TrustList, TrustListError};
use crate::{MAX_TIME, Seconds};

/// The header `typ` that keeps a bundle apart from everything else that is signed.
pub const BUNDLE_TYPE: &str = "application/vnd.zyz.bundle+cose";
/// The most offers that a bundle carries.
pub const MAX_OFFERS: usize = 1000;

const CLAIM_BUNDLE: i64 = -70003;

/// The cards of one issuing key that are not good, in three sets that share no index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStatus {
    /// Whose cards: the full thumbprint, since key ids may collide.
    pub issuing_key: Thumbprint,
    /// Revoked for good.
    pub revoked: StatusSet,
    /// Suspended for a time.
    pub suspended: StatusSet,
    /// Replaced by a newer card.
    pub superseded: StatusSet,
}

/// What a partner carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// From 1 on, higher each time, counted for each bundle key.
    pub version: u64,
    /// When it was signed: the age of the status data counts from here.
    pub issued_at: Seconds,
    /// From when on its status data is stale.
    pub expires_at: Seconds,
    /// The signed trust list, as bytes.
    pub trust_list: Vec<u8>,
    /// One for each issuing key of the trust list that is not compromised, in ascending order of the thumbprints.
    pub lists: Vec<ListStatus>,
    /// The offers that this partner may see, each id once.
    pub offers: Vec<Offer>,
}

/// A bundle whose signatures held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBundle {
    /// The bundle.
    pub bundle: Bundle,
    /// The trust list that it carries.
    pub trust_list: TrustList,
    /// The bundle key that signed it.
    pub signer: Thumbprint,
    /// SHA-256 of the bundle's bytes.
    pub digest: [u8; 32],
    /// SHA-256 of the trust list's bytes.
    pub trust_list_digest: [u8; 32],
}

/// Why bytes are not a bundle to be believed, or a bundle cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BundleError {
    /// Not the deterministic encoding.
    #[error(transparent)]
    Encoding(EncodingError),
    /// Not the envelope of a bundle.
    #[error(transparent)]
    Envelope(EnvelopeError),
    /// A claim that does not belong there.
    #[error("unknown claim {0}")]
    UnknownClaim(i64),
    /// A claim after the bundle's own, which is the last.
    #[error("an unknown claim after the bundle's own")]
    ClaimAfter,
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
    #[error("the bundle's validity is no stretch of time")]
    Validity,
    /// The trust list that it carries is refused.
    #[error("the trust list in the bundle: {0}")]
    TrustList(#[from] TrustListError),
    /// The trust list names no bundle key with this key id.
    #[error("no bundle key {0} in the trust list")]
    UnknownKey(KeyId),
    /// The signature does not hold under any bundle key with that key id.
    #[error("the bundle's signature does not hold")]
    BadSignature,
    /// Signed by a key that the trust list calls compromised.
    #[error("the bundle key {0} is compromised")]
    KeyCompromised(KeyId),
    /// Signed by a key that the trust list calls retired.
    #[error("the bundle key {0} is retired")]
    KeyRetired(KeyId),
    /// Signed outside the key's validity.
    #[error("the bundle was issued outside the validity of the key {0}")]
    KeyNotValid(KeyId),
    /// A thumbprint that is not 32 bytes long.
    #[error("a thumbprint has 32 bytes, this has {0}")]
    ThumbprintSize(usize),
    /// Lists that are not in ascending order of their thumbprints, each once.
    #[error("the status lists are not in order, each once")]
    ListOrder,
    /// A list of a key that the trust list does not name, or calls compromised.
    #[error("a status list of the key {0}, which issues no good cards")]
    UnknownList(KeyId),
    /// No list for an issuing key whose cards may be good.
    #[error("no status list of the issuing key {0}")]
    MissingList(KeyId),
    /// A set that is not well made.
    #[error(transparent)]
    StatusSet(#[from] StatusSetError),
    /// An index in two sets of one list.
    #[error("the index {0} is in two sets of one list")]
    SetsOverlap(u32),
    /// More than [`MAX_OFFERS`] offers.
    #[error("more than 1000 offers")]
    TooManyOffers,
    /// An offer that is not well made.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Two offers with one id.
    #[error("two offers have one id")]
    OfferTwice,
    /// The trust list is older than one seen before.
    #[error("trust list {got} is older than {seen}, which was seen before")]
    TrustListOlder {
        /// The highest version seen.
        seen: u64,
        /// The version that came.
        got: u64,
    },
    /// Another trust list with the same version was seen before.
    #[error("another trust list {0} was seen before")]
    TrustListForked(u64),
    /// The bundle is older than one of the same key seen before.
    #[error("bundle {got} is older than {seen}, which was seen before")]
    Older {
        /// The highest version of this key seen.
        seen: u64,
        /// The version that came.
        got: u64,
    },
    /// Another bundle of the same key with the same version was seen before.
    #[error("another bundle {0} was seen before")]
    Forked(u64),
    /// Signed by another key than the last one, and issued before it.
    #[error("issued before the bundle of another key that was accepted last")]
    IssuedEarlier,
}

impl Bundle {
    /// Signs the bundle with a bundle key. That the trust list in it is good, and names this key, only
    /// [`Bundle::open`] can tell, with the root: open what you signed.
    ///
    /// # Errors
    /// [`BundleError`] for what is wrong with the bundle in itself.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, BundleError> {
        self.check()?;
        let mut writer = Writer::with_capacity(self.trust_list.len() + 4096);
        writer.map(3);
        writer.integer(CLAIM_EXP).unsigned(self.expires_at);
        writer.integer(CLAIM_IAT).unsigned(self.issued_at);
        writer.integer(CLAIM_BUNDLE).array(4).unsigned(self.version).bytes(&self.trust_list);
        writer.array(self.lists.len());
        for list in &self.lists {
            writer.array(4).bytes(&list.issuing_key.0);
            for set in list.sets() {
                set.write(&mut writer);
            }
        }
        writer.array(self.offers.len());
        for offer in &self.offers {
            offer.write(&mut writer);
        }
        Ok(seal(&writer.finish(), Some(BUNDLE_TYPE), key))
    }

    /// Reads a bundle: its trust list must hold under `root`, and the bundle under a key which that list trusts.
    ///
    /// This knows nothing of what was seen before: use [`crate::TrustState::accept`] to judge by a bundle.
    ///
    /// # Errors
    /// [`BundleError`], all but those that tell of older versions.
    pub fn open(bytes: &[u8], root: &PublicKey) -> Result<OpenBundle, BundleError> {
        let envelope = Envelope::split(bytes, Some(BUNDLE_TYPE))?;
        let outline = Outline::read(envelope.payload)?;
        let trust_list = TrustList::open(outline.trust_list, root)?;
        let signer = signer(&envelope, &trust_list)?;
        let key_id = envelope.key_id;
        match signer.state {
            KeyState::Active => {}
            KeyState::Retired => return Err(BundleError::KeyRetired(key_id)),
            KeyState::Compromised => return Err(BundleError::KeyCompromised(key_id)),
        }
        if !(signer.not_before..=signer.not_after).contains(&outline.issued_at) {
            return Err(BundleError::KeyNotValid(key_id));
        }
        let signer = signer.key.thumbprint();
        let bundle = outline.finish()?;
        bundle.check()?;
        bundle.check_lists(&trust_list)?;
        let trust_list_digest = Sha256::digest(&bundle.trust_list).into();
        Ok(OpenBundle { bundle, trust_list, signer, digest: Sha256::digest(bytes).into(), trust_list_digest })
    }

    /// What needs no trust list.
    fn check(&self) -> Result<(), BundleError> {
        if self.version == 0 {
            return Err(BundleError::Version);
        }
        if self.expires_at <= self.issued_at || self.expires_at > MAX_TIME {
            return Err(BundleError::Validity);
        }
        if self.lists.windows(2).any(|pair| pair[0].issuing_key >= pair[1].issuing_key) {
            return Err(BundleError::ListOrder);
        }
        for list in &self.lists {
            let [a, b, c] = list.sets();
            if let Some(index) = a.shared_with(b).or_else(|| a.shared_with(c)).or_else(|| b.shared_with(c)) {
                return Err(BundleError::SetsOverlap(index));
            }
        }
        if self.offers.len() > MAX_OFFERS {
            return Err(BundleError::TooManyOffers);
        }
        self.offers.iter().try_for_each(Offer::check)?;
        let mut ids: Vec<_> = self.offers.iter().map(|offer| &offer.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) { Err(BundleError::OfferTwice) } else { Ok(()) }
    }

    /// Exactly one list for each key whose cards may be good: a card without a list could never be revoked.
    fn check_lists(&self, trust_list: &TrustList) -> Result<(), BundleError> {
        let issues = |thumbprint: &Thumbprint| {
            trust_list.issuing_key(thumbprint).is_some_and(|entry| entry.state != KeyState::Compromised)
        };
        if let Some(list) = self.lists.iter().find(|list| !issues(&list.issuing_key)) {
            return Err(BundleError::UnknownList(list.issuing_key.key_id()));
        }
        let good = trust_list.issuing_keys.iter().filter(|entry| entry.state != KeyState::Compromised);
        match good.map(|entry| entry.key.thumbprint()).find(|thumbprint| self.list(thumbprint).is_none()) {
            Some(thumbprint) => Err(BundleError::MissingList(thumbprint.key_id())),
            None => Ok(()),
        }
    }

    /// The status of the cards of one issuing key.
    pub fn list(&self, issuing_key: &Thumbprint) -> Option<&ListStatus> {
        let at = self.lists.binary_search_by(|list| list.issuing_key.cmp(issuing_key)).ok()?;
        self.lists.get(at)
    }
}

impl ListStatus {
    /// The status of the card with this index.
    pub fn status(&self, index: u32) -> Status {
        let known = [Status::Revoked, Status::Suspended, Status::Superseded];
        let found = self.sets().into_iter().zip(known).find(|(set, _)| set.contains(index));
        found.map_or(Status::Valid, |(_, status)| status)
    }

    fn sets(&self) -> [&StatusSet; 3] {
        [&self.revoked, &self.suspended, &self.superseded]
    }
}

/// A bundle read as far as its trust list, without spending memory on what is not yet verified.
struct Outline<'b> {
    version: u64,
    issued_at: Seconds,
    expires_at: Seconds,
    trust_list: &'b [u8],
    rest: Reader<'b>,
}

impl<'b> Outline<'b> {
    fn read(payload: &'b [u8]) -> Result<Self, BundleError> {
        let mut reader = Reader::new(payload);
        let mut keys = reader.map()?;
        let (mut expires_at, mut issued_at) = (None, None);
        while let Some(key) = keys.next(&mut reader)? {
            match key {
                CLAIM_EXP => expires_at = Some(reader.unsigned()?),
                CLAIM_IAT => issued_at = Some(reader.unsigned()?),
                CLAIM_BUNDLE => {
                    items(&mut reader, 4)?;
                    let version = reader.unsigned()?;
                    let trust_list = reader.bytes()?;
                    // It sorts after the claims above; whatever follows it is unknown, whose name is not worth reading.
                    if keys.len() != 0 {
                        return Err(BundleError::ClaimAfter);
                    }
                    let issued_at = issued_at.ok_or(BundleError::MissingClaim(CLAIM_IAT))?;
                    let expires_at = expires_at.ok_or(BundleError::MissingClaim(CLAIM_EXP))?;
                    return Ok(Self { version, issued_at, expires_at, trust_list, rest: reader });
                }
                other => return Err(BundleError::UnknownClaim(other)),
            }
        }
        Err(BundleError::MissingClaim(CLAIM_BUNDLE))
    }

    fn finish(self) -> Result<Bundle, BundleError> {
        let mut reader = self.rest;
        let mut lists = Vec::new();
        for _ in 0..reader.array()? {
            items(&mut reader, 4)?;
            let thumbprint = reader.bytes()?;
            let thumbprint = thumbprint.try_into().map_err(|_| BundleError::ThumbprintSize(thumbprint.len()))?;
            lists.push(ListStatus {
                issuing_key: Thumbprint(thumbprint),
                revoked: StatusSet::read(&mut reader)?,
                suspended: StatusSet::read(&mut reader)?,
                superseded: StatusSet::read(&mut reader)?,
            });
        }
        let count = reader.array()?;
        if count > MAX_OFFERS as u64 {
            return Err(BundleError::TooManyOffers);
        }
        let offers = (0..count).map(|_| Offer::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Bundle {
            version: self.version,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            trust_list: self.trust_list.into(),
            lists,
            offers,
        })
    }
}

/// The bundle key under which the signature holds.
fn signer<'t>(envelope: &Envelope<'_>, trust_list: &'t TrustList) -> Result<&'t BundleKey, BundleError> {
    let mut named = trust_list.bundle_keys.iter().filter(|entry| entry.key.key_id() == envelope.key_id).peekable();
    if named.peek().is_none() {
        return Err(BundleError::UnknownKey(envelope.key_id));
    }
    let (signed, signature) = envelope.signed();
    named.find(|entry| entry.key.verify(&signed, signature).is_ok()).ok_or(BundleError::BadSignature)
}

fn items(reader: &mut Reader<'_>, wanted: u64) -> Result<(), BundleError> {
    match reader.array()? {
        items if items == wanted => Ok(()),
        items => Err(BundleError::Items(items)),
    }
}

impl From<EncodingError> for BundleError {
    fn from(error: EncodingError) -> Self {
        Self::Encoding(error)
    }
}

impl From<EnvelopeError> for BundleError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Encoding(error) => Self::Encoding(error),
            other => Self::Envelope(other),
        }
    }
}
