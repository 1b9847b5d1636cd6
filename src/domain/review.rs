//! The two-person rule: steps that one person asks for and another decides.

use core::fmt;

/// Steps that may need a second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewKind {
    /// Signing a large batch of cards.
    IssueCards,
    /// Changing keys: rotate, retire, give up, renew the trust list.
    KeyChange,
}

impl ReviewKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::IssueCards, Self::KeyChange];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IssueCards => "issue_cards",
            Self::KeyChange => "key_change",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::IssueCards => "批量签发",
            Self::KeyChange => "密钥变更",
        }
    }
}

impl fmt::Display for ReviewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewState {
    /// Nobody has decided yet.
    Waiting,
    /// Approved, and being carried out; stays so if the server was stopped in the middle.
    Running,
    /// Approved and carried out.
    Done,
    /// Approved, but could not be carried out.
    Failed,
    /// Refused by the second person.
    Refused,
    /// Taken back by whoever asked.
    Withdrawn,
}

impl ReviewState {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Refused, Self::Withdrawn];

    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Waiting => "待复核",
            Self::Running => "正在办理",
            Self::Done => "已办理",
            Self::Failed => "办理失败",
            Self::Refused => "未通过",
            Self::Withdrawn => "已撤回",
        }
    }

    /// The mark beside the word: good, warn, bad, quiet.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Waiting | Self::Running => "warn",
            Self::Done => "good",
            Self::Failed | Self::Refused => "bad",
            Self::Withdrawn => "quiet",
        }
    }
}

/// Switches of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether large batches and key changes need a second person. On by default.
    pub two_person: bool,
    /// Batches of more cards than this need one. Default 50.
    pub issue_over: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { two_person: true, issue_over: 50 }
    }
}

impl Settings {
    /// The largest batch that may be let through without a second person.
    pub const MOST: u32 = 10_000;

    /// Whether a batch of so many cards needs a second person.
    pub fn batch_needs_second(&self, cards: u64) -> bool {
        self.two_person && cards > u64::from(self.issue_over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for kind in ReviewKind::ALL {
            assert_eq!(ReviewKind::parse(kind.as_str()), Some(kind));
        }
        for state in ReviewState::ALL {
            assert_eq!(ReviewState::parse(state.as_str()), Some(state));
        }
    }

    #[test]
    fn only_batches_over_the_size_need_a_second_person() {
        let settings = Settings::default();
        assert!(!settings.batch_needs_second(50) && settings.batch_needs_second(51));
        assert!(!Settings { two_person: false, ..settings }.batch_needs_second(10_000));
    }
}
