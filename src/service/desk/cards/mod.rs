//! Making cards: choosing whose, seeing them, signing, printing, handing out, photos.
//!
//! A step is about a *list*: people and the cards they had when it was frozen, so that what a person counted and read is what
//! is signed, whatever happens meanwhile. Signing and printing are jobs (`service/jobs.rs`).

mod ask;
mod choose;
mod handout;
mod jobs;
mod lists;
mod numbers;
mod person;
mod photos;
mod summary;

use jiff::Timestamp;

pub use ask::{Asked, REPRINT_REASONS};
pub use choose::{CardLine, CardStanding, ChoicePage};
pub use handout::{HandoutDraft, HandoutLine, HandoutPage};
pub use jobs::{JobFileBytes, JobView};
pub use lists::{LIST_PAGE, ListPage, ListView};
pub use person::{CardHistory, CardSide, PersonCards};
pub use photos::{PhotoRow, PhotoUploadPage, SentFile};
pub use summary::{Capped, CardSummary};

use crate::clock::{beijing, beijing_date};

/// A day in Beijing.
fn day(at: Timestamp) -> String {
    beijing_date(at).to_string()
}

/// A moment in Beijing.
fn moment(at: Timestamp) -> String {
    beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}
