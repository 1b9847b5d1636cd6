//! Volunteers, in a browser.
