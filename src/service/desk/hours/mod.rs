//! 服务记录: entering for many people, sheets, the clock of ten working days, objections and corrections, record book and
//! proof of record (民政部令第67号).

mod activity;
mod book;
mod clock;
mod disputes;
mod enter;
mod export;
mod paper;
mod proof;
mod records;
mod rows;
mod units;
mod upload;

pub use activity::{ActivityForm, PendingLine};
pub use book::BookOrder;
pub use clock::LateHours;
pub use disputes::{Decision, DisputeLine};
pub use enter::{BulkEntry, EntryCheck, EntryCheckLine, EntryOutcome, RosterPage};
pub use proof::ProofLine;
pub use records::{
    ChangeLine, Correction, EntryRow, PersonHours, PersonLine, RecordPage, RecordQuery, RecordRow, RecordsPage,
};
pub use units::UnitChoice;
pub use upload::{UploadOutcome, UploadPreview};

pub(super) use rows::moment;
pub(super) use units::county_name;
