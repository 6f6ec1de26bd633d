-- Registry upkeep: what was entered is corrected or ends, and is never deleted.
-- When a supplier is in the directory and a service is listed (SUP-14, SUP-16):
-- valid_from <= t < valid_to; NULL: since ever, without end. A site that ended
-- takes no new probe.
ALTER TABLE supplier ADD COLUMN valid_from INTEGER;
ALTER TABLE supplier ADD COLUMN valid_to INTEGER;
ALTER TABLE service ADD COLUMN valid_from INTEGER;
ALTER TABLE service ADD COLUMN valid_to INTEGER;
ALTER TABLE site ADD COLUMN valid_to INTEGER;

-- What a file says about a user-side identifier is looked up by what says which
-- one it is.
CREATE INDEX identifier_by_value ON user_side_identifier (kind, value);
