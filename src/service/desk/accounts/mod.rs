//! Who gets in and what they may do: signing in, second factor, invitations, accounts, the two-person rule, settings.

pub mod keys;
pub mod review;
pub mod settings;
