-- What suppliers say themselves, through the API: how often their services were
-- used, a day at a time (evidence tier 1: it stands beside what probes saw, and
-- is never added to it).

-- A supplier's program shows a token; here is its hash.
CREATE TABLE api_token (
    handle TEXT PRIMARY KEY,           -- start of the hash, to speak about it
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256
    supplier_id TEXT NOT NULL REFERENCES supplier (id),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

-- Requests by the supplier's own number, so that one sent again counts once
-- (SYS-03).
CREATE TABLE supplier_request (
    id INTEGER PRIMARY KEY,
    supplier_id TEXT NOT NULL REFERENCES supplier (id),
    number TEXT NOT NULL,
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32), -- SHA-256
    token TEXT NOT NULL REFERENCES api_token (handle),
    received_at INTEGER NOT NULL,
    added INTEGER NOT NULL,            -- what the answer said
    corrected INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    UNIQUE (supplier_id, number)
) STRICT;
CREATE INDEX request_by_time ON supplier_request (supplier_id, received_at);

-- A correction is a row with the next version; earlier ones stay.
CREATE TABLE supplier_count (
    enterprise_id TEXT NOT NULL REFERENCES enterprise (id),
    service_id TEXT NOT NULL REFERENCES service (id),
    day INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    request INTEGER NOT NULL REFERENCES supplier_request (id),
    is_late INTEGER NOT NULL CHECK (is_late IN (0, 1)), -- more than 7 days
    connections INTEGER NOT NULL CHECK (connections >= 0),
    octets_up INTEGER NOT NULL CHECK (octets_up >= 0),
    octets_down INTEGER NOT NULL CHECK (octets_down >= 0),
    active_users INTEGER CHECK (active_users >= 0),     -- NULL: not said
    PRIMARY KEY (enterprise_id, service_id, day, version)
) STRICT, WITHOUT ROWID;

-- What holds: the last version of each.
CREATE VIEW supplier_count_now AS
SELECT c.* FROM supplier_count AS c WHERE c.version = (
    SELECT max(l.version) FROM supplier_count AS l
    WHERE l.enterprise_id = c.enterprise_id AND l.service_id = c.service_id
      AND l.day = c.day);
