//! Registration forms (附件1), in a browser.
