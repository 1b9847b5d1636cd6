-- Who works at the console: accounts, sessions, second factors, invitations; the two-person rule and its settings.
-- Column types as in 0001_start.sql. Rows of staff are never deleted, so a login name is never given to somebody else.

-- password is a PHC string of Argon2id. totp is the sealed secret (RFC 6238); totp_step the last time
-- step that was accepted; totp_new a sealed secret that was shown and not confirmed yet.
CREATE TABLE staff (
    id BIGINT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    county TEXT,
    unit_id BIGINT REFERENCES unit (id),
    partner_id BIGINT REFERENCES partner (id),
    password TEXT,
    totp BYTEA,
    totp_step BIGINT,
    totp_new BYTEA,
    state TEXT NOT NULL CHECK (state IN ('invited', 'active', 'disabled')),
    made_at BIGINT NOT NULL,
    last_sign_in_at BIGINT,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX staff_unit ON staff (unit_id) WHERE unit_id IS NOT NULL;
CREATE INDEX staff_partner ON staff (partner_id) WHERE partner_id IS NOT NULL;

-- token_hash is SHA-256 of the cookie's random value. stage: 'second' waits for the second factor and opens nothing else.
CREATE TABLE session (
    token_hash BYTEA PRIMARY KEY,
    id BIGINT NOT NULL UNIQUE,
    staff_id BIGINT NOT NULL REFERENCES staff (id),
    stage TEXT NOT NULL CHECK (stage IN ('second', 'open')),
    browser TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX session_staff ON session (staff_id);

-- code_hash is a keyed hash (HMAC-SHA-256) of the account and the code.
CREATE TABLE recovery_code (
    code_hash BYTEA PRIMARY KEY,
    staff_id BIGINT NOT NULL REFERENCES staff (id),
    used_at BIGINT
);
CREATE INDEX recovery_code_staff ON recovery_code (staff_id);

-- One-time links with which somebody sets a password; token_hash is SHA-256 of 128 random bits.
CREATE TABLE invitation (
    token_hash BYTEA PRIMARY KEY,
    staff_id BIGINT NOT NULL REFERENCES staff (id),
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX invitation_staff ON invitation (staff_id);

-- Tries to sign in; subject is a keyed hash of what is being counted (account and address, address, device, …).
CREATE TABLE sign_in_try (
    subject BYTEA PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL
);
CREATE INDEX sign_in_try_last ON sign_in_try (last_at);

-- Steps that wait for a second person, and what became of them. payload is JSON without personal data.
CREATE TABLE review (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    summary TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'refused', 'withdrawn')),
    asked_by BIGINT NOT NULL REFERENCES staff (id),
    asked_at BIGINT NOT NULL,
    decided_by BIGINT REFERENCES staff (id),
    decided_at BIGINT,
    note TEXT,
    outcome TEXT
);
CREATE INDEX review_state ON review (state, id);

-- Switches of the console; a name that is missing has its default.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
