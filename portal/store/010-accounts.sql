-- Accounts as records with a life (ORG-07, ORG-12, ENT-06): how they begin, what
-- their owner can prove, where they are logged in, who tried, and how they end.
-- Secrets are here as hashes, or under a key that stands in a file elsewhere.

INSERT INTO state (machine, name) VALUES
    ('account', 'INVITED'),            -- no password yet: a link was sent
    ('account', 'ACTIVE'),
    ('account', 'DISABLED');           -- nobody logs in; its history stays

-- Who signed up and has not registered yet. Such a party can own drafts and
-- nothing else: a credit code is reserved by a submission alone.
CREATE TABLE applicant (
    id TEXT PRIMARY KEY,               -- 'A-' and hex digits
    kind TEXT NOT NULL CHECK (kind IN ('supplier', 'enterprise')),
    created_at INTEGER NOT NULL
) STRICT;

DROP TRIGGER account_insert_fits;
DROP TRIGGER account_update_fits;
DROP VIEW organisation;
CREATE VIEW organisation (kind, id) AS
SELECT 'none', ''
UNION SELECT 'city', code FROM city
UNION SELECT 'county', city_code || '/' || county FROM enterprise
    WHERE county <> ''
UNION SELECT 'supplier', id FROM supplier
UNION SELECT 'enterprise', id FROM enterprise
UNION SELECT kind, id FROM applicant;

CREATE TABLE account_010 (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL REFERENCES role (name),
    organisation TEXT NOT NULL DEFAULT '', -- as organisation.id
    display_name TEXT NOT NULL,
    mail TEXT NOT NULL DEFAULT '',     -- PRIV-09: neither shown nor used once
    mobile TEXT NOT NULL DEFAULT '',   --   the account is disabled
    state TEXT NOT NULL DEFAULT 'ACTIVE',
    machine TEXT NOT NULL GENERATED ALWAYS AS ('account') VIRTUAL,
    password_hash TEXT NOT NULL,       -- argon2id, libsodium's text form; '': none
    password_at INTEGER,
    made_by TEXT NOT NULL DEFAULT 'SYS',
    created_at INTEGER NOT NULL,
    begins_at INTEGER,                 -- a mandate's first instant (ORG-04)
    ends_at INTEGER,                   -- sees nothing from then on
    successor TEXT REFERENCES account_010 (name), -- who has its tasks now
    CHECK (state <> 'INVITED' OR password_hash = ''),
    FOREIGN KEY (machine, state) REFERENCES state (machine, name)
) STRICT;
INSERT INTO account_010 (name, role, organisation, display_name, password_hash,
                         created_at, ends_at)
SELECT name, role, organisation, display_name, password_hash, created_at,
       ends_at FROM account;
DROP TABLE account;
ALTER TABLE account_010 RENAME TO account;
CREATE INDEX account_by_organisation ON account (organisation, role, name);
CREATE INDEX account_by_mail ON account (mail COLLATE NOCASE) WHERE mail <> '';

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

-- What is entrusted to a city's operator, as actions of the matrix (ORG-04).
CREATE TABLE account_task (
    account_name TEXT NOT NULL REFERENCES account (name),
    action TEXT NOT NULL,              -- 'enterprise_review'
    PRIMARY KEY (account_name, action)
) STRICT, WITHOUT ROWID;

-- Sessions of before end with the upgrade.
DROP TABLE session;
CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,       -- SHA-256 of the cookie's value
    account_name TEXT NOT NULL REFERENCES account (name),
    -- What has been shown: the password, and a code still lacks; or all.
    stage TEXT NOT NULL CHECK (stage IN ('PASSWORD', 'FULL')),
    csrf TEXT NOT NULL,
    address TEXT NOT NULL,             -- from where
    agent TEXT NOT NULL,               -- with which browser, as it says itself
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL           -- the last request, nearly
) STRICT;
CREATE INDEX session_by_account ON session (account_name);

-- A link that lets its holder choose a password, once, within some hours.
CREATE TABLE account_link (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32), -- SHA-256
    account_name TEXT NOT NULL REFERENCES account (name),
    kind TEXT NOT NULL CHECK (kind IN ('activate', 'reset')),
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX link_by_account ON account_link (account_name, made_at);

-- The second factor (RFC 6238). The secret stands under the server's key.
CREATE TABLE account_totp (
    account_name TEXT PRIMARY KEY REFERENCES account (name),
    secret BLOB NOT NULL,              -- nonce and sealed secret
    made_at INTEGER NOT NULL,
    confirmed_at INTEGER,              -- NULL: shown, no code entered yet
    last_step INTEGER NOT NULL DEFAULT 0 -- newest step that was used
) STRICT;
-- Codes on paper for the day the telephone is gone, each for one time.
CREATE TABLE account_recovery_code (
    account_name TEXT NOT NULL REFERENCES account (name),
    code_hash BLOB NOT NULL CHECK (length(code_hash) = 32), -- keyed
    used_at INTEGER,
    PRIMARY KEY (account_name, code_hash)
) STRICT, WITHOUT ROWID;

-- Wrong passwords of the last hour, of known names and of others alike; the name
-- stands there as a keyed hash, since people type other things than names.
CREATE TABLE login_failure (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    name_hash BLOB NOT NULL,           -- empty: an attempt at a locked name
    network TEXT NOT NULL,             -- '203.0.113.0/24', '2001:db8:0:100::/56'
    -- Counts towards a lock no more: there is one, or the right one came.
    is_spent INTEGER NOT NULL DEFAULT 0 CHECK (is_spent IN (0, 1))
) STRICT;
CREATE INDEX failure_by_name ON login_failure (name_hash, at);
CREATE INDEX failure_by_network ON login_failure (network, at);
CREATE INDEX failure_by_time ON login_failure (at);
-- A name is locked for one network, never everywhere.
CREATE TABLE login_lock (
    name_hash BLOB NOT NULL,
    network TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (name_hash, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX lock_by_time ON login_lock (until);
