//! The first page, partners, statistics, the audit trail.
