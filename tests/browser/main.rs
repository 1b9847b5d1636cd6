//! The pages as people use them: a real Chromium, real servers, cards that were really printed. Run by scripts/browser.

#![allow(dead_code, unused_imports, reason = "the harness of the console has parts for every room")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod desk;
#[path = "../support/html.rs"]
mod html;
#[path = "support/mod.rs"]
mod stage;
#[path = "../support/mod.rs"]
mod support;

mod card_page;
mod console_accounts;
mod console_cards;
mod console_forms;
mod console_frame;
mod console_hours;
mod console_oversight;
mod console_people;
mod console_rosters;
mod console_stars;
mod console_walk;
mod counter;
mod no_network;
mod node;
mod refusals;
mod ways_in;
