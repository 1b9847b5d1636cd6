//! Volunteers and the status of their cards.

use super::routes::Route;

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[];
