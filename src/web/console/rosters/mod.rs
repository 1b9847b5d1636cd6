//! Units, rosters (附件2), leaders and contacts (附件3), the archive window.

mod deliveries;
mod drafts;
mod receipts;
mod units;

use axum::routing::{get, post};

use super::PageError;
use super::routes::{Need, Route, file_row, row};
use crate::domain::staff::Permission as P;
use crate::service::desk::{DeskError, FieldError};

const READ: Need = Need::May(P::ViewPeople);
const CONTACTS: Need = Need::May(P::EditUnitContacts);
const UNITS: Need = Need::May(P::EditUnits);
const IMPORT: Need = Need::May(P::ImportRoster);
const REVEAL: Need = Need::May(P::RevealPersonal);
const GATHER: Need = Need::May(P::AggregateRoster);
const ARCHIVE: Need = Need::May(P::ArchiveRoster);

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[
    row("GET", "/units", READ, || get(units::list)),
    row("GET", "/units/export", READ, || get(units::export)),
    row("GET", "/units/new", UNITS, || get(units::new)),
    row("POST", "/units/new", UNITS, || post(units::create)),
    row("GET", "/units/{unit}", READ, || get(units::one)),
    row("GET", "/units/{unit}/edit", CONTACTS, || get(units::edit)),
    row("POST", "/units/{unit}/edit", CONTACTS, || post(units::save)),
    row("GET", "/units/{unit}/receipt", CONTACTS, || get(receipts::edit_unit)),
    row("POST", "/units/{unit}/receipt", CONTACTS, || post(receipts::save_unit)),
    row("GET", "/units/{unit}/receipt/print", REVEAL, || get(receipts::ask_unit)),
    row("POST", "/units/{unit}/receipt/print", REVEAL, || post(receipts::print_unit)),
    row("GET", "/units/receipts", READ, || get(receipts::counties)),
    row("GET", "/units/receipts/export", READ, || get(receipts::counties_export)),
    row("GET", "/units/receipts/{county}", READ, || get(receipts::county)),
    row("GET", "/units/receipts/{county}/export", READ, || get(receipts::county_export)),
    row("GET", "/units/receipts/{county}/own", CONTACTS, || get(receipts::edit_county)),
    row("POST", "/units/receipts/{county}/own", CONTACTS, || post(receipts::save_county)),
    row("GET", "/units/receipts/{county}/own/print", REVEAL, || get(receipts::ask_county)),
    row("POST", "/units/receipts/{county}/own/print", REVEAL, || post(receipts::print_county)),
    row("GET", "/units/{unit}/roster", REVEAL, || get(units::ask_roster)),
    row("POST", "/units/{unit}/roster", REVEAL, || post(units::print_roster)),
    row("GET", "/units/{unit}/deliver", IMPORT, || get(deliveries::ask)),
    row("POST", "/units/{unit}/deliver", IMPORT, || post(deliveries::deliver)),
    row("GET", "/rosters", READ, || get(drafts::list)),
    row("GET", "/rosters/export", READ, || get(drafts::export)),
    row("GET", "/rosters/new", IMPORT, || get(drafts::new)),
    file_row("/rosters/drafts", IMPORT, || post(drafts::upload)),
    row("GET", "/rosters/drafts/{draft}", IMPORT, || get(drafts::preview)),
    row("GET", "/rosters/drafts/{draft}/rows/{row}", IMPORT, || get(drafts::row)),
    row("POST", "/rosters/drafts/{draft}/rows/{row}", IMPORT, || post(drafts::correct)),
    row("POST", "/rosters/drafts/{draft}/rows/{row}/remove", IMPORT, || post(drafts::remove)),
    row("POST", "/rosters/drafts/{draft}/rows/{row}/restore", IMPORT, || post(drafts::restore)),
    row("POST", "/rosters/drafts/{draft}/errors", IMPORT, || post(drafts::errors)),
    row("GET", "/rosters/drafts/{draft}/confirm", IMPORT, || get(drafts::ask_confirm)),
    row("POST", "/rosters/drafts/{draft}/confirm", IMPORT, || post(drafts::confirm)),
    row("GET", "/rosters/drafts/{draft}/abandon", IMPORT, || get(drafts::ask_abandon)),
    row("POST", "/rosters/drafts/{draft}/abandon", IMPORT, || post(drafts::abandon)),
    row("GET", "/rosters/drafts/{draft}/report", IMPORT, || get(drafts::report)),
    row("GET", "/rosters/delivered", READ, || get(deliveries::list)),
    row("GET", "/rosters/delivered/export", READ, || get(deliveries::export)),
    row("GET", "/rosters/delivered/{roster}", READ, || get(deliveries::one)),
    row("POST", "/rosters/delivered/{roster}/stamped", GATHER, || post(deliveries::stamped)),
    row("POST", "/rosters/delivered/{roster}/archive", ARCHIVE, || post(deliveries::archive)),
    row("GET", "/rosters/window", READ, || get(deliveries::window)),
    row("GET", "/rosters/window/export", READ, || get(deliveries::window_export)),
    row("GET", "/rosters/counties/{county}/{year}", READ, || get(deliveries::county)),
    row("GET", "/rosters/counties/{county}/{year}/export", READ, || get(deliveries::county_export)),
    row("POST", "/rosters/counties/{county}/{year}/hand-on", GATHER, || post(deliveries::hand_on)),
    row("POST", "/rosters/counties/{county}/{year}/archive", ARCHIVE, || post(deliveries::archive_county)),
];

/// A key out of an address: what is none is not found.
fn key<T: std::str::FromStr>(text: &str) -> Result<T, PageError> {
    text.parse().map_err(|_| PageError::Desk(DeskError::NotFound))
}

/// What is wrong with a form's fields; templates ask by name.
#[derive(Debug, Clone, Default)]
struct Wrong(Vec<FieldError>);

impl Wrong {
    /// The first message at a field; empty for none.
    fn of(&self, field: &str) -> &str {
        self.0.iter().find(|error| error.field == field).map_or("", |error| error.message.as_str())
    }
}

/// The form again, if its fields or a quicker person are why it was refused.
fn again(error: DeskError) -> Result<(axum::http::StatusCode, Wrong, String), PageError> {
    use axum::http::StatusCode;
    match error {
        DeskError::Invalid(wrong) => Ok((StatusCode::UNPROCESSABLE_ENTITY, Wrong(wrong), String::new())),
        DeskError::Conflict { .. } => Ok((StatusCode::CONFLICT, Wrong::default(), error.to_string())),
        DeskError::Refused(words) => Ok((StatusCode::UNPROCESSABLE_ENTITY, Wrong::default(), words)),
        other => Err(other.into()),
    }
}
