//! Registration and approval: 附件1.

mod decide;
mod list;
mod write;

use axum::routing::{get, post};

use super::error::PageError;
use super::routes::{Need, Route, row};
use crate::domain::application::ApplicationState;
use crate::domain::staff::Permission;
use crate::service::desk::forms::FormId;
use crate::service::desk::{DeskError, FieldError};

const VIEW: Need = Need::May(Permission::ViewPeople);
const WRITE: Need = Need::May(Permission::WriteForms);
const DECIDE: Need = Need::May(Permission::ApproveForms);
const REVEAL: Need = Need::May(Permission::RevealPersonal);

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[
    row("GET", "/forms", VIEW, || get(list::list)),
    row("GET", "/forms/search", VIEW, || get(list::to_list)),
    row("POST", "/forms/search", VIEW, || post(list::search)),
    row("GET", "/forms/export", VIEW, || get(list::export)),
    row("GET", "/forms/blank", VIEW, || get(list::blank)),
    row("GET", "/forms/new", WRITE, || get(write::new)),
    row("POST", "/forms/new", WRITE, || post(write::begin)),
    row("POST", "/forms/check", WRITE, || post(write::check)),
    row("POST", "/forms/approve", DECIDE, || post(decide::choose)),
    row("POST", "/forms/approved", DECIDE, || post(decide::approve_chosen)),
    row("GET", "/forms/{form}", VIEW, || get(decide::show)),
    row("GET", "/forms/{form}/edit", WRITE, || get(write::edit)),
    row("POST", "/forms/{form}/edit", WRITE, || post(write::save)),
    row("GET", "/forms/{form}/submit", WRITE, || get(write::ask_submit)),
    row("POST", "/forms/{form}/submit", WRITE, || post(write::submit)),
    row("GET", "/forms/{form}/withdraw", WRITE, || get(write::ask_withdraw)),
    row("POST", "/forms/{form}/withdraw", WRITE, || post(write::withdraw)),
    row("GET", "/forms/{form}/approve", DECIDE, || get(decide::ask_approve)),
    row("POST", "/forms/{form}/approve", DECIDE, || post(decide::approve)),
    row("GET", "/forms/{form}/return", DECIDE, || get(decide::ask_return)),
    row("POST", "/forms/{form}/return", DECIDE, || post(decide::send_back)),
    row("GET", "/forms/{form}/reject", DECIDE, || get(decide::ask_reject)),
    row("POST", "/forms/{form}/reject", DECIDE, || post(decide::reject)),
    row("POST", "/forms/{form}/archive", WRITE, || post(decide::archive)),
    row("POST", "/forms/{form}/reveal", REVEAL, || post(decide::reveal)),
    row("POST", "/forms/{form}/print", WRITE, || post(write::print)),
];

/// A form's key out of an address.
fn form_id(text: &str) -> Result<FormId, PageError> {
    text.parse().map(FormId).map_err(|_| PageError::Desk(DeskError::NotFound))
}

/// Errors of a form that is shown again.
#[derive(Debug, Clone, Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    /// The words at a field; empty for none.
    fn of(&self, field: &str) -> &str {
        self.0.iter().find(|error| error.field == field).map_or("", |error| &error.message)
    }
}

/// The mark of a state.
fn mark(state: ApplicationState) -> &'static str {
    match state {
        ApplicationState::Draft | ApplicationState::Withdrawn => "quiet",
        ApplicationState::Submitted | ApplicationState::Returned => "warn",
        ApplicationState::Approved => "good",
        ApplicationState::Rejected => "bad",
    }
}
