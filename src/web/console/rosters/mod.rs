//! Units, rosters (附件2), leaders and contacts (附件3), the archive window.

use super::routes::Route;

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[];
