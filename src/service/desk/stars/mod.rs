//! 星级认定: rules and what a changed rule would do; the year's batch as a draft, its public notice, its confirmation by
//! 市文明办, and who needs a new card then (附件4 四).

mod batch;
mod export;
mod notice;
mod policy;
mod whatif;

pub use batch::{
    BatchLine, BatchPage, BatchRow, ObjectionForm, ObjectionLine, ReissueLine, RowQuery, RowsPage, TallyLine,
};
pub use notice::{NoticeList, NoticeRow};
pub use policy::{PolicyForm, PolicyRow};
pub use whatif::{ChangedPerson, WhatIf, WhatIfCount};

use crate::domain::hours::hours_of;

/// Hours of a star list.
fn hours_text(minutes: u64) -> String {
    hours_of(minutes)
}
