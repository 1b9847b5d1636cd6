//! Volunteers and the status of their cards.

mod duplicates;
mod edit;
mod exit;
mod list;
mod person;
mod reveal;
mod status;

use axum::routing::{get, post};
use zyz_credential::CertificateNumber;

use super::error::PageError;
use super::routes::{Need, Route, row};
use crate::domain::staff::Permission as P;
use crate::service::desk::{DeskError, FieldError};

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[
    row("GET", "/people", Need::May(P::ViewPeople), || get(list::list)),
    row("POST", "/people/search", Need::May(P::ViewPeople), || post(list::search)),
    row("POST", "/people/export", Need::May(P::ViewPeople), || post(list::export)),
    row("GET", "/people/duplicates", Need::May(P::MergePeople), || get(duplicates::list)),
    row("POST", "/people/duplicates/export", Need::May(P::MergePeople), || post(duplicates::export)),
    row("GET", "/people/{number}", Need::May(P::ViewPeople), || get(person::page)),
    row("GET", "/people/{number}/reveal", Need::May(P::RevealPersonal), || get(reveal::ask)),
    row("POST", "/people/{number}/reveal", Need::May(P::RevealPersonal), || post(reveal::show)),
    row("GET", "/people/{number}/edit", Need::May(P::EditPeople), || get(edit::form)),
    row("POST", "/people/{number}/edit", Need::May(P::EditPeople), || post(edit::save)),
    row("GET", "/people/{number}/identity", Need::May(P::MergePeople), || get(edit::identity_form)),
    row("POST", "/people/{number}/identity", Need::May(P::MergePeople), || post(edit::save_identity)),
    row("GET", "/people/{number}/merge", Need::May(P::MergePeople), || get(duplicates::merge_form)),
    row("POST", "/people/{number}/merge", Need::May(P::MergePeople), || post(duplicates::merge)),
    row("GET", "/people/{number}/suspend", Need::May(P::CardStatus), || get(status::suspend)),
    row("POST", "/people/{number}/suspend", Need::May(P::CardStatus), || post(status::do_suspend)),
    row("GET", "/people/{number}/resume", Need::May(P::CardStatus), || get(status::resume)),
    row("POST", "/people/{number}/resume", Need::May(P::CardStatus), || post(status::do_resume)),
    row("GET", "/people/{number}/lost", Need::May(P::ReportLost), || get(status::lost)),
    row("POST", "/people/{number}/lost", Need::May(P::ReportLost), || post(status::do_lost)),
    row("GET", "/people/{number}/misuse", Need::May(P::CardStatus), || get(status::misuse)),
    row("POST", "/people/{number}/misuse", Need::May(P::CardStatus), || post(status::do_misuse)),
    row("GET", "/people/{number}/readmit", Need::May(P::Readmit), || get(status::readmit)),
    row("POST", "/people/{number}/readmit", Need::May(P::Readmit), || post(status::do_readmit)),
    row("GET", "/people/{number}/exit", Need::May(P::Exit), || get(exit::page)),
    row("POST", "/people/{number}/exit", Need::May(P::Exit), || post(exit::leave)),
    row("GET", "/people/{number}/receipt.pdf", Need::May(P::ViewPeople), || get(exit::receipt)),
];

/// The certificate number of an address; what is none is not found.
fn number(text: &str) -> Result<CertificateNumber, PageError> {
    CertificateNumber::parse(text).map_err(|_| PageError::Desk(DeskError::NotFound))
}

/// What is wrong with each field of a form; templates ask by the field's name.
#[derive(Debug, Default, Clone)]
struct Errors(Vec<FieldError>);

impl Errors {
    /// What is wrong with this field; empty for nothing.
    fn of(&self, field: &str) -> &str {
        self.0.iter().find(|error| error.field == field).map_or("", |error| error.message.as_str())
    }
}
