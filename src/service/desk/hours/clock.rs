//! The clock of ten working days (民政部令第67号, 第七条: records are entered within ten working days).

use jiff::civil::Date;

use crate::clock::beijing_date;
use crate::domain::hours::{ENTRY_WORKING_DAYS, last_day_over};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError};

/// Working days left at which an activity counts as due soon.
const SOON: u32 = 3;

/// What waits to be entered or decided within somebody's reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LateHours {
    /// Activities whose hours are due within three working days.
    pub due_soon: u64,
    /// Activities whose ten working days are over.
    pub overdue: u64,
    /// Objections that wait for a decision.
    pub open_disputes: u64,
}

/// The days that divide what waits: overdue up to the first, due soon after it up to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadlines {
    pub overdue: Date,
    pub soon: Date,
}

impl Desk {
    /// How many activities are late or will be soon, and how many objections wait: for the first page.
    ///
    /// # Errors
    /// The role may not read people; the database fails.
    pub async fn late_hours_summary(&self) -> Result<LateHours, DeskError> {
        self.need(Permission::ViewPeople)?;
        let reach = self.reach()?;
        let Deadlines { overdue, soon } = self.deadlines();
        let mut reader = self.office().store.read().await?;
        let (overdue, due_soon) = reader.count_pending(reach, overdue, soon).await?;
        Ok(LateHours { due_soon, overdue, open_disputes: reader.open_disputes(reach).await? })
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        let today = beijing_date(self.office().now());
        let holidays = &self.office().config().calendar.holidays;
        // With `n` working days gone, ten less `n` are left; due soon are those with at most SOON left.
        Deadlines {
            overdue: last_day_over(today, ENTRY_WORKING_DAYS, holidays),
            soon: last_day_over(today, ENTRY_WORKING_DAYS - SOON - 1, holidays),
        }
    }
}
