-- Service records at the console: who recorded them, corrections, disputes, proofs; the year's star batch as a draft.
-- Column types as in 0001_start.sql.

-- unit_id and county are those of the recording unit (记录单位), so that lists need no join; entered_by is a login name.
ALTER TABLE service_record ADD COLUMN unit_id BIGINT;
ALTER TABLE service_record ADD COLUMN county TEXT;
ALTER TABLE service_record ADD COLUMN organiser TEXT;
ALTER TABLE service_record ADD COLUMN in_charge TEXT;
ALTER TABLE service_record ADD COLUMN late_reason TEXT;
ALTER TABLE service_record ADD COLUMN entered_by TEXT;
ALTER TABLE service_record ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
UPDATE service_record SET unit_id = (SELECT v.unit_id FROM volunteer v WHERE v.id = service_record.volunteer_id);
UPDATE service_record SET county = (SELECT u.county FROM unit u WHERE u.id = service_record.unit_id);
CREATE INDEX service_record_unit ON service_record (unit_id, date, id);
-- With the minutes, so that lists count and add up without reading the records themselves.
CREATE INDEX service_record_county ON service_record (county, date, id, minutes);
CREATE INDEX service_record_date ON service_record (date, id, minutes);
CREATE INDEX service_record_late ON service_record (date, id) WHERE flags <> 0;
CREATE INDEX service_record_late_unit ON service_record (unit_id, date, id) WHERE flags <> 0;
CREATE INDEX service_record_late_county ON service_record (county, date, id) WHERE flags <> 0;

-- Records declared void live here and nowhere else: no sum over service_record can count one.
CREATE TABLE service_record_void (
    id BIGINT PRIMARY KEY,
    volunteer_id BIGINT NOT NULL REFERENCES volunteer (id),
    date TEXT NOT NULL,
    start_minute BIGINT,
    end_minute BIGINT,
    minutes BIGINT NOT NULL,
    content TEXT NOT NULL,
    activity TEXT,
    place TEXT,
    item BIGINT,
    flags BIGINT NOT NULL,
    import_id BIGINT REFERENCES import (id),
    entered_at BIGINT NOT NULL,
    unit_id BIGINT,
    county TEXT,
    organiser TEXT,
    in_charge TEXT,
    late_reason TEXT,
    entered_by TEXT,
    revision BIGINT NOT NULL
);
CREATE INDEX service_record_void_unit ON service_record_void (unit_id, date, id);
CREATE INDEX service_record_void_date ON service_record_void (date, id);
CREATE INDEX service_record_void_volunteer ON service_record_void (volunteer_id);
CREATE INDEX service_record_void_import ON service_record_void (import_id) WHERE import_id IS NOT NULL;

-- What was done to a record after it was entered; before and after are JSON without personal data of contact.
CREATE TABLE service_change (
    id BIGINT PRIMARY KEY,
    record_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX service_change_record ON service_change (record_id, id);

CREATE TABLE service_dispute (
    id BIGINT PRIMARY KEY,
    record_id BIGINT NOT NULL,
    unit_id BIGINT,
    county TEXT,
    objection TEXT NOT NULL,
    noted_by TEXT NOT NULL,
    noted_at BIGINT NOT NULL,
    outcome TEXT,
    reason TEXT,
    decided_by TEXT,
    decided_at BIGINT
);
CREATE UNIQUE INDEX service_dispute_open ON service_dispute (record_id) WHERE outcome IS NULL;
CREATE INDEX service_dispute_record ON service_dispute (record_id, id);
CREATE INDEX service_dispute_waiting ON service_dispute (id) WHERE outcome IS NULL;

-- An activity that took place and whose hours are still to be entered: the clock of ten working days runs from its date.
CREATE TABLE service_activity (
    id BIGINT PRIMARY KEY,
    unit_id BIGINT NOT NULL REFERENCES unit (id),
    county TEXT NOT NULL,
    date TEXT NOT NULL,
    name TEXT NOT NULL,
    start_minute BIGINT,
    end_minute BIGINT,
    minutes BIGINT,
    content TEXT NOT NULL,
    place TEXT NOT NULL,
    item BIGINT,
    organiser TEXT NOT NULL,
    in_charge TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'entered', 'dropped')),
    note TEXT,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE INDEX service_activity_open ON service_activity (date, id) WHERE state = 'open';

-- Sheets handed in and not confirmed yet; the file lies in the work folder under the random name.
CREATE TABLE service_upload (
    id BIGINT PRIMARY KEY,
    staff_id BIGINT NOT NULL REFERENCES staff (id),
    file_name TEXT NOT NULL,
    stored_as TEXT NOT NULL,
    file_sha256 BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX service_upload_staff ON service_upload (staff_id, id);

-- 志愿服务记录证明 as issued: what it said is fixed by its digest.
CREATE TABLE service_proof (
    id BIGINT PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    volunteer_id BIGINT NOT NULL REFERENCES volunteer (id),
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    records BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    records_sha256 BYTEA NOT NULL,
    issued_by TEXT NOT NULL,
    issued_at BIGINT NOT NULL
);
CREATE INDEX service_proof_volunteer ON service_proof (volunteer_id, id);

-- A year's stars before they are certified; confirmed, batch_id names what star_award then holds.
CREATE TABLE star_draft (
    id BIGINT PRIMARY KEY,
    year BIGINT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    policy_effective_from TEXT NOT NULL REFERENCES star_policy (effective_from),
    state TEXT NOT NULL CHECK (state IN ('draft', 'announced', 'confirmed', 'dropped')),
    people BIGINT NOT NULL,
    rows_sha256 BYTEA NOT NULL,
    drafted_by BIGINT NOT NULL REFERENCES staff (id),
    drafted_at BIGINT NOT NULL,
    notice_from TEXT,
    notice_to TEXT,
    announced_by BIGINT REFERENCES staff (id),
    decided_by BIGINT REFERENCES staff (id),
    decided_at BIGINT,
    reason TEXT,
    batch_id BIGINT REFERENCES star_batch (id),
    changed BIGINT,
    revision BIGINT NOT NULL
);
-- One batch a year under way, whatever races.
CREATE UNIQUE INDEX star_draft_under_way ON star_draft (year) WHERE state IN ('draft', 'announced');

-- Frozen when drafted: whom the year's hours give or take a star. removed takes somebody out of the batch.
CREATE TABLE star_draft_row (
    id BIGINT PRIMARY KEY,
    draft_id BIGINT NOT NULL REFERENCES star_draft (id),
    volunteer_id BIGINT NOT NULL REFERENCES volunteer (id),
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    unit_id BIGINT NOT NULL,
    unit_name TEXT NOT NULL,
    county TEXT NOT NULL,
    star_before BIGINT NOT NULL,
    star BIGINT NOT NULL CHECK (star BETWEEN 0 AND 5),
    window_minutes BIGINT NOT NULL,
    lifetime_minutes BIGINT NOT NULL,
    removed BIGINT NOT NULL
);
CREATE INDEX star_draft_row_order ON star_draft_row (draft_id, star, window_minutes, id);
CREATE INDEX star_draft_row_number ON star_draft_row (draft_id, number);
CREATE INDEX star_draft_row_unit ON star_draft_row (draft_id, unit_id, star, window_minutes, id);
CREATE INDEX star_draft_row_county ON star_draft_row (draft_id, county, star, window_minutes, id);
CREATE INDEX star_draft_row_volunteer ON star_draft_row (volunteer_id, draft_id);

CREATE TABLE star_objection (
    id BIGINT PRIMARY KEY,
    draft_id BIGINT NOT NULL REFERENCES star_draft (id),
    row_id BIGINT NOT NULL REFERENCES star_draft_row (id),
    outcome TEXT NOT NULL,
    star_from BIGINT NOT NULL,
    star_to BIGINT NOT NULL,
    reason TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at BIGINT NOT NULL
);
CREATE INDEX star_objection_draft ON star_objection (draft_id, id);
