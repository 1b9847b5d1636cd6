//! Spreadsheets in and out: units' rosters (附件2) and service records as they really come, and the workbooks sent back.
//!
//! ```text
//! sheet::read(path, &Limits) ─► Sheet ─► people::check / hours::check ─► rows accepted or refused, warnings
//!                                 └────► report::write(path, &[sheet], outcomes, warnings)   the unit's sheet, marked
//! ```
//!
//! A large roster goes the same way in parts, so that its first rows are registered while its last are still read:
//! `sheet::read_in_parts`, `people::Checker`.
//!
//! Invariant: no database here. Whether a person is known already is the service layer's to say, as [`RowOutcome`].
//! To teach the reader a new column: a [`Field`], its headings in `header.rs`, and a test with a heading from real life.

mod dates;
pub mod export;
pub mod form;
mod header;
pub mod hours;
pub mod people;
mod problem;
pub mod report;
mod shared;
pub mod sheet;
pub mod star_list;
mod workbook;

pub use header::{Field, HeaderError};
pub use problem::{Checked, Problem, Reason, RowCheck, RowOutcome, Skip, Skipped, Warning};
pub use sheet::{Limits, Sheet, SheetError};
