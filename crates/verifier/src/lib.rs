//! The partner's side: is this card good, now, without a network?
//!
//! # One check
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
//! The judging itself is [`zyz_credential::judge`]; here are the files around it: pictures ([`picture`]), the pinned root
//! key ([`root`]), the bundle, and the memory of what was seen before ([`state`]). No socket is opened for it.
//!
//! # The node
//! [`enrol`](enrol::enrol) makes a machine a partner's device: the data folder ([`data`]) then holds who it is and what it
//! gave ([`ledger`]), and what it believes ([`trust`], with the same [`state`]). [`serve`](serve::serve) runs it: the
//! [`node`] answers HTTP, [`sync`] keeps up with the federation through the [`client`].
//!
//! Invariants: nothing named in a code is ever fetched, only the server of the enrolment link is asked; what the server
//! says is believed only where a signature under the pinned root holds; no Unix-only API outside `cfg(unix)`, since shops
//! run Windows; only [`clock`] asks the machine for time and randomness; only [`ledger`] names the database.

pub mod check;
pub mod client;
pub mod clock;
pub mod data;
pub mod enrol;
mod file;
pub mod ledger;
pub mod link;
pub mod node;
pub mod picture;
pub mod report;
pub mod root;
pub mod serve;
pub mod state;
pub mod sync;
pub mod trust;

pub use check::{CheckError, CheckRequest, check};
pub use picture::{PictureError, read_code};
pub use root::{RootError, RootKey};
pub use state::{StateDir, StateError};
pub use zyz_credential::{Outcome, Reason, Verdict};
