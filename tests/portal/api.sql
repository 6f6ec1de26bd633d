-- What tests/portal/registry and many.sql leave without a value: a settlement
-- that is not confirmed and one that is judged, a supplier's probe, a certificate,
-- more registrations than a page has, a message.
INSERT INTO settlement VALUES
    ('S-3', 'V-3', 1794400000000000, 1794500000000000, 'PENDING_VERIFICATION');
INSERT INTO probe (id, supplier_id, algorithm, signing_key, agreed_at)
    VALUES ('cloud-1', 'SUP-1', 'ed25519', zeroblob(32), 1790000000000000);
INSERT INTO certificate VALUES ('01', 'probe-1', 1790000000000000,
    1790000000000000, 1890000000000000, zeroblob(32), zeroblob(1));
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO item (machine, state, number, version, party, city_code, title, holder,
    opened_at, first_submitted_at, state_at, due_rule, due_from, due_at)
SELECT 'enterprise_registration', 'PENDING_CITY', 'R-M-' || i, 1, 'ENT-3',
    '441500', 'Works ' || i, 'city', 1790000000000000, 1790000000000000,
    1790000000000000, 'registration_review', 1790000000000000, 1795000000000000 FROM n;
INSERT INTO message (account_name, item_id, made_at, subject_zh, subject_en, body_zh,
    body_en, is_secret) VALUES ('anna', 1, 1790000000000000, '题', 'Subject', '文',
    'Body', 0);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO message (account_name, made_at, subject_zh, subject_en, body_zh, body_en,
    is_secret, read_at)
SELECT 'supp', 1790000000000000, '题', 'Subject', '文', 'Body', 0, 1790000000000000
FROM n;
-- Behind the numbers that many.sql gave.
INSERT INTO number_series VALUES ('R', CAST(strftime('%Y', 'now') AS INTEGER), 900000);
