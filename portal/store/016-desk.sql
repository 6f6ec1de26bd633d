-- Whose party an item's is, for those kinds of organisation share no ids by
-- chance only.
ALTER TABLE item ADD COLUMN party_kind TEXT NOT NULL DEFAULT 'enterprise'
    CHECK (party_kind IN ('enterprise', 'supplier'));
