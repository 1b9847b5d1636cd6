//! The federation's keys and the trust list that the root signs over them.
//!
//! docs/OPERATIONS.md walks the administrator through each of these.

use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zyz_credential::{BundleKey, IssuingKey, KeyId, KeyState as TrustState, PublicKey, TrustList};

use super::publish::{later, signed};
use super::{Federation, ServiceError, rfc3339, seconds};
use crate::keystore::{self, KeyName, Passphrase, Role};
use crate::store::{
    KeyRole, KeyState, KeyStateChange, Reader, ReissueWhen, SigningKey as KeyRow, TrustList as TrustListRow, Tx,
};

/// How long a new issuing or bundle key may sign, days.
const KEY_DAYS: i64 = 3650;
/// How many cards are read at a time.
const PAGE: u32 = 1000;

/// Where the root key is for this command, and how it opens.
#[derive(Debug, Default)]
pub struct RootAccess {
    /// Its file; none for the one in the data folder.
    pub file: Option<PathBuf>,
    /// Its passphrase; none for that of the other keys.
    pub passphrase: Option<Passphrase>,
}

/// A key, for people and programs.
#[derive(Debug, Serialize)]
pub struct KeyLine {
    /// Key id, eight hexadecimal digits.
    pub kid: String,
    /// root, issuing or bundle.
    pub role: &'static str,
    /// The role in words.
    pub role_label: &'static str,
    /// active, retired or compromised.
    pub state: &'static str,
    /// The state in words.
    pub state_label: &'static str,
    /// Ed25519 public key, 64 hexadecimal digits.
    pub public_key: String,
    /// From when it signs, RFC 3339.
    pub not_before: String,
    /// Until when it signs or signed, RFC 3339; none for the root.
    pub not_after: Option<String>,
    /// Address of its status list (issuing keys).
    pub list_uri: Option<String>,
    /// Indexes used of its status list (issuing keys).
    pub list_used: Option<u64>,
}

/// What a change of keys came to.
#[derive(Debug, Serialize)]
pub struct KeyChange {
    /// The key now signing, or the one changed.
    pub kid: String,
    /// The trust list signed for it.
    pub trust_list_version: u64,
    /// Cards that must be issued anew.
    pub reissue: Vec<CardLine>,
    /// In words.
    pub message: String,
}

/// A card and whose it is.
#[derive(Debug, Serialize)]
pub struct CardLine {
    /// Certificate number.
    pub number: String,
    /// Name.
    pub name: String,
}

impl Federation {
    /// All keys, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn keys(&self) -> Result<Vec<KeyLine>, ServiceError> {
        let mut reader = self.store.read().await?;
        let mut lines = Vec::new();
        for key in reader.signing_keys(None).await? {
            let list_used =
                if key.role == KeyRole::Issuing { Some(reader.certificate_count(key.id).await?) } else { None };
            lines.push(KeyLine {
                kid: hex::encode(key.kid),
                role: key.role.as_str(),
                role_label: role_words(key.role).0,
                state: key.state.as_str(),
                state_label: state_label(key.state),
                public_key: hex::encode(key.public_key),
                not_before: rfc3339(key.not_before),
                not_after: end_of(&key).map(rfc3339),
                list_uri: key.list_uri,
                list_used,
            });
        }
        Ok(lines)
    }

    /// The pinned root public key, 64 hexadecimal digits.
    ///
    /// # Errors
    /// There is none.
    pub async fn root_public_hex(&self) -> Result<String, ServiceError> {
        Ok(hex::encode(self.root_row(&mut self.store.read().await?).await?.public_key))
    }

    /// Makes a new key of `role` and retires the active one.
    ///
    /// # Errors
    /// The root key does not open or is another one.
    pub async fn rotate_key(&self, role: Role, access: RootAccess) -> Result<KeyChange, ServiceError> {
        let (role, row_role) = match role {
            Role::Bundle => (Role::Bundle, KeyRole::Bundle),
            Role::Issuing | Role::Root => (Role::Issuing, KeyRole::Issuing),
        };
        let root = self.open_root(access).await?;
        let mut tx = self.begin().await?;
        let kid = self.successor(&mut tx, role, row_role).await?;
        let version = self.sign_trust_list(&mut tx, &root).await?;
        tx.commit().await?;
        let name = role_words(row_role).0;
        Ok(KeyChange {
            message: format!("已启用新的{name} {kid}，原密钥停用；它签过的仍然有效。信任列表第 {version} 版。"),
            kid: kid.to_string(),
            trust_list_version: version,
            reissue: Vec::new(),
        })
    }

    /// Stops signing with a key; what it signed stays good.
    ///
    /// # Errors
    /// Unknown, the root, the last of its role, or not active.
    pub async fn retire_key(&self, kid: &str, access: RootAccess) -> Result<KeyChange, ServiceError> {
        let root = self.open_root(access).await?;
        let mut tx = self.begin().await?;
        let key = self.key_named(&mut tx, kid).await?;
        if others_active(&mut tx, &key).await? == 0 && key.state == KeyState::Active {
            let (role, command) = role_words(key.role);
            return Err(ServiceError::LastKey { kid: kid.to_owned(), role, command });
        }
        set_state(&mut tx, &key, KeyState::Retired).await?;
        let version = self.sign_trust_list(&mut tx, &root).await?;
        tx.commit().await?;
        Ok(KeyChange {
            kid: hex::encode(key.kid),
            trust_list_version: version,
            reissue: Vec::new(),
            message: format!("密钥 {kid} 已停用，它签过的仍然有效。信任列表第 {version} 版。"),
        })
    }

    /// Gives a key up as stolen. Its cards are refused from the next bundle on; if it was the only active one of its
    /// role, a new one takes its place.
    ///
    /// # Errors
    /// Unknown, the root, or given up already.
    pub async fn compromise_key(&self, kid: &str, access: RootAccess) -> Result<KeyChange, ServiceError> {
        let root = self.open_root(access).await?;
        let mut tx = self.begin().await?;
        let key = self.key_named(&mut tx, kid).await?;
        let reissue = cards_of(&mut tx, &key).await?;
        let alone = key.state == KeyState::Active && others_active(&mut tx, &key).await? == 0;
        set_state(&mut tx, &key, KeyState::Compromised).await?;
        let mut message = format!("密钥 {kid} 已作废：自下一个数据包起，合作单位拒绝它签的一切。");
        if alone {
            let role = if key.role == KeyRole::Bundle { Role::Bundle } else { Role::Issuing };
            let new = self.successor(&mut tx, role, key.role).await?;
            message.push_str(&format!("已启用新的{} {new}。", role_words(key.role).0));
        }
        let version = self.sign_trust_list(&mut tx, &root).await?;
        tx.commit().await?;
        message.push_str(&format!("信任列表第 {version} 版。"));
        Ok(KeyChange { kid: hex::encode(key.kid), trust_list_version: version, reissue, message })
    }

    /// Signs the trust list anew: before it expires, or after `public_url` changed.
    ///
    /// # Errors
    /// The root key does not open or is another one.
    pub async fn renew_trust_list(&self, access: RootAccess) -> Result<KeyChange, ServiceError> {
        let root = self.open_root(access).await?;
        let mut tx = self.begin().await?;
        let version = self.sign_trust_list(&mut tx, &root).await?;
        tx.commit().await?;
        Ok(KeyChange {
            kid: PublicKey::of(&root).key_id().to_string(),
            trust_list_version: version,
            reissue: Vec::new(),
            message: format!("信任列表已续签为第 {version} 版。"),
        })
    }

    /// Signs and keeps the trust list over all keys as they stand in `tx`.
    pub(super) async fn sign_trust_list(&self, tx: &mut Tx, root: &SigningKey) -> Result<u64, ServiceError> {
        let now = tx.now();
        let expires_at = later(now, self.config.trust.trust_list_days, 24);
        let mut list = TrustList {
            version: tx.next_trust_list_version().await?,
            issued_at: seconds(now),
            expires_at: seconds(expires_at),
            issuing_keys: Vec::new(),
            bundle_keys: Vec::new(),
        };
        for key in tx.signing_keys(None).await? {
            let public = PublicKey::accept(&key.public_key).map_err(|e| signed("公钥", e))?;
            let state = match key.state {
                KeyState::Active => TrustState::Active,
                KeyState::Retired => TrustState::Retired,
                KeyState::Compromised => TrustState::Compromised,
            };
            let (not_before, not_after) = (seconds(key.not_before), end_of(&key).map_or(0, seconds));
            match key.role {
                KeyRole::Root => {}
                KeyRole::Issuing => {
                    let uri = list_uri(&self.config.public_url, KeyId(key.kid));
                    if key.list_uri.as_deref() != Some(&uri) {
                        tx.set_list_uri(key.id, Some(&uri)).await?;
                    }
                    list.issuing_keys.push(IssuingKey {
                        key: public,
                        issuer: self.config.card.issuer.clone(),
                        list_uri: uri,
                        not_before,
                        not_after,
                        state,
                    });
                }
                KeyRole::Bundle => list.bundle_keys.push(BundleKey { key: public, not_before, not_after, state }),
            }
        }
        let body = list.sign(root).map_err(|e| signed("信任列表", e))?;
        let version = list.version;
        tx.insert_trust_list(&TrustListRow { version, issued_at: now, expires_at, body }).await?;
        Ok(version)
    }

    /// The pinned root key.
    pub(super) async fn root_public(&self, reader: &mut Reader) -> Result<PublicKey, ServiceError> {
        let row = self.root_row(reader).await?;
        PublicKey::accept(&row.public_key).map_err(|e| signed("根公钥", e))
    }

    async fn root_row(&self, reader: &mut Reader) -> Result<KeyRow, ServiceError> {
        let root = reader.signing_keys(Some(KeyRole::Root)).await?.pop();
        root.ok_or(ServiceError::NoTrustList)
    }

    /// Opens the root key and makes sure it is the one pinned.
    async fn open_root(&self, access: RootAccess) -> Result<SigningKey, ServiceError> {
        let passphrase = access.passphrase.as_ref().unwrap_or(&self.passphrase);
        let root = match &access.file {
            Some(file) => keystore::open_key(file, passphrase)?,
            None => self.folder.open_signing_key(KeyName::Root, passphrase)?,
        };
        let pinned = self.root_row(&mut self.store.read().await?).await?.public_key;
        if root.verifying_key().to_bytes() != pinned {
            return Err(ServiceError::WrongRoot { expected: hex::encode(pinned) });
        }
        Ok(root)
    }

    /// Makes, notes and activates a new key; whatever was active of this role is retired.
    async fn successor(&self, tx: &mut Tx, role: Role, row_role: KeyRole) -> Result<KeyId, ServiceError> {
        let made = self.folder.create_signing_key(role, &self.passphrase, &*self.entropy)?;
        for old in tx.signing_keys(Some(row_role)).await? {
            if old.state == KeyState::Active {
                set_state(tx, &old, KeyState::Retired).await?;
            }
        }
        let new = self.new_key(row_role, &made.key, tx.now())?;
        tx.insert_key(&new).await?;
        Ok(KeyId(new.kid))
    }

    async fn key_named(&self, tx: &mut Tx, kid: &str) -> Result<KeyRow, ServiceError> {
        let unknown = || ServiceError::UnknownKey { kid: kid.to_owned() };
        let bytes: [u8; 4] = hex::decode(kid).ok().and_then(|b| b.try_into().ok()).ok_or_else(unknown)?;
        let key = tx.signing_keys_by_kid(bytes).await?.into_iter().next_back().ok_or_else(unknown)?;
        if key.role == KeyRole::Root {
            return Err(ServiceError::RootKey { kid: kid.to_owned() });
        }
        Ok(key)
    }
}

/// The address under which a key's status list is published. Without a `public_url` it is one in the reserved domain
/// `.invalid` (RFC 2606): it names the list and leads nowhere.
pub(super) fn list_uri(public_url: &str, kid: KeyId) -> String {
    let base = if public_url.is_empty() { "https://zyz.invalid" } else { public_url.trim_end_matches('/') };
    format!("{base}/status-lists/{kid}")
}

/// When a key that begins now stops signing.
pub(super) fn issuing_end(now: Timestamp) -> Result<Timestamp, ServiceError> {
    now.checked_add(SignedDuration::from_hours(24 * KEY_DAYS)).map_err(|e| signed("密钥有效期", e))
}

/// A role in words, and on the command line.
pub(super) fn role_words(role: KeyRole) -> (&'static str, &'static str) {
    match role {
        KeyRole::Root => ("根密钥", "root"),
        KeyRole::Issuing => ("签发密钥", "issuing"),
        KeyRole::Bundle => ("数据包密钥", "bundle"),
    }
}

/// Until when a key signs: a retired one until it was retired, so that whoever steals it later cannot date new cards.
fn end_of(key: &KeyRow) -> Option<Timestamp> {
    match key.state {
        KeyState::Active => key.not_after,
        KeyState::Retired | KeyState::Compromised => {
            Some(key.not_after.map_or(key.state_changed_at, |end| end.min(key.state_changed_at)))
        }
    }
}

fn state_label(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "在用",
        KeyState::Retired => "已停用",
        KeyState::Compromised => "已作废",
    }
}

async fn set_state(tx: &mut Tx, key: &KeyRow, to: KeyState) -> Result<(), ServiceError> {
    match tx.set_key_state(key.id, to).await? {
        KeyStateChange::Changed => Ok(()),
        KeyStateChange::AlreadyThere | KeyStateChange::NotFrom(_) => {
            Err(ServiceError::KeyState { kid: hex::encode(key.kid), state: state_label(key.state) })
        }
    }
}

async fn others_active(tx: &mut Tx, key: &KeyRow) -> Result<usize, ServiceError> {
    let keys = tx.signing_keys(Some(key.role)).await?;
    Ok(keys.iter().filter(|other| other.id != key.id && other.state == KeyState::Active).count())
}

/// The live cards that `key` signed.
async fn cards_of(tx: &mut Tx, key: &KeyRow) -> Result<Vec<CardLine>, ServiceError> {
    let mut lines = Vec::new();
    if key.role != KeyRole::Issuing {
        return Ok(lines);
    }
    let (all, any) = (crate::store::Selection::All, ReissueWhen { any: true, ..ReissueWhen::default() });
    let mut after = None;
    loop {
        let page = tx.live_certificates(&all, any, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(lines) };
        after = Some(last.id);
        let mine = page.into_iter().filter(|card| card.key == key.id);
        lines.extend(mine.map(|card| CardLine { number: card.number, name: card.name }));
    }
}
