-- A table longer than a page, with every column; and more tables than a page.
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
INSERT INTO completion_table
SELECT 'test-long', 1, (SELECT max(id) FROM run), '441500', 'test',
    1795363200000000, 1, '', CAST(char(65279) ||
    '序号,企业名称,统一社会信用代码,县区,服务券编号,金额（元）,供应商,应用服务,试点,' ||
    '申请结算的系统日期,用户端类型及数量,应用端数量,活跃天数,有效监测天数,' ||
    '监测设备数/合同台套数,真实性,有效性,是否完成“上云上平台”,原因说明,提示' ||
    char(13, 10) || group_concat(i || ',企业,91441500MATEXT001W,海丰县,V-1,' ||
    '"50,000.00",供应商,云进销存,否,2026-11-10 09:00:00,固定IP 1,2,21,30,3/4,' ||
    '是,否,已完成,达到要求,无' || char(13, 10), '') AS BLOB),
    zeroblob(32), 'ed25519', zeroblob(64) FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO completion_table
SELECT 'test-many', i, (SELECT max(id) FROM run), '440600', 'test',
    1795363200000000 + i, 1, 'edition ' || i, zeroblob(0), zeroblob(32), 'ed25519',
    zeroblob(64) FROM n;
