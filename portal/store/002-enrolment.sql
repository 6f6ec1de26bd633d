-- Enrolment of probes: codes that are used once, and what was issued for them.

-- A code lets one probe in, for one enterprise and one site or for one supplier,
-- for some hours. It was shown once, when it was made; here is its hash. Making
-- one records that the owner has agreed (PRIV-07).
CREATE TABLE enrolment_code (
    handle TEXT PRIMARY KEY,           -- start of the hash, to speak about it
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256
    enterprise_id TEXT REFERENCES enterprise (id),
    site_id TEXT REFERENCES site (id),
    supplier_id TEXT REFERENCES supplier (id),
    probe_id TEXT,                     -- the only probe it is for; NULL: a new one
    agreed_at INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    used_at INTEGER,
    serial TEXT REFERENCES certificate (serial), -- what it was used for
    CHECK (issued_at < expires_at),
    CHECK ((enterprise_id IS NULL) = (site_id IS NULL)),
    CHECK ((enterprise_id IS NULL) <> (supplier_id IS NULL)),
    CHECK ((used_at IS NULL) = (serial IS NULL))
) STRICT;
CREATE INDEX code_by_time ON enrolment_code (issued_at);

-- Certificates that the portal issued to probes. Whether a probe may speak is
-- said by probe.denied_at alone, which is looked at for every batch.
CREATE TABLE certificate (
    serial TEXT PRIMARY KEY,           -- hex
    probe_id TEXT NOT NULL REFERENCES probe (id),
    issued_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    key_hash BLOB NOT NULL,            -- SHA-256 of its SubjectPublicKeyInfo
    der BLOB NOT NULL                  -- given again when the answer was lost
) STRICT;
CREATE INDEX certificate_by_probe ON certificate (probe_id, issued_at);

-- Why a probe was denied, and until when.
CREATE TABLE probe_denial (
    probe_id TEXT NOT NULL REFERENCES probe (id),
    denied_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    restored_at INTEGER,
    PRIMARY KEY (probe_id, denied_at)
) STRICT;
