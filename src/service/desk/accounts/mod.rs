//! Accounts: signing in, second factor, invitations, who may do what, the two-person rule.
