//! What partners and the world may fetch: trust list, bundle, status list tokens. Static files.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zyz_credential::{KeyId, ListStatus, TrustList};

use super::bundles::Audience;
use super::files::{make_folder, write_whole};
use super::{Federation, ServiceError, rfc3339};
use crate::domain::partner::{AgreementState, PartnerId};
use crate::store::{KeyRole, KeyState, SigningKey as KeyRow};

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
    /// Partners' bundles.
    pub partners: Vec<PublishedPartner>,
    /// Files written.
    pub files: Vec<String>,
    /// What the administrator should know.
    pub warnings: Vec<String>,
}

/// A partner's bundle among the files.
#[derive(Debug, Serialize)]
pub struct PublishedPartner {
    /// Key of the partner.
    pub partner: i64,
    /// Its name.
    pub name: String,
    /// Version of its bundle.
    pub bundle_version: u64,
    /// Offers inside.
    pub offers: usize,
}

impl Federation {
    /// Signs a new bundle and all status list tokens and writes them into `out`, with `partners/ID/bundle.cose` for each of
    /// `partners`. Every bundle draws a version of its own from the database; the first is at least `at_least`.
    ///
    /// # Errors
    /// A partner is unknown; a key file is missing; the folder cannot be written. A version once drawn is not used again.
    pub async fn publish(&self, out: &Path, at_least: u64, partners: &[PartnerId]) -> Result<Published, ServiceError> {
        let contents = self.contents(&mut self.store.read().await?).await?;
        self.open_rings(&contents.key_names())?; // before the others are kept waiting
        let mut tx = self.begin().await?;
        let contents = self.contents(&mut tx).await?;
        let now = tx.now();
        let present = tx.highest_bundle_version().await?;
        if at_least > present + LEAP {
            return Err(ServiceError::VersionLeap { asked: at_least, now: present, most: LEAP });
        }
        let row = self.sign_bundle(&mut tx, &contents, Audience::Public, Vec::new(), at_least).await?;
        let sum = |count: fn(&ListStatus) -> usize| contents.lists.iter().map(|list| count(&list.list)).sum();
        let mut done = Published {
            bundle_version: row.version,
            trust_list_version: row.trust_list_version,
            issued_at: rfc3339(now),
            expires_at: rfc3339(row.expires_at),
            bundle_bytes: row.body.len(),
            revoked: sum(|list| list.revoked.len()),
            suspended: sum(|list| list.suspended.len()),
            superseded: sum(|list| list.superseded.len()),
            partners: Vec::new(),
            files: Vec::new(),
            warnings: self.trust_warnings(&contents.open_trust_list()?, now),
        };
        let mut bundles = Vec::new();
        for id in partners {
            let partner = tx.partner(*id).await?.ok_or(ServiceError::UnknownPartner { id: *id })?;
            let offers = self.offers_for(&mut tx, Audience::Partner(*id), now).await?;
            if partner.agreement.state(now) == AgreementState::Ended {
                done.warnings.push(format!("“{}”的协议已终止，它的数据包里没有优惠项目", partner.name));
            }
            let (count, name) = (offers.len(), partner.name);
            let row = self.sign_bundle(&mut tx, &contents, Audience::Partner(*id), offers, 0).await?;
            done.partners.push(PublishedPartner { partner: id.0, name, bundle_version: row.version, offers: count });
            bundles.push((out.join("partners").join(id.to_string()), row.body));
        }
        let mut tokens = Vec::new();
        for list in &contents.lists {
            tokens.push((KeyId(list.key.kid), self.sign_tokens(&mut tx, list).await?));
        }
        tx.commit().await?;

        let folder = out.join("status-lists");
        make_folder(&folder)?;
        let mut write = |path: &Path, bytes: &[u8]| -> Result<(), ServiceError> {
            write_whole(path, bytes)?;
            done.files.push(path.display().to_string());
            Ok(())
        };
        for (kid, tokens) in &tokens {
            write(&folder.join(format!("{kid}.cwt")), &tokens.cwt)?;
            write(&folder.join(format!("{kid}.jwt")), &tokens.jwt)?;
        }
        // The bundles last: whoever sees a new bundle finds the rest new as well.
        write(&out.join("trust-list.cose"), &contents.trust.body)?;
        for (folder, body) in &bundles {
            make_folder(folder)?;
            write(&folder.join("bundle.cose"), body)?;
        }
        write(&out.join("bundle.cose"), &row.body)?;
        Ok(done)
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
