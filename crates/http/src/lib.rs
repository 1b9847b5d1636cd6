//! What the federation's server (`zyz serve`) and the partner's node (`zyz-verify serve`) share on HTTP.
//!
//! [`wire`] is what goes over it, [`problem`] how a refusal looks (RFC 9457), [`page`] what a browser loads.

pub mod page;
pub mod problem;
pub mod wire;
