//! The federation's routes, in this process: what each answers, to whom, and what it refuses by name. Cases that come down to
//! the database run on both.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[path = "../support/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;

mod access;
mod bundles;
mod enrolment;
mod health;
mod limits;
mod lookup;
mod openapi;
mod page;
mod process;
mod redemptions;
mod serving;
mod status_lists;
mod two_servers;
mod verify;
