//! How making cards stands, for the first page and the room's own.

use super::JobView;
use crate::domain::choice::CardChoice;
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError};
use crate::store::ChoiceFilter;

/// How far figures of overviews are counted.
const CAP: u32 = 1_000;
/// Jobs shown.
const JOBS: u32 = 5;

/// A figure that is counted up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capped {
    /// As far as it was counted.
    pub count: u64,
    /// Whether there are more.
    pub more: bool,
}

/// How making cards stands, within the caller's reach.
#[derive(Debug, Clone)]
pub struct CardSummary {
    /// Active volunteers who never had a card.
    pub new: Capped,
    /// Valid cards that show another star than the volunteer has.
    pub star_changed: Capped,
    /// Valid cards that have expired or will within 60 days.
    pub expiring: Capped,
    /// Valid cards of a key that is no longer trusted.
    pub distrusted: Capped,
    /// Valid cards never printed.
    pub unprinted: Capped,
    /// Cards printed and not handed out.
    pub not_handed_out: Capped,
    /// The last jobs that the caller may see.
    pub jobs: Vec<JobView>,
}

impl Capped {
    fn of(count: u64) -> Self {
        Self { count: count.min(u64::from(CAP)), more: count > u64::from(CAP) }
    }
}

impl std::fmt::Display for Capped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.more { write!(f, "超过 {}", self.count) } else { self.count.fmt(f) }
    }
}

impl Desk {
    /// How making cards stands, within reach. Figures are counted up to 1,000.
    ///
    /// # Errors
    /// No permission to see people; the database fails.
    pub async fn card_summary(&self) -> Result<CardSummary, DeskError> {
        self.need(Permission::ViewPeople)?;
        Ok(CardSummary {
            new: self.choice_count(CardChoice::New, None).await?,
            star_changed: self.choice_count(CardChoice::Star, None).await?,
            expiring: self.choice_count(CardChoice::Expiring, None).await?,
            distrusted: self.choice_count(CardChoice::Key, None).await?,
            unprinted: self.choice_count(CardChoice::Unprinted, None).await?,
            not_handed_out: self.choice_count(CardChoice::Waiting, None).await?,
            jobs: self.jobs("", None, JOBS).await?,
        })
    }

    /// How many a choice has, within reach; counted up to 1,000.
    ///
    /// # Errors
    /// As [`Self::card_summary`].
    pub async fn choice_count(&self, choice: CardChoice, unit: Option<i64>) -> Result<Capped, DeskError> {
        self.need(Permission::ViewPeople)?;
        let filter = ChoiceFilter {
            choice,
            unit: unit.map(crate::store::UnitId),
            reach: self.reach()?,
            now: self.office().now(),
        };
        let mut reader = self.office().store.read().await?;
        Ok(Capped::of(reader.chosen_count(&filter, CAP).await?))
    }
}
