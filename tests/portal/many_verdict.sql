-- What a run over tests/portal/many.sql leaves in verdict.db: a verdict of each
-- voucher in settlement (none is UNDETERMINED), and a completion table for each
-- city that has one. Before it: CREATE TEMP TABLE many (vouchers) and its row.
PRAGMA defer_foreign_keys = ON;
INSERT INTO run VALUES (1, 'many', 1795363200000000, 1795363200000000,
    printf('%064d', 7), zeroblob(32), zeroblob(32));
CREATE TEMP TABLE n AS WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL
    SELECT i + 1 FROM c WHERE i < (SELECT vouchers FROM many))
    SELECT i, printf('V-2026-%06d', i) AS number FROM c WHERE i % 4 <> 0;
INSERT INTO verdict SELECT 1, number, 'genuine',
    iif(i % 7 = 0, 'NOT_COMPLETE', 'COMPLETE'), 1, i % 7 <> 0, i % 97 = 0, 1, 2,
    '达到要求。', 'Enough.', '', '' FROM n;
CREATE TEMP TABLE place (at, code);
INSERT INTO place VALUES (0, '440100'), (1, '440200'), (2, '440300'),
    (3, '440400'), (4, '440500'), (5, '440600'), (6, '440700'), (7, '440800'),
    (8, '440900'), (9, '441200'), (10, '441300'), (11, '441400'),
    (12, '441500'), (13, '441600'), (14, '441700'), (15, '441800'),
    (16, '442000'), (17, '445100'), (18, '445200'), (19, '445300');
INSERT INTO completion_row SELECT 'many-' || code, 1,
    row_number() OVER (PARTITION BY code ORDER BY number), number,
    'ENT-M' || i, iif(i % 7 = 0, 'NOT_COMPLETE', 'COMPLETE')
    FROM n JOIN place ON at = (i + 1) % 20;
INSERT INTO completion_table SELECT 'many-' || code, 1, 1, code, 'many',
    1795363200000000, 1, '', CAST(char(65279) ||
        '企业“上云上平台”完成情况表,Completion table' || char(13, 10) ||
        '序号,企业名称,统一社会信用代码,服务券编号,金额（元）,活跃天数,' ||
        '是否完成“上云上平台”,原因说明,提示' || char(13, 10) ||
        'No.,Enterprise,Credit code,Voucher,Amount (yuan),Active days,Mark,' ||
        'Reason,Flags' || char(13, 10) ||
        (SELECT group_concat(seq || ',' || enterprise_id || ',,' ||
            voucher_number || ',"1,000.00",21,' ||
            iif(mark = 'COMPLETE', '已完成', '未完成') || ',达到要求,' ||
            char(13, 10), '') FROM completion_row WHERE number = 'many-' || code)
        AS BLOB),
    zeroblob(32), 'ed25519', zeroblob(64) FROM place WHERE at % 4 <> 1;
DROP TABLE temp.n;
DROP TABLE temp.place;
