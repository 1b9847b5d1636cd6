//! Signed things for partners and the world, made when something changed or time is up, and then the same bytes from
//! every server on one database.

use std::sync::Arc;

use jiff::Timestamp;
use zyz_credential::KeyId;

use super::{Federation, ServiceError};
use crate::domain::partner::PartnerId;

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
        Err(ServiceError::Aborted)
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
        let _ = audience;
        Err(ServiceError::Aborted.into())
    }

    /// The newest trust list.
    ///
    /// # Errors
    /// There is none, or the database fails.
    pub async fn trust_list(&self) -> Result<Arc<StoredBundle>, ServiceError> {
        Err(ServiceError::Aborted)
    }

    /// The status list of the issuing key `kid`; none if there is no such key or it was given up as stolen.
    ///
    /// # Errors
    /// A key file is missing or locked, the database fails.
    pub async fn status_list(&self, kid: KeyId, form: TokenForm) -> Result<Option<Arc<StoredToken>>, ServiceError> {
        let _ = (kid, form);
        Err(ServiceError::Aborted)
    }

    /// Signs what is due: public bundle and status lists. Partners' bundles are signed when they are asked for.
    ///
    /// # Errors
    /// A key file is missing or locked, the database fails.
    pub async fn refresh(&self) -> Result<(), ServiceError> {
        Err(ServiceError::Aborted)
    }
}
