//! Changes of keys, through a second person where the rule says so.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::review::ReviewKind;
use crate::domain::staff::Permission;
use crate::keystore::{Passphrase, Role as KeyRole};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};
use crate::service::keys::{KeyLine, RootAccess};

/// A change of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum KeyStep {
    /// A new issuing key; the one in use is retired.
    RotateIssuing,
    /// A new bundle key; the one in use is retired.
    RotateBundle,
    /// Sign no more with this key; what it signed stays good.
    Retire {
        /// Key id, eight hexadecimal digits.
        kid: String,
    },
    /// Give this key up as stolen; its cards are refused.
    Compromise {
        /// Key id, eight hexadecimal digits.
        kid: String,
    },
    /// Sign the trust list anew.
    Renew,
}

/// What became of asking for a change of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStepDone {
    /// It waits for a second person.
    Waits(i64),
    /// It was done; in words.
    Done(String),
}

impl KeyStep {
    /// Reads what a review kept.
    ///
    /// # Errors
    /// [`DeskError::Refused`] if it is no such step.
    pub fn read(payload: &Value) -> Result<Self, DeskError> {
        Self::deserialize(payload).map_err(|_| DeskError::Refused("复核内容无法识别，请撤回后重新提出".into()))
    }

    /// What will happen, in a line.
    pub fn summary(&self) -> String {
        match self {
            Self::RotateIssuing => "启用新的签发密钥，停用现用的签发密钥".into(),
            Self::RotateBundle => "启用新的数据包密钥，停用现用的数据包密钥".into(),
            Self::Retire { kid } => format!("停用密钥 {kid}"),
            Self::Compromise { kid } => format!("作废密钥 {kid}（密钥被盗或失控）"),
            Self::Renew => "续签信任列表".into(),
        }
    }

    /// What exactly will happen, line by line.
    pub fn effects(&self) -> Vec<String> {
        let lines: &[&str] = match self {
            Self::RotateIssuing => &[
                "生成新的签发密钥，此后签发的证都用新密钥",
                "原签发密钥停用；它签过的证仍然有效，不必换发",
                "用根密钥签署新一版信任列表，合作单位下次同步后生效",
            ],
            Self::RotateBundle => &[
                "生成新的数据包密钥，此后的状态数据包都用新密钥签署",
                "原数据包密钥停用",
                "用根密钥签署新一版信任列表，合作单位下次同步后生效",
            ],
            Self::Retire { .. } => {
                &["该密钥不再签署；它签过的仍然有效", "用根密钥签署新一版信任列表，合作单位下次同步后生效"]
            }
            Self::Compromise { .. } => &[
                "合作单位下次同步后，拒绝该密钥签过的一切：它签发的证全部须换发",
                "若它是该用途唯一在用的密钥，会同时启用一把新密钥",
                "此步不能撤销",
            ],
            Self::Renew => &["用根密钥签署新一版信任列表，有效期重新计算；密钥和证都不变"],
        };
        lines.iter().map(|line| (*line).to_owned()).collect()
    }
}

impl Desk {
    /// All keys, oldest first.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], the database.
    pub async fn keys(&self) -> Result<Vec<KeyLine>, DeskError> {
        self.need(Permission::KeyChanges)?;
        Ok(self.office().keys().await?)
    }

    /// Changes keys: at once where the two-person rule is off, else it waits for a second person. `root` is the root key's
    /// passphrase, where it differs from that of the other keys; it is not kept.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`]; [`DeskError::NotFound`] for an unknown key; those of the change itself.
    pub async fn change_keys(&self, step: &KeyStep, root: Option<Passphrase>) -> Result<KeyStepDone, DeskError> {
        self.need(Permission::KeyChanges)?;
        if let KeyStep::Retire { kid } | KeyStep::Compromise { kid } = step
            && !self.office().keys().await?.iter().any(|key| key.kid == *kid && key.role != "root")
        {
            return Err(DeskError::NotFound);
        }
        if self.settings().await?.two_person {
            let payload = serde_json::to_value(step).unwrap_or_default();
            return Ok(KeyStepDone::Waits(self.ask_review(ReviewKind::KeyChange, step.summary(), payload).await?));
        }
        Ok(KeyStepDone::Done(self.carry_out_key_step(step, root).await?))
    }

    /// Does it. The caller has held the permissions.
    pub(super) async fn carry_out_key_step(
        &self,
        step: &KeyStep,
        passphrase: Option<Passphrase>,
    ) -> Result<String, DeskError> {
        let office = self.office();
        let root = RootAccess { file: None, passphrase };
        let change = match step {
            KeyStep::RotateIssuing => office.rotate_key(KeyRole::Issuing, root).await,
            KeyStep::RotateBundle => office.rotate_key(KeyRole::Bundle, root).await,
            KeyStep::Retire { kid } => office.retire_key(kid, root).await,
            KeyStep::Compromise { kid } => office.compromise_key(kid, root).await,
            KeyStep::Renew => office.renew_trust_list(root).await,
        };
        let change = change.map_err(|error| match error {
            // What the person can do something about: type the passphrase, or go where the root key is.
            ServiceError::Key(error) => DeskError::Refused(format!(
                "密钥没有打开：{error}。根密钥口令与服务启动口令不同时须填写；根密钥离线保存时，请在保存处用 zyz key 命令办理"
            )),
            other => other.into(),
        })?;
        let reissue = match change.reissue.len() {
            0 => String::new(),
            count => format!("有 {count} 张证由该密钥签发，须换发。"),
        };
        Ok(format!("{}{reissue}", change.message))
    }
}
