//! Accounts: signing in, second factor, invitations, who may do what, the two-person rule.

use super::routes::Route;

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[];
