-- Connections that both sides saw: enterprises' probes and a supplier's probe
-- at the cloud end (collector/report/match.h).

CREATE INDEX ledger_by_source ON ledger (source, period_start_ms);

-- For each day (its number since 1970-01-01, Asia/Shanghai): what the
-- enterprise's probes saw at this endpoint, and how much of it the supplier's
-- probe saw too. Demo data is matched with demo data.
CREATE TABLE match_day (
    enterprise_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    is_sample INTEGER NOT NULL CHECK (is_sample IN (0, 1)),
    supplier_id TEXT NOT NULL,
    flows INTEGER NOT NULL,            -- connections that started that day
    octets INTEGER NOT NULL,           -- both directions, by the enterprise
    matched_by_token INTEGER NOT NULL,
    matched_by_shape INTEGER NOT NULL,
    ambiguous INTEGER NOT NULL,        -- several fitted: not matched
    matched_octets INTEGER NOT NULL,   -- the smaller of both sides' counts
    supplier_probe_covered_minutes INTEGER NOT NULL
        CHECK (supplier_probe_covered_minutes BETWEEN 0 AND 1440),
    computed_at_us INTEGER NOT NULL,
    CHECK (matched_by_token + matched_by_shape + ambiguous <= flows),
    PRIMARY KEY (enterprise_id, endpoint_id, day, is_sample)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_by_day ON match_day (day);

-- What a day was computed from, so that it is computed again when more came.
CREATE TABLE match_run (
    day INTEGER PRIMARY KEY,
    batch_count INTEGER NOT NULL,      -- of both kinds that reach into the day
    last_idx INTEGER NOT NULL,
    computed_at_us INTEGER NOT NULL
) STRICT;
