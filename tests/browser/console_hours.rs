//! Service records, in a browser.
