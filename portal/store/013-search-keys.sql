-- What searches read. A voucher's contract number stands beside its number, as its
-- enterprise, supplier and city do, and the indexes carry what each reader's
-- scope asks: what is found by one of them is not looked up to be left out.
ALTER TABLE voucher ADD COLUMN contract_no TEXT;
UPDATE voucher SET contract_no = (SELECT a.contract_no
    FROM voucher_application AS a WHERE a.id = voucher.application_id);

DROP TRIGGER voucher_keys_insert;
CREATE TRIGGER voucher_keys_insert AFTER INSERT ON voucher
BEGIN
    UPDATE voucher SET (enterprise_id, supplier_id, city_code, contract_no) =
        (SELECT a.enterprise_id, a.supplier_id, e.city_code, a.contract_no
         FROM voucher_application AS a JOIN enterprise AS e
           ON e.id = a.enterprise_id
         WHERE a.id = new.application_id)
    WHERE number = new.number;
END;
CREATE TRIGGER voucher_keys_contract
AFTER UPDATE OF contract_no ON voucher_application
BEGIN
    UPDATE voucher SET contract_no = new.contract_no
    WHERE application_id = new.id;
END;

DROP INDEX voucher_by_enterprise;
DROP INDEX voucher_by_supplier;
DROP INDEX voucher_by_text;
DROP INDEX application_by_contract;
CREATE INDEX voucher_by_enterprise ON voucher (enterprise_id, number,
    supplier_id, city_code);
CREATE INDEX voucher_by_supplier ON voucher (supplier_id, number,
    enterprise_id, city_code);
CREATE INDEX voucher_by_text ON voucher (number COLLATE NOCASE, number,
    supplier_id, enterprise_id, city_code);
CREATE INDEX voucher_by_contract ON voucher (contract_no COLLATE NOCASE, number,
    supplier_id, enterprise_id, city_code);
