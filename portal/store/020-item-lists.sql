-- What lists of records are read by, newest first: those of a machine, of a city,
-- in a state. A draft is in none.
CREATE INDEX item_by_machine ON item (machine, id) WHERE number IS NOT NULL;
CREATE INDEX item_by_machine_city ON item (machine, city_code, id)
WHERE number IS NOT NULL;
CREATE INDEX item_by_machine_state ON item (machine, state, id)
WHERE number IS NOT NULL;
