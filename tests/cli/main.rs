//! The commands as an administrator runs them: real processes, both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[path = "../support/mod.rs"]
mod support;

mod demo;
mod issue;
mod keys;
mod partners;
mod print;
mod publish;
mod roster;
mod setup;
mod staff;
mod stars;
mod status;
