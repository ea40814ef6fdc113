-- People who take over calls, what they did with them, and who looked at what.

CREATE TABLE account (
    name     TEXT PRIMARY KEY,
    display  TEXT NOT NULL,
    role     TEXT NOT NULL,
    -- Argon2id in PHC format, and the shared secret of the one-time codes in base32.
    password TEXT NOT NULL,
    totp     TEXT NOT NULL,
    -- The last one-time code that was used, as its time step: none is used twice.
    used     INTEGER NOT NULL DEFAULT 0,
    created  INTEGER NOT NULL
) STRICT;

-- Bearer tokens of provider systems; only their SHA-256 is kept.
CREATE TABLE token (
    hash    TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE wrap_up (
    call_id  TEXT NOT NULL,
    provider TEXT NOT NULL,
    at       INTEGER NOT NULL,
    -- "handed_back", "finished", "lost"
    how      TEXT NOT NULL,
    outcome  TEXT NOT NULL,
    note     TEXT NOT NULL
) STRICT;
CREATE INDEX wrap_up_call ON wrap_up (call_id);

-- Append-only; each line's hash covers the one before, so that a change is noticed.
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    record TEXT NOT NULL,
    hash   TEXT NOT NULL
) STRICT;

ALTER TABLE task ADD COLUMN note TEXT;

-- For finding a call again: who the patient was, once two identifiers matched, and whether a person was
-- needed.
ALTER TABLE call ADD COLUMN patient TEXT;
ALTER TABLE call ADD COLUMN escalated INTEGER NOT NULL DEFAULT 0;
