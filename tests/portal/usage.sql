-- What a collector would have counted for ENT-3's service: 2026-10-20 to
-- 2026-11-19, working days 09:00 to 11:00 (Asia/Shanghai), 4 minutes of 5.
INSERT INTO endpoint_key VALUES (1, 'erp-1');
WITH RECURSIVE day (n) AS (SELECT 20746 UNION ALL SELECT n + 1 FROM day
                           WHERE n < 20776),
    five (m) AS (SELECT 0 UNION ALL SELECT m + 1 FROM five WHERE m < 23)
INSERT INTO usage SELECT 'ENT-3', 'SITE-3', 1,
    n * 86400 - 28800 + 9 * 3600 + m * 300, 'probe', 1, 0, 3, 4000, 20, 16000, 30, 15,
    2, 3, 0 FROM day, five WHERE (n + 3) % 7 < 5;
