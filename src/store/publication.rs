//! Trust lists, bundles and status list tokens as they were signed.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;

use crate::domain::partner::PartnerId;

use super::bulk::Statement;
use super::row::Columns;
use super::{KeyId, Reader, StoreError, Tx};

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
    /// The partner for whom it is; none for the public one.
    pub audience: Option<PartnerId>,
    /// SHA-256 over what it says, without version and times; none for one of an older release.
    pub digest: Option<[u8; 32]>,
    /// The signed bytes.
    pub body: Vec<u8>,
}

/// A bundle without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleMark {
    /// Version.
    pub version: u64,
    /// When signed.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// As in [`Bundle::digest`].
    pub digest: Option<[u8; 32]>,
}

/// An issuing key's status list, signed in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusTokens {
    /// The issuing key.
    pub key: KeyId,
    /// When signed.
    pub issued_at: Timestamp,
    /// Until when they count.
    pub expires_at: Timestamp,
    /// How long a copy may be kept, seconds.
    pub ttl: u64,
    /// SHA-256 over what they say, without times.
    pub digest: [u8; 32],
    /// `application/statuslist+cwt`
    pub cwt: Vec<u8>,
    /// `application/statuslist+jwt`
    pub jwt: Vec<u8>,
}

/// What is noted without touching anything that is signed: such events are no reason to look whether a bundle still says
/// what the database says.
const UNSIGNED: &str = "'bundle.publish', 'status_token.publish', 'redemption.batch', 'device.enrol', 'device.revoke', \
                        'partner.link', 'certificate.print', 'certificate.issue', 'volunteer.correct', \
                        'volunteer.reveal', 'volunteer.note', 'people.export'";

impl Reader {
    /// The newest trust list.
    pub async fn latest_trust_list(&mut self) -> Result<Option<TrustList>, StoreError> {
        let query =
            Statement::new("SELECT version, issued_at, expires_at, body FROM trust_list ORDER BY version DESC LIMIT 1");
        query.fetch_optional(self).await?.as_ref().map(trust_list).transpose()
    }

    /// The newest bundle for a partner, or the newest public one.
    pub async fn latest_bundle(&mut self, audience: Option<PartnerId>) -> Result<Option<Bundle>, StoreError> {
        let mut query = Statement::new(
            "SELECT version, issued_at, expires_at, body, trust_list_version, audience, digest FROM bundle",
        );
        for_audience(&mut query, audience);
        query.fetch_optional(self).await?.as_ref().map(bundle).transpose()
    }

    /// Version, date and digest of the newest bundle for a partner, or of the newest public one.
    pub async fn latest_bundle_mark(&mut self, audience: Option<PartnerId>) -> Result<Option<BundleMark>, StoreError> {
        let mut query = Statement::new("SELECT version, issued_at, expires_at, digest FROM bundle");
        for_audience(&mut query, audience);
        let Some(row) = query.fetch_optional(self).await? else { return Ok(None) };
        Ok(Some(BundleMark {
            version: row.number(0, "版本号")?,
            issued_at: row.moment(1)?,
            expires_at: row.moment(2)?,
            digest: digest(row.bytes_or_null(3)?)?,
        }))
    }

    /// The highest version of any bundle kept, 0 if there is none.
    pub async fn highest_bundle_version(&mut self) -> Result<u64, StoreError> {
        let query = sqlx::query("SELECT COALESCE(max(version), 0) FROM bundle");
        query.fetch_one(self.connection()).await?.number(0, "版本号")
    }

    /// The tokens of an issuing key's status list.
    pub async fn status_tokens(&mut self, key: KeyId) -> Result<Option<StatusTokens>, StoreError> {
        let sql = "SELECT key_id, issued_at, expires_at, ttl, digest, cwt, jwt FROM status_token WHERE key_id = $1";
        let row = sqlx::query(sql).bind(key.0).fetch_optional(self.connection()).await?;
        row.as_ref().map(tokens).transpose()
    }

    /// Whether anything was noted after position `seq` of the audit trail that may change what is signed.
    pub async fn signed_things_changed_since(&mut self, seq: i64) -> Result<bool, StoreError> {
        let mut query = Statement::new("SELECT seq FROM audit_event WHERE seq > ");
        query.bind(seq).push(" AND action NOT IN (").push(UNSIGNED).push(") LIMIT 1");
        Ok(query.fetch_optional(self).await?.is_some())
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

    /// Keeps a signed bundle (`bundle.publish`) and forgets the older ones for the same audience: nobody takes them any more,
    /// and the audit trail has their hashes.
    pub async fn insert_bundle(&mut self, bundle: &Bundle) -> Result<(), StoreError> {
        let audience = bundle.audience.map(|partner| partner.0);
        sqlx::query(
            "INSERT INTO bundle (version, issued_at, expires_at, trust_list_version, body, audience, digest) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(bundle.version as i64)
        .bind(bundle.issued_at.as_second())
        .bind(bundle.expires_at.as_second())
        .bind(bundle.trust_list_version as i64)
        .bind(&bundle.body[..])
        .bind(audience)
        .bind(bundle.digest.as_ref().map(|digest| &digest[..]))
        .execute(self.connection())
        .await?;
        let older = match audience {
            Some(partner) => sqlx::query("DELETE FROM bundle WHERE version < $1 AND audience = $2")
                .bind(bundle.version as i64)
                .bind(partner),
            None => {
                sqlx::query("DELETE FROM bundle WHERE version < $1 AND audience IS NULL").bind(bundle.version as i64)
            }
        };
        older.execute(self.connection()).await?;
        let detail = json!({
            "trust_list": bundle.trust_list_version, "partner": audience,
            "sha256": hex::encode(Sha256::digest(&bundle.body)),
        });
        self.audit("bundle.publish", format!("bundle/{}", bundle.version), detail);
        Ok(())
    }

    /// Keeps an issuing key's status list tokens in place of those before (`status_token.publish`).
    pub async fn put_status_tokens(&mut self, new: &StatusTokens) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO status_token (key_id, issued_at, expires_at, ttl, digest, cwt, jwt) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key_id) DO UPDATE SET issued_at = excluded.issued_at, \
             expires_at = excluded.expires_at, ttl = excluded.ttl, digest = excluded.digest, cwt = excluded.cwt, \
             jwt = excluded.jwt",
        )
        .bind(new.key.0)
        .bind(new.issued_at.as_second())
        .bind(new.expires_at.as_second())
        .bind(new.ttl as i64)
        .bind(&new.digest[..])
        .bind(&new.cwt[..])
        .bind(&new.jwt[..])
        .execute(self.connection())
        .await?;
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let detail = json!({"cwt_sha256": sha256(&new.cwt), "jwt_sha256": sha256(&new.jwt)});
        self.audit("status_token.publish", format!("status_token/{}", new.key), detail);
        Ok(())
    }
}

/// The newest one for an audience.
fn for_audience(query: &mut Statement, audience: Option<PartnerId>) {
    match audience {
        Some(partner) => query.push(" WHERE audience = ").bind(partner.0),
        None => query.push(" WHERE audience IS NULL"),
    };
    query.push(" ORDER BY version DESC LIMIT 1");
}

fn digest(bytes: Option<&[u8]>) -> Result<Option<[u8; 32]>, StoreError> {
    bytes.map(|bytes| bytes.try_into().map_err(|_| StoreError::BadValue { what: "发布包摘要" })).transpose()
}

fn tokens(row: &AnyRow) -> Result<StatusTokens, StoreError> {
    Ok(StatusTokens {
        key: KeyId(row.int(0)?),
        issued_at: row.moment(1)?,
        expires_at: row.moment(2)?,
        ttl: row.number(3, "时间")?,
        digest: row.array(4, "状态列表摘要")?,
        cwt: row.bytes(5)?.to_vec(),
        jwt: row.bytes(6)?.to_vec(),
    })
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
        audience: row.int_or_null(5)?.map(PartnerId),
        digest: digest(row.bytes_or_null(6)?)?,
    })
}
