//! Choosing whose cards a step is about, and what a frozen choice holds.

use serde::{Deserialize, Serialize};

/// How many people one list may hold: a list is read, checked and confirmed by a person.
pub const LIST_MOST: u32 = 30_000;

/// Whose cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardChoice {
    /// Active volunteers who never had a card.
    New,
    /// Valid cards that show another star than the volunteer has.
    Star,
    /// Valid cards whose time is over, or will be within 60 days.
    Expiring,
    /// Valid cards of a key that is no longer trusted.
    Key,
    /// Valid cards never printed.
    Unprinted,
    /// Valid cards printed and not handed out.
    Waiting,
    /// All valid cards.
    Valid,
}

impl CardChoice {
    /// Every choice, in the order shown.
    pub const ALL: [Self; 7] =
        [Self::New, Self::Star, Self::Expiring, Self::Key, Self::Unprinted, Self::Waiting, Self::Valid];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Star => "star",
            Self::Expiring => "expiring",
            Self::Key => "key",
            Self::Unprinted => "unprinted",
            Self::Waiting => "waiting",
            Self::Valid => "valid",
        }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::New => "从未制证",
            Self::Star => "星级已变更",
            Self::Expiring => "已到期或 60 天内到期",
            Self::Key => "签发密钥失信",
            Self::Unprinted => "已签发未打印",
            Self::Waiting => "已打印未发放",
            Self::Valid => "全部有效证",
        }
    }

    /// What it means when there is nobody.
    pub fn nobody(self) -> &'static str {
        match self {
            Self::New => "在册志愿者都制过证。新登记或新导入名册的人会出现在这里。",
            Self::Star => "证上的星级与认定结果一致。年度星级认定确认后，需要换发的会出现在这里。",
            Self::Expiring => "没有已到期或 60 天内到期的证。",
            Self::Key => "没有由失信密钥签发的有效证。",
            Self::Unprinted => "已签发的证都打印过。签发后会出现在这里。",
            Self::Waiting => "打印好的证都已登记发放。",
            Self::Valid => "还没有有效证。请先在“从未制证”中签发。",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == text)
    }

    /// Whether the step that follows is signing; else it is printing.
    pub fn is_for_signing(self) -> bool {
        matches!(self, Self::New | Self::Star | Self::Expiring | Self::Key)
    }
}

/// What was found when a list was frozen. Stored as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListDetail {
    /// The choice's word; empty for pasted numbers.
    pub choice: String,
    /// How many of each unit, the largest first.
    pub units: Vec<UnitShare>,
    /// How many have no live card.
    pub without_card: u64,
    /// How many have a valid one.
    pub with_card: u64,
    /// How many have a card that is suspended: it is left alone.
    pub suspended: u64,
    /// How many have a photo.
    pub photos: u64,
    /// Pasted texts that are no number of ours, unknown, out of reach, or of somebody who left; each with why.
    pub unknown: Vec<String>,
    /// Why cards cannot be printed, as far as they are kept.
    pub problems: Vec<ListProblem>,
    /// How many such there are.
    pub problem_count: u64,
}

/// One unit's share of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitShare {
    /// Key of the unit.
    pub unit: i64,
    /// Its name.
    pub name: String,
    /// Last two digits of its county's code.
    pub county: u8,
    /// How many.
    pub people: u64,
}

/// Why one card cannot be printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProblem {
    /// Key of the volunteer.
    pub volunteer: i64,
    /// In words, with name and number.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for choice in CardChoice::ALL {
            assert_eq!(CardChoice::parse(choice.as_str()), Some(choice));
        }
        assert_eq!(CardChoice::parse("all"), None);
    }
}
