-- Roles and states become rows, so that a new one needs no rebuilt table; role
-- and organisation of an account are tied together (ORG-12).

-- What an account's organisation is, by its role. An organisation of the kind
-- 'none' is the empty text, and nothing else is.
CREATE TABLE role (
    name TEXT PRIMARY KEY,
    organisation_kind TEXT NOT NULL CHECK (organisation_kind IN
        ('none', 'city', 'county', 'supplier', 'enterprise')),
    -- A mandate: the account ends, and says when.
    is_dated INTEGER NOT NULL CHECK (is_dated IN (0, 1))
) STRICT;
INSERT INTO role (name, organisation_kind, is_dated) VALUES
    ('PROV', 'none', 0),        -- province
    ('EXP', 'none', 0),         -- provincial expert: what is assigned
    ('CITY', 'city', 0),        -- city bureau
    ('COUNTY', 'county', 0),    -- county contact
    ('SUPP', 'supplier', 0),    -- supplier
    ('ENT', 'enterprise', 0),   -- enterprise
    ('OPP', 'none', 0),         -- the province's third-party operator
    ('OPC', 'city', 1),         -- a city's third-party operator
    ('ALLI', 'none', 0),        -- alliance desk
    ('AUDT', 'none', 0),        -- auditor
    ('PUBLIC', 'none', 0);      -- visitor, complainant

-- All that an account can belong to. A county is known by its city and name,
-- '441500/城区', as soon as an enterprise of it is registered.
CREATE VIEW organisation (kind, id) AS
SELECT 'none', ''
UNION ALL SELECT 'city', code FROM city
UNION ALL SELECT DISTINCT 'county', city_code || '/' || county FROM enterprise
    WHERE county <> ''
UNION ALL SELECT 'supplier', id FROM supplier
UNION ALL SELECT 'enterprise', id FROM enterprise;

CREATE TABLE account_006 (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL REFERENCES role (name),
    organisation TEXT NOT NULL DEFAULT '', -- as organisation.id
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,       -- argon2id, libsodium's text form
    failures INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER,
    created_at INTEGER NOT NULL,
    ends_at INTEGER                    -- sees nothing from then on
) STRICT;
INSERT INTO account_006 (name, role, organisation, display_name, password_hash,
                         failures, locked_until, created_at)
SELECT name, role, organisation, display_name, password_hash, failures,
       locked_until, created_at FROM account;
DROP TABLE account;
ALTER TABLE account_006 RENAME TO account;

CREATE TRIGGER account_insert_fits BEFORE INSERT ON account
WHEN NOT EXISTS (SELECT 1 FROM role r
    JOIN organisation o ON o.kind = r.organisation_kind
    WHERE r.name = NEW.role AND o.id = NEW.organisation
      AND (r.is_dated = 0 OR NEW.ends_at IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'role and organisation do not fit'); END;
CREATE TRIGGER account_update_fits
BEFORE UPDATE OF role, organisation, ends_at ON account
WHEN NOT EXISTS (SELECT 1 FROM role r
    JOIN organisation o ON o.kind = r.organisation_kind
    WHERE r.name = NEW.role AND o.id = NEW.organisation
      AND (r.is_dated = 0 OR NEW.ends_at IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'role and organisation do not fit'); END;

-- The states of each kind of thing; a new one is a row.
CREATE TABLE state (
    machine TEXT NOT NULL,             -- 'voucher', as its table is named
    name TEXT NOT NULL,
    PRIMARY KEY (machine, name)
) STRICT, WITHOUT ROWID;
INSERT INTO state (machine, name) VALUES
    ('voucher', 'ACTIVE'), ('voucher', 'IN_SETTLEMENT'), ('voucher', 'PAID'),
    ('voucher', 'LAPSED'), ('voucher', 'VOID'),
    ('settlement', 'PENDING_SUPPLIER'), ('settlement', 'PENDING_VERIFICATION'),
    ('settlement', 'NOT_COMPLETE'), ('settlement', 'PENDING_CITY');

CREATE TABLE voucher_006 (
    number TEXT PRIMARY KEY,           -- 'V-2026-0001'
    application_id TEXT NOT NULL UNIQUE REFERENCES voucher_application (id),
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    issued_at INTEGER NOT NULL,
    is_pilot INTEGER NOT NULL DEFAULT 0 CHECK (is_pilot IN (0, 1)),
    state TEXT NOT NULL,
    machine TEXT NOT NULL GENERATED ALWAYS AS ('voucher') VIRTUAL,
    FOREIGN KEY (machine, state) REFERENCES state (machine, name)
) STRICT;
INSERT INTO voucher_006 (number, application_id, amount_fen, issued_at,
                         is_pilot, state)
SELECT number, application_id, amount_fen, issued_at, is_pilot, state
FROM voucher;
DROP TABLE voucher;
ALTER TABLE voucher_006 RENAME TO voucher;

CREATE TABLE settlement_006 (
    id TEXT PRIMARY KEY,
    voucher_number TEXT NOT NULL REFERENCES voucher (number),
    submitted_at INTEGER NOT NULL,
    supplier_confirmed_at INTEGER,
    state TEXT NOT NULL,
    machine TEXT NOT NULL GENERATED ALWAYS AS ('settlement') VIRTUAL,
    FOREIGN KEY (machine, state) REFERENCES state (machine, name)
) STRICT;
INSERT INTO settlement_006 (id, voucher_number, submitted_at,
                            supplier_confirmed_at, state)
SELECT id, voucher_number, submitted_at, supplier_confirmed_at, state
FROM settlement;
DROP TABLE settlement;
ALTER TABLE settlement_006 RENAME TO settlement;
CREATE INDEX settlement_by_voucher ON settlement (voucher_number, submitted_at);
