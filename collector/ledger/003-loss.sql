-- Batches that probes gave up, as they say in their signed loss records, and
-- what a batch says of challenge and clock.

-- The time in the collector's challenge that the batch carries: it was signed
-- after that. NULL: none, not right, or not looked at.
ALTER TABLE ledger ADD COLUMN challenge_ms INTEGER;
-- Collector's clock minus the probe's, as the probe measured; NULL: unknown.
ALTER TABLE ledger ADD COLUMN clock_offset_ms INTEGER;

-- A gap that such a record covers is explained; the batches stay lost.
-- Sequences are 0 when the probe could not tell them any more.
CREATE TABLE loss (
    ledger_idx INTEGER NOT NULL REFERENCES ledger (idx), -- who told it
    number INTEGER NOT NULL,            -- place in that batch, from 0
    probe_id TEXT NOT NULL,
    boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    batches INTEGER NOT NULL,
    period_start_ms INTEGER NOT NULL,
    period_end_ms INTEGER NOT NULL,
    record_count INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    reason INTEGER NOT NULL CHECK (reason BETWEEN 1 AND 3), -- no room, damaged,
                                        -- the disk failed
    PRIMARY KEY (ledger_idx, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX loss_by_boot ON loss (probe_id, boot_id, first_sequence);

-- How an event ended: 'arrived' (a gap whose batches came later), 'lost' (a gap
-- that loss records explain); NULL: it did not.
ALTER TABLE event ADD COLUMN outcome TEXT
    CHECK (outcome IN ('arrived', 'lost'));
-- Of a gap: its boot, and the first sequence that is missing.
ALTER TABLE event ADD COLUMN boot_id BLOB;
ALTER TABLE event ADD COLUMN gap_first INTEGER;
CREATE INDEX event_open_gap ON event (probe_id, boot_id, gap_first)
    WHERE kind = 'gap' AND outcome IS NULL;
