//! What the federation's server stands on, through the services: bundles for each audience, devices, verdicts, uses.
//! On both databases, with a clock that the test moves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[path = "../support/mod.rs"]
mod support;

mod bundles;
mod devices;
mod doctor;
mod office;
mod uses;
mod verdicts;
