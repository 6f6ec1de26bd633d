-- usage.db: ledger, usage, flow detail. Written by yz-collector only.
--
-- Times of flows and batches are milliseconds since 1970, other times
-- microseconds, as their names say. One transaction writes a batch's ledger
-- row, its flows and its usage: a batch is counted once or not at all.

-- Public keys that signed accepted batches, so that a batch can be verified
-- after its probe got a new key. Part of the leaf of each row that names it.
CREATE TABLE signer (
    key INTEGER PRIMARY KEY,
    probe_id TEXT NOT NULL,
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ed25519', 'sm2')),
    public_key BLOB NOT NULL CHECK (length(public_key) IN (32, 65)),
    UNIQUE (probe_id, algorithm, public_key)
) STRICT;

-- One row for each batch ever accepted; `idx` is its place in the log, from 1
-- without holes (its leaf in the Merkle tree is number idx - 1).
CREATE TABLE ledger (
    idx INTEGER PRIMARY KEY CHECK (idx >= 1),
    probe_id TEXT NOT NULL,
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    batch_hash BLOB NOT NULL CHECK (length(batch_hash) = 32),
    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
    enterprise_id TEXT NOT NULL,       -- by the registry at that time
    site_id TEXT NOT NULL,             -- both '' for a supplier's probe, whose
                                       -- records are matched (match_day)
    supplier_id TEXT NOT NULL,         -- '' but for a supplier's probe
    source TEXT NOT NULL CHECK (source IN ('probe', 'router',
        'supplier_probe', 'carrier')),
    tier INTEGER NOT NULL,             -- of trust: probe 0, router 0,
                                       -- supplier_probe 2, carrier 3
    transport TEXT NOT NULL CHECK (transport IN ('yz1', 'ipfix', 'file')),
    signer INTEGER NOT NULL REFERENCES signer (key),
    received_us INTEGER NOT NULL,      -- demo data: its period's end
    period_start_ms INTEGER NOT NULL,
    period_end_ms INTEGER NOT NULL,
    is_late INTEGER NOT NULL CHECK (is_late IN (0, 1)),     -- > 10 min
    is_counted INTEGER NOT NULL CHECK (is_counted IN (0, 1)), -- <= 72 h
    is_sample INTEGER NOT NULL CHECK (is_sample IN (0, 1)), -- demo data
    is_scaled INTEGER NOT NULL CHECK (is_scaled IN (0, 1)), -- counts scaled up
                                       -- from sampled packets
    record_count INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    dropped_records INTEGER NOT NULL,  -- not of the closed list (VER-06)
    packets_seen INTEGER NOT NULL,
    packets_dropped INTEGER NOT NULL,
    flows_evicted INTEGER NOT NULL,
    batches_lost INTEGER NOT NULL,
    clock_quality INTEGER NOT NULL,
    software_hash BLOB NOT NULL,
    registry_version BLOB NOT NULL,
    archive_segment INTEGER NOT NULL,  -- where the signed bytes are
    archive_offset INTEGER NOT NULL,
    archive_length INTEGER NOT NULL,   -- compressed, frame header included
    UNIQUE (probe_id, boot_id, sequence),
    UNIQUE (archive_segment, archive_offset)
) STRICT;
CREATE INDEX ledger_by_period ON ledger (enterprise_id, period_start_ms);
CREATE INDEX ledger_by_probe ON ledger (probe_id, period_start_ms);

-- Merkle tree over the ledger (RFC 6962): leaf hash for each row, over all its
-- columns but the three archive_ ones (see collector/ledger/ledger.c).
CREATE TABLE merkle_leaf (
    idx INTEGER PRIMARY KEY REFERENCES ledger (idx),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Things a person must look at. Kinds: 'conflict' (other content under a known
-- sequence), 'gap', 'fork' (the chain does not fit), 'stale' (kept because its
-- times reach too far back), 'fields' (records outside the closed list were
-- dropped), 'overlap' (two starts of a probe reported about the same time),
-- 'clone' (a start that was over goes on), 'reorder', 'challenge', 'stale-challenge', 'backdated', 'clock', 'registry',
-- 'registry-old', 'rollback' (intake.c has a sentence for each), and refusals:
-- 'malformed', 'cells', 'identity', 'unknown', 'denied',
-- 'inactive', 'sample', 'signature', 'content', 'future', 'range'. Hashes and
-- sequence stand only where one batch is meant and its signature was right.
-- The same thing again on the same day (UTC) is counted in `times`, so that a
-- peer that repeats itself does not fill the table.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,            -- first time
    last_us INTEGER NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    kind TEXT NOT NULL,
    probe_id TEXT NOT NULL,
    sequence INTEGER,
    known_hash BLOB,
    other_hash BLOB,
    detail TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_once ON event (
    probe_id, kind, at_us / 86400000000, ifnull(sequence, 0),
    ifnull(other_hash, x''));

-- Short keys for texts that repeat in every cell.
CREATE TABLE endpoint_key (
    key INTEGER PRIMARY KEY,
    endpoint_id TEXT NOT NULL UNIQUE
) STRICT;
-- Sums for (enterprise, site, endpoint, 5 minutes, source); kept when detail
-- goes. Sources stand side by side and are never added up. Counts fall into
-- the 5 minutes in which the record starts; `minutes` has a bit for each minute
-- of the 5 touched by a two-way record.
CREATE TABLE usage (
    enterprise_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    endpoint INTEGER NOT NULL REFERENCES endpoint_key (key),
    bucket INTEGER NOT NULL CHECK (bucket % 300 = 0), -- seconds since 1970
    source TEXT NOT NULL,
    is_sample INTEGER NOT NULL,
    is_scaled INTEGER NOT NULL,        -- some of it
    flows INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    roctets INTEGER NOT NULL,
    rpackets INTEGER NOT NULL,
    minutes INTEGER NOT NULL CHECK (minutes BETWEEN 0 AND 31),
    hosts INTEGER NOT NULL,            -- distinct pseudonyms
    names_confirmed INTEGER NOT NULL,  -- flows whose name matched
    names_mismatched INTEGER NOT NULL,
    PRIMARY KEY (enterprise_id, endpoint, bucket, site_id, source, is_sample)
) STRICT, WITHOUT ROWID;
