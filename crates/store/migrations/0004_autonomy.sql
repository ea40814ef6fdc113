-- Replies that are spoken without being approved each time: who granted it, what was known then, and who took
-- it back. A line is never changed but for its end.

CREATE TABLE grant_of_reply (
    id         INTEGER PRIMARY KEY,
    -- The dialogue's state that the reply leads to.
    state      TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    -- Drafts that providers had decided about by then, and those approved as they were.
    decided    INTEGER NOT NULL,
    approved   INTEGER NOT NULL,
    revoked_by TEXT,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX grant_in_force ON grant_of_reply (state) WHERE revoked_at IS NULL;
