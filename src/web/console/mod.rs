//! The console: pages for the federation's, counties' and units' staff, below `/console/`.
//!
//! To add a page:
//! 1. a use case in `service/desk`, which holds the caller's role and reach;
//! 2. a handler in its room's file here: `async fn page(signed: Signed, …) -> Result<Response, PageError>`, which renders an
//!    askama template from `templates/console/<room>/` that extends `console/base.html`;
//! 3. a row in the room's `ROUTES`, with what the caller [must be](routes::Need); the room stands in [`routes::ROOMS`];
//! 4. a place in the navigation ([`page::NAVIGATION`]) if people look for it there;
//! 5. cases in `tests/console` and, for what is clicked, `tests/browser`.
//!
//! - Parameters in addresses are named after what they are the key of (`{number}` a volunteer, `{unit}`, `{form}`, …): the
//!   test that walks every role over every route fills them in by name.
//! - What changes something is a POST that ends in [`page::done`]: a redirect with a message for the next page. Pages work
//!   without JavaScript; htmx only spares reloading.
//! - No personal data in addresses: what searches for it is a POST.
//!
//! Invariant: `guard` has let a request through before a handler sees it, and hands it the caller's desk.

mod accounts;
mod assets;
mod cards;
mod chart;
mod error;
mod form;
mod forms;
mod guard;
mod hours;
mod oversight;
pub mod page;
mod people;
mod rosters;
pub mod routes;
mod stars;

pub use error::PageError;
pub use form::{ConsoleForm, Upload};
pub use guard::{Signed, Visitor};
pub use routes::router;
