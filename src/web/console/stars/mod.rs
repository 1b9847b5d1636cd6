//! Star certification.

mod batch;
mod policy;

use axum::routing::{get, post};

use super::routes::{Need, Route, row};
use crate::domain::staff::Permission::{StarConfirm, StarDraft, StarPolicy, ViewPeople};

const VIEW: Need = Need::May(ViewPeople);
const DRAFT: Need = Need::May(StarDraft);

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[
    row("GET", "/stars", VIEW, || get(batch::list)),
    row("POST", "/stars", DRAFT, || post(batch::draft)),
    row("GET", "/stars/policies", VIEW, || get(policy::list)),
    row("GET", "/stars/policies/new", Need::May(StarPolicy), || get(policy::form)),
    row("POST", "/stars/policies/new", Need::May(StarPolicy), || post(policy::add)),
    row("GET", "/stars/what-if", DRAFT, || get(policy::what_if)),
    row("POST", "/stars/what-if", DRAFT, || post(policy::compute)),
    row("GET", "/stars/{batch}", VIEW, || get(batch::page)),
    row("GET", "/stars/{batch}/export", VIEW, || get(batch::export)),
    row("POST", "/stars/{batch}/find", VIEW, || post(batch::find)),
    row("GET", "/stars/{batch}/rows/{row}", VIEW, || get(batch::person)),
    row("POST", "/stars/{batch}/rows/{row}", DRAFT, || post(batch::object)),
    row("GET", "/stars/{batch}/notice", VIEW, || get(batch::notice)),
    row("GET", "/stars/{batch}/notice.pdf", VIEW, || get(batch::notice_pdf)),
    row("GET", "/stars/{batch}/notice.xlsx", VIEW, || get(batch::notice_xlsx)),
    row("GET", "/stars/{batch}/announce", DRAFT, || get(batch::announcing)),
    row("POST", "/stars/{batch}/announce", DRAFT, || post(batch::announce)),
    row("GET", "/stars/{batch}/drop", DRAFT, || get(batch::dropping)),
    row("POST", "/stars/{batch}/drop", DRAFT, || post(batch::drop_batch)),
    row("GET", "/stars/{batch}/confirm", Need::May(StarConfirm), || get(batch::confirming)),
    row("POST", "/stars/{batch}/confirm", Need::May(StarConfirm), || post(batch::confirm)),
    row("GET", "/stars/{batch}/reissue", VIEW, || get(batch::reissue)),
    row("GET", "/stars/{batch}/reissue/export", VIEW, || get(batch::reissue_export)),
];

/// Stars as they are drawn in lists: three of five.
fn drawn(star: u8) -> String {
    (1..=5).map(|place| if place <= star { '★' } else { '☆' }).collect()
}
