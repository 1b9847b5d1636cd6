//! Types and rules of the domain, no I/O: what the notice 普创文办〔2018〕12号 and the national rules say.
//!
//! Invariant: names no module of this crate but [`crate::clock`], and of the workspace only `zyz-credential`.

pub mod application;
pub mod certificate;
pub mod codes;
pub mod correction;
pub mod division;
pub mod hours;
pub mod identity;
pub mod offer;
pub mod partner;
pub mod person;
pub mod redemption;
pub mod review;
pub mod staff;
pub mod star;
