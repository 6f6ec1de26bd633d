-- verdict.db: facts, verdicts, completion tables. Written by yz-verifier only.

-- Facts of one (enterprise, service, day), computed once from flow detail and
-- kept when that is gone (PRIV-05). `source` is a hash over the ledger rows the
-- day was computed from: when it changes, the facts are computed again.
CREATE TABLE fact (
    enterprise_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    day INTEGER NOT NULL,              -- Asia/Shanghai
    source BLOB NOT NULL CHECK (length(source) = 32),
    data BLOB NOT NULL,                -- struct day_fact, version 1, see
                                       -- rules/fact.h
    PRIMARY KEY (enterprise_id, service_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    cycle_id TEXT NOT NULL,
    at INTEGER NOT NULL,               -- microseconds, the run's `now`
    cut_off INTEGER NOT NULL,          -- microseconds; later records serve
                                       -- the next run (VER-19)
    rules_version TEXT NOT NULL,       -- SHA-256 (hex) of the rules files
    evidence_root BLOB NOT NULL,       -- hash over the ledger rows used
    fingerprint BLOB NOT NULL          -- SHA-256 over all verdicts (VER-17)
) STRICT;

-- One verdict per voucher and run. `mark` is the programme's word (VER-09).
CREATE TABLE verdict (
    run_id INTEGER NOT NULL REFERENCES run (id),
    voucher_number TEXT NOT NULL,
    verdict TEXT NOT NULL
        CHECK (verdict IN ('genuine', 'insufficient', 'suspicious')),
    mark TEXT NOT NULL
        CHECK (mark IN ('COMPLETE', 'NOT_COMPLETE', 'UNDETERMINED')),
    is_genuine INTEGER NOT NULL CHECK (is_genuine IN (0, 1)),     -- VER-07
    is_effective INTEGER NOT NULL CHECK (is_effective IN (0, 1)), -- VER-08
    is_flagged INTEGER NOT NULL CHECK (is_flagged IN (0, 1)),     -- stops
    is_sample INTEGER NOT NULL CHECK (is_sample IN (0, 1)), -- any demo data
    tier INTEGER NOT NULL,             -- highest tier of evidence
    reason_zh TEXT NOT NULL,           -- one plain sentence
    reason_en TEXT NOT NULL,
    remedy_zh TEXT NOT NULL,           -- what would change it; may be ''
    remedy_en TEXT NOT NULL,
    PRIMARY KEY (run_id, voucher_number)
) STRICT;

CREATE TABLE verdict_line (
    run_id INTEGER NOT NULL,
    voucher_number TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    service_id TEXT NOT NULL,
    class TEXT NOT NULL,
    verdict TEXT NOT NULL,
    active_days INTEGER NOT NULL,      -- in the best window
    covered_days INTEGER NOT NULL,     -- in the same window
    window_start_day INTEGER NOT NULL,
    window_end_day INTEGER NOT NULL,   -- first day after
    devices_seen INTEGER NOT NULL,
    devices_contract INTEGER,          -- NULL: the item has none
    flows INTEGER NOT NULL,
    octets INTEGER NOT NULL,           -- both directions
    PRIMARY KEY (run_id, voucher_number, line_no),
    FOREIGN KEY (run_id, voucher_number)
        REFERENCES verdict (run_id, voucher_number)
) STRICT;

CREATE INDEX verdict_by_voucher ON verdict (voucher_number, run_id);

-- Every rule that was asked, also those that found nothing.
CREATE TABLE verdict_rule (
    run_id INTEGER NOT NULL,
    voucher_number TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,              -- order of printing
    rule TEXT NOT NULL,                -- 'I1', 'S3', 'VER-15', ...
    outcome TEXT NOT NULL
        CHECK (outcome IN ('pass', 'insufficient', 'suspicious', 'flag',
                           'not_applicable')),
    value TEXT NOT NULL,               -- measured, with its unit
    threshold TEXT NOT NULL,
    value_zh TEXT NOT NULL,            -- the same two in Chinese
    threshold_zh TEXT NOT NULL,
    window TEXT NOT NULL,              -- '2026-10-25/2026-11-23', both days
                                       -- included
    sentence_zh TEXT NOT NULL,
    sentence_en TEXT NOT NULL,
    PRIMARY KEY (run_id, voucher_number, line_no, seq),
    FOREIGN KEY (run_id, voucher_number, line_no)
        REFERENCES verdict_line (run_id, voucher_number, line_no)
) STRICT;

-- Completion table (完成情况表, VER-10): one per city and run, never edited.
CREATE TABLE completion_table (
    number TEXT NOT NULL,              -- 'CYCLE-CITY', stable over versions
    version INTEGER NOT NULL,
    run_id INTEGER NOT NULL REFERENCES run (id),
    city_code TEXT NOT NULL,
    cycle_id TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    is_sample INTEGER NOT NULL,
    change_note TEXT NOT NULL,         -- what changed since the last version
    csv BLOB NOT NULL,                 -- UTF-8 with byte order mark
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32), -- of csv
    algorithm TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (number, version)
) STRICT;

CREATE TABLE completion_row (           -- columns of form F13
    number TEXT NOT NULL,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    voucher_number TEXT NOT NULL,
    enterprise_id TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (number, version, seq),
    FOREIGN KEY (number, version) REFERENCES completion_table (number, version)
) STRICT;
