-- Files that people hand in (CON-10, PRIV-10). The bytes lie in the folder of
-- attachments, under their SHA-256.
CREATE TABLE attachment_type (
    name TEXT PRIMARY KEY              -- by a file's first bytes
) STRICT, WITHOUT ROWID;
INSERT INTO attachment_type (name) VALUES
    ('PDF'), ('JPG'), ('PNG'), ('OFD'), ('XML');

CREATE TABLE attachment_scan (
    name TEXT PRIMARY KEY              -- what the scanner says of the bytes
) STRICT, WITHOUT ROWID;
INSERT INTO attachment_scan (name) VALUES
    ('NOT_SCANNED'), ('CLEAN'), ('INFECTED');

CREATE TABLE attachment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given again
    owner_kind TEXT NOT NULL,          -- the record: its kind
    owner_id TEXT NOT NULL,            -- and its id
    field TEXT NOT NULL,               -- of its form
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 240),
    type TEXT NOT NULL REFERENCES attachment_type (name),
    bytes INTEGER NOT NULL CHECK (bytes > 0),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    uploaded_by TEXT NOT NULL,         -- an account's name
    uploaded_at INTEGER NOT NULL,
    submitted_at INTEGER,              -- NULL: of a draft
    removed_at INTEGER,                -- replaced after it was submitted
    scan TEXT NOT NULL REFERENCES attachment_scan (name),
    scan_tried_at INTEGER NOT NULL,
    CHECK (removed_at IS NULL OR submitted_at IS NOT NULL)
) STRICT;
CREATE INDEX attachment_by_owner ON attachment (owner_kind, owner_id, id);
CREATE INDEX attachment_by_sha256 ON attachment (sha256);
CREATE INDEX attachment_to_scan ON attachment (scan_tried_at)
    WHERE scan = 'NOT_SCANNED';

-- What was submitted stays as it was.
CREATE TRIGGER attachment_stays BEFORE DELETE ON attachment
WHEN OLD.submitted_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a submitted file stays'); END;
CREATE TRIGGER attachment_is_fixed BEFORE UPDATE OF id, owner_kind, owner_id,
    field, name, type, bytes, sha256, uploaded_by, uploaded_at ON attachment
BEGIN SELECT RAISE(ABORT, 'a file does not change'); END;
CREATE TRIGGER attachment_is_submitted_once
BEFORE UPDATE OF submitted_at, removed_at ON attachment
WHEN (OLD.submitted_at IS NOT NULL AND NEW.submitted_at IS NOT OLD.submitted_at)
    OR (OLD.removed_at IS NOT NULL AND NEW.removed_at IS NOT OLD.removed_at)
BEGIN SELECT RAISE(ABORT, 'a file is submitted and removed once'); END;
