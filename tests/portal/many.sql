-- A registry of many, for tests and benchmarks of lists. Before it:
--   CREATE TEMP TABLE many (vouchers, enterprises, suppliers, probes);
--   INSERT INTO many VALUES (100000, 10000, 200, 10000);
-- Every 5th voucher is of the first supplier. Enterprises lie in twenty cities;
-- the city 441900 has none. Amounts have fen.
PRAGMA foreign_keys = OFF;
INSERT OR IGNORE INTO city (code, name_zh, name_en) VALUES
    ('440100', '广州市', 'Guangzhou'), ('440200', '韶关市', 'Shaoguan'),
    ('440300', '深圳市', 'Shenzhen'), ('440400', '珠海市', 'Zhuhai'),
    ('440500', '汕头市', 'Shantou'), ('440600', '佛山市', 'Foshan'),
    ('440700', '江门市', 'Jiangmen'), ('440800', '湛江市', 'Zhanjiang'),
    ('440900', '茂名市', 'Maoming'), ('441200', '肇庆市', 'Zhaoqing'),
    ('441300', '惠州市', 'Huizhou'), ('441400', '梅州市', 'Meizhou'),
    ('441500', '汕尾市', 'Shanwei'), ('441600', '河源市', 'Heyuan'),
    ('441700', '阳江市', 'Yangjiang'), ('441800', '清远市', 'Qingyuan'),
    ('441900', '东莞市', 'Dongguan'), ('442000', '中山市', 'Zhongshan'),
    ('445100', '潮州市', 'Chaozhou'), ('445200', '揭阳市', 'Jieyang'),
    ('445300', '云浮市', 'Yunfu');
INSERT INTO cycle SELECT 'many', ifnull((SELECT id FROM programme LIMIT 1),
    'none'), '很多', 'Many', 1, 2, 1, 3;

CREATE TEMP TABLE n AS WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL
    SELECT i + 1 FROM c WHERE i < (SELECT max(vouchers, probes) FROM many))
    SELECT i FROM c;
CREATE TEMP TABLE place AS SELECT row_number() OVER (ORDER BY code) - 1 AS at,
    code, name_zh, name_en FROM city WHERE code <> '441900';

INSERT INTO supplier (id, name_zh, name_en, credit_code, is_sample)
    SELECT 'SUP-M' || i,
    '供应' || substr('甲乙丙丁戊己庚辛壬癸', i % 10 + 1, 1) || i || '云科技有限公司',
    'Cloud supplier ' || i, printf('9144010%011d', i), 1
    FROM n WHERE i <= (SELECT suppliers FROM many);
INSERT INTO enterprise (id, name_zh, name_en, credit_code, city_code, county,
        is_sample) SELECT 'ENT-M' || i,
    p.name_zh || substr('电子机械家具纺织食品', i * 2 % 10 + 1, 2) || i || '有限公司',
    p.name_en || ' Works ' || i, printf('914403%012d', i), p.code, '', 1
    FROM n JOIN place AS p ON p.at = i % (SELECT count(*) FROM place)
    WHERE i <= (SELECT enterprises FROM many);
INSERT INTO site (id, enterprise_id, name_zh, name_en, city_code)
    SELECT 'SITE-M' || i, 'ENT-M' || i, '厂区' || i, 'Works ' || i,
    (SELECT city_code FROM enterprise WHERE id = 'ENT-M' || i)
    FROM n WHERE i <= (SELECT enterprises FROM many);
INSERT INTO voucher_application SELECT 'APP-M' || i, 'many',
    'ENT-M' || (i % (SELECT enterprises FROM many) + 1),
    iif(i % 5 = 0, 'SUP-M1',
        'SUP-M' || (i / 5 % (SELECT suppliers FROM many) + 1)),
    'HT-2026-' || printf('%06d', i), 20000, 1790000000000000 + i,
    1790000000000000 + i, 1790000000000000 + i
    FROM n WHERE i <= (SELECT vouchers FROM many);
INSERT INTO voucher (number, application_id, amount_fen, issued_at, is_pilot,
        state)
    SELECT printf('V-2026-%06d', i), 'APP-M' || i, 100000 + i * 137,
    1790000000000000 + i * 60000000, i % 50 = 0,
    iif(i % 4 = 0, 'ACTIVE', 'IN_SETTLEMENT')
    FROM n WHERE i <= (SELECT vouchers FROM many);
INSERT INTO settlement (id, voucher_number, submitted_at, state)
    SELECT 'SET-M' || i, printf('V-2026-%06d', i), 1791000000000000 + i,
    'PENDING_VERIFICATION' FROM n
    WHERE i <= (SELECT vouchers FROM many) AND i % 4 <> 0;
INSERT INTO probe (id, enterprise_id, site_id, algorithm, signing_key,
        agreed_at, is_sample)
    SELECT 'probe-m' || i, 'ENT-M' || e, 'SITE-M' || e, 'ed25519',
    zeroblob(32), 1790000000000000, 1
    FROM (SELECT i, i % (SELECT enterprises FROM many) + 1 AS e FROM n
        WHERE i <= (SELECT probes FROM many));
-- Each enterprise has registered; every 20th waits for its city.
INSERT INTO item (machine, state, number, version, party, city_code, title, holder,
        opened_at, first_submitted_at, state_at, due_rule, due_from, due_at)
    SELECT 'enterprise_registration', iif(i % 20, 'ACTIVE', 'PENDING_CITY'),
    printf('R-2026-%06d', i), 2, 'ENT-M' || i, e.city_code, e.name_zh,
    iif(i % 20, NULL, 'city'), 1789000000000000 + i, 1789000000000000 + i,
    1789000000000000 + i, iif(i % 20, NULL, 'registration_review'),
    iif(i % 20, NULL, 1789000000000000 + i),
    iif(i % 20, NULL, 1790000000000000 + i)
    FROM n JOIN enterprise AS e ON e.id = 'ENT-M' || i
    WHERE i <= (SELECT enterprises FROM many);
-- Every tenth has somebody who can log in, if he had a password.
INSERT INTO account (name, role, organisation, display_name, password_hash,
        created_at)
    SELECT 'agent' || i, 'ENT', 'ENT-M' || i, '经办人 ' || i, '!', 1
    FROM n WHERE i <= (SELECT enterprises FROM many) AND i % 10 = 3
    UNION ALL SELECT 'office', 'PROV', '', '省局', '!', 1
    UNION ALL SELECT 'seller', 'SUPP', 'SUP-M1', '供应商', '!', 1;
DROP TABLE temp.n;
DROP TABLE temp.place;
PRAGMA foreign_keys = ON;
