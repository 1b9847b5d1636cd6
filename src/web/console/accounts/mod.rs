//! Accounts: signing in, second factor, invitations, who may do what, the two-person rule.

mod keys;
mod own;
mod reviews;
mod second_factor;
mod settings;
mod sign_in;
mod staff;

use axum::routing::{get, post};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::routes::{Need, Route, row};
use crate::domain::staff::Permission;
use crate::service::desk::FieldError;

const OWN: Need = Need::May(Permission::OwnAccount);
const STAFF: Need = Need::May(Permission::StaffAdmin);
const REVIEW: Need = Need::May(Permission::Review);
const SETTINGS: Need = Need::May(Permission::Settings);
const KEYS: Need = Need::May(Permission::KeyChanges);

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[
    row("GET", "/sign-in", Need::Nothing, || get(sign_in::page)),
    row("POST", "/sign-in", Need::Nothing, || post(sign_in::sign_in)),
    row("GET", "/sign-in/code", Need::Nothing, || get(sign_in::code_page)),
    row("POST", "/sign-in/code", Need::Nothing, || post(sign_in::code)),
    row("POST", "/sign-out", Need::Nothing, || post(sign_in::sign_out)),
    row("GET", "/invitation/{invitation}", Need::Nothing, || get(sign_in::invitation_page)),
    row("POST", "/invitation/{invitation}", Need::Nothing, || post(sign_in::accept_invitation)),
    row("GET", "/account", OWN, || get(own::page)),
    row("POST", "/account/password", OWN, || post(own::change_password)),
    row("POST", "/account/sessions/end", OWN, || post(own::end_session)),
    row("POST", "/account/sessions/end-all", OWN, || post(own::end_sessions)),
    row("GET", "/account/second-factor", OWN, || get(second_factor::page)),
    row("POST", "/account/second-factor", OWN, || post(second_factor::begin)),
    row("POST", "/account/second-factor/confirm", OWN, || post(second_factor::confirm)),
    row("POST", "/account/second-factor/drop", OWN, || post(second_factor::drop_factor)),
    row("POST", "/account/recovery-codes", OWN, || post(second_factor::new_codes)),
    row("GET", "/staff", STAFF, || get(staff::list)),
    row("GET", "/staff/export", STAFF, || get(staff::export)),
    row("GET", "/staff/new", STAFF, || get(staff::new)),
    row("POST", "/staff/new", STAFF, || post(staff::invite)),
    row("GET", "/staff/{staff}", STAFF, || get(staff::one)),
    row("POST", "/staff/{staff}", STAFF, || post(staff::change)),
    row("GET", "/staff/{staff}/disable", STAFF, || get(staff::disable_page)),
    row("POST", "/staff/{staff}/disable", STAFF, || post(staff::disable)),
    row("POST", "/staff/{staff}/enable", STAFF, || post(staff::enable)),
    row("GET", "/staff/{staff}/reset", STAFF, || get(staff::reset_page)),
    row("POST", "/staff/{staff}/reset", STAFF, || post(staff::reset)),
    row("GET", "/reviews", REVIEW, || get(reviews::list)),
    row("GET", "/reviews/export", REVIEW, || get(reviews::export)),
    row("GET", "/reviews/{review}", REVIEW, || get(reviews::one)),
    row("POST", "/reviews/{review}/approve", REVIEW, || post(reviews::approve)),
    row("POST", "/reviews/{review}/refuse", REVIEW, || post(reviews::refuse)),
    row("POST", "/reviews/{review}/withdraw", REVIEW, || post(reviews::withdraw)),
    row("GET", "/settings", SETTINGS, || get(settings::page)),
    row("POST", "/settings", SETTINGS, || post(settings::change)),
    row("GET", "/settings/keys", KEYS, || get(keys::list)),
    row("GET", "/settings/keys/change", KEYS, || get(keys::confirm)),
    row("POST", "/settings/keys/change", KEYS, || post(keys::change)),
];

/// What is wrong with the fields of a form.
#[derive(Debug, Clone, Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    /// What is wrong with this one; empty for nothing.
    fn of(&self, field: &str) -> &str {
        self.0.iter().find(|fault| fault.field == field).map_or("", |fault| fault.message.as_str())
    }
}

/// A password as typed: wiped when dropped, shown by no `Debug`.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
struct Typed(Zeroizing<String>);

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::ops::Deref for Typed {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}
