-- When each boot of a probe is known to have been alive (collector/ledger/boot.h), by the
-- collector's clock and by the probe's own. Two boots that were alive in turns
-- are two machines with one key. Made from the ledger.
CREATE TABLE boot_life (
    probe_id TEXT NOT NULL,
    clock TEXT NOT NULL CHECK (clock IN ('collector', 'probe')),
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    begun_ms INTEGER NOT NULL,         -- it had made a batch by then
    alive_ms INTEGER NOT NULL,         -- it made one after that; 0: unknown
    PRIMARY KEY (probe_id, clock, boot_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX boot_life_by_end ON boot_life (probe_id, clock, alive_ms);
