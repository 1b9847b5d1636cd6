-- Units: group, leaders and contacts (annex 3), rosters under way and delivered (annex 2). Column types as in 0001_start.sql.

ALTER TABLE unit ADD COLUMN target_group TEXT;
ALTER TABLE unit ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE unit ADD COLUMN changed_by TEXT;
ALTER TABLE unit ADD COLUMN changed_at BIGINT;

-- Annex 3 of a unit, or of a county as a whole (then unit_id is empty). leaders_sealed is JSON: two people with telephones.
CREATE TABLE receipt (
    id BIGINT PRIMARY KEY,
    county TEXT NOT NULL,
    unit_id BIGINT REFERENCES unit (id),
    leaders_sealed BYTEA NOT NULL,
    returned_by TEXT NOT NULL,
    returned_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE UNIQUE INDEX receipt_unit ON receipt (unit_id) WHERE unit_id IS NOT NULL;
CREATE UNIQUE INDEX receipt_county ON receipt (county) WHERE unit_id IS NULL;

-- A roster that was handed in and is being looked through. body_sealed (JSON: the sheet's header, warnings) is emptied
-- with the rows 30 days later.
CREATE TABLE roster_draft (
    id BIGINT PRIMARY KEY,
    unit_id BIGINT NOT NULL REFERENCES unit (id),
    file_name TEXT NOT NULL,
    file_sha256 BYTEA NOT NULL,
    handed_in TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'abandoned')),
    fresh BIGINT NOT NULL,
    known BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    body_sealed BYTEA,
    import_id BIGINT REFERENCES import (id),
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX roster_draft_unit ON roster_draft (unit_id, id);
CREATE INDEX roster_draft_expiry ON roster_draft (expires_at) WHERE body_sealed IS NOT NULL;

-- Every row of the sheet. body_sealed is JSON: cells, what is wrong with them. outcome 'aside' is nobody's row.
CREATE TABLE roster_draft_row (
    id BIGINT PRIMARY KEY,
    draft_id BIGINT NOT NULL REFERENCES roster_draft (id),
    number BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('aside', 'new', 'known', 'refused', 'removed')),
    identity_index BYTEA,
    body_sealed BYTEA NOT NULL,
    changed_by TEXT,
    changed_at BIGINT,
    revision BIGINT NOT NULL,
    UNIQUE (draft_id, number)
);
CREATE INDEX roster_draft_row_outcome ON roster_draft_row (draft_id, outcome, number);
CREATE INDEX roster_draft_row_identity ON roster_draft_row (draft_id, identity_index);

-- What a county hands to the federation as one.
CREATE TABLE county_delivery (
    id BIGINT PRIMARY KEY,
    county TEXT NOT NULL,
    year BIGINT NOT NULL,
    units BIGINT NOT NULL,
    people BIGINT NOT NULL,
    handed_by TEXT NOT NULL,
    handed_at BIGINT NOT NULL,
    archived_by TEXT,
    archived_at BIGINT
);
CREATE INDEX county_delivery_year ON county_delivery (county, year, id);

-- Annex 2 of a unit, delivered. on_day is the day in Beijing.
CREATE TABLE delivery (
    id BIGINT PRIMARY KEY,
    unit_id BIGINT NOT NULL REFERENCES unit (id),
    year BIGINT NOT NULL,
    on_day TEXT NOT NULL,
    people BIGINT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('upload', 'register')),
    draft_id BIGINT REFERENCES roster_draft (id),
    delivered_by TEXT NOT NULL,
    delivered_at BIGINT NOT NULL,
    stamped_by TEXT,
    stamped_at BIGINT,
    county_delivery_id BIGINT REFERENCES county_delivery (id),
    archived_by TEXT,
    archived_at BIGINT
);
CREATE INDEX delivery_unit ON delivery (unit_id, year, on_day);
CREATE INDEX delivery_year ON delivery (year, id);
CREATE INDEX delivery_county ON delivery (county_delivery_id) WHERE county_delivery_id IS NOT NULL;
CREATE INDEX delivery_draft ON delivery (draft_id) WHERE draft_id IS NOT NULL;
