//! Partners' devices, and the one-time codes that make them. Codes and tokens are here as hashes only.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::partner::{DeviceId, PartnerId};

use super::bulk::Statement;
use super::partner::object;
use super::row::Columns;
use super::{Reader, Store, StoreError, Tx};

/// A one-time code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentCode {
    /// SHA-256 of the code.
    pub hash: [u8; 32],
    /// Whose device it makes.
    pub partner: PartnerId,
    /// The name proposed for the device.
    pub device_name: Option<String>,
    /// The first moment at which it is no longer good.
    pub expires_at: Timestamp,
    /// The device that it made; none while it is unused.
    pub device: Option<DeviceId>,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Key.
    pub id: DeviceId,
    /// Whose.
    pub partner: PartnerId,
    /// What its partner calls it.
    pub name: String,
    /// When enrolled.
    pub enrolled_at: Timestamp,
    /// When last heard of.
    pub last_seen_at: Option<Timestamp>,
    /// When revoked; none while it is good.
    pub revoked_at: Option<Timestamp>,
}

const SELECT: &str = "SELECT id, partner_id, name, enrolled_at, last_seen_at, revoked_at FROM partner_device";

impl Reader {
    /// Devices in the order of their enrolment; only one partner's if one is given.
    pub async fn devices(&mut self, partner: Option<PartnerId>) -> Result<Vec<Device>, StoreError> {
        let mut query = Statement::new(SELECT);
        if let Some(partner) = partner {
            query.push(" WHERE partner_id = ").bind(partner.0);
        }
        query.push(" ORDER BY id");
        query.fetch_all(self).await?.iter().map(device).collect()
    }

    /// One device.
    pub async fn device(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE id = ").bind(id.0);
        query.fetch_optional(self).await?.as_ref().map(device).transpose()
    }

    /// The device whose token has this SHA-256.
    pub async fn device_by_token(&mut self, token_hash: &[u8; 32]) -> Result<Option<Device>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE token_hash = ").bind(&token_hash[..]);
        query.fetch_optional(self).await?.as_ref().map(device).transpose()
    }

    /// The one-time code with this SHA-256.
    pub async fn enrolment_code(&mut self, hash: &[u8; 32]) -> Result<Option<EnrolmentCode>, StoreError> {
        let sql = "SELECT code_hash, partner_id, device_name, expires_at, device_id FROM enrolment_code \
                   WHERE code_hash = $1";
        let row = sqlx::query(sql).bind(&hash[..]).fetch_optional(self.connection()).await?;
        row.as_ref().map(code).transpose()
    }
}

impl Tx {
    /// Keeps a one-time code (`partner.link`, without the code).
    pub async fn insert_enrolment_code(&mut self, new: &EnrolmentCode) -> Result<(), StoreError> {
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO enrolment_code (code_hash, partner_id, device_name, made_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&new.hash[..])
        .bind(new.partner.0)
        .bind(new.device_name.as_deref())
        .bind(now)
        .bind(new.expires_at.as_second())
        .execute(self.connection())
        .await?;
        self.audit("partner.link", object(new.partner), json!({"expires_at": new.expires_at.as_second()}));
        Ok(())
    }

    /// Makes a device of an unused code (`device.enrol`); none if the code was used meanwhile.
    pub async fn enrol_device(
        &mut self,
        code: &EnrolmentCode,
        name: &str,
        token_hash: &[u8; 32],
    ) -> Result<Option<DeviceId>, StoreError> {
        let id = DeviceId(self.draw_one("partner_device").await?);
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO partner_device (id, partner_id, name, token_hash, enrolled_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id.0)
        .bind(code.partner.0)
        .bind(name)
        .bind(&token_hash[..])
        .bind(now)
        .execute(self.connection())
        .await?;
        let sql = "UPDATE enrolment_code SET device_id = $1 WHERE code_hash = $2 AND device_id IS NULL";
        let taken = sqlx::query(sql).bind(id.0).bind(&code.hash[..]).execute(self.connection()).await?.rows_affected();
        if taken != 1 {
            sqlx::query("DELETE FROM partner_device WHERE id = $1").bind(id.0).execute(self.connection()).await?;
            return Ok(None);
        }
        self.audit("device.enrol", device_object(id), json!({"partner": code.partner.0, "name": name}));
        Ok(Some(id))
    }

    /// Revokes a device (`device.revoke`); false if it was before.
    pub async fn revoke_device(&mut self, id: DeviceId) -> Result<bool, StoreError> {
        let now = self.now.as_second();
        let sql = "UPDATE partner_device SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
        let changed = sqlx::query(sql).bind(now).bind(id.0).execute(self.connection()).await?.rows_affected() == 1;
        if changed {
            self.audit("device.revoke", device_object(id), json!({}));
        }
        Ok(changed)
    }
}

impl Store {
    /// Notes that a device was heard of at `at`, unless that was noted after `noted_after`. The one change without an
    /// audit event and outside the writers' queue: it says nothing about what anybody did.
    pub async fn touch_device(&self, id: DeviceId, at: Timestamp, noted_after: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE partner_device SET last_seen_at = $1 WHERE id = $2 \
                   AND (last_seen_at IS NULL OR last_seen_at <= $3)";
        let query = sqlx::query(sql).bind(at.as_second()).bind(id.0).bind(noted_after.as_second());
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }
}

fn device_object(id: DeviceId) -> String {
    format!("device/{id}")
}

fn code(row: &AnyRow) -> Result<EnrolmentCode, StoreError> {
    Ok(EnrolmentCode {
        hash: row.array(0, "登记码")?,
        partner: PartnerId(row.int(1)?),
        device_name: row.text_or_null(2)?,
        expires_at: row.moment(3)?,
        device: row.int_or_null(4)?.map(DeviceId),
    })
}

fn device(row: &AnyRow) -> Result<Device, StoreError> {
    Ok(Device {
        id: DeviceId(row.int(0)?),
        partner: PartnerId(row.int(1)?),
        name: row.text(2)?,
        enrolled_at: row.moment(3)?,
        last_seen_at: row.moment_or_null(4)?,
        revoked_at: row.moment_or_null(5)?,
    })
}
