//! What the federation's server (`zyz serve`) and the partner's node (`zyz-verify serve`) share on HTTP.
//!
//! [`wire`] is what goes over it, [`problem`] how a refusal looks (RFC 9457), [`layers`] what every request passes,
//! [`json`] how a body becomes a value, [`conditional`] how an unchanged answer is not sent again, [`limit`] how much one
//! client may ask, [`metrics`] what is counted, [`page`] what runs in a browser, [`schema`] how the OpenAPI documents describe
//! what is not in [`wire`].

pub mod conditional;
pub mod json;
pub mod layers;
pub mod limit;
pub mod metrics;
pub mod page;
pub mod problem;
pub mod schema;
pub mod wire;
