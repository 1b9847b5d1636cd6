//! Spreadsheets as units really send them, and as nobody should.

#![expect(clippy::unwrap_used, reason = "a fixture that fails to be made fails the test")]

mod arbitrary;
mod hours_sheet;
mod parts;
mod people;
mod reading;
mod report;
mod star_list;
mod support;
mod wrong_files;
