-- Records that have a life: one row each in `item`, whatever they are, and all
-- that was done with them (SYS-01 to SYS-03, AUD-01). Written by the portal's
-- machines alone (portal/workflow/machine.h).

INSERT INTO state (machine, name) VALUES
    ('enterprise_registration', 'DRAFT'),
    ('enterprise_registration', 'PENDING_CITY'),
    ('enterprise_registration', 'RETURNED'),
    ('enterprise_registration', 'ACTIVE'),
    ('enterprise_registration', 'REJECTED');

-- On whose desk something lies.
CREATE TABLE holder (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO holder (name) VALUES
    ('party'),                         -- who filed it
    ('city'),                          -- the bureau of item.city_code
    ('province'),
    ('platform');                      -- the clock, a run, room, money

CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    machine TEXT NOT NULL,
    state TEXT NOT NULL,
    number TEXT UNIQUE,                -- 'R-2026-000001'; NULL: a draft, which
                                       --   nobody sees but its party
    version INTEGER NOT NULL,          -- what an act has to name (SYS-02)
    party TEXT NOT NULL,               -- who files it, as organisation.id
    city_code TEXT REFERENCES city (code), -- of the bureau that reviews it
    title TEXT NOT NULL DEFAULT '',    -- its name in lists
    singular TEXT UNIQUE,              -- of what there is one only, ever
    holder TEXT REFERENCES holder (name), -- NULL: nothing is to be done
    opened_at INTEGER NOT NULL,
    first_submitted_at INTEGER,
    state_at INTEGER NOT NULL,         -- since when it is in its state
    due_rule TEXT,                     -- of the deadline that runs, or NULL
    due_from INTEGER,                  -- the instant that started it
    due_at INTEGER,                    -- its end, as last computed
    due_is_provisional INTEGER NOT NULL DEFAULT 0
        CHECK (due_is_provisional IN (0, 1)), -- DEAD-10
    CHECK (holder IS NOT 'city' OR city_code IS NOT NULL),
    CHECK ((due_rule IS NULL) = (due_from IS NULL)),
    CHECK ((due_rule IS NULL) = (due_at IS NULL)),
    FOREIGN KEY (machine, state) REFERENCES state (machine, name)
) STRICT;
CREATE INDEX item_by_party ON item (party, holder, due_at);
CREATE INDEX item_by_city ON item (city_code, holder, due_at);
CREATE INDEX item_by_holder ON item (holder, due_at);
CREATE INDEX item_by_due ON item (due_at) WHERE due_at IS NOT NULL;

-- Its timeline; the audit row beside each has the record's hashes.
CREATE TABLE item_event (
    item_id INTEGER NOT NULL REFERENCES item (id),
    no INTEGER NOT NULL,               -- from 1
    event TEXT NOT NULL,
    from_state TEXT NOT NULL,          -- '' where it begins
    to_state TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,               -- account, or 'SYS'
    role TEXT NOT NULL,
    organisation TEXT NOT NULL,        -- of the actor, '' where it has none
    edition INTEGER,                   -- what was submitted with it
    reason TEXT NOT NULL DEFAULT '',   -- why, as the parties are told
    asked TEXT NOT NULL DEFAULT '',    -- the answers given with it, as JSON
    request TEXT,                      -- number of the request (SYS-03)
    request_hash BLOB,                 -- what it asked for
    PRIMARY KEY (item_id, no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX event_by_request ON item_event (actor, request)
    WHERE request IS NOT NULL;

-- Numbers are given once and never again.
CREATE TABLE number_series (
    prefix TEXT NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (prefix, year)
) STRICT, WITHOUT ROWID;
