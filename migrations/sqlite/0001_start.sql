-- The whole schema of the first release.
-- Column types are BIGINT, TEXT and BLOB only: moments are seconds since 1970, dates ISO 8601 text, booleans 0 or 1.
-- A key is written INTEGER PRIMARY KEY, SQLite's spelling of a 64-bit key that is the row's own address (BIGINT would
-- keep a second tree beside it).
-- The same tables and columns stand in migrations/postgres/ under the same name; tests/tidy.rs compares them.

CREATE TABLE unit (
    id INTEGER PRIMARY KEY,
    county TEXT NOT NULL,
    name TEXT NOT NULL,
    head_count BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (county, name)
);
CREATE INDEX unit_name ON unit (name);

CREATE TABLE import (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    file_name TEXT NOT NULL,
    file_sha256 BLOB NOT NULL,
    unit_id BIGINT REFERENCES unit (id),
    row_count BIGINT NOT NULL,
    imported BIGINT NOT NULL,
    known BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX import_file ON import (file_sha256);

-- Deferred, the references are counted row by row and judged at the end: SQLite need not be able to undo a single insert.
CREATE TABLE volunteer (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    sex BIGINT NOT NULL,
    ethnicity BIGINT NOT NULL,
    birth_date TEXT NOT NULL,
    political BIGINT,
    unit_id BIGINT NOT NULL REFERENCES unit (id) DEFERRABLE INITIALLY DEFERRED,
    identity_sealed BLOB NOT NULL,
    identity_index BLOB NOT NULL UNIQUE,
    phone_sealed BLOB,
    phone_index BLOB,
    email_sealed BLOB,
    address_sealed BLOB,
    user_name TEXT,
    national_number TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'exited')),
    star BIGINT NOT NULL CHECK (star BETWEEN 0 AND 5),
    import_id BIGINT REFERENCES import (id) DEFERRABLE INITIALLY DEFERRED,
    registered_at BIGINT NOT NULL,
    exited_at BIGINT
);
CREATE INDEX volunteer_name ON volunteer (name);
CREATE INDEX volunteer_unit ON volunteer (unit_id, number);

CREATE TABLE service_record (
    id INTEGER PRIMARY KEY,
    volunteer_id BIGINT NOT NULL REFERENCES volunteer (id),
    date TEXT NOT NULL,
    start_minute BIGINT CHECK (start_minute BETWEEN 0 AND 1440),
    end_minute BIGINT CHECK (end_minute BETWEEN 0 AND 1440),
    minutes BIGINT NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    content TEXT NOT NULL,
    activity TEXT,
    place TEXT,
    item BIGINT,
    flags BIGINT NOT NULL,
    fingerprint BLOB NOT NULL UNIQUE,
    import_id BIGINT REFERENCES import (id),
    entered_at BIGINT NOT NULL
);
CREATE INDEX service_record_day ON service_record (volunteer_id, date, minutes);
CREATE INDEX service_record_import ON service_record (import_id) WHERE import_id IS NOT NULL;

CREATE TABLE star_policy (
    effective_from TEXT PRIMARY KEY,
    minutes_1 BIGINT NOT NULL,
    minutes_2 BIGINT NOT NULL,
    minutes_3 BIGINT NOT NULL,
    minutes_4 BIGINT NOT NULL,
    minutes_5 BIGINT NOT NULL,
    counted TEXT NOT NULL,
    keep BIGINT NOT NULL,
    added_at BIGINT NOT NULL
);

CREATE TABLE star_batch (
    id INTEGER PRIMARY KEY,
    year BIGINT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    policy_effective_from TEXT NOT NULL REFERENCES star_policy (effective_from),
    awards BIGINT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE star_award (
    id INTEGER PRIMARY KEY,
    batch_id BIGINT NOT NULL REFERENCES star_batch (id),
    volunteer_id BIGINT NOT NULL REFERENCES volunteer (id),
    year BIGINT NOT NULL,
    star BIGINT NOT NULL CHECK (star BETWEEN 0 AND 5),
    window_minutes BIGINT NOT NULL,
    lifetime_minutes BIGINT NOT NULL,
    UNIQUE (volunteer_id, year)
);
CREATE INDEX star_award_batch ON star_award (batch_id);
CREATE INDEX star_award_year ON star_award (year);

CREATE TABLE signing_key (
    id INTEGER PRIMARY KEY,
    role TEXT NOT NULL,
    kid BLOB NOT NULL,
    public_key BLOB NOT NULL UNIQUE,
    state TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT,
    list_uri TEXT,
    created_at BIGINT NOT NULL,
    state_changed_at BIGINT NOT NULL
);

CREATE TABLE certificate (
    id INTEGER PRIMARY KEY,
    volunteer_id BIGINT NOT NULL REFERENCES volunteer (id),
    number TEXT NOT NULL,
    key_id BIGINT NOT NULL REFERENCES signing_key (id),
    status_index BIGINT NOT NULL,
    star BIGINT NOT NULL CHECK (star BETWEEN 0 AND 5),
    holder TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('valid', 'revoked', 'suspended', 'superseded')),
    reason TEXT,
    state_changed_at BIGINT NOT NULL,
    code BLOB NOT NULL,
    printed_at BIGINT,
    UNIQUE (key_id, status_index)
);
-- One live card a volunteer, whatever races.
CREATE UNIQUE INDEX certificate_live ON certificate (volunteer_id) WHERE state IN ('valid', 'suspended');
CREATE INDEX certificate_volunteer ON certificate (volunteer_id);
-- All that the status sets need, in their order.
CREATE INDEX certificate_not_valid ON certificate (key_id, state, status_index, expires_at) WHERE state <> 'valid';

CREATE TABLE trust_list (
    version INTEGER PRIMARY KEY,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE bundle (
    version INTEGER PRIMARY KEY,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    trust_list_version BIGINT NOT NULL REFERENCES trust_list (version),
    body BLOB NOT NULL
);

CREATE TABLE audit_event (
    seq INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX audit_event_object ON audit_event (object, seq);

-- One row: the end of the chain. Every writer locks it first, so writers queue here on both databases.
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    hash BLOB NOT NULL
);
INSERT INTO audit_head (id, seq, hash)
VALUES (1, 0, zeroblob(32));

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
);
