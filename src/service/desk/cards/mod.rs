//! Making cards: choosing whose, seeing them, signing, printing, handing out, photos.

mod jobs;
mod summary;

pub use jobs::{JobFileBytes, JobView};
pub use summary::{Capped, CardSummary};
