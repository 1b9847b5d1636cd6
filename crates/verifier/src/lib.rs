//! The partner's side: is this card good, now, without a network?
//!
//! ```no_run
//! use zyz_verifier::{CheckRequest, RootKey, check, clock, picture};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = picture::read_code("card.png".as_ref())?;
//! let verdict = check(&CheckRequest {
//!     text: &text,
//!     root: RootKey::from_argument("root.pub")?,
//!     bundle: Some("bundle.cose".as_ref()),
//!     state: Some("state".as_ref()),
//!     now: clock::now(),
//!     max_age: None,
//! })?;
//! println!("{}", verdict.message);
//! # Ok(()) }
//! ```
//!
//! The judging itself is [`zyz_credential::judge`]; here are the files around it: pictures ([`picture`]), the pinned root
//! key ([`root`]), the bundle, and the memory of what was seen before ([`state`]).
//!
//! Invariants: no network code, and nothing named in a code is ever fetched; no Unix-only API outside `cfg(unix)`, since
//! shops run Windows; only [`clock`] reads the machine's clock.

pub mod check;
pub mod clock;
mod file;
pub mod picture;
pub mod report;
pub mod root;
pub mod state;

pub use check::{CheckError, CheckRequest, check};
pub use picture::{PictureError, read_code};
pub use root::{RootError, RootKey};
pub use state::{StateDir, StateError};
pub use zyz_credential::{Outcome, Reason, Verdict};
