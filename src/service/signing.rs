//! What is signed for partners and the world: read from the database, signed, kept in memory while nothing changed.
//!
//! The audit trail tells cheaply whether anything did: what is held carries the number of the last event before it was
//! read, so that whatever was noted since is looked at.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zyz_credential::status_list::{self, StatusListToken};
use zyz_credential::{Bundle, KeyId, ListStatus, Offer, StatusSet, Thumbprint, TrustList, TrustState};

use super::bundles::{Audience, StoredBundle, StoredToken, TokenForm};
use super::publish::{active, later, signed};
use super::{Federation, ServiceError, seconds};
use crate::domain::offer::within;
use crate::domain::partner::PartnerId;
use crate::keystore::{KeyName, Keyring};
use crate::store::{
    Bundle as BundleRow, KeyRole, KeyState, Reader, SigningKey as KeyRow, StatusTokens, TrustList as TrustListRow, Tx,
};

/// What the federation holds in memory. Keys are wiped when it is dropped.
#[derive(Default)]
pub(super) struct Signing {
    rings: Mutex<Vec<Arc<Keyring>>>,
    contents: Mutex<Option<Arc<Contents>>>,
    bundles: Mutex<BTreeMap<Audience, Arc<HeldBundle>>>,
    tokens: Mutex<BTreeMap<KeyId, Arc<HeldTokens>>>,
    /// One signs, the others wait and take what it signed.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// What every bundle says, whoever it is for.
pub(super) struct Contents {
    seq: AtomicI64,
    pub root: [u8; 32],
    pub trust: TrustListRow,
    /// The trust list as it is handed out.
    pub trust_list: Arc<StoredBundle>,
    pub signer: KeyRow,
    /// In ascending order of the thumbprints.
    pub lists: Vec<KeyList>,
    digest: [u8; 32],
}

/// The status of one issuing key's cards.
pub(super) struct KeyList {
    pub key: KeyRow,
    pub list: ListStatus,
    pub uri: String,
    digest: [u8; 32],
}

/// A bundle in memory.
pub(super) struct HeldBundle {
    pub seq: AtomicI64,
    pub stored: Arc<StoredBundle>,
    root: [u8; 32],
    trust: OnceLock<Arc<TrustState>>,
}

/// A status list's tokens in memory.
struct HeldTokens {
    seq: AtomicI64,
    digest: [u8; 32],
    cwt: Arc<StoredToken>,
    jwt: Arc<StoredToken>,
}

impl Federation {
    /// What bundles say now. Inside a `Tx` that has written nothing yet it is what that transaction sees.
    pub(super) async fn contents(&self, reader: &mut Reader) -> Result<Arc<Contents>, ServiceError> {
        // First the number, then what it is about: what is noted in between is looked at again.
        let seq = reader.audit_head().await?.0;
        let held = lock(&self.signing.contents).clone();
        if let Some(held) = held {
            let known = held.seq.load(Ordering::Acquire);
            if known >= seq || !reader.signed_things_changed_since(known).await? {
                held.seq.fetch_max(seq, Ordering::AcqRel);
                return Ok(held);
            }
        }
        let contents = Arc::new(self.read_contents(reader, seq).await?);
        *lock(&self.signing.contents) = Some(contents.clone());
        Ok(contents)
    }

    async fn read_contents(&self, reader: &mut Reader, seq: i64) -> Result<Contents, ServiceError> {
        let trust = reader.latest_trust_list().await?.ok_or(ServiceError::NoTrustList)?;
        let root = *self.root_public(reader).await?.as_bytes();
        let keys = reader.signing_keys(None).await?;
        let signer = active(&keys, KeyRole::Bundle)?.clone();
        let mut statuses: HashMap<_, _> = reader.not_valid(None).await?.into_iter().map(|set| (set.key, set)).collect();
        let mut lists = Vec::new();
        for key in keys {
            if key.role != KeyRole::Issuing || key.state == KeyState::Compromised {
                continue;
            }
            let of_key = statuses.remove(&key.id);
            let (revoked, suspended, superseded) =
                of_key.map_or_else(Default::default, |sets| (sets.revoked, sets.suspended, sets.superseded));
            // The address that the trust list names, so that the token's `sub` is what the card's derived form points to.
            let uri = key.list_uri.clone().unwrap_or_default();
            let mut hash = Sha256::new();
            feed(&mut hash, uri.as_bytes());
            for set in [&revoked, &suspended, &superseded] {
                let bytes: Vec<u8> = set.iter().flat_map(|index| index.to_be_bytes()).collect();
                feed(&mut hash, &bytes);
            }
            let set = |indices: Vec<u32>| StatusSet::from_sorted(indices).map_err(|e| signed("状态集", e));
            let list = ListStatus {
                issuing_key: Thumbprint::of(&key.public_key),
                revoked: set(revoked)?,
                suspended: set(suspended)?,
                superseded: set(superseded)?,
            };
            lists.push(KeyList { key, list, uri, digest: hash.finalize().into() });
        }
        lists.sort_by_key(|list| list.list.issuing_key);
        let mut hash = Sha256::new();
        feed(&mut hash, &trust.body);
        feed(&mut hash, &signer.public_key);
        for list in &lists {
            feed(&mut hash, &list.list.issuing_key.0);
            feed(&mut hash, &list.digest);
        }
        let trust_list = Arc::new(StoredBundle {
            etag: etag(&trust.body),
            body: trust.body.clone(),
            version: trust.version,
            issued_at: trust.issued_at,
            expires_at: trust.expires_at,
        });
        Ok(Contents {
            seq: AtomicI64::new(seq),
            root,
            trust,
            trust_list,
            signer,
            lists,
            digest: hash.finalize().into(),
        })
    }

    /// The offers that a bundle for `audience` carries at `now`. A partner that is not known has none.
    pub(super) async fn offers_for(
        &self,
        reader: &mut Reader,
        audience: Audience,
        now: Timestamp,
    ) -> Result<Vec<Offer>, ServiceError> {
        let Some(id) = audience.partner() else { return Ok(Vec::new()) };
        let Some(partner) = reader.partner(id).await? else { return Ok(Vec::new()) };
        let offers = reader.offers(Some(id), false).await?;
        Ok(offers.iter().filter_map(|row| within(&row.offer, &partner.agreement, now)).collect())
    }

    /// Signs and keeps a bundle, with a version of its own that is at least `at_least`.
    pub(super) async fn sign_bundle(
        &self,
        tx: &mut Tx,
        contents: &Contents,
        audience: Audience,
        offers: Vec<Offer>,
        at_least: u64,
    ) -> Result<BundleRow, ServiceError> {
        let kid = KeyId(contents.signer.kid);
        let ring = self.ring(KeyName::Bundle(kid))?;
        let key = ring.bundle(kid).ok_or(ServiceError::Aborted)?;
        let now = tx.now();
        let expires = later(now, self.config.trust.bundle_days, 24);
        let digest = contents.digest_with(&offers);
        let bundle = Bundle {
            version: tx.next_bundle_version(at_least).await?,
            issued_at: seconds(now),
            expires_at: seconds(expires),
            trust_list: contents.trust.body.clone(),
            lists: contents.lists.iter().map(|list| list.list.clone()).collect(),
            offers,
        };
        let body = bundle.sign(key).map_err(|e| signed("数据包", e))?;
        // As a partner would: whatever it would refuse must not be published.
        let root = self.root_public(tx).await?;
        Bundle::open(&body, &root).map_err(|e| signed("数据包", e))?;
        let row = BundleRow {
            version: bundle.version,
            issued_at: now,
            expires_at: expires,
            trust_list_version: contents.trust.version,
            audience: audience.partner(),
            digest: Some(digest),
            body,
        };
        tx.insert_bundle(&row).await?;
        Ok(row)
    }

    /// Signs a key's status list in both forms and keeps it.
    pub(super) async fn sign_tokens(&self, tx: &mut Tx, list: &KeyList) -> Result<StatusTokens, ServiceError> {
        let kid = KeyId(list.key.kid);
        let ring = self.ring(KeyName::Issuing(kid))?;
        let key = ring.issuing(kid).ok_or(ServiceError::Aborted)?;
        let now = tx.now();
        let bits = status_list::bits(&list.list.revoked, &list.list.suspended, &list.list.superseded);
        let compressed = deflate(&bits)?;
        let expires_at = later(now, self.config.trust.status_list_days, 24);
        let ttl = u64::from(self.config.trust.status_list_ttl_hours) * 3600;
        let token = StatusListToken {
            uri: &list.uri,
            issued_at: seconds(now),
            expires_at: seconds(expires_at),
            ttl,
            compressed: &compressed,
        };
        let row = StatusTokens {
            key: list.key.id,
            issued_at: now,
            expires_at,
            ttl,
            digest: list.digest,
            cwt: status_list::cwt(&token, key),
            jwt: status_list::jwt(&token, key).into_bytes(),
        };
        tx.put_status_tokens(&row).await?;
        Ok(row)
    }

    /// A ring with this key on it, opened now if none is.
    pub(super) fn ring(&self, name: KeyName) -> Result<Arc<Keyring>, ServiceError> {
        let mut rings = lock(&self.signing.rings);
        if let Some(ring) = rings.iter().find(|ring| has(ring, name)) {
            return Ok(ring.clone());
        }
        let ring = Arc::new(self.folder.unlock(&[name], &self.passphrase)?);
        rings.push(ring.clone());
        Ok(ring)
    }

    /// Opens all of these that are not open, at once.
    pub(super) fn open_rings(&self, names: &[KeyName]) -> Result<(), ServiceError> {
        let mut rings = lock(&self.signing.rings);
        let missing: Vec<_> = names.iter().copied().filter(|name| !rings.iter().any(|ring| has(ring, *name))).collect();
        if !missing.is_empty() {
            rings.push(Arc::new(self.folder.unlock(&missing, &self.passphrase)?));
        }
        Ok(())
    }

    /// Whether something signed at `issued_at` is young enough to be handed out at `now`.
    fn is_young(&self, issued_at: Timestamp, now: Timestamp) -> bool {
        is_young(issued_at, now, i64::from(self.config.trust.refresh_minutes) * 60)
    }

    /// The newest stored bundle for `audience`, if it need not be signed anew.
    pub(super) async fn good_bundle(
        &self,
        reader: &mut Reader,
        audience: Audience,
        now: Timestamp,
    ) -> Result<Option<Arc<HeldBundle>>, ServiceError> {
        let seq = reader.audit_head().await?.0;
        let held = lock(&self.signing.bundles).get(&audience).cloned();
        if let Some(held) = &held
            && held.seq.load(Ordering::Acquire) == seq
        {
            return Ok(self.is_young(held.stored.issued_at, now).then(|| held.clone()));
        }
        let Some(mark) = reader.latest_bundle_mark(audience.partner()).await? else { return Ok(None) };
        if !self.is_young(mark.issued_at, now) {
            return Ok(None);
        }
        let held = held.filter(|held| held.stored.version == mark.version);
        if let Some(held) = &held
            && !reader.signed_things_changed_since(held.seq.load(Ordering::Acquire)).await?
        {
            held.seq.fetch_max(seq, Ordering::AcqRel);
            return Ok(Some(held.clone()));
        }
        let contents = self.contents(reader).await?;
        let offers = self.offers_for(reader, audience, now).await?;
        if mark.digest != Some(contents.digest_with(&offers)) {
            return Ok(None);
        }
        if let Some(held) = held {
            held.seq.fetch_max(seq, Ordering::AcqRel);
            return Ok(Some(held));
        }
        let Some(row) = reader.latest_bundle(audience.partner()).await? else { return Ok(None) };
        Ok(Some(self.hold_bundle(audience, row, seq, contents.root)))
    }

    /// Keeps a bundle in memory; `seq` is the audit head from before it was read.
    pub(super) fn hold_bundle(&self, audience: Audience, row: BundleRow, seq: i64, root: [u8; 32]) -> Arc<HeldBundle> {
        let stored = Arc::new(StoredBundle {
            etag: etag(&row.body),
            body: row.body,
            version: row.version,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
        });
        let held = Arc::new(HeldBundle { seq: AtomicI64::new(seq), stored, root, trust: OnceLock::new() });
        let mut bundles = lock(&self.signing.bundles);
        let newer = bundles.get(&audience).filter(|other| other.stored.version > held.stored.version);
        if let Some(newer) = newer {
            return newer.clone();
        }
        bundles.insert(audience, held.clone());
        held
    }

    /// The stored tokens of `list`, if they need not be signed anew: they say the same, and half of their life is left.
    pub(super) async fn good_token(
        &self,
        reader: &mut Reader,
        list: &KeyList,
        form: TokenForm,
        now: Timestamp,
    ) -> Result<Option<Arc<StoredToken>>, ServiceError> {
        let seq = reader.audit_head().await?.0;
        let kid = KeyId(list.key.kid);
        let good = |held: &HeldTokens| {
            let StoredToken { issued_at, expires_at, .. } = &*held.cwt;
            let half = (expires_at.as_second() - issued_at.as_second()) / 2;
            held.digest == list.digest && is_young(*issued_at, now, half)
        };
        let held = lock(&self.signing.tokens).get(&kid).cloned();
        if let Some(held) = held
            && held.seq.load(Ordering::Acquire) == seq
        {
            return Ok(good(&held).then(|| held.of(form)));
        }
        let Some(row) = reader.status_tokens(list.key.id).await? else { return Ok(None) };
        let held = self.hold_tokens(kid, row, seq);
        Ok(good(&held).then(|| held.of(form)))
    }

    /// Keeps tokens in memory and returns one.
    pub(super) fn hold_token(&self, kid: KeyId, row: StatusTokens, seq: i64, form: TokenForm) -> Arc<StoredToken> {
        self.hold_tokens(kid, row, seq).of(form)
    }

    fn hold_tokens(&self, kid: KeyId, row: StatusTokens, seq: i64) -> Arc<HeldTokens> {
        let token = |body: Vec<u8>| {
            Arc::new(StoredToken {
                etag: etag(&body),
                body,
                issued_at: row.issued_at,
                expires_at: row.expires_at,
                ttl: row.ttl,
            })
        };
        let (cwt, jwt) = (token(row.cwt), token(row.jwt));
        let held = Arc::new(HeldTokens { seq: AtomicI64::new(seq), digest: row.digest, cwt, jwt });
        lock(&self.signing.tokens).insert(kid, held.clone());
        held
    }
}

impl Audience {
    /// The partner, if it is one.
    pub fn partner(self) -> Option<PartnerId> {
        match self {
            Self::Public => None,
            Self::Partner(id) => Some(id),
        }
    }
}

impl Contents {
    /// SHA-256 over what a bundle with these offers says, without version and times.
    pub fn digest_with(&self, offers: &[Offer]) -> [u8; 32] {
        let mut hash = Sha256::new();
        feed(&mut hash, &self.digest);
        for offer in offers {
            feed_offer(&mut hash, offer);
        }
        hash.finalize().into()
    }

    /// The names of all keys that sign, the signer's first.
    pub fn key_names(&self) -> Vec<KeyName> {
        let issuing = self.lists.iter().map(|list| KeyName::Issuing(KeyId(list.key.kid)));
        std::iter::once(KeyName::Bundle(KeyId(self.signer.kid))).chain(issuing).collect()
    }

    /// The list of the issuing key with this id; of the newest, should two share it.
    pub fn list(&self, kid: KeyId) -> Option<&KeyList> {
        self.lists.iter().filter(|list| list.key.kid == kid.0).max_by_key(|list| list.key.id)
    }

    /// The trust list, read.
    pub fn open_trust_list(&self) -> Result<TrustList, ServiceError> {
        let root = zyz_credential::PublicKey::accept(&self.root).map_err(|e| signed("根公钥", e))?;
        TrustList::open(&self.trust.body, &root).map_err(|e| signed("信任列表", e))
    }

    /// The number of the last audit event before this was read, or up to which nothing changed it.
    pub fn seq(&self) -> i64 {
        self.seq.load(Ordering::Acquire)
    }
}

impl HeldBundle {
    /// The bundle as a verifier takes it; opened once.
    pub fn trust_state(&self) -> Result<Arc<TrustState>, ServiceError> {
        if let Some(state) = self.trust.get() {
            return Ok(state.clone());
        }
        let mut state = TrustState::new(&self.root).map_err(|e| signed("根公钥", e))?;
        state.accept(&self.stored.body).map_err(|e| signed("数据包", e))?;
        Ok(self.trust.get_or_init(|| Arc::new(state)).clone())
    }
}

impl HeldTokens {
    fn of(&self, form: TokenForm) -> Arc<StoredToken> {
        match form {
            TokenForm::Cwt => self.cwt.clone(),
            TokenForm::Jwt => self.jwt.clone(),
        }
    }
}

/// Younger than `most` seconds. What lies up to a day ahead is another server's whose clock is; beyond that, a clock was
/// wrong and what it signed is replaced.
fn is_young(issued_at: Timestamp, now: Timestamp, most: i64) -> bool {
    (-86_400..most).contains(&(now.as_second() - issued_at.as_second()))
}

fn has(ring: &Keyring, name: KeyName) -> bool {
    match name {
        KeyName::Bundle(kid) => ring.bundle(kid).is_some(),
        KeyName::Issuing(kid) => ring.issuing(kid).is_some(),
        KeyName::Root => ring.root().is_some(),
        KeyName::Data => ring.data().is_some(),
    }
}

/// What is behind the lock is whole whatever a panicking holder did: it is replaced, never changed in place.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An entity tag: SHA-256 of the bytes, in quotes.
fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Sha256::digest(bytes)))
}

fn feed(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

fn feed_offer(hash: &mut Sha256, offer: &Offer) {
    let Offer {
        id,
        kind,
        title,
        terms,
        min_star,
        valid_from,
        valid_to,
        weekdays,
        hours,
        limits,
        identity_check,
        max_status_age,
    } = offer;
    for text in [id, title, terms] {
        feed(hash, text.as_bytes());
    }
    let numbers = [
        Some(*kind as u64),
        Some(u64::from(*min_star)),
        *valid_from,
        *valid_to,
        Some(u64::from(weekdays.bits())),
        limits.per_day.map(u64::from),
        limits.per_month.map(u64::from),
        limits.in_all.map(u64::from),
        Some(u64::from(*identity_check)),
        *max_status_age,
        Some(hours.len() as u64),
    ];
    let windows = hours.iter().flat_map(|window| [Some(u64::from(window.from)), Some(u64::from(window.to))]);
    for number in numbers.into_iter().chain(windows) {
        hash.update([u8::from(number.is_some())]);
        hash.update(number.unwrap_or(0).to_be_bytes());
    }
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>, ServiceError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|e| signed("状态列表", e))
}
