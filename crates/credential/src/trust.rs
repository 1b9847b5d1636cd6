//! What a verifier knows: the pinned root, the highest versions it has seen, and the bundle it judges by.

use alloc::sync::Arc;
use alloc::vec::Vec;

use thiserror::Error;

use crate::Seconds;
use crate::bundle::{Bundle, BundleError, OpenBundle};
use crate::cbor::{EncodingError, Reader, Writer};
use crate::key::{KeyRefusal, PublicKey, Thumbprint};
use crate::offer::Offer;
use crate::trust_list::{KeyState, TrustList};

/// The pinned root, the ratchet, and the bundle accepted last.
#[derive(Debug, Clone)]
pub struct TrustState {
    root: PublicKey,
    ratchet: Ratchet,
    loaded: Option<Loaded>,
}

/// What must survive a restart: versions and times only go up.
///
/// Store [`Ratchet::to_bytes`] durably after each [`TrustState::accept`], and hand it back to [`TrustState::restore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ratchet {
    root: [u8; 32],
    trust_list: Option<Seen>,
    /// By bundle key, in ascending order of the thumbprints.
    bundles: Vec<(Thumbprint, Seen)>,
    /// Whose bundle was accepted last.
    last: Option<Thumbprint>,
}

/// The newest of something that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    version: u64,
    issued_at: Seconds,
    digest: [u8; 32],
}

/// What was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The trust list's version.
    pub trust_list_version: u64,
    /// The bundle's version.
    pub bundle_version: u64,
    /// When the bundle was issued.
    pub issued_at: Seconds,
    /// When its status data goes stale: the earlier expiry of bundle and trust list.
    pub expires_at: Seconds,
    /// Whether it was not seen before: store the ratchet.
    pub new: bool,
}

/// Why a stored ratchet is not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RatchetError {
    /// Not the encoding of a ratchet: the file is damaged.
    #[error("the stored ratchet is damaged: {0}")]
    Encoding(#[from] EncodingError),
    /// An array with another number of items than the format sets, or keys out of order.
    #[error("the stored ratchet is damaged: its parts do not fit")]
    Shape,
    /// It belongs to another root key.
    #[error("the stored ratchet belongs to another root key")]
    OtherRoot,
    /// The root key itself is not good.
    #[error(transparent)]
    Root(#[from] KeyRefusal),
}

/// What judging needs of the bundle.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) trust_list: TrustList,
    pub(crate) bundle: Bundle,
    pub(crate) offers: Vec<Arc<Offer>>,
    pub(crate) expires_at: Seconds,
}

impl TrustState {
    /// Pins `root`; nothing seen yet, nothing to judge by.
    ///
    /// # Errors
    /// [`KeyRefusal`] for a root key that must not be trusted.
    pub fn new(root: &[u8; 32]) -> Result<Self, KeyRefusal> {
        let root = PublicKey::accept(root)?;
        Ok(Self { root, ratchet: Ratchet::new(&root), loaded: None })
    }

    /// Pins `root` and takes up a stored ratchet, so that a restart forgets nothing. The bundle has to be accepted anew.
    ///
    /// # Errors
    /// [`RatchetError`]: a damaged ratchet is no reason to begin a new one without asking a person.
    pub fn restore(root: &[u8; 32], ratchet: &[u8]) -> Result<Self, RatchetError> {
        let ratchet = Ratchet::from_bytes(ratchet)?;
        if ratchet.root != *root {
            return Err(RatchetError::OtherRoot);
        }
        Ok(Self { root: PublicKey::accept(root)?, ratchet, loaded: None })
    }

    /// Takes a bundle to judge by, if it is good and no step back. If it is refused, nothing changes.
    ///
    /// The bundle seen last may come again, byte for byte; that changes nothing either.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn accept(&mut self, bytes: &[u8]) -> Result<Accepted, BundleError> {
        let open = Bundle::open(bytes, &self.root)?;
        let ratchet = self.ratchet.after(&open)?;
        let expires_at = open.bundle.expires_at.min(open.trust_list.expires_at);
        let accepted = Accepted {
            trust_list_version: open.trust_list.version,
            bundle_version: open.bundle.version,
            issued_at: open.bundle.issued_at,
            expires_at,
            new: ratchet != self.ratchet,
        };
        let OpenBundle { mut bundle, trust_list, .. } = open;
        let offers = core::mem::take(&mut bundle.offers).into_iter().map(Arc::new).collect();
        self.ratchet = ratchet;
        self.loaded = Some(Loaded { trust_list, bundle, offers, expires_at });
        Ok(accepted)
    }

    /// The pinned root key.
    pub fn root(&self) -> &PublicKey {
        &self.root
    }

    /// What has to be stored.
    pub fn ratchet(&self) -> &Ratchet {
        &self.ratchet
    }

    /// The newest signed time seen: no clock before it is believed.
    pub fn newest_signed(&self) -> Seconds {
        self.ratchet.newest_signed()
    }

    /// The trust list in force, once a bundle was accepted.
    pub fn trust_list(&self) -> Option<&TrustList> {
        self.loaded.as_ref().map(|loaded| &loaded.trust_list)
    }

    /// The offers in force, in the bundle's order.
    pub fn offers(&self) -> &[Arc<Offer>] {
        self.loaded.as_ref().map_or(&[], |loaded| &loaded.offers)
    }

    pub(crate) fn loaded(&self) -> Option<&Loaded> {
        self.loaded.as_ref()
    }
}

impl Ratchet {
    fn new(root: &PublicKey) -> Self {
        Self { root: *root.as_bytes(), trust_list: None, bundles: Vec::new(), last: None }
    }

    /// The newest signed time seen, 0 if nothing was.
    pub fn newest_signed(&self) -> Seconds {
        let bundles = self.bundles.iter().map(|(_, seen)| seen.issued_at);
        bundles.chain(self.trust_list.map(|seen| seen.issued_at)).max().unwrap_or(0)
    }

    /// The highest trust list version seen.
    pub fn trust_list_version(&self) -> Option<u64> {
        self.trust_list.map(|seen| seen.version)
    }

    /// The highest bundle version of a bundle key seen.
    pub fn bundle_version(&self, key: &Thumbprint) -> Option<u64> {
        self.seen(key).map(|seen| seen.version)
    }

    /// The ratchet after `open`, or why that would be a step back.
    fn after(&self, open: &OpenBundle) -> Result<Self, BundleError> {
        let mut next = self.clone();
        let list = Seen::new(open.trust_list.version, open.trust_list.issued_at, open.trust_list_digest);
        match self.trust_list {
            Some(seen) if list.version < seen.version => {
                return Err(BundleError::TrustListOlder { seen: seen.version, got: list.version });
            }
            Some(seen) if list.version == seen.version && list.digest != seen.digest => {
                return Err(BundleError::TrustListForked(list.version));
            }
            _ => next.trust_list = Some(list),
        }
        // What a compromised key said, its dates included, may be its thief's: forget that key's part, and only that.
        next.bundles.retain(|(key, _)| {
            open.trust_list.bundle_key(key).is_none_or(|entry| entry.state != KeyState::Compromised)
        });
        next.last = next.last.filter(|last| next.seen(last).is_some());

        let bundle = Seen::new(open.bundle.version, open.bundle.issued_at, open.digest);
        match next.seen(&open.signer) {
            Some(seen) if bundle.version < seen.version => {
                return Err(BundleError::Older { seen: seen.version, got: bundle.version });
            }
            Some(seen) if bundle.version == seen.version && bundle.digest != seen.digest => {
                return Err(BundleError::Forked(bundle.version));
            }
            _ => {}
        }
        // Versions do not compare across keys; there the date does, lest an old bundle of another key be replayed.
        if let Some(last) = next.last.filter(|last| *last != open.signer).and_then(|last| next.seen(&last))
            && bundle.issued_at < last.issued_at
        {
            return Err(BundleError::IssuedEarlier);
        }
        match next.bundles.binary_search_by(|(key, _)| key.cmp(&open.signer)) {
            Ok(at) => next.bundles[at].1 = bundle,
            Err(at) => next.bundles.insert(at, (open.signer, bundle)),
        }
        next.last = Some(open.signer);
        Ok(next)
    }

    fn seen(&self, key: &Thumbprint) -> Option<&Seen> {
        let at = self.bundles.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
        self.bundles.get(at).map(|(_, seen)| seen)
    }

    /// The form to store: deterministic CBOR, not signed, since the disk it is on is the verifier's own.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.array(4).bytes(&self.root);
        match &self.trust_list {
            Some(seen) => seen.write(writer.array(3)),
            None => {
                writer.array(0);
            }
        }
        writer.array(self.bundles.len());
        for (key, seen) in &self.bundles {
            seen.write(writer.array(4).bytes(&key.0));
        }
        writer.bytes(self.last.as_ref().map_or(&[], |last| &last.0[..]));
        writer.finish()
    }

    /// Reads the form that was stored.
    ///
    /// # Errors
    /// [`RatchetError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RatchetError> {
        let mut reader = Reader::new(bytes);
        if reader.array()? != 4 {
            return Err(RatchetError::Shape);
        }
        let root = array_of(reader.bytes()?)?;
        let trust_list = match reader.array()? {
            0 => None,
            3 => Some(Seen::read(&mut reader)?),
            _ => return Err(RatchetError::Shape),
        };
        let mut bundles: Vec<(Thumbprint, Seen)> = Vec::new();
        for _ in 0..reader.array()? {
            if reader.array()? != 4 {
                return Err(RatchetError::Shape);
            }
            let key = Thumbprint(array_of(reader.bytes()?)?);
            if bundles.last().is_some_and(|(last, _)| *last >= key) {
                return Err(RatchetError::Shape);
            }
            bundles.push((key, Seen::read(&mut reader)?));
        }
        let last = match reader.bytes()? {
            [] => None,
            bytes => Some(Thumbprint(array_of(bytes)?)),
        };
        reader.finish()?;
        let ratchet = Self { root, trust_list, bundles, last };
        let fits = ratchet.last.is_none_or(|last| ratchet.seen(&last).is_some())
            && ratchet.trust_list.is_some() != ratchet.bundles.is_empty();
        if fits { Ok(ratchet) } else { Err(RatchetError::Shape) }
    }
}

impl Seen {
    fn new(version: u64, issued_at: Seconds, digest: [u8; 32]) -> Self {
        Self { version, issued_at, digest }
    }

    fn write(&self, writer: &mut Writer) {
        writer.unsigned(self.version).unsigned(self.issued_at).bytes(&self.digest);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RatchetError> {
        Ok(Self::new(reader.unsigned()?, reader.unsigned()?, array_of(reader.bytes()?)?))
    }
}

fn array_of(bytes: &[u8]) -> Result<[u8; 32], RatchetError> {
    bytes.try_into().map_err(|_| RatchetError::Shape)
}
