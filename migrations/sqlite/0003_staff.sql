-- Who works at the console: accounts and their sessions. Column types as in 0001_start.sql.

CREATE TABLE staff (
    id INTEGER PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    county TEXT,
    unit_id BIGINT REFERENCES unit (id),
    partner_id BIGINT REFERENCES partner (id),
    password TEXT,
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'disabled')),
    made_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX staff_unit ON staff (unit_id) WHERE unit_id IS NOT NULL;

-- token_hash is SHA-256 of the cookie's random value.
CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    staff_id BIGINT NOT NULL REFERENCES staff (id),
    begun_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX session_staff ON session (staff_id);
