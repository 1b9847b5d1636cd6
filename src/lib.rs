//! `zyz`, the federation's side of the 《普洱市志愿服务证》. The rooms; the services that put them together follow.

pub mod clock;
pub mod domain;
pub mod keystore;
pub mod render;
pub mod roster;
pub mod store;
