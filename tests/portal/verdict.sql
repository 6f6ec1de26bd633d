-- One run over the vouchers of tests/portal/registry: V-1 complete, V-2 held,
-- and the tables of two cities. V-3 was not judged. V-2 has the
-- words that runs left before findings were kept as numbers.
INSERT INTO run VALUES (1, 'test', 1795363200000000, 1795363200000000,
    printf('%064d', 7), zeroblob(32), zeroblob(32));
INSERT INTO verdict VALUES
    (1, 'V-1', 'genuine', 'COMPLETE', 1, 1, 0, 1, 0,
     '30 天内有 21 个活跃天，达到 10 天的要求。',
     '21 active days in 30, 10 are required.', '', ''),
    (1, 'V-2', 'suspicious', 'NOT_COMPLETE', 0, 1, 1, 1, 0,
     '连接像时钟一样规律，需人工核查。<b>&</b>',
     'Connections are as regular as a clock; a person must look. <b>&</b>',
     '说明自动连接的用途。', 'Explain what the automatic connections are for.');
INSERT INTO verdict_line VALUES
    (1, 'V-1', 1, 'erp-test', 'A', 'genuine', 21, 30, 20748, 20778, 12, NULL,
     2310, 88000000),
    (1, 'V-2', 1, 'telemetry-test', 'B', 'suspicious', 30, 30, 20748, 20778, 9,
     12, 8640, 4400000);
INSERT INTO verdict_rule VALUES
    (1, 'V-2', 1, 1, 'S1', 'suspicious', '0.98', '<= 0.80', '0.98', '≤0.80',
     '2026-10-22/2026-11-20', '连接间隔几乎不变。',
     'The intervals hardly vary.'),
    (1, 'V-2', 1, 2, 'VER-16', 'flag', '9', '12', '9台', '12台',
     '2026-10-22/2026-11-20',
     '监测到的设备少于合同台套数。', 'Fewer devices than in the contract.');
INSERT INTO verdict_finding VALUES
    (1, 'V-1', 1, 1, 'VER-08', 'pass', 'pass'),
    (1, 'V-1', 1, 2, 'S11', 'pass', 'pass');
INSERT INTO verdict_measure VALUES
    (1, 'V-1', 1, 'VER-08', 1, 'active', 'days', 21),
    (1, 'V-1', 1, 'VER-08', 2, 'wanted', 'days', 10),
    (1, 'V-1', 1, 'VER-08', 3, 'window', 'days', 30),
    (1, 'V-1', 1, 'S11', 1, 'twins', 'days', 0),
    (1, 'V-1', 1, 'S11', 2, 'limit', 'days', 2);
INSERT INTO completion_table VALUES
    ('test-441500', 1, 1, '441500', 'test', 1795363200000000, 1, '',
     CAST(char(65279) || '企业“上云上平台”完成情况表,Completion table' ||
          char(13, 10) || '表号 Number,test-441500' || char(13, 10) ||
          '序号,企业名称,服务券编号,金额（元）,活跃天数,' ||
          '是否完成“上云上平台”,原因说明,提示' || char(13, 10) ||
          'No.,Enterprise,Voucher,Amount (yuan),Active days,Mark,Reason,Flags'
          || char(13, 10) ||
          '1,汕尾测试电子有限公司,V-1,"50,000.00",21,已完成,"达到要求, 21 天",'
          || char(13, 10) AS BLOB),
     zeroblob(32), 'ed25519', zeroblob(64)),
    ('test-440600', 1, 1, '440600', 'test', 1795363200000000, 1, '',
     CAST('序号,企业名称,服务券编号,金额（元）,活跃天数,' ||
          '是否完成“上云上平台”' || char(13, 10) ||
          '1,佛山测试机械有限公司,V-2,"24,000.00",30,未完成' || char(13, 10)
          AS BLOB), zeroblob(32), 'ed25519', zeroblob(64));
INSERT INTO completion_row VALUES
    ('test-441500', 1, 1, 'V-1', 'ENT-1', 'COMPLETE'),
    ('test-440600', 1, 1, 'V-2', 'ENT-2', 'NOT_COMPLETE');
