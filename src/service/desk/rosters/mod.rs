//! Units, their annex 3, rosters under way (annex 2), what was delivered in which September.

mod confirm;
mod correct;
mod deliveries;
mod draft;
mod lists;
mod paper;
mod preview;
mod receipts;
mod units;

use jiff::Timestamp;

use super::{Desk, DeskError};
use crate::clock::beijing;
use crate::store::{Reader, Unit, UnitId};

pub use confirm::RosterDone;
pub use correct::{RowCell, RowForm};
pub use deliveries::{CountyTable, DeliveredAsked, DeliveryView, HandedOn, WindowAsked, WindowPage, WindowUnit};
pub use draft::{DraftUpload, DraftView};
pub use paper::{Document, RosterPaper};
pub use preview::{Preview, PreviewCell, PreviewRow, Shown};
pub use receipts::{CountyReceipts, FIELDS, ReceiptForm, ReceiptView};
pub use units::{UnitEdit, UnitPage, UnitsAsked};

/// Rows of a list on one page.
pub const PAGE: u32 = 50;

/// The unit with this key, if it is within reach.
async fn unit_within_reach(desk: &Desk, reader: &mut Reader, id: UnitId) -> Result<Unit, DeskError> {
    let unit = reader.unit(id).await?.ok_or(DeskError::NotFound)?;
    desk.reach_unit(unit.county, unit.id)?;
    Ok(unit)
}

/// A moment for people: Beijing time, to the minute.
fn shown(at: Timestamp) -> String {
    beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// What the second of two people is told.
fn conflict(who: &str, when: Timestamp) -> DeskError {
    DeskError::Conflict { who: who.to_owned(), when: shown(when) }
}
