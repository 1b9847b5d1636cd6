-- Statistics that pages read instead of counting, what looks unusual in the use of offers, checks of the audit chain.
-- Column types as in 0001_start.sql. All but chain_check is derived from other tables and can be counted anew at any time.

-- When the figures below were counted (counted_at), at which end of the audit chain (seq), and since when somebody is
-- counting (begun_at; none while nobody is).
CREATE TABLE statistic_run (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    counted_at BIGINT,
    begun_at BIGINT,
    took_ms BIGINT NOT NULL
);
INSERT INTO statistic_run (id, seq, took_ms) VALUES (1, 0, 0);

-- How things stand: level city (key 0), county (key its code) or unit (key its id).
CREATE TABLE statistic_standing (
    level TEXT NOT NULL,
    key BIGINT NOT NULL,
    county TEXT NOT NULL,
    name TEXT NOT NULL,
    people BIGINT NOT NULL,
    exited BIGINT NOT NULL,
    units BIGINT NOT NULL,
    units_due BIGINT NOT NULL,
    units_counted BIGINT NOT NULL,
    units_full BIGINT NOT NULL,
    head_count BIGINT NOT NULL,
    people_counted BIGINT NOT NULL,
    target_group TEXT,
    hours_target BIGINT,
    star_1 BIGINT NOT NULL,
    star_2 BIGINT NOT NULL,
    star_3 BIGINT NOT NULL,
    star_4 BIGINT NOT NULL,
    star_5 BIGINT NOT NULL,
    cards_valid BIGINT NOT NULL,
    cards_suspended BIGINT NOT NULL,
    unprinted BIGINT NOT NULL,
    expiring BIGINT NOT NULL,
    without_card BIGINT NOT NULL,
    PRIMARY KEY (level, key)
);
CREATE INDEX statistic_standing_county ON statistic_standing (level, county, key);

-- What happened in a period: a year (2026) or a month (2026-11).
CREATE TABLE statistic_activity (
    level TEXT NOT NULL,
    key BIGINT NOT NULL,
    period TEXT NOT NULL,
    registered BIGINT NOT NULL,
    exited BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    records BIGINT NOT NULL,
    issued BIGINT NOT NULL,
    stars BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    units_due BIGINT NOT NULL,
    units_met BIGINT NOT NULL,
    PRIMARY KEY (level, key, period)
);

-- Uses of an offer in a month, by how the cards stood. All but reversed leave out what was taken back.
CREATE TABLE statistic_offer (
    partner_id BIGINT NOT NULL,
    offer TEXT NOT NULL,
    month TEXT NOT NULL,
    valid BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    suspended BIGINT NOT NULL,
    superseded BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    unknown BIGINT NOT NULL,
    over_limit BIGINT NOT NULL,
    reversed BIGINT NOT NULL,
    PRIMARY KEY (partner_id, offer, month)
);
CREATE INDEX statistic_offer_month ON statistic_offer (month);

-- What is worth a look in the use of offers. offer and number are empty where it is about none.
CREATE TABLE statistic_finding (
    partner_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    offer TEXT NOT NULL,
    number TEXT NOT NULL,
    day TEXT NOT NULL,
    found BIGINT NOT NULL,
    usual BIGINT NOT NULL,
    PRIMARY KEY (partner_id, kind, offer, number, day)
);

-- Checks of the audit chain, which go on in steps: checked is the last position found good, hash its hash.
CREATE TABLE chain_check (
    id INTEGER PRIMARY KEY,
    begun_by TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    head_seq BIGINT NOT NULL,
    head_hash BLOB NOT NULL,
    checked BIGINT NOT NULL,
    hash BLOB NOT NULL,
    ended_at BIGINT,
    broken_at BIGINT
);

CREATE INDEX audit_event_at ON audit_event (at, seq);
CREATE INDEX audit_event_actor ON audit_event (actor, at, seq);
CREATE INDEX audit_event_action ON audit_event (action, at, seq);
