//! 星级认定: rules and what a changed rule would do; the year's batch as a draft, its public notice, its confirmation by
//! 市文明办, and who needs a new card then (附件4 四).

mod batch;
mod export;
mod notice;
mod policy;
mod whatif;

pub use batch::{
    BatchLine, BatchPage, BatchRow, ObjectionForm, ObjectionLine, ReissueLine, ReissueLines, RowQuery, RowsPage,
    TallyLine,
};
pub use notice::{NoticeList, NoticeRow};
pub use policy::{PolicyForm, PolicyRow};
pub use whatif::{ChangedPerson, WhatIf, WhatIfCount};

use crate::domain::hours::hours_of;
use crate::service::desk::DeskError;
use crate::service::desk::forms::who;
use crate::service::desk::hours::moment;
use crate::service::desk::oversight::actions;
use crate::store::{AuditFilter, Reader, StarDraftId};

/// Hours of a star list.
fn hours_text(minutes: u64) -> String {
    hours_of(minutes)
}

/// The batch changed between page and step: who did what with it, and when.
pub(super) async fn moved(reader: &mut Reader, id: StarDraftId) -> Result<DeskError, DeskError> {
    let filter = AuditFilter { objects: Some(vec![format!("star_draft/{id}")]), ..AuditFilter::default() };
    let Some(last) = reader.search_audit(&filter, None, 1).await?.pop() else { return Ok(DeskError::NotFound) };
    Ok(DeskError::Refused(format!(
        "{} 在 {} 办理了“{}”，这个批次在您打开页面之后有变动：请重新打开批次核对后再办理，没有保存任何内容",
        who(reader, &last.actor).await?,
        moment(last.at),
        actions::label(&last.action)
    )))
}
