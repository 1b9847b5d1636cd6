//! Making cards: choosing, previewing, issuing, printing, handing out.

mod choose;
mod files;
mod handout;
mod home;
mod jobs;
mod lists;
mod person;
mod photos;
mod units;

use axum::routing::{get, post};
use zyz_credential::CertificateNumber;

use super::PageError;
use super::routes::{Need, Route, file_row, row};
use crate::domain::staff::Permission as P;
use crate::service::desk::DeskError;

const VIEW: Need = Need::May(P::ViewPeople);
const ISSUE: Need = Need::May(P::IssueCards);
const PRINT: Need = Need::May(P::PrintCards);
const HAND_OUT: Need = Need::May(P::HandOut);
const EDIT: Need = Need::May(P::EditPeople);

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[
    row("GET", "/cards", VIEW, || get(home::page)),
    row("POST", "/cards/find", VIEW, || post(home::find)),
    row("GET", "/cards/choose", VIEW, || get(choose::page)),
    row("GET", "/cards/choose/export", VIEW, || get(choose::export)),
    row("POST", "/cards/choose/freeze", PRINT, || post(choose::freeze)),
    row("GET", "/cards/numbers", PRINT, || get(choose::numbers)),
    row("POST", "/cards/numbers/text", PRINT, || post(choose::take_numbers)),
    file_row("/cards/numbers/file", PRINT, || post(choose::take_file)),
    row("GET", "/cards/lists/{list}", VIEW, || get(lists::page)),
    row("POST", "/cards/lists/{list}/issue", ISSUE, || post(lists::issue)),
    row("POST", "/cards/lists/{list}/reprint", ISSUE, || post(lists::reprint)),
    row("POST", "/cards/lists/{list}/print", PRINT, || post(lists::print)),
    row("POST", "/cards/lists/{list}/again", PRINT, || post(lists::again)),
    row("GET", "/cards/calibration", PRINT, || get(home::calibration)),
    row("GET", "/cards/jobs", VIEW, || get(jobs::list)),
    row("GET", "/cards/jobs/export", VIEW, || get(jobs::export)),
    row("GET", "/cards/jobs/{job}", VIEW, || get(jobs::page)),
    row("GET", "/cards/jobs/{job}/progress", VIEW, || get(jobs::progress)),
    row("POST", "/cards/jobs/{job}/cancel", VIEW, || post(jobs::cancel)),
    row("POST", "/cards/jobs/{job}/retry", VIEW, || post(jobs::retry)),
    row("GET", "/cards/jobs/{job}/remove", VIEW, || get(jobs::ask_remove)),
    row("POST", "/cards/jobs/{job}/remove", VIEW, || post(jobs::remove)),
    row("GET", "/cards/jobs/{job}/files/{file}", PRINT, || get(jobs::file)),
    row("GET", "/cards/of/{number}", VIEW, || get(person::page)),
    row("GET", "/cards/of/{number}/face/{side}", VIEW, || get(person::face)),
    row("GET", "/cards/of/{number}/photo", VIEW, || get(person::photo)),
    file_row("/cards/of/{number}/photo/set", EDIT, || post(person::set_photo)),
    row("GET", "/cards/of/{number}/photo/erase", EDIT, || get(person::ask_erase)),
    row("POST", "/cards/of/{number}/photo/erase", EDIT, || post(person::erase)),
    row("POST", "/cards/of/{number}/list", PRINT, || post(person::to_list)),
    row("GET", "/cards/handout", VIEW, || get(handout::page)),
    row("POST", "/cards/handout/record", HAND_OUT, || post(handout::record)),
    row("GET", "/cards/handout/done", VIEW, || get(handout::done_page)),
    row("GET", "/cards/handout/export", VIEW, || get(handout::export)),
    row("GET", "/cards/handout/{card}/undo", HAND_OUT, || get(handout::ask_undo)),
    row("POST", "/cards/handout/{card}/undo", HAND_OUT, || post(handout::undo)),
    row("GET", "/cards/photos", EDIT, || get(photos::page)),
    file_row("/cards/photos/send", EDIT, || post(photos::send)),
    row("GET", "/cards/photos/{upload}", EDIT, || get(photos::preview)),
    row("GET", "/cards/photos/{upload}/picture/{row}", EDIT, || get(photos::picture)),
    row("POST", "/cards/photos/{upload}/confirm", EDIT, || post(photos::confirm)),
    row("POST", "/cards/photos/{upload}/drop", EDIT, || post(photos::drop_upload)),
];

/// A certificate number in an address; one that is none is nobody's.
fn number(text: &str) -> Result<CertificateNumber, PageError> {
    CertificateNumber::parse(text).map_err(|_| PageError::Desk(DeskError::NotFound))
}

/// A key in an address; a text that is none is nothing's.
fn key(text: &str) -> Result<i64, PageError> {
    text.parse().map_err(|_| PageError::Desk(DeskError::NotFound))
}

/// A unit's key in a filter; empty for all.
fn unit_key(text: Option<&str>) -> Result<Option<i64>, PageError> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(key).transpose()
}

/// The message for one field, or nothing.
fn error_of(errors: &[crate::service::desk::FieldError], field: &str) -> String {
    errors.iter().find(|error| error.field == field).map(|error| error.message.clone()).unwrap_or_default()
}
