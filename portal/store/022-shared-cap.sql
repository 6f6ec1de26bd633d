-- Lines of one item in a contract share its cap (AWARD-01): a later one may earn
-- nothing.
CREATE TABLE voucher_line_022 (         -- VCH-05, AWARD-01
    voucher_number TEXT NOT NULL REFERENCES voucher (number),
    line_no INTEGER NOT NULL,
    service_id TEXT NOT NULL REFERENCES service (id),
    fee_fen INTEGER NOT NULL CHECK (fee_fen > 0),
    networked_sets INTEGER CHECK (networked_sets >= 1), -- items 2 and 7
    award_fen INTEGER NOT NULL CHECK (award_fen >= 0),
    PRIMARY KEY (voucher_number, line_no)
) STRICT;
INSERT INTO voucher_line_022 (voucher_number, line_no, service_id, fee_fen,
                              networked_sets, award_fen)
SELECT voucher_number, line_no, service_id, fee_fen, networked_sets, award_fen
FROM voucher_line;
DROP TABLE voucher_line;
ALTER TABLE voucher_line_022 RENAME TO voucher_line;
