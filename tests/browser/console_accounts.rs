//! Accounts and signing in, in a browser.
