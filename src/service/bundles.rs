//! Signed things for partners and the world, made when something changed or time is up, and then the same bytes from
//! every server on one database.

use std::sync::Arc;

use jiff::Timestamp;
use zyz_credential::KeyId;

use super::signing::HeldBundle;
use super::{Federation, ServiceError};
use crate::domain::partner::PartnerId;
use crate::keystore::KeyName;

/// For whom a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Audience {
    /// Anybody: no offers.
    Public,
    /// One partner: its offers.
    Partner(PartnerId),
}

/// A signed bundle or trust list as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBundle {
    /// The signed bytes, `application/cose`.
    pub body: Vec<u8>,
    /// Entity tag with its quotes: SHA-256 of the body.
    pub etag: String,
    /// Version.
    pub version: u64,
    /// When signed.
    pub issued_at: Timestamp,
    /// From when on stale.
    pub expires_at: Timestamp,
}

/// The two forms of a status list token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenForm {
    /// `application/statuslist+cwt`
    Cwt,
    /// `application/statuslist+jwt`
    Jwt,
}

/// A signed status list token as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// The signed bytes.
    pub body: Vec<u8>,
    /// Entity tag with its quotes: SHA-256 of the body.
    pub etag: String,
    /// When signed.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// The token's own `ttl`, seconds: how long a copy may be kept.
    pub ttl: u64,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// No partner has this id.
    #[error("没有编号为 {id} 的合作单位。用 zyz partner list 查看")]
    UnknownPartner {
        /// The id asked for.
        id: PartnerId,
    },
    /// Anything else: a key file is missing or locked, the database fails.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
super::service_errors!(BundleError);

impl Federation {
    /// Opens the keys that sign bundles and status lists and holds them until the federation is dropped (then they are
    /// wiped): each costs a scrypt. Without this call the first signing does it. Keys that are rotated in later are opened
    /// when they are first needed.
    ///
    /// # Errors
    /// A key file is missing, or does not open; the message says which command helps.
    pub async fn unlock_signing(&self) -> Result<(), ServiceError> {
        let contents = self.contents(&mut self.store.read().await?).await?;
        self.open_rings(&contents.key_names())
    }

    /// Number of the last audit event: while it stays, nothing has changed. A read of one row.
    ///
    /// # Errors
    /// The database fails.
    pub async fn state_seq(&self) -> Result<i64, ServiceError> {
        Ok(self.store.read().await?.audit_head().await?.0)
    }

    /// The bundle for `audience`: the newest stored one while it says what the database says and is younger than
    /// `trust.refresh_minutes`, else one signed now.
    ///
    /// # Errors
    /// [`BundleError`].
    pub async fn bundle_for(&self, audience: Audience) -> Result<Arc<StoredBundle>, BundleError> {
        Ok(self.present_bundle(audience).await?.stored.clone())
    }

    /// The newest trust list.
    ///
    /// # Errors
    /// There is none, or the database fails.
    pub async fn trust_list(&self) -> Result<Arc<StoredBundle>, ServiceError> {
        Ok(self.contents(&mut self.store.read().await?).await?.trust_list.clone())
    }

    /// The status list of the issuing key `kid`; none if there is no such key or it was given up as stolen.
    ///
    /// # Errors
    /// A key file is missing or locked, the database fails.
    pub async fn status_list(&self, kid: KeyId, form: TokenForm) -> Result<Option<Arc<StoredToken>>, ServiceError> {
        let mut reader = self.store.read().await?;
        let contents = self.contents(&mut reader).await?;
        let Some(list) = contents.list(kid) else { return Ok(None) };
        if let Some(token) = self.good_token(&mut reader, list, form, self.now()).await? {
            return Ok(Some(token));
        }
        drop(reader);
        let _turn = self.signing.turn.lock().await;
        self.ring(KeyName::Issuing(kid))?; // before the others are kept waiting
        let mut tx = self.begin().await?;
        let contents = self.contents(&mut tx).await?;
        let Some(list) = contents.list(kid) else { return Ok(None) };
        let now = tx.now();
        if let Some(token) = self.good_token(&mut tx, list, form, now).await? {
            return Ok(Some(token));
        }
        let row = self.sign_tokens(&mut tx, list).await?;
        tx.commit().await?;
        tracing::info!(key = %kid, "status list signed");
        Ok(Some(self.hold_token(kid, row, contents.seq(), form)))
    }

    /// Signs what is due: public bundle and status lists. Partners' bundles are signed when they are asked for. What can be
    /// signed is, whatever else fails.
    ///
    /// # Errors
    /// The first: a key file is missing or locked, the database fails.
    pub async fn refresh(&self) -> Result<(), ServiceError> {
        let mut first = match self.bundle_for(Audience::Public).await {
            Ok(_) => None,
            Err(BundleError::Service(error)) => Some(error),
            Err(BundleError::UnknownPartner { .. }) => None, // the public is no partner
        };
        let contents = self.contents(&mut self.store.read().await?).await?;
        for list in &contents.lists {
            if let Err(error) = self.status_list(KeyId(list.key.kid), TokenForm::Cwt).await {
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// As [`Self::bundle_for`], with what was made of it.
    pub(super) async fn present_bundle(&self, audience: Audience) -> Result<Arc<HeldBundle>, BundleError> {
        let mut reader = self.store.read().await?;
        if let Some(held) = self.good_bundle(&mut reader, audience, self.now()).await? {
            return Ok(held);
        }
        if let Some(id) = audience.partner()
            && reader.partner(id).await?.is_none()
        {
            return Err(BundleError::UnknownPartner { id });
        }
        let contents = self.contents(&mut reader).await?;
        drop(reader);
        let _turn = self.signing.turn.lock().await;
        self.ring(KeyName::Bundle(KeyId(contents.signer.kid)))?; // before the others are kept waiting
        // Writers take turns at the audit head, here and in every other process: whoever comes second finds what the
        // first one signed.
        let mut tx = self.begin().await?;
        let now = tx.now();
        if let Some(held) = self.good_bundle(&mut tx, audience, now).await? {
            return Ok(held);
        }
        let contents = self.contents(&mut tx).await?;
        let offers = self.offers_for(&mut tx, audience, now).await?;
        let row = self.sign_bundle(&mut tx, &contents, audience, offers, 0).await?;
        tx.commit().await?;
        tracing::info!(version = row.version, partner = ?audience.partner(), "bundle signed");
        Ok(self.hold_bundle(audience, row, contents.seq(), contents.root))
    }
}
