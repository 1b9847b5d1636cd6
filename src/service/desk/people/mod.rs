//! Volunteers and the status of their cards.
