//! Who gets in and what they may do: signing in, second factor, invitations, accounts, the two-person rule, settings.

pub mod keys;
pub mod own;
mod password;
pub mod review;
pub mod second_factor;
pub mod settings;
pub mod sign_in;
pub mod staff;
pub mod throttle;

/// Text to look for, or a remark: without control characters, which no database takes alike.
fn plain(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).collect()
}
