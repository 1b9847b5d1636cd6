//! The first page, partners, statistics, the audit trail.

use super::routes::Route;

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[];
