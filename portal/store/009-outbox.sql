-- What people are told (SYS-01, REV-06), and where it is sent besides. Written
-- in the transaction of the act that it tells of.

-- The portal's own inbox. Both languages are kept as they were said.
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    account_name TEXT REFERENCES account (name), -- NULL: in nobody's inbox
    item_id INTEGER,                   -- what it is about, as item.id
    made_at INTEGER NOT NULL,
    subject_zh TEXT NOT NULL,
    subject_en TEXT NOT NULL,
    body_zh TEXT NOT NULL,
    body_en TEXT NOT NULL,
    -- Holds a link that lets its reader in: in no inbox, and its bodies are
    -- emptied when nobody has to send them any more.
    is_secret INTEGER NOT NULL CHECK (is_secret IN (0, 1)),
    read_at INTEGER,
    once TEXT UNIQUE                   -- is told once: a reminder's name
) STRICT;
CREATE INDEX message_by_account ON message (account_name, id)
    WHERE is_secret = 0;
CREATE INDEX message_unread ON message (account_name)
    WHERE read_at IS NULL AND is_secret = 0;
CREATE INDEX message_by_item ON message (item_id);

-- A message on its way to an address. It is over when next_at is NULL: sent,
-- refused because there is no such address, or given up after some days.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL REFERENCES message (id),
    channel TEXT NOT NULL CHECK (channel IN ('mail', 'sms')),
    address TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('zh', 'en')), -- comes first
    token TEXT NOT NULL UNIQUE,        -- its name, the same at each try
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    sent_at INTEGER,
    is_refused INTEGER NOT NULL DEFAULT 0 CHECK (is_refused IN (0, 1)),
    problem TEXT NOT NULL DEFAULT ''   -- of the last try
) STRICT;
CREATE INDEX delivery_waiting ON delivery (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX delivery_by_message ON delivery (message_id);
CREATE INDEX delivery_lost ON delivery (id)
    WHERE next_at IS NULL AND sent_at IS NULL;
