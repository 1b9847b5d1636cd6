//! Trust lists and bundles as they were signed.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;

use super::bulk::Statement;
use super::row::Columns;
use super::{Reader, StoreError, Tx};

/// A signed trust list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustList {
    /// Version; only ever goes up.
    pub version: u64,
    /// When signed.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// The signed bytes.
    pub body: Vec<u8>,
}

/// A signed bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Version; only ever goes up.
    pub version: u64,
    /// When signed.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// The trust list that it carries.
    pub trust_list_version: u64,
    /// The signed bytes.
    pub body: Vec<u8>,
}

impl Reader {
    /// The newest trust list.
    pub async fn latest_trust_list(&mut self) -> Result<Option<TrustList>, StoreError> {
        let query =
            Statement::new("SELECT version, issued_at, expires_at, body FROM trust_list ORDER BY version DESC LIMIT 1");
        query.fetch_optional(self).await?.as_ref().map(trust_list).transpose()
    }

    /// The newest bundle.
    pub async fn latest_bundle(&mut self) -> Result<Option<Bundle>, StoreError> {
        let query = Statement::new(
            "SELECT version, issued_at, expires_at, body, trust_list_version FROM bundle ORDER BY version DESC LIMIT 1",
        );
        query.fetch_optional(self).await?.as_ref().map(bundle).transpose()
    }
}

impl Tx {
    /// The version that the trust list signed in this transaction takes. Drawn, so no other process has or gets it.
    pub async fn next_trust_list_version(&mut self) -> Result<u64, StoreError> {
        Ok(self.draw_one("version/trust_list").await? as u64)
    }

    /// The version that the bundle signed in this transaction takes, at least `at_least`. Drawn, so no other process has
    /// or gets it. The bound matters after an older backup was restored: partners refuse to go back.
    pub async fn next_bundle_version(&mut self, at_least: u64) -> Result<u64, StoreError> {
        let next = self.draw_one("version/bundle").await? as u64;
        if next >= at_least {
            return Ok(next);
        }
        let skipped = usize::try_from(at_least - next).map_err(|_| StoreError::BadValue { what: "版本号" })?;
        Ok((self.draw("version/bundle", skipped).await?.end - 1) as u64)
    }

    /// Keeps a signed trust list (`trust_list.publish`).
    pub async fn insert_trust_list(&mut self, list: &TrustList) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO trust_list (version, issued_at, expires_at, body) VALUES ($1, $2, $3, $4)")
            .bind(list.version as i64)
            .bind(list.issued_at.as_second())
            .bind(list.expires_at.as_second())
            .bind(&list.body[..])
            .execute(self.connection())
            .await?;
        let detail = json!({"sha256": hex::encode(Sha256::digest(&list.body))});
        self.audit("trust_list.publish", format!("trust_list/{}", list.version), detail);
        Ok(())
    }

    /// Keeps a signed bundle (`bundle.publish`).
    pub async fn insert_bundle(&mut self, bundle: &Bundle) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO bundle (version, issued_at, expires_at, trust_list_version, body) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(bundle.version as i64)
        .bind(bundle.issued_at.as_second())
        .bind(bundle.expires_at.as_second())
        .bind(bundle.trust_list_version as i64)
        .bind(&bundle.body[..])
        .execute(self.connection())
        .await?;
        let detail = json!({
            "trust_list": bundle.trust_list_version, "sha256": hex::encode(Sha256::digest(&bundle.body)),
        });
        self.audit("bundle.publish", format!("bundle/{}", bundle.version), detail);
        Ok(())
    }
}

fn trust_list(row: &AnyRow) -> Result<TrustList, StoreError> {
    Ok(TrustList {
        version: row.number(0, "版本号")?,
        issued_at: row.moment(1)?,
        expires_at: row.moment(2)?,
        body: row.bytes(3)?.to_vec(),
    })
}

fn bundle(row: &AnyRow) -> Result<Bundle, StoreError> {
    Ok(Bundle {
        version: row.number(0, "版本号")?,
        issued_at: row.moment(1)?,
        expires_at: row.moment(2)?,
        body: row.bytes(3)?.to_vec(),
        trust_list_version: row.number(4, "版本号")?,
    })
}
