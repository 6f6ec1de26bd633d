-- What lists are read by. A voucher's enterprise, supplier and city stand beside
-- its number, so that each reader's list is a range of one index, in order.
-- They follow from the application and the enterprise; triggers keep them so.
ALTER TABLE voucher ADD COLUMN enterprise_id TEXT REFERENCES enterprise (id);
ALTER TABLE voucher ADD COLUMN supplier_id TEXT REFERENCES supplier (id);
ALTER TABLE voucher ADD COLUMN city_code TEXT REFERENCES city (code);

UPDATE voucher SET (enterprise_id, supplier_id, city_code) =
    (SELECT a.enterprise_id, a.supplier_id, e.city_code
     FROM voucher_application AS a JOIN enterprise AS e
       ON e.id = a.enterprise_id
     WHERE a.id = voucher.application_id);

CREATE TRIGGER voucher_keys_insert AFTER INSERT ON voucher
BEGIN
    UPDATE voucher SET (enterprise_id, supplier_id, city_code) =
        (SELECT a.enterprise_id, a.supplier_id, e.city_code
         FROM voucher_application AS a JOIN enterprise AS e
           ON e.id = a.enterprise_id
         WHERE a.id = new.application_id)
    WHERE number = new.number;
END;
CREATE TRIGGER voucher_keys_city AFTER UPDATE OF city_code ON enterprise
BEGIN
    UPDATE voucher SET city_code = new.city_code WHERE enterprise_id = new.id;
END;

CREATE INDEX voucher_by_enterprise ON voucher (enterprise_id, number);
CREATE INDEX voucher_by_supplier ON voucher (supplier_id, number);
CREATE INDEX voucher_by_city ON voucher (city_code, number);

-- What people look for from its start, in letters of either case.
CREATE INDEX voucher_by_text ON voucher (number COLLATE NOCASE);
CREATE INDEX application_by_contract ON voucher_application (
    contract_no COLLATE NOCASE);
CREATE INDEX enterprise_by_code ON enterprise (credit_code COLLATE NOCASE);

CREATE INDEX probe_by_enterprise ON probe (enterprise_id, id);

-- The same for probes; a supplier's probe at the cloud end is in no city.
ALTER TABLE probe ADD COLUMN city_code TEXT REFERENCES city (code);
UPDATE probe SET city_code = (SELECT e.city_code FROM enterprise AS e
    WHERE e.id = probe.enterprise_id);
CREATE TRIGGER probe_keys_insert AFTER INSERT ON probe
BEGIN
    UPDATE probe SET city_code = (SELECT e.city_code FROM enterprise AS e
        WHERE e.id = new.enterprise_id)
    WHERE id = new.id;
END;
CREATE TRIGGER probe_keys_city AFTER UPDATE OF city_code ON enterprise
BEGIN
    UPDATE probe SET city_code = new.city_code WHERE enterprise_id = new.id;
END;
CREATE INDEX probe_by_city ON probe (city_code, id);
CREATE INDEX probe_by_text ON probe (id COLLATE NOCASE);
