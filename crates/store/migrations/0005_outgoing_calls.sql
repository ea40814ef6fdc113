-- Calls that the clinic places, to prepare patients for their appointments: who is to be called, and what came of it.

CREATE TABLE outgoing_call (
    id             INTEGER PRIMARY KEY,
    appointment_id TEXT NOT NULL REFERENCES appointment (id),
    -- A SIP address, if it is not to be made from the patient's number.
    target         TEXT,
    wanted         INTEGER NOT NULL,
    -- When it was dialled.
    dialled        INTEGER,
    -- What came of it; nothing while it waits or rings.
    outcome        TEXT,
    call_id        TEXT REFERENCES call (id)
) STRICT;
-- One call at a time waits for an appointment.
CREATE UNIQUE INDEX outgoing_call_waits ON outgoing_call (appointment_id) WHERE outcome IS NULL;
