//! Making cards, in a browser.
