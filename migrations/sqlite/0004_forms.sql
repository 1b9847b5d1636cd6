-- Registration forms (附件1) on their way to approval. Column types as in 0001_start.sql.
-- What the form says is one sealed text; what queues and searches need stands beside it. A form withdrawn loses its text.

CREATE TABLE application (
    id INTEGER PRIMARY KEY,
    unit_id BIGINT NOT NULL REFERENCES unit (id),
    county TEXT NOT NULL,
    approver TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'approved', 'rejected', 'withdrawn')),
    name TEXT NOT NULL,
    form_sealed BLOB,
    identity_index BLOB,
    national BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    submitted_by TEXT,
    submitted_at BIGINT,
    decided_by TEXT,
    decided_at BIGINT,
    reason TEXT,
    volunteer_id BIGINT REFERENCES volunteer (id),
    revision BIGINT NOT NULL
);
CREATE INDEX application_changed ON application (changed_at, id);
CREATE INDEX application_state ON application (state, changed_at, id);
CREATE INDEX application_approver ON application (approver, state, changed_at, id);
CREATE INDEX application_county ON application (county, changed_at, id);
CREATE INDEX application_county_state ON application (county, state, changed_at, id);
CREATE INDEX application_unit ON application (unit_id, changed_at, id);
CREATE INDEX application_unit_state ON application (unit_id, state, changed_at, id);
-- county and unit at its end, so that a search by name within one of them need not look at the others' rows.
CREATE INDEX application_name ON application (name, id, county, unit_id);
CREATE INDEX application_identity ON application (identity_index) WHERE identity_index IS NOT NULL;
CREATE INDEX application_volunteer ON application (volunteer_id) WHERE volunteer_id IS NOT NULL;
-- One form of a person before the approvers, whatever races.
CREATE UNIQUE INDEX application_before_approver ON application (identity_index) WHERE state IN ('submitted', 'returned');

-- Where the two copies of an approved form are kept.
CREATE TABLE application_copy (
    application_id BIGINT NOT NULL REFERENCES application (id),
    copy TEXT NOT NULL CHECK (copy IN ('approver', 'unit')),
    place TEXT NOT NULL,
    archived_on TEXT NOT NULL,
    noted_by TEXT NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (application_id, copy)
);
