//! The credential crate from outside: vectors, every named refusal, properties, the ratchet and the verdict's order.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot unwrap has failed; clippy knows only the functions marked `test`"
)]

mod support;

mod credential;
mod derive;
mod digits;
mod document;
mod envelope;
mod key;
mod number;
mod offer;
mod properties;
mod status_list;
mod status_set;
mod trust;
mod trust_list;
mod uses;
mod verdict;
