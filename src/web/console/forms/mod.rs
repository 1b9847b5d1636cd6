//! Registration and approval: 附件1.

use super::routes::Route;

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[];
