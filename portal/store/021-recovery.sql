-- The way back when a firm's only agent is gone (ENT-06, F32).
INSERT INTO state (machine, name) VALUES
    ('account_recovery', 'DRAFT'),
    ('account_recovery', 'PENDING_FIRST'),
    ('account_recovery', 'PENDING_SECOND'),
    ('account_recovery', 'RECOVERED'),
    ('account_recovery', 'REFUSED');

-- A code was sent to a mobile, to see that its owner is the one who asks. The
-- newest for each account; of the code a keyed hash.
CREATE TABLE mobile_check (
    account_name TEXT PRIMARY KEY REFERENCES account (name),
    mobile TEXT NOT NULL,
    code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
    made_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    confirmed_at INTEGER               -- the code came back
) STRICT;
