-- What records were answered, and what returns ask for (portal/form).

-- Edition 0 is the draft, overwritten by each save; 1 and on were submitted and
-- stay as they are.
CREATE TABLE item_edition (
    item_id INTEGER NOT NULL REFERENCES item (id),
    edition INTEGER NOT NULL CHECK (edition >= 0),
    answers TEXT NOT NULL,             -- canonical JSON
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    saved_at INTEGER NOT NULL,
    saved_by TEXT NOT NULL,            -- account
    PRIMARY KEY (item_id, edition)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER item_edition_no_update BEFORE UPDATE ON item_edition
BEGIN SELECT RAISE(ABORT, 'an edition does not change'); END;
CREATE TRIGGER item_edition_no_delete BEFORE DELETE ON item_edition
WHEN OLD.edition > 0
BEGIN SELECT RAISE(ABORT, 'what was submitted stays'); END;

CREATE TABLE item_point (               -- F19, REV-01
    item_id INTEGER NOT NULL REFERENCES item (id),
    round INTEGER NOT NULL CHECK (round >= 1), -- of the return
    no INTEGER NOT NULL CHECK (no >= 1),
    field TEXT NOT NULL,
    reason TEXT NOT NULL,
    material TEXT NOT NULL,            -- what is to be added or changed
    explanation TEXT NOT NULL,         -- why it was not told at once
    reply TEXT NOT NULL,               -- of who filed the record
    PRIMARY KEY (item_id, round, no)
) STRICT, WITHOUT ROWID;

-- Extracts of the company register (F29, ENT-11); the newest one counts, older
-- ones stay.
CREATE TABLE register_import (
    id INTEGER PRIMARY KEY,
    imported_at INTEGER NOT NULL,
    imported_by TEXT NOT NULL,
    extract_day INTEGER NOT NULL,      -- as of which day it is
    source TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;
CREATE TABLE register_extract (
    import_id INTEGER NOT NULL REFERENCES register_import (id),
    credit_code TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    address TEXT NOT NULL,             -- '' where the extract has none
    established INTEGER,
    legal_representative TEXT NOT NULL,
    PRIMARY KEY (import_id, credit_code)
) STRICT, WITHOUT ROWID;

-- Reviewers who have declared an interest in a party (ORG-13): from then on
-- they decide nothing of it.
CREATE TABLE declared_interest (
    account_name TEXT NOT NULL,
    party TEXT NOT NULL,
    declared_at INTEGER NOT NULL,
    PRIMARY KEY (account_name, party)
) STRICT, WITHOUT ROWID;
