-- What is kept for a time only (PRIV-05): connection records, and who was seen
-- in which 5 minutes. `retention` says what is gone and since when, so that
-- what is missing can be told from what was taken away.

-- Connection records (F27) of one counted batch, compressed:
-- common/wire/flow_block.h has the form. A batch without records has no row. Kept
-- priv.flow_detail_days.
CREATE TABLE flow_block (
    ledger_idx INTEGER PRIMARY KEY REFERENCES ledger (idx),
    record_count INTEGER NOT NULL CHECK (record_count >= 1),
    data BLOB NOT NULL
) STRICT;

-- Whose hosts are told apart from whose, and the next host's number.
CREATE TABLE usage_scope (
    key INTEGER PRIMARY KEY,
    enterprise_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    source TEXT NOT NULL,
    is_sample INTEGER NOT NULL,
    next_host INTEGER NOT NULL CHECK (next_host >= 1),
    UNIQUE (enterprise_id, site_id, source, is_sample)
) STRICT;

-- A small number for each host of a scope, by pseudonym (as signed 64 bit).
CREATE TABLE host_key (
    scope INTEGER NOT NULL REFERENCES usage_scope (key),
    pseudonym INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    PRIMARY KEY (scope, pseudonym)
) STRICT, WITHOUT ROWID;

-- Numbers of the hosts seen in a cell of the usage (collector/ledger/host_set.h), so that
-- `hosts` stays exact when batches of the same 5 minutes arrive apart. Kept
-- until no batch that counts can reach there any more (collector/ledger/usage.h).
CREATE TABLE usage_host (
    scope INTEGER NOT NULL REFERENCES usage_scope (key),
    endpoint INTEGER NOT NULL REFERENCES endpoint_key (key),
    bucket INTEGER NOT NULL,
    hosts BLOB NOT NULL,
    PRIMARY KEY (scope, endpoint, bucket)
) STRICT, WITHOUT ROWID;

-- How far detail and archive were deleted (times are ends of batches' periods;
-- everything before is gone, by whole segments of the archive). One row.
CREATE TABLE retention (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    detail_before_ms INTEGER NOT NULL,
    archive_before_ms INTEGER NOT NULL,
    at_us INTEGER NOT NULL
) STRICT;
INSERT INTO retention VALUES (1, 0, 0, 0);

-- Segments of the archive that retention deleted; their rows in the ledger and
-- leaves in the Merkle tree stay.
CREATE TABLE archive_gone (
    segment INTEGER PRIMARY KEY,
    bytes INTEGER NOT NULL,
    deleted_us INTEGER NOT NULL
) STRICT;
