//! Public halves of the signing keys, and their standing. Private keys are the keystore's and never come here.

use std::fmt;

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::bulk::Statement;
use super::row::{Columns, id};
use super::{Reader, StoreError, Tx};

id!(
    /// Key of a signing key's row; not the key id inside credentials, which is [`SigningKey::kid`].
    KeyId
);

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// The trust list only; pinned by every verifier.
    Root,
    /// Credentials and their status lists.
    Issuing,
    /// Bundles.
    Bundle,
}

impl KeyRole {
    /// The word stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Issuing => "issuing",
            Self::Bundle => "bundle",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Root, Self::Issuing, Self::Bundle]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(StoreError::BadValue { what: "密钥用途" })
    }
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Standing of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Signs.
    Active,
    /// Signs no more; what it signed stays good.
    Retired,
    /// What it signed is refused.
    Compromised,
}

impl KeyState {
    /// The word stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Compromised => "compromised",
        }
    }

    /// Whether a key may go from this state to `next`: never back.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Active => matches!(next, Self::Retired | Self::Compromised),
            Self::Retired => matches!(next, Self::Compromised),
            Self::Compromised => false,
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Active, Self::Retired, Self::Compromised]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(StoreError::BadValue { what: "密钥状态" })
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key to note; it starts active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What it signs.
    pub role: KeyRole,
    /// First four bytes of its thumbprint (RFC 9679).
    pub kid: [u8; 4],
    /// Ed25519 public key.
    pub public_key: [u8; 32],
    /// From when what it signs is good.
    pub not_before: Timestamp,
    /// Until when, if bounded.
    pub not_after: Option<Timestamp>,
    /// Where its status list is published (issuing keys).
    pub list_uri: Option<String>,
}

/// A noted key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Row.
    pub id: KeyId,
    /// What it signs.
    pub role: KeyRole,
    /// First four bytes of its thumbprint (RFC 9679).
    pub kid: [u8; 4],
    /// Ed25519 public key.
    pub public_key: [u8; 32],
    /// Standing.
    pub state: KeyState,
    /// From when what it signs is good.
    pub not_before: Timestamp,
    /// Until when, if bounded.
    pub not_after: Option<Timestamp>,
    /// Where its status list is published.
    pub list_uri: Option<String>,
    /// When noted.
    pub created_at: Timestamp,
    /// When its standing changed last.
    pub state_changed_at: Timestamp,
}

/// What became of changing a key's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStateChange {
    /// It has the new standing now.
    Changed,
    /// It had it before.
    AlreadyThere,
    /// It cannot get there from the standing it has.
    NotFrom(KeyState),
}

const SELECT: &str = "SELECT id, role, kid, public_key, state, not_before, not_after, list_uri, created_at, \
                      state_changed_at FROM signing_key";

impl Reader {
    /// All keys, oldest first; only those of `role` if one is given.
    pub async fn signing_keys(&mut self, role: Option<KeyRole>) -> Result<Vec<SigningKey>, StoreError> {
        let mut query = Statement::new(SELECT);
        if let Some(role) = role {
            query.push(" WHERE role = ").bind(role.as_str());
        }
        query.push(" ORDER BY id");
        query.fetch_all(self).await?.iter().map(key).collect()
    }

    /// The newest active key of this role: the one that signs.
    pub async fn active_key(&mut self, role: KeyRole) -> Result<Option<SigningKey>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE state = 'active' AND role = ").bind(role.as_str()).push(" ORDER BY id DESC LIMIT 1");
        query.fetch_optional(self).await?.as_ref().map(key).transpose()
    }

    /// The keys with this key id, oldest first: four bytes may be shared.
    pub async fn signing_keys_by_kid(&mut self, kid: [u8; 4]) -> Result<Vec<SigningKey>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE kid = ").bind(&kid[..]).push(" ORDER BY id");
        query.fetch_all(self).await?.iter().map(key).collect()
    }
}

impl Tx {
    /// Notes a key (`key.create`). A public key that is there already is [`StoreError::Duplicate`].
    pub async fn insert_key(&mut self, new: &NewKey) -> Result<KeyId, StoreError> {
        let id = KeyId(self.draw_one("signing_key").await?);
        let now = self.now.as_second();
        sqlx::query(
            "INSERT INTO signing_key (id, role, kid, public_key, state, not_before, not_after, list_uri, created_at, \
             state_changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        )
        .bind(id.0)
        .bind(new.role.as_str())
        .bind(&new.kid[..])
        .bind(&new.public_key[..])
        .bind(KeyState::Active.as_str())
        .bind(new.not_before.as_second())
        .bind(new.not_after.map(Timestamp::as_second))
        .bind(new.list_uri.clone())
        .bind(now)
        .execute(self.connection())
        .await?;
        let detail = json!({"role": new.role.as_str(), "public_key": hex::encode(new.public_key)});
        self.audit("key.create", object(id, new.kid), detail);
        Ok(id)
    }

    /// Changes a key's standing (`key.retire`, `key.compromise`).
    pub async fn set_key_state(&mut self, id: KeyId, to: KeyState) -> Result<KeyStateChange, StoreError> {
        let query = sqlx::query("SELECT state, kid FROM signing_key WHERE id = $1").bind(id.0);
        let row = query.fetch_optional(self.connection()).await?.ok_or(StoreError::NotFound { what: "密钥" })?;
        let (from, kid) = (KeyState::parse(row.str(0)?)?, row.array(1, "密钥编号")?);
        if from == to {
            return Ok(KeyStateChange::AlreadyThere);
        }
        if !from.may_become(to) {
            return Ok(KeyStateChange::NotFrom(from));
        }
        let now = self.now.as_second();
        let sql = "UPDATE signing_key SET state = $1, state_changed_at = $2 WHERE id = $3 AND state = $4";
        sqlx::query(sql).bind(to.as_str()).bind(now).bind(id.0).bind(from.as_str()).execute(self.connection()).await?;
        let action = match to {
            KeyState::Active => "key.activate",
            KeyState::Retired => "key.retire",
            KeyState::Compromised => "key.compromise",
        };
        self.audit(action, object(id, kid), json!({"from": from.as_str()}));
        Ok(KeyStateChange::Changed)
    }

    /// Notes where a key's status list is published (`key.list_uri`).
    pub async fn set_list_uri(&mut self, id: KeyId, uri: Option<&str>) -> Result<(), StoreError> {
        let query =
            sqlx::query("UPDATE signing_key SET list_uri = $1 WHERE id = $2 RETURNING kid").bind(uri).bind(id.0);
        let row = query.fetch_optional(self.connection()).await?.ok_or(StoreError::NotFound { what: "密钥" })?;
        self.audit("key.list_uri", object(id, row.array(0, "密钥编号")?), json!({"list_uri": uri}));
        Ok(())
    }
}

fn object(id: KeyId, kid: [u8; 4]) -> String {
    format!("key/{}#{id}", hex::encode(kid))
}

fn key(row: &AnyRow) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        id: KeyId(row.int(0)?),
        role: KeyRole::parse(row.str(1)?)?,
        kid: row.array(2, "密钥编号")?,
        public_key: row.array(3, "公钥")?,
        state: KeyState::parse(row.str(4)?)?,
        not_before: row.moment(5)?,
        not_after: row.moment_or_null(6)?,
        list_uri: row.text_or_null(7)?,
        created_at: row.moment(8)?,
        state_changed_at: row.moment(9)?,
    })
}
