-- The embedded clinic and the record of calls.
-- Times of the schedule are local ("2026-12-01T09:30:00"); points in time are seconds since 1970.

CREATE TABLE patient (
    id            TEXT PRIMARY KEY,
    given_name    TEXT NOT NULL,
    family_name   TEXT NOT NULL,
    date_of_birth TEXT NOT NULL,
    sex           TEXT NOT NULL,
    phone         TEXT
) STRICT;
CREATE INDEX patient_date_of_birth ON patient (date_of_birth);

CREATE TABLE service_request (
    id         TEXT PRIMARY KEY,
    patient_id TEXT NOT NULL REFERENCES patient (id),
    -- The whole order as imported; the columns beside it are what is searched for.
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX service_request_patient ON service_request (patient_id);

CREATE TABLE slot (
    id         TEXT PRIMARY KEY,
    modality   TEXT NOT NULL,
    room       TEXT NOT NULL,
    place      TEXT NOT NULL,
    start      TEXT NOT NULL,
    minutes    INTEGER NOT NULL,
    hold_call  TEXT,
    hold_until INTEGER
) STRICT;
CREATE INDEX slot_modality_start ON slot (modality, start);
CREATE INDEX slot_hold_call ON slot (hold_call) WHERE hold_call IS NOT NULL;

CREATE TABLE appointment (
    id         TEXT PRIMARY KEY,
    slot_id    TEXT NOT NULL REFERENCES slot (id),
    order_id   TEXT NOT NULL REFERENCES service_request (id),
    patient_id TEXT NOT NULL REFERENCES patient (id),
    status     TEXT NOT NULL,
    call_id    TEXT,
    created    INTEGER NOT NULL,
    notes      TEXT NOT NULL DEFAULT '[]'
) STRICT;
-- The two promises of a schedule, kept by the database whatever the code does: a slot is given
-- once, and an order is fulfilled once.
CREATE UNIQUE INDEX appointment_slot ON appointment (slot_id) WHERE status IN ('booked', 'pending');
CREATE UNIQUE INDEX appointment_order ON appointment (order_id) WHERE status IN ('booked', 'pending');

CREATE TABLE task (
    id         TEXT PRIMARY KEY,
    call_id    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    patient_id TEXT,
    number     TEXT,
    location   TEXT,
    story      TEXT NOT NULL,
    due        TEXT NOT NULL,
    created    INTEGER NOT NULL,
    done       INTEGER
) STRICT;

CREATE TABLE call (
    id        TEXT PRIMARY KEY,
    started   INTEGER NOT NULL,
    ended     INTEGER,
    peer      TEXT NOT NULL,
    scenario  TEXT NOT NULL,
    reason    TEXT,
    recording TEXT
) STRICT;

CREATE TABLE call_event (
    call_id TEXT NOT NULL REFERENCES call (id),
    seq     INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (call_id, seq)
) STRICT, WITHOUT ROWID;
-- Append-only: what happened in a call is not rewritten.
CREATE TRIGGER call_event_no_update BEFORE UPDATE ON call_event
BEGIN SELECT raise(ABORT, 'call events are append-only'); END;
CREATE TRIGGER call_event_no_delete BEFORE DELETE ON call_event
BEGIN SELECT raise(ABORT, 'call events are append-only'); END;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
