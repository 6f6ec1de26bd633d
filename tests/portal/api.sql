-- What tests/portal/registry and many.sql leave without a value: a settlement
-- that is not confirmed and one that is judged, a supplier's probe, a certificate.
INSERT INTO settlement VALUES
    ('S-3', 'V-3', 1794400000000000, 1794500000000000, 'PENDING_VERIFICATION');
INSERT INTO probe (id, supplier_id, algorithm, signing_key, agreed_at)
    VALUES ('cloud-1', 'SUP-1', 'ed25519', zeroblob(32), 1790000000000000);
INSERT INTO certificate VALUES ('01', 'probe-1', 1790000000000000,
    1790000000000000, 1890000000000000, zeroblob(32), zeroblob(1));
