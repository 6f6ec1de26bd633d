-- What the portal's lists are read by. Each voucher's mark of the newest run of
-- its cycle, and each completion table's counts: kept by triggers as the run
-- writes its rows, so that nobody counts or compares runs to show a page.
CREATE TABLE voucher_mark (
    number TEXT PRIMARY KEY,           -- of the voucher
    cycle_id TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES run (id),
    mark TEXT NOT NULL,
    is_flagged INTEGER NOT NULL,
    is_sample INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO voucher_mark
SELECT v.voucher_number, r.cycle_id, r.id, v.mark, v.is_flagged, v.is_sample
FROM run AS r JOIN verdict AS v ON v.run_id = r.id
WHERE r.id = (SELECT max(n.id) FROM run AS n WHERE n.cycle_id = r.cycle_id);

CREATE INDEX voucher_mark_by_mark ON voucher_mark (mark, number);

-- A new run speaks for its cycle alone: who is not judged again has no mark.
CREATE TRIGGER voucher_mark_run AFTER INSERT ON run
BEGIN
    DELETE FROM voucher_mark WHERE cycle_id = new.cycle_id;
END;
CREATE TRIGGER voucher_mark_verdict AFTER INSERT ON verdict
WHEN new.run_id = (SELECT max(n.id) FROM run AS n WHERE n.cycle_id =
        (SELECT r.cycle_id FROM run AS r WHERE r.id = new.run_id))
BEGIN
    INSERT INTO voucher_mark
    SELECT new.voucher_number, r.cycle_id, r.id, new.mark, new.is_flagged,
        new.is_sample
    FROM run AS r WHERE r.id = new.run_id
    ON CONFLICT (number) DO UPDATE SET cycle_id = excluded.cycle_id,
        run_id = excluded.run_id, mark = excluded.mark,
        is_flagged = excluded.is_flagged, is_sample = excluded.is_sample;
END;
CREATE INDEX run_by_cycle ON run (cycle_id, id);

-- Rows of completion tables never change, so their counts do not either.
CREATE TABLE completion_count (
    number TEXT NOT NULL,
    version INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    not_complete INTEGER NOT NULL,
    undetermined INTEGER NOT NULL,
    PRIMARY KEY (number, version)
) STRICT, WITHOUT ROWID;

INSERT INTO completion_count
SELECT number, version, sum(mark = 'COMPLETE'), sum(mark = 'NOT_COMPLETE'),
    sum(mark = 'UNDETERMINED')
FROM completion_row GROUP BY number, version;

CREATE TRIGGER completion_count_row AFTER INSERT ON completion_row
BEGIN
    INSERT INTO completion_count VALUES (new.number, new.version,
        new.mark = 'COMPLETE', new.mark = 'NOT_COMPLETE',
        new.mark = 'UNDETERMINED')
    ON CONFLICT (number, version) DO UPDATE SET
        complete = complete + excluded.complete,
        not_complete = not_complete + excluded.not_complete,
        undetermined = undetermined + excluded.undetermined;
END;

CREATE INDEX completion_table_by_time ON completion_table (-made_at, number);
CREATE INDEX completion_table_by_city ON completion_table (
    city_code, -made_at, number);
