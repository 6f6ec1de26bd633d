-- What a collector would have noted about the probes of ENT-1 and ENT-3, and
-- about strangers; and a log with two checkpoints, one of them cosigned. Times
-- are of the last hours.
WITH clock (now) AS (SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000)
INSERT INTO event (at_us, last_us, times, kind, probe_id, sequence, known_hash,
    other_hash, detail)
SELECT now - 7200000000, now - 3600000000, 3, 'conflict', 'probe-1', 17,
    zeroblob(32), x'ababababababababababababababababababababababababababababababab01',
    'another batch with this sequence is in the ledger, from 192.0.2.7:40112'
    FROM clock
UNION ALL SELECT now - 5400000000, now - 5400000000, 1, 'signature', 'probe-1',
    NULL, NULL, NULL, '<b>from</b> 192.0.2.7:40113' FROM clock
UNION ALL SELECT now - 90000000000 * 3, now - 90000000000 * 3, 1, 'unknown',
    'stranger', NULL, NULL, NULL, 'the probe is not registered' FROM clock
UNION ALL SELECT now - 60000000, now - 60000000, 1, 'rollback', '', NULL, NULL,
    NULL, 'rollback: the log has 14 batches, checkpoint 2 signed 15' FROM clock;
INSERT INTO checkpoint (number, size, made_us, text, signature)
    SELECT n, 10 + n, CAST(strftime('%s', 'now') AS INTEGER) * 1000000
        - 3600000000 * (3 - n), 'text', 'line'
    FROM (SELECT 1 AS n UNION ALL SELECT 2);
INSERT INTO cosignature VALUES (1, 'finance', 1, 'line'), (1, 'audit', 1, 'line'),
    (2, 'finance', 1, 'line');
