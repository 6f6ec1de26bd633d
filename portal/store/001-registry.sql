-- portal.db: registry, vouchers, accounts. Written by yz-portal only; the
-- collector and the verifier open it read-only.
--
-- Times are microseconds since 1970 (UTC), days are day numbers since
-- 1970-01-01 in Asia/Shanghai, money is fen. Periods are half open: valid_from
-- <= t < valid_to, and NULL means without end.

-- Programme data, loaded from a rules folder by `yz-portal load`.
CREATE TABLE programme (
    id TEXT PRIMARY KEY,               -- 'guangdong-2018'
    version TEXT NOT NULL,             -- SHA-256 (hex) over the rules files
    title_zh TEXT NOT NULL,
    title_en TEXT NOT NULL,
    loaded_at INTEGER NOT NULL
) STRICT;

CREATE TABLE city (                     -- ORG-14
    code TEXT PRIMARY KEY,             -- GB/T 2260, '441500'
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1))
) STRICT;

-- A published version of the catalogue; its cap bounds what an enterprise gets
-- in a cycle (AWARD-06).
CREATE TABLE catalogue (
    programme_id TEXT NOT NULL REFERENCES programme (id),
    version INTEGER NOT NULL,
    code TEXT NOT NULL,
    title_zh TEXT NOT NULL,
    cumulative_cap_fen INTEGER NOT NULL CHECK (cumulative_cap_fen > 0),
    PRIMARY KEY (programme_id, version)
) STRICT;

CREATE TABLE catalogue_item (           -- CAT-02, AWARD-02, AWARD-03
    programme_id TEXT NOT NULL REFERENCES programme (id),
    version INTEGER NOT NULL,
    no INTEGER NOT NULL,
    code TEXT NOT NULL,
    link_zh TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    cap_fen INTEGER CHECK (cap_fen > 0),         -- fixed cap, or
    per_set_fen INTEGER CHECK (per_set_fen > 0), -- cap for each networked set
    CHECK ((cap_fen IS NULL) <> (per_set_fen IS NULL)),
    PRIMARY KEY (programme_id, version, no)
) STRICT;

CREATE TABLE cycle (                    -- CYC-01
    id TEXT PRIMARY KEY,
    programme_id TEXT NOT NULL REFERENCES programme (id),
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    application_opens INTEGER NOT NULL,
    application_deadline INTEGER NOT NULL,
    settlement_opens INTEGER NOT NULL,
    settlement_deadline INTEGER NOT NULL,
    CHECK (application_opens < application_deadline),
    CHECK (settlement_opens <= settlement_deadline),
    CHECK (application_deadline <= settlement_deadline)
) STRICT;

-- Parties.
CREATE TABLE enterprise (
    id TEXT PRIMARY KEY,               -- letters, digits, '-': 'ENT-0001'
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    credit_code TEXT NOT NULL UNIQUE,  -- unified social credit code, 18
    city_code TEXT NOT NULL REFERENCES city (code),
    county TEXT NOT NULL DEFAULT '',
    is_sample INTEGER NOT NULL DEFAULT 0 CHECK (is_sample IN (0, 1))
) STRICT;

CREATE TABLE site (
    id TEXT PRIMARY KEY,
    enterprise_id TEXT NOT NULL REFERENCES enterprise (id),
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    city_code TEXT NOT NULL REFERENCES city (code)
) STRICT;

CREATE TABLE supplier (
    id TEXT PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    credit_code TEXT NOT NULL UNIQUE,
    is_sample INTEGER NOT NULL DEFAULT 0 CHECK (is_sample IN (0, 1))
) STRICT;

-- A listed service (应用服务上架) of a supplier; class decides which rules
-- judge it: A interactive, B device, C batch.
CREATE TABLE service (
    id TEXT PRIMARY KEY,
    supplier_id TEXT NOT NULL REFERENCES supplier (id),
    item_no INTEGER NOT NULL,
    class TEXT NOT NULL CHECK (class IN ('A', 'B', 'C')),
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL
) STRICT;

-- Application-side endpoint (公有云应用端, VER-05). Its id is the only thing
-- about the far side's name that leaves a probe.
CREATE TABLE endpoint (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES service (id),
    protocol TEXT NOT NULL DEFAULT '' CHECK (protocol IN ('', 'tcp', 'udp')),
    ports TEXT NOT NULL DEFAULT '',    -- '443' or '443,8000-8010'; '' any
    is_shared INTEGER NOT NULL DEFAULT 0 CHECK (is_shared IN (0, 1)),
    valid_from INTEGER NOT NULL,
    valid_to INTEGER
) STRICT;

CREATE TABLE endpoint_address (
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    address TEXT NOT NULL DEFAULT '',  -- CIDR, or
    host TEXT NOT NULL DEFAULT '',     -- host name, '*.' allowed in front
    CHECK (address <> '' OR host <> ''),
    PRIMARY KEY (endpoint_id, address, host)
) STRICT;
CREATE INDEX endpoint_by_service ON endpoint (service_id);

-- A probe belongs to one enterprise and one site (VER-18), or stands at the
-- cloud end and belongs to one supplier, whose endpoints alone it may report
-- about; nothing in the data can change that. No probe without the agreement of
-- the one it belongs to (PRIV-07).
CREATE TABLE probe (
    id TEXT PRIMARY KEY,               -- common name of its certificate
    enterprise_id TEXT REFERENCES enterprise (id),
    site_id TEXT REFERENCES site (id),
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ed25519', 'sm2')),
    signing_key BLOB NOT NULL,         -- raw public key, 32 or 65 bytes
    agreed_at INTEGER NOT NULL,
    denied_at INTEGER,                 -- deny list: refused from then on
    -- Demo data: taken at its own times, and marked so wherever it counts.
    is_sample INTEGER NOT NULL DEFAULT 0 CHECK (is_sample IN (0, 1)),
    supplier_id TEXT REFERENCES supplier (id), -- of a supplier's probe
    CHECK ((enterprise_id IS NULL) = (site_id IS NULL)),
    CHECK ((enterprise_id IS NULL) <> (supplier_id IS NULL))
) STRICT;

-- Vouchers. The workflow tables around them come with later migrations; an
-- application is recorded with its voucher (ORG-08, VCH-04).
CREATE TABLE voucher_application (
    id TEXT PRIMARY KEY,
    cycle_id TEXT NOT NULL REFERENCES cycle (id),
    enterprise_id TEXT NOT NULL REFERENCES enterprise (id),
    supplier_id TEXT NOT NULL REFERENCES supplier (id),
    contract_no TEXT NOT NULL,
    contract_day INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL,
    supplier_confirmed_at INTEGER NOT NULL,
    city_approved_at INTEGER NOT NULL,
    CHECK (submitted_at <= supplier_confirmed_at),
    CHECK (supplier_confirmed_at <= city_approved_at),
    UNIQUE (enterprise_id, supplier_id, contract_no)
) STRICT;
CREATE INDEX application_by_supplier ON voucher_application (supplier_id);

CREATE TABLE voucher (
    number TEXT PRIMARY KEY,           -- 'V-2026-0001'
    application_id TEXT NOT NULL UNIQUE REFERENCES voucher_application (id),
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    issued_at INTEGER NOT NULL,
    is_pilot INTEGER NOT NULL DEFAULT 0 CHECK (is_pilot IN (0, 1)),
    state TEXT NOT NULL
        CHECK (state IN ('ACTIVE', 'IN_SETTLEMENT', 'PAID', 'LAPSED', 'VOID'))
) STRICT;

CREATE TABLE voucher_line (             -- VCH-05, AWARD-01
    voucher_number TEXT NOT NULL REFERENCES voucher (number),
    line_no INTEGER NOT NULL,
    service_id TEXT NOT NULL REFERENCES service (id),
    fee_fen INTEGER NOT NULL CHECK (fee_fen > 0),
    networked_sets INTEGER CHECK (networked_sets >= 1), -- items 2 and 7
    award_fen INTEGER NOT NULL CHECK (award_fen > 0),
    PRIMARY KEY (voucher_number, line_no)
) STRICT;

-- A settlement application (结算申请); those PENDING_VERIFICATION and later are
-- judged by the verifier.
CREATE TABLE settlement (
    id TEXT PRIMARY KEY,
    voucher_number TEXT NOT NULL REFERENCES voucher (number),
    submitted_at INTEGER NOT NULL,
    supplier_confirmed_at INTEGER,
    state TEXT NOT NULL CHECK (state IN ('PENDING_SUPPLIER',
        'PENDING_VERIFICATION', 'NOT_COMPLETE', 'PENDING_CITY'))
) STRICT;
CREATE INDEX settlement_by_voucher ON settlement (voucher_number, submitted_at);

-- User-side identifiers declared for a voucher line (VER-03). Numbers are kept
-- as keyed hash and mask only (PRIV-04); addresses as they are.
CREATE TABLE user_side_identifier (
    id INTEGER PRIMARY KEY,
    voucher_number TEXT NOT NULL,
    line_no INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN
        ('fixed_ip', 'broadband_account', 'mobile_number', 'iot_sim')),
    value TEXT NOT NULL,               -- prefix, or keyed hash in hex
    mask TEXT NOT NULL,                -- what people may see
    site_id TEXT NOT NULL REFERENCES site (id),
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    FOREIGN KEY (voucher_number, line_no)
        REFERENCES voucher_line (voucher_number, line_no)
) STRICT;
CREATE INDEX identifier_by_line ON user_side_identifier (
    voucher_number, line_no);

-- People. A personal account is bound to one organisation (ORG-12).
CREATE TABLE account (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('PROV', 'CITY', 'SUPP', 'ENT', 'AUDT')),
    organisation TEXT NOT NULL DEFAULT '', -- city code, supplier or enterprise
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,       -- argon2id, libsodium's text form
    failures INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,       -- SHA-256 of the cookie's value
    account_name TEXT NOT NULL REFERENCES account (name),
    csrf TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL            -- the last request, nearly
) STRICT;

-- What was done, by whom; each row's hash covers the row and the hash before
-- (AUD). Written in the transaction of the act itself.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,               -- account, or 'SYS'
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    result TEXT NOT NULL,              -- 'OK', 'DENIED', an E_ code
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_object ON audit (object, action);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
