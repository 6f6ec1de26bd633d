-- What rules found, as numbers. Sentences, values and thresholds in words are
-- made from them when they are shown (common/verdict/finding.h). verdict_rule
-- keeps the words of runs before this table was there; new runs add nothing to
-- it.

-- Every rule that was asked, also those that found nothing. Its window is the
-- line's.
CREATE TABLE verdict_finding (
    run_id INTEGER NOT NULL,
    voucher_number TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,              -- order of showing
    rule TEXT NOT NULL,                -- 'I1', 'S3', 'VER-15', ...
    outcome TEXT NOT NULL,             -- as in verdict_rule
    case_name TEXT NOT NULL,           -- which sentence: 'pass', 'few_days'
    PRIMARY KEY (run_id, voucher_number, line_no, seq),
    FOREIGN KEY (run_id, voucher_number, line_no)
        REFERENCES verdict_line (run_id, voucher_number, line_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE verdict_measure (
    run_id INTEGER NOT NULL,
    voucher_number TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    rule TEXT NOT NULL,
    seq INTEGER NOT NULL,              -- the first is what the rule measures
    name TEXT NOT NULL,                -- 'active', 'limit'
    unit TEXT NOT NULL,                -- 'count', 'days', 'permille',
                                       -- 'thousandths', 'tier'
    value INTEGER,                     -- NULL: could not be measured
    PRIMARY KEY (run_id, voucher_number, line_no, rule, seq),
    FOREIGN KEY (run_id, voucher_number, line_no)
        REFERENCES verdict_line (run_id, voucher_number, line_no)
) STRICT, WITHOUT ROWID;
