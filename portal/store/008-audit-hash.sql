-- What a record was before and after an act: SHA-256 over its canonical form,
-- which the act's own module defines. NULL: the act changed no record, or made
-- or ended one. They are part of the row's hash (audit.h).
ALTER TABLE audit ADD COLUMN before_hash BLOB
    CHECK (before_hash IS NULL OR length(before_hash) = 32);
ALTER TABLE audit ADD COLUMN after_hash BLOB
    CHECK (after_hash IS NULL OR length(after_hash) = 32);
