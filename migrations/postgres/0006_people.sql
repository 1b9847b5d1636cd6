-- Finding volunteers fast, correcting and merging them. Column types as in 0001_start.sql.

-- How far a card has come: 0 issued, 1 printed, 2 handed out.
ALTER TABLE certificate ADD COLUMN stage BIGINT NOT NULL DEFAULT 0;
UPDATE certificate SET stage = 1 WHERE printed_at IS NOT NULL;

-- What lists are narrowed and ordered by stands in the volunteer's own row, so that every filter has an index in the order
-- of the list: county is the unit's; card is the standing of the newest card ('none' when there is no live one), with
-- when it expires, how far it has come, and the star on it (-1 when there is no live one). Triggers keep card… in step,
-- whatever changes a card.
ALTER TABLE volunteer ADD COLUMN county TEXT NOT NULL DEFAULT '00';
ALTER TABLE volunteer ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE volunteer ADD COLUMN merged_into BIGINT REFERENCES volunteer (id);
ALTER TABLE volunteer ADD COLUMN card TEXT NOT NULL DEFAULT 'none' CHECK (card IN ('none', 'valid', 'suspended'));
ALTER TABLE volunteer ADD COLUMN card_id BIGINT;
ALTER TABLE volunteer ADD COLUMN card_expires_at BIGINT;
ALTER TABLE volunteer ADD COLUMN card_stage BIGINT NOT NULL DEFAULT 0;
ALTER TABLE volunteer ADD COLUMN card_star BIGINT NOT NULL DEFAULT -1;

UPDATE volunteer SET county = (SELECT unit.county FROM unit WHERE unit.id = volunteer.unit_id);
UPDATE volunteer SET card_id = (SELECT max(c.id) FROM certificate c WHERE c.volunteer_id = volunteer.id);
UPDATE volunteer SET
    card = (SELECT CASE WHEN c.state IN ('valid', 'suspended') THEN c.state ELSE 'none' END
            FROM certificate c WHERE c.id = card_id),
    card_expires_at = (SELECT c.expires_at FROM certificate c WHERE c.id = card_id),
    card_stage = (SELECT c.stage FROM certificate c WHERE c.id = card_id),
    card_star = (SELECT CASE WHEN c.state IN ('valid', 'suspended') THEN c.star ELSE -1 END
                 FROM certificate c WHERE c.id = card_id)
WHERE card_id IS NOT NULL;

-- Names in the order of their code points, as SQLite has them: a prefix is a range of the index.
ALTER TABLE volunteer ALTER COLUMN name TYPE TEXT COLLATE "C";

DROP INDEX volunteer_name;
-- county at its end, so that a search by name within one county need not look at the others' rows.
CREATE INDEX volunteer_name ON volunteer (name, birth_date, number, county);
CREATE INDEX volunteer_phone ON volunteer (phone_index, number) WHERE phone_index IS NOT NULL;
CREATE INDEX volunteer_county ON volunteer (county, number);
CREATE INDEX volunteer_exited ON volunteer (county, number) WHERE state = 'exited';
CREATE INDEX volunteer_star ON volunteer (star, county, number) WHERE star > 0;
CREATE INDEX volunteer_without_card ON volunteer (county, number) WHERE card = 'none' AND state = 'active';
CREATE INDEX volunteer_suspended ON volunteer (county, number) WHERE card = 'suspended';
CREATE INDEX volunteer_unprinted ON volunteer (county, number) WHERE card = 'valid' AND card_stage = 0;
CREATE INDEX volunteer_waiting ON volunteer (county, number) WHERE card = 'valid' AND card_stage = 1;
CREATE INDEX volunteer_expiry ON volunteer (card_expires_at) WHERE card = 'valid';
CREATE INDEX volunteer_county_expiry ON volunteer (county, card_expires_at) WHERE card = 'valid';
CREATE INDEX volunteer_star_due ON volunteer (county, number)
    WHERE state = 'active' AND card = 'valid' AND card_star <> star;
CREATE INDEX volunteer_merged ON volunteer (merged_into) WHERE merged_into IS NOT NULL;

-- What a volunteer's data were before they were corrected. Identity number, phone, e-mail and address are sealed like the
-- columns themselves; contact data are erased here too when the volunteer leaves.
CREATE TABLE correction (
    id BIGINT PRIMARY KEY,
    volunteer_id BIGINT NOT NULL REFERENCES volunteer (id),
    field TEXT NOT NULL,
    old_text TEXT,
    new_text TEXT,
    old_sealed BYTEA,
    new_sealed BYTEA,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX correction_volunteer ON correction (volunteer_id, id);

CREATE FUNCTION card_was_issued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE volunteer SET
        card = CASE WHEN c.state IN ('valid', 'suspended') THEN c.state ELSE 'none' END,
        card_id = c.id,
        card_expires_at = c.expires_at,
        card_stage = c.stage,
        card_star = CASE WHEN c.state IN ('valid', 'suspended') THEN c.star ELSE -1 END
    FROM cards c WHERE volunteer.id = c.volunteer_id;
    RETURN NULL;
END $$;
CREATE TRIGGER certificate_issued AFTER INSERT ON certificate
    REFERENCING NEW TABLE AS cards FOR EACH STATEMENT EXECUTE FUNCTION card_was_issued();

CREATE FUNCTION card_was_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE volunteer SET
        card = CASE WHEN c.state IN ('valid', 'suspended') THEN c.state ELSE 'none' END,
        card_expires_at = c.expires_at,
        card_stage = c.stage,
        card_star = CASE WHEN c.state IN ('valid', 'suspended') THEN c.star ELSE -1 END
    FROM cards c WHERE volunteer.id = c.volunteer_id AND volunteer.card_id = c.id;
    RETURN NULL;
END $$;
CREATE TRIGGER certificate_changed AFTER UPDATE ON certificate
    REFERENCING NEW TABLE AS cards FOR EACH STATEMENT EXECUTE FUNCTION card_was_changed();
