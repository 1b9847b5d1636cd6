-- Making cards: jobs in the background, frozen lists of whom they are about, photos, what was handed out.
-- Column types as in 0001_start.sql.

CREATE INDEX certificate_key ON certificate (key_id, id) WHERE state = 'valid';

-- Whom a step is about, frozen when it was shown: sixteen bytes each, the keys of volunteer and card (0 for none),
-- big-endian.
CREATE TABLE card_list (
    id BIGINT PRIMARY KEY,
    staff_id BIGINT NOT NULL REFERENCES staff (id),
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    people BIGINT NOT NULL,
    detail TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    review_id BIGINT,
    body BYTEA NOT NULL
);
CREATE INDEX card_list_made ON card_list (made_at);

CREATE TABLE job (
    id BIGINT PRIMARY KEY,
    task TEXT NOT NULL,
    once TEXT UNIQUE,
    title TEXT NOT NULL,
    staff_id BIGINT NOT NULL REFERENCES staff (id),
    actor TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'removed')),
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    cancel BIGINT NOT NULL,
    holder BYTEA,
    lease_until BIGINT,
    error TEXT,
    result TEXT,
    asked_at BIGINT NOT NULL,
    begun_at BIGINT,
    ended_at BIGINT
);
CREATE INDEX job_state ON job (state, id);
CREATE INDEX job_staff ON job (staff_id, id);
CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;

-- A holder's photo as it is printed (JPEG), sealed; erased when the volunteer leaves.
CREATE TABLE photo (
    volunteer_id BIGINT PRIMARY KEY REFERENCES volunteer (id),
    sealed BYTEA NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL
);

-- Photos sent in and not yet confirmed: a row a file, a picture in it only where there was nothing wrong.
CREATE TABLE photo_upload (
    id BIGINT PRIMARY KEY,
    staff_id BIGINT NOT NULL REFERENCES staff (id),
    made_at BIGINT NOT NULL
);
CREATE INDEX photo_upload_made ON photo_upload (made_at);
CREATE TABLE photo_upload_row (
    id BIGINT PRIMARY KEY,
    upload_id BIGINT NOT NULL REFERENCES photo_upload (id),
    place BIGINT NOT NULL,
    file_name TEXT NOT NULL,
    number TEXT,
    volunteer_id BIGINT REFERENCES volunteer (id),
    problem TEXT,
    sealed BYTEA,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    UNIQUE (upload_id, place)
);

-- What was handed out, to whom, with the unit at that time; undone ones stay as history.
CREATE TABLE handout (
    id BIGINT PRIMARY KEY,
    certificate_id BIGINT NOT NULL REFERENCES certificate (id),
    volunteer_id BIGINT NOT NULL REFERENCES volunteer (id),
    unit_id BIGINT NOT NULL REFERENCES unit (id),
    county TEXT NOT NULL,
    handed_on TEXT NOT NULL,
    received_by TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    undone_at BIGINT,
    undone_by TEXT,
    undone_reason TEXT
);
CREATE UNIQUE INDEX handout_live ON handout (certificate_id) WHERE undone_at IS NULL;
CREATE INDEX handout_volunteer ON handout (volunteer_id);
CREATE INDEX handout_unit ON handout (unit_id, id) WHERE undone_at IS NULL;
CREATE INDEX handout_county ON handout (county, id) WHERE undone_at IS NULL;
