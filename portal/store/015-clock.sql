-- What the clock has done, and what lies on somebody's desk without being a
-- record of its own.

-- When the clock's jobs ran last (portal/workflow/clock_job.h).
CREATE TABLE clock_mark (
    job TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A task for those who run the programme, open until what it asks for is there:
-- a year without a calendar of working days (DEAD-10), messages that reached
-- nobody (SYS-01).
CREATE TABLE task (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,                -- 'calendar', 'undelivered'
    about TEXT NOT NULL,               -- '2027'
    holder TEXT NOT NULL REFERENCES holder (name),
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    UNIQUE (kind, about)
) STRICT;
CREATE INDEX task_open ON task (holder) WHERE closed_at IS NULL;

-- That a message did not arrive was seen by somebody who can mend the address.
ALTER TABLE delivery ADD COLUMN seen_at INTEGER;
