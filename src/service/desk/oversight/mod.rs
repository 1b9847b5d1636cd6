//! The first page, partners, statistics, the audit trail.
//!
//! - `home`: what waits for whoever signed in, a tile each.
//! - `partners`: agreements, offers, devices and their use, within the caller's reach.
//! - `recount`: counts everything in the background; `statistics` reads what was counted.
//! - `findings`: what in the use of offers is worth a look, and why it may be harmless.
//! - `actions`: the words of the audit trail; `audit`: looking things up in it, and checking its chain.

pub mod actions;
pub mod audit;
pub mod findings;
pub mod home;
pub mod partners;
pub mod recount;
pub mod statistics;
