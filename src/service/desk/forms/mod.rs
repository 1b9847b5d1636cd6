//! Registration and approval: 附件1.
