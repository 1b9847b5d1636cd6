//! Units and rosters (附件2, 附件3), in a browser.
