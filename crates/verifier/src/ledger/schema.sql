-- Times are seconds since 1970. An entry is in the queue while its outcome is NULL.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE redemption (
    id BLOB PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    content BLOB NOT NULL,
    offer TEXT NOT NULL,
    title TEXT NOT NULL,
    number TEXT NOT NULL,
    holder TEXT,
    key_id TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    redeemed_at INTEGER NOT NULL,
    bundle_version INTEGER NOT NULL,
    outcome TEXT,
    outcome_at INTEGER,
    standing TEXT,
    over_limit INTEGER NOT NULL DEFAULT 0,
    reversal_id BLOB UNIQUE,
    reversed_at INTEGER,
    reversal_outcome TEXT
) STRICT;

CREATE INDEX redemption_uses ON redemption (number, offer, redeemed_at) WHERE reversed_at IS NULL;
CREATE INDEX redemption_time ON redemption (redeemed_at);
CREATE INDEX redemption_queue ON redemption (redeemed_at) WHERE outcome IS NULL;
CREATE INDEX reversal_queue ON redemption (reversed_at) WHERE reversed_at IS NOT NULL AND reversal_outcome IS NULL;
CREATE INDEX redemption_refused ON redemption (redeemed_at) WHERE outcome IN ('conflict', 'refused');
