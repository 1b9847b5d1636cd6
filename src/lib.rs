//! `zyz`, the federation's side of the 《普洱市志愿服务证》: registers volunteers from spreadsheets, certifies stars,
//! issues and prints signed cards, and publishes what partners need to check them without a network.
//!
//! Layers, each using only those to its left:
//! `domain` ← {`store`, `roster`, `render`, `keystore`} ← `service` ← {`web`, `cli`} ← `main`.
//! `tests/tidy.rs` holds this.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod keystore;
pub mod render;
pub mod roster;
pub mod service;
pub mod store;
pub mod web;
