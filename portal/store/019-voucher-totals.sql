-- How many vouchers there are and of how much, for the page that everybody sees
-- first: by city, supplier and state, kept by triggers. A row stays when its
-- last voucher leaves.
CREATE TABLE voucher_total (
    city_code TEXT NOT NULL,
    supplier_id TEXT NOT NULL,
    state TEXT NOT NULL,
    vouchers INTEGER NOT NULL CHECK (vouchers >= 0),
    fen INTEGER NOT NULL CHECK (fen >= 0),
    PRIMARY KEY (city_code, supplier_id, state)
) STRICT, WITHOUT ROWID;
CREATE INDEX voucher_total_by_supplier ON voucher_total (supplier_id, state,
    vouchers, fen);

INSERT INTO voucher_total
SELECT city_code, supplier_id, state, count(*), sum(amount_fen) FROM voucher
WHERE city_code IS NOT NULL AND supplier_id IS NOT NULL
GROUP BY city_code, supplier_id, state;

-- A voucher has city and supplier as soon as voucher_keys_insert has set them.
-- No conflict clauses here: those of the statement that fires a trigger rule.
CREATE TRIGGER voucher_total_update
AFTER UPDATE OF city_code, supplier_id, state, amount_fen ON voucher
BEGIN
    UPDATE voucher_total SET vouchers = vouchers - 1, fen = fen - old.amount_fen
    WHERE city_code = old.city_code AND supplier_id = old.supplier_id
        AND state = old.state;
    INSERT INTO voucher_total SELECT new.city_code, new.supplier_id, new.state,
        0, 0 WHERE new.city_code IS NOT NULL AND new.supplier_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM voucher_total
            WHERE city_code = new.city_code AND supplier_id = new.supplier_id
                AND state = new.state);
    UPDATE voucher_total SET vouchers = vouchers + 1, fen = fen + new.amount_fen
    WHERE city_code = new.city_code AND supplier_id = new.supplier_id
        AND state = new.state;
END;
CREATE TRIGGER voucher_total_delete AFTER DELETE ON voucher
BEGIN
    UPDATE voucher_total SET vouchers = vouchers - 1, fen = fen - old.amount_fen
    WHERE city_code = old.city_code AND supplier_id = old.supplier_id
        AND state = old.state;
END;
