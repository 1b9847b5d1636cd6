//! Making cards: choosing, previewing, issuing, printing, handing out.

use super::routes::Route;

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[];
