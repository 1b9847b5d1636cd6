-- Partners: agreements, offers, devices, uses; bundles for each of them; status list tokens as they were signed.
-- Column types as in 0001_start.sql.

CREATE TABLE partner (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT,
    contact_sealed BLOB,
    agreement_number TEXT NOT NULL UNIQUE,
    agreement_from TEXT NOT NULL,
    agreement_to TEXT NOT NULL,
    ended_from TEXT,
    end_reason TEXT,
    added_at BIGINT NOT NULL
);

CREATE TABLE offer (
    id INTEGER PRIMARY KEY,
    partner_id BIGINT NOT NULL REFERENCES partner (id),
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    terms TEXT NOT NULL,
    min_star BIGINT NOT NULL CHECK (min_star BETWEEN 0 AND 5),
    valid_from BIGINT,
    valid_to BIGINT,
    weekdays BIGINT NOT NULL,
    hours TEXT NOT NULL,
    per_day BIGINT,
    per_month BIGINT,
    in_all BIGINT,
    identity_check BIGINT NOT NULL,
    max_status_age BIGINT,
    added_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX offer_partner ON offer (partner_id, id);

CREATE TABLE partner_device (
    id INTEGER PRIMARY KEY,
    partner_id BIGINT NOT NULL REFERENCES partner (id),
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    enrolled_at BIGINT NOT NULL,
    last_seen_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX partner_device_partner ON partner_device (partner_id, id);

-- One-time codes of enrolment links; used ones stay, so that coming twice is told from never having been.
CREATE TABLE enrolment_code (
    code_hash BLOB PRIMARY KEY,
    partner_id BIGINT NOT NULL REFERENCES partner (id),
    device_name TEXT,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    device_id BIGINT REFERENCES partner_device (id)
);

-- Uses as partners sent them. offer and number are kept as they came: neither needs to be known here.
CREATE TABLE redemption (
    id BLOB PRIMARY KEY,
    partner_id BIGINT NOT NULL REFERENCES partner (id),
    device_id BIGINT NOT NULL REFERENCES partner_device (id),
    offer TEXT NOT NULL,
    number TEXT NOT NULL,
    kid BLOB NOT NULL,
    card_issued_at BIGINT NOT NULL,
    redeemed_at BIGINT NOT NULL,
    bundle_version BIGINT NOT NULL,
    standing TEXT NOT NULL,
    over_limit BIGINT NOT NULL,
    reversed_at BIGINT,
    received_at BIGINT NOT NULL
);
CREATE INDEX redemption_holder ON redemption (number, partner_id);
CREATE INDEX redemption_partner ON redemption (partner_id, redeemed_at);

CREATE TABLE reversal (
    id BLOB PRIMARY KEY,
    partner_id BIGINT NOT NULL REFERENCES partner (id),
    device_id BIGINT NOT NULL REFERENCES partner_device (id),
    redemption_id BLOB NOT NULL,
    reversed_at BIGINT NOT NULL,
    matched BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX reversal_redemption ON reversal (redemption_id);
CREATE INDEX reversal_unmatched ON reversal (partner_id) WHERE matched = 0;

-- For whom a bundle is: a partner, or nobody in particular. digest is over what it says, without version and times.
ALTER TABLE bundle ADD COLUMN audience BIGINT REFERENCES partner (id);
ALTER TABLE bundle ADD COLUMN digest BLOB;
CREATE INDEX bundle_audience ON bundle (audience, version);

-- The token of each issuing key in both forms, replaced when it is signed anew.
CREATE TABLE status_token (
    key_id INTEGER PRIMARY KEY REFERENCES signing_key (id),
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ttl BIGINT NOT NULL,
    digest BLOB NOT NULL,
    cwt BLOB NOT NULL,
    jwt BLOB NOT NULL
);
