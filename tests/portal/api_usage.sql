-- More events than a page has, and other sources beside a probe.
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO event (at_us, last_us, times, kind, probe_id, sequence, known_hash,
    other_hash, detail)
SELECT i, i, 1, 'gap', 'probe-1', i, zeroblob(32), zeroblob(32), 'many' FROM n;
-- Of the last days of ENT-3's service, as tests/portal/portal_test.sh has them.
WITH at (day) AS (SELECT (strftime('%s', 'now') + 28800) / 86400 - 3)
INSERT INTO usage SELECT 'ENT-3', 'SITE-3', 1, day * 86400 - 28800 + 43200,
    'carrier', 0, 0, 50, 600000, 100, 400000, 50, 31, 1, 0, 0 FROM at;
WITH at (day) AS (SELECT (strftime('%s', 'now') + 28800) / 86400 - 3)
INSERT INTO match_day SELECT 'ENT-3', 'erp-1', day, 0, 'SUP-1', 72, 1440000, 60,
    9, 1, 1400000, 1440, 0 FROM at;
