//! What partners and the world may fetch: trust list, bundle, status list tokens. Static files.

use std::collections::HashMap;
use std::path::Path;

use ed25519_dalek::SigningKey;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zyz_credential::status_list::{self, StatusListToken};
use zyz_credential::{Bundle, KeyId, ListStatus, StatusSet, Thumbprint, TrustList};

use super::files::{make_folder, write_whole};
use super::{Federation, ServiceError, rfc3339, seconds};
use crate::keystore::KeyName;
use crate::store::{Bundle as BundleRow, KeyRole, KeyState, SigningKey as KeyRow, Tx};

/// How far `--at-least` may lift the version: verifiers never go back, so a slip of the finger would be for good.
const LEAP: u64 = 1_000_000;

/// What was published.
#[derive(Debug, Serialize)]
pub struct Published {
    /// Version of the bundle.
    pub bundle_version: u64,
    /// Version of the trust list inside.
    pub trust_list_version: u64,
    /// When it was signed, RFC 3339.
    pub issued_at: String,
    /// When it goes stale, RFC 3339.
    pub expires_at: String,
    /// Size of the bundle, bytes.
    pub bundle_bytes: usize,
    /// Cards revoked.
    pub revoked: usize,
    /// Cards suspended.
    pub suspended: usize,
    /// Cards superseded.
    pub superseded: usize,
    /// Files written.
    pub files: Vec<String>,
    /// What the administrator should know.
    pub warnings: Vec<String>,
}

impl Federation {
    /// Signs a new bundle and all status list tokens and writes them into `out`. The version is drawn from the database
    /// and is at least `at_least`.
    ///
    /// # Errors
    /// A key file is missing; the folder cannot be written. A version once drawn is not used again.
    pub async fn publish(&self, out: &Path, at_least: u64) -> Result<Published, ServiceError> {
        let mut tx = self.begin().await?;
        let trust = tx.latest_trust_list().await?.ok_or(ServiceError::NoTrustList)?;
        let keys = tx.signing_keys(None).await?;
        let signer = active(&keys, KeyRole::Bundle)?;
        let issuing: Vec<_> =
            keys.iter().filter(|key| key.role == KeyRole::Issuing && key.state != KeyState::Compromised).collect();
        let mut names = vec![KeyName::Bundle(KeyId(signer.kid))];
        names.extend(issuing.iter().map(|key| KeyName::Issuing(KeyId(key.kid))));
        let opened = self.folder.unlock(&names, &self.passphrase)?;
        let bundle_key = opened.bundle(KeyId(signer.kid)).ok_or(ServiceError::Aborted)?;

        let now = tx.now();
        let lists = self.lists(&mut tx, &issuing).await?;
        let present = tx.latest_bundle().await?.map_or(0, |bundle| bundle.version);
        if at_least > present + LEAP {
            return Err(ServiceError::VersionLeap { asked: at_least, now: present, most: LEAP });
        }
        let version = tx.next_bundle_version(at_least).await?;
        let expires = later(now, self.config.trust.bundle_days, 24);
        let bundle = Bundle {
            version,
            issued_at: seconds(now),
            expires_at: seconds(expires),
            trust_list: trust.body.clone(),
            lists: lists.iter().map(|(_, list)| list.clone()).collect(),
            offers: Vec::new(),
        };
        let bytes = bundle.sign(bundle_key).map_err(|e| signed("数据包", e))?;
        // As a partner would: whatever it would refuse must not be published.
        let root = self.root_public(&mut tx).await?;
        let trust_list = Bundle::open(&bytes, &root).map_err(|e| signed("数据包", e))?.trust_list;
        let row = BundleRow {
            version,
            issued_at: now,
            expires_at: expires,
            trust_list_version: trust.version,
            body: bytes.clone(),
        };
        tx.insert_bundle(&row).await?;
        tx.commit().await?;

        let mut done = Published {
            bundle_version: version,
            trust_list_version: trust.version,
            issued_at: rfc3339(now),
            expires_at: rfc3339(expires),
            bundle_bytes: bytes.len(),
            revoked: lists.iter().map(|(_, list)| list.revoked.len()).sum(),
            suspended: lists.iter().map(|(_, list)| list.suspended.len()).sum(),
            superseded: lists.iter().map(|(_, list)| list.superseded.len()).sum(),
            files: Vec::new(),
            warnings: self.trust_warnings(&trust_list, now),
        };
        let folder = out.join("status-lists");
        make_folder(&folder)?;
        let mut write = |path: &Path, bytes: &[u8]| -> Result<(), ServiceError> {
            write_whole(path, bytes)?;
            done.files.push(path.display().to_string());
            Ok(())
        };
        for (kid, list) in &lists {
            let key = opened.issuing(*kid).ok_or(ServiceError::Aborted)?;
            let entry = trust_list.issuing_key(&list.issuing_key).ok_or(ServiceError::NoTrustList)?;
            let (cwt, jwt) = self.tokens(list, &entry.list_uri, key, now)?;
            write(&folder.join(format!("{kid}.cwt")), &cwt)?;
            write(&folder.join(format!("{kid}.jwt")), jwt.as_bytes())?;
        }
        // The bundle last: whoever sees the new bundle finds the rest new as well.
        write(&out.join("trust-list.cose"), &trust.body)?;
        write(&out.join("bundle.cose"), &bytes)?;
        Ok(done)
    }

    /// The status sets of each key, in ascending order of the thumbprints.
    async fn lists(&self, tx: &mut Tx, issuing: &[&KeyRow]) -> Result<Vec<(KeyId, ListStatus)>, ServiceError> {
        let mut statuses: HashMap<_, _> = tx.not_valid(None).await?.into_iter().map(|set| (set.key, set)).collect();
        let mut lists = Vec::with_capacity(issuing.len());
        for key in issuing {
            let of_key = statuses.remove(&key.id);
            let (revoked, suspended, superseded) =
                of_key.map_or_else(Default::default, |sets| (sets.revoked, sets.suspended, sets.superseded));
            let set = |indices: Vec<u32>| StatusSet::from_sorted(indices).map_err(|e| signed("状态集", e));
            let list = ListStatus {
                issuing_key: Thumbprint::of(&key.public_key),
                revoked: set(revoked)?,
                suspended: set(suspended)?,
                superseded: set(superseded)?,
            };
            lists.push((KeyId(key.kid), list));
        }
        lists.sort_by_key(|(_, list)| list.issuing_key);
        Ok(lists)
    }

    /// The list as the standard's signed tokens, CWT and JWT.
    fn tokens(
        &self,
        list: &ListStatus,
        uri: &str,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<(Vec<u8>, String), ServiceError> {
        let bits = status_list::bits(&list.revoked, &list.suspended, &list.superseded);
        let compressed = deflate(&bits)?;
        let token = StatusListToken {
            uri,
            issued_at: seconds(now),
            expires_at: seconds(later(now, self.config.trust.status_list_days, 24)),
            ttl: u64::from(self.config.trust.status_list_ttl_hours) * 3600,
            compressed: &compressed,
        };
        Ok((status_list::cwt(&token, key), status_list::jwt(&token, key)))
    }

    /// What is about to go wrong with the trust list.
    fn trust_warnings(&self, list: &TrustList, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::new();
        let left = (list.expires_at as i64 - now.as_second()) / 86_400;
        if left < i64::from(self.config.trust.bundle_days) {
            warnings.push(format!("信任列表还有 {left} 天到期，请用 zyz key renew 续签，否则合作单位将看到“请核实”"));
        }
        let elsewhere = list
            .issuing_keys
            .iter()
            .any(|key| key.list_uri != super::keys::list_uri(&self.config.public_url, key.key.key_id()));
        if elsewhere {
            warnings.push("public_url 已改动，信任列表里的状态列表网址还是旧的，请运行 zyz key renew".into());
        }
        warnings
    }
}

/// The one active key of `role`.
pub(super) fn active(keys: &[KeyRow], role: KeyRole) -> Result<&KeyRow, ServiceError> {
    let (name, command) = super::keys::role_words(role);
    // The newest, should two be active for a moment.
    keys.iter()
        .rev()
        .find(|key| key.role == role && key.state == KeyState::Active)
        .ok_or(ServiceError::NoActiveKey { role: name, command })
}

/// `at` plus `count` times `hours`.
pub(super) fn later(at: Timestamp, count: u32, hours: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_hours(hours * i64::from(count))).unwrap_or(at)
}

/// An error of the credential core, for people.
pub(super) fn signed(what: &'static str, why: impl std::fmt::Display) -> ServiceError {
    ServiceError::Signed { what, why: why.to_string() }
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>, ServiceError> {
    use std::io::Write;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|e| signed("状态列表", e))
}
