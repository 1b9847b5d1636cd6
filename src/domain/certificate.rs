//! Standing of volunteers and of their cards, and why it changes.

use std::fmt;

/// A named value that a stored text does not spell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("数据中出现未知的{what}:{text:?}，数据库可能由更新的版本写入")]
pub struct UnknownWord {
    /// What was looked for, in Chinese.
    pub what: &'static str,
    /// The text found.
    pub text: String,
}

/// Standing of one issued card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CertificateState {
    /// Good until it expires.
    Valid,
    /// Taken back for good: exit, loss, misuse, error.
    Revoked,
    /// Held back for a while; may become valid again.
    Suspended,
    /// Replaced by a newer card of the same volunteer.
    Superseded,
}

impl CertificateState {
    /// All states, in the order of their status values.
    pub const ALL: [Self; 4] = [Self::Valid, Self::Revoked, Self::Suspended, Self::Superseded];

    /// The word stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Superseded => "superseded",
        }
    }

    /// The word shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Valid => "有效",
            Self::Revoked => "已注销",
            Self::Suspended => "已暂停",
            Self::Superseded => "已换发",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| unknown("证件状态", text))
    }

    /// The two-bit entry in the Token Status List: 0 VALID, 1 INVALID, 2 SUSPENDED, 3 application specific.
    pub fn status_value(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Revoked => 1,
            Self::Suspended => 2,
            Self::Superseded => 3,
        }
    }

    /// Valid or suspended: the one card a volunteer may have at a time.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Valid | Self::Suspended)
    }

    /// Whether a card may go from this state to `next`. Revoked and superseded are final, as partners who have seen
    /// either must never be told otherwise.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Valid => matches!(next, Self::Suspended | Self::Revoked | Self::Superseded),
            Self::Suspended => matches!(next, Self::Valid | Self::Revoked | Self::Superseded),
            Self::Revoked | Self::Superseded => false,
        }
    }
}

impl fmt::Display for CertificateState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a card's state was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The volunteer left (退出自由).
    Exit,
    /// The card was lost.
    Lost,
    /// The card was used for profit or by somebody else.
    Misuse,
    /// Something printed or recorded on it is wrong.
    Error,
    /// The volunteer died.
    Deceased,
    /// A new star was certified.
    StarChanged,
    /// The issuing key is no longer trusted.
    KeyCompromised,
    /// The card's validity ended.
    Expired,
    /// Replaced on request.
    Reissue,
    /// A suspension was found to be without cause and lifted.
    Resumed,
    /// Anything else; the paper file says what.
    Other,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::Exit,
        Self::Lost,
        Self::Misuse,
        Self::Error,
        Self::Deceased,
        Self::StarChanged,
        Self::KeyCompromised,
        Self::Expired,
        Self::Reissue,
        Self::Resumed,
        Self::Other,
    ];

    /// The word stored and typed after `--reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Lost => "lost",
            Self::Misuse => "misuse",
            Self::Error => "error",
            Self::Deceased => "deceased",
            Self::StarChanged => "star_changed",
            Self::KeyCompromised => "key_compromised",
            Self::Expired => "expired",
            Self::Reissue => "reissue",
            Self::Resumed => "resumed",
            Self::Other => "other",
        }
    }

    /// The words shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Exit => "志愿者退出",
            Self::Lost => "证件遗失",
            Self::Misuse => "违规使用",
            Self::Error => "信息有误",
            Self::Deceased => "志愿者去世",
            Self::StarChanged => "星级变更",
            Self::KeyCompromised => "签发密钥失信",
            Self::Expired => "有效期届满",
            Self::Reissue => "补换证件",
            Self::Resumed => "恢复使用",
            Self::Other => "其他",
        }
    }

    /// Reads what [`Self::as_str`] wrote; `-` is taken for `_`.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        let word = text.replace('-', "_");
        Self::ALL.into_iter().find(|reason| reason.as_str() == word).ok_or_else(|| unknown("变更原因", text))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Standing of a volunteer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VolunteerState {
    /// Registered and serving.
    Active,
    /// Has exercised the freedom to exit; contact data are erased.
    Exited,
}

impl VolunteerState {
    /// The word stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Exited => "exited",
        }
    }

    /// The word shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Active => "在册",
            Self::Exited => "已退出",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        [Self::Active, Self::Exited]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| unknown("志愿者状态", text))
    }
}

impl fmt::Display for VolunteerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn unknown(what: &'static str, text: &str) -> UnknownWord {
    UnknownWord { what, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for state in CertificateState::ALL {
            assert_eq!(CertificateState::parse(state.as_str()), Ok(state));
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Ok(reason));
        }
        for state in [VolunteerState::Active, VolunteerState::Exited] {
            assert_eq!(VolunteerState::parse(state.as_str()), Ok(state));
        }
        assert_eq!(Reason::parse("star-changed"), Ok(Reason::StarChanged));
    }

    #[test]
    fn unknown_words_are_refused() {
        assert_eq!(CertificateState::parse("Valid").unwrap_err().text, "Valid");
        assert!(Reason::parse("").is_err());
        assert!(VolunteerState::parse("gone").is_err());
    }

    #[test]
    fn transitions_are_exactly_these() {
        use CertificateState::{Revoked, Superseded, Suspended, Valid};
        let legal = [
            (Valid, Suspended),
            (Suspended, Valid),
            (Valid, Revoked),
            (Suspended, Revoked),
            (Valid, Superseded),
            (Suspended, Superseded),
        ];
        for from in CertificateState::ALL {
            for to in CertificateState::ALL {
                assert_eq!(from.may_become(to), legal.contains(&(from, to)), "{from} to {to}");
            }
        }
    }

    #[test]
    fn status_values_are_those_of_the_status_list() {
        for (value, state) in CertificateState::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(state.status_value()), value);
        }
    }
}
