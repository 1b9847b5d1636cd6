//! Stars, in a browser.
