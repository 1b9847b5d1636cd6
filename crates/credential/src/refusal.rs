//! What a refusal of trust means for a partner and what to do about it: one table for the command line, the node and the
//! page. A word for programs, which stays, and Chinese for people, which may change. `Display` is for engineers.

use crate::bundle::BundleError;
use crate::key::KeyRefusal;
use crate::trust::RatchetError;
use crate::trust_list::TrustListError;

impl BundleError {
    /// Names the refusal for programs; whatever only damage or forgery explains is `damaged`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Older { .. } => "older",
            Self::TrustListOlder { .. } => "trust_list_older",
            Self::IssuedEarlier => "issued_earlier",
            Self::Forked(_) => "forked",
            Self::TrustListForked(_) => "trust_list_forked",
            Self::TrustList(TrustListError::OtherRoot(_) | TrustListError::BadSignature) => "other_root",
            Self::KeyRetired(_) => "key_retired",
            Self::KeyCompromised(_) => "key_compromised",
            Self::KeyNotValid(_) => "key_not_valid",
            _ => "damaged",
        }
    }

    /// What is so and what to do, for people.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Older { .. } | Self::TrustListOlder { .. } => {
                "它比以前用过的旧，里面没有新近注销的证。请换成最新的数据包"
            }
            Self::IssuedEarlier => "它比以前用过的数据包更早签发。请换成最新的数据包",
            Self::Forked(_) | Self::TrustListForked(_) => "同一版本出现了内容不同的两份。请停止使用并立即告知联合会",
            Self::TrustList(TrustListError::OtherRoot(_) | TrustListError::BadSignature) => {
                "它不是由这个根公钥授权的。请核对根公钥与数据包是否都来自联合会"
            }
            Self::KeyRetired(_) | Self::KeyCompromised(_) | Self::KeyNotValid(_) => {
                "签署它的密钥已停用或不在有效期。请取得最新的数据包"
            }
            _ => "文件已损坏或被改动。请重新取得数据包",
        }
    }
}

impl RatchetError {
    /// Names the refusal for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Encoding(_) | Self::Shape => "ratchet_damaged",
            Self::OtherRoot => "ratchet_of_other_root",
            Self::Root(refusal) => refusal.word(),
        }
    }

    /// What is so and what to do, for people.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Encoding(_) | Self::Shape => {
                "保存的版本记录已损坏。它防止旧数据被重新使用，所以不会自动重建。请向联合会取得新的登记链接，重新登记"
            }
            Self::OtherRoot => "保存的版本记录属于另一个根公钥。请用联合会新发的登记链接重新登记",
            Self::Root(refusal) => refusal.advice(),
        }
    }
}

impl KeyRefusal {
    /// Names the refusal of a root key for programs, whatever is wrong with it.
    pub fn word(&self) -> &'static str {
        "root_refused"
    }

    /// What is so and what to do, for people, where it is the root key.
    pub fn advice(&self) -> &'static str {
        "根公钥不合格，不能使用。请向联合会重新索取"
    }
}
