//! The pages as people use them: a real Chromium, real servers, cards that were really printed. Run by scripts/browser.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[path = "support/mod.rs"]
mod stage;
#[path = "../support/mod.rs"]
mod support;

mod card_page;
mod counter;
mod no_network;
mod node;
mod refusals;
mod ways_in;
