-- Versions of the list of registered endpoints (ENDPOINTS.csv), as they were
-- published to probes: the signed head of each and its whole text. The
-- collector reads them; a row never changes. `hash` is what batches name as
-- their registry version; a list that comes back has a new serial.
CREATE TABLE registry_version (
    serial INTEGER PRIMARY KEY CHECK (serial >= 1),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    issued_ms INTEGER NOT NULL,
    algorithm INTEGER NOT NULL CHECK (algorithm IN (1, 2)), -- Ed25519, SM2
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    list BLOB NOT NULL
) STRICT;
CREATE INDEX registry_version_by_hash ON registry_version (hash);
