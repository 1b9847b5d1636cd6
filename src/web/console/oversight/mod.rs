//! The first page, partners, statistics, the audit trail.

mod audit;
mod home;
mod link;
mod offer_form;
mod own;
mod partners;
mod report;
mod statistics;
mod unusual;
mod words;

use axum::routing::{get, post};

use super::routes::{Need, Route, row};
use crate::domain::staff::Permission;

const HOME: Need = Need::May(Permission::Home);
const READ: Need = Need::May(Permission::ViewPartners);
const KEEP: Need = Need::May(Permission::Partners);
const OWN: Need = Need::May(Permission::PartnerOwn);
const FIGURES: Need = Need::May(Permission::Statistics);
const AUDIT: Need = Need::May(Permission::Audit);

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[
    row("GET", "/home", HOME, || get(home::page)),
    row("GET", "/partners", READ, || get(partners::list)),
    row("GET", "/partners/export", READ, || get(partners::export)),
    row("GET", "/partners/unusual", READ, || get(unusual::list)),
    row("GET", "/partners/unusual/export", READ, || get(unusual::export)),
    row("GET", "/partners/new", KEEP, || get(partners::new)),
    row("POST", "/partners/new", KEEP, || post(partners::add)),
    row("GET", "/partners/{partner}", READ, || get(partners::one)),
    row("GET", "/partners/{partner}/export", READ, || get(partners::export_use)),
    row("GET", "/partners/{partner}/renew", KEEP, || get(partners::renew_form)),
    row("POST", "/partners/{partner}/renew", KEEP, || post(partners::renew)),
    row("GET", "/partners/{partner}/end", KEEP, || get(partners::end_form)),
    row("POST", "/partners/{partner}/end", KEEP, || post(partners::end)),
    row("GET", "/partners/{partner}/link", KEEP, || get(link::form)),
    row("POST", "/partners/{partner}/link", KEEP, || post(link::make)),
    row("GET", "/partners/{partner}/devices/{device}/revoke", KEEP, || get(partners::revoke_form)),
    row("POST", "/partners/{partner}/devices/{device}/revoke", KEEP, || post(partners::revoke)),
    row("GET", "/partners/{partner}/offers/new", KEEP, || get(offer_form::new)),
    row("POST", "/partners/{partner}/offers/new", KEEP, || post(offer_form::add)),
    row("GET", "/partners/{partner}/offers/{offer}", READ, || get(partners::offer)),
    row("GET", "/partners/{partner}/offers/{offer}/end", KEEP, || get(partners::end_offer_form)),
    row("POST", "/partners/{partner}/offers/{offer}/end", KEEP, || post(partners::end_offer)),
    row("GET", "/offers", OWN, || get(own::page)),
    row("GET", "/offers/export", OWN, || get(own::export)),
    row("GET", "/offers/{offer}", OWN, || get(own::offer)),
    row("GET", "/statistics", FIGURES, || get(statistics::own)),
    row("GET", "/statistics/export", FIGURES, || get(statistics::export)),
    row("GET", "/statistics/partners", READ, || get(statistics::partners)),
    row("GET", "/statistics/partners/export", READ, || get(statistics::export_partners)),
    row("GET", "/statistics/counties/{county}", FIGURES, || get(statistics::county)),
    row("GET", "/statistics/units/{unit}", FIGURES, || get(statistics::unit)),
    row("POST", "/statistics/recount", FIGURES, || post(statistics::recount)),
    row("GET", "/statistics/report", FIGURES, || get(report::page)),
    row("GET", "/statistics/report/pdf", FIGURES, || get(report::pdf)),
    row("GET", "/audit", AUDIT, || get(audit::list)),
    row("GET", "/audit/export", AUDIT, || get(audit::export)),
    row("GET", "/audit/events/{seq}", AUDIT, || get(audit::event)),
    row("POST", "/audit/compare", AUDIT, || post(audit::compare)),
    row("POST", "/audit/checks", AUDIT, || post(audit::begin_check)),
    row("POST", "/audit/checks/{check}/step", AUDIT, || post(audit::step)),
];
