//! Service records.

use super::routes::Route;

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[];
