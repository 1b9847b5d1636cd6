//! The console's pages, in this process: what each shows, to whom, what it changes, and what it refuses by name. Cases that
//! come down to the database run on both.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
#![allow(dead_code, reason = "the support modules are shared with other test programs")]

#[path = "../support/console.rs"]
mod console;
#[path = "../support/html.rs"]
mod html;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod accounts_sign_in;
mod accounts_staff;
mod accounts_theft;
mod audit_chain;
mod cards;
mod exports;
mod figures;
mod forms;
mod frame;
mod hostile;
mod hours;
mod hours_many;
mod housekeeping;
mod logs;
mod matrix;
mod oversight;
mod partner_own;
mod people;
mod refusals;
mod rosters;
mod rosters_deliveries;
mod rosters_hostile;
mod rosters_units;
mod searches;
mod stars;
mod stars_lists;
