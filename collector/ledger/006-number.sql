-- Numbers (VER-03) as carriers tell who had which address when, and the files
-- of records they sent. A carrier's records become batches like all others
-- (source 'carrier'); what stands here is only what is needed to attribute them
-- and to know a file again.

-- A number, as keyed hash and mask only (PRIV-04, common/wire/number.h).
CREATE TABLE number (
    key INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN
        ('broadband_account', 'mobile_number', 'iot_sim')),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    mask TEXT NOT NULL
) STRICT;

-- The number had these addresses (a prefix; IPv4 as ::ffff:a.b.c.d) and ports
-- in [from_ms, to_ms). At no time two numbers of one carrier share an address
-- and port.
CREATE TABLE number_interval (
    carrier TEXT NOT NULL,
    address BLOB NOT NULL CHECK (length(address) = 16),
    prefix_length INTEGER NOT NULL CHECK (prefix_length BETWEEN 0 AND 128),
    port_from INTEGER NOT NULL CHECK (port_from BETWEEN 0 AND 65535),
    port_to INTEGER NOT NULL CHECK (port_to BETWEEN port_from AND 65535),
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL CHECK (to_ms > from_ms), -- largest integer: open
    number INTEGER NOT NULL,           -- number.key; not enforced, for deleting
                                       -- a number would read all of this
    PRIMARY KEY (carrier, address, prefix_length, port_from, port_to, from_ms)
) STRICT, WITHOUT ROWID;

-- Files of records: the same file counts nothing again. One that is not whole
-- was broken off; given again, it is taken to its end.
CREATE TABLE source_file (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), -- SHA-256
    carrier TEXT NOT NULL,
    name TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    is_whole INTEGER NOT NULL CHECK (is_whole IN (0, 1)),
    row_count INTEGER NOT NULL,
    counted INTEGER NOT NULL           -- rows that were attributed
) STRICT;

-- Hashes of the rows that were attributed (collector/carrier/counted_rows.h), sorted, 8
-- bytes of SHA-256 each: a row that an earlier file brought is known again.
CREATE TABLE counted_row (
    carrier TEXT NOT NULL,
    day INTEGER NOT NULL,              -- Asia/Shanghai, days since 1970
    file INTEGER NOT NULL REFERENCES source_file (id),
    hashes BLOB NOT NULL CHECK (length(hashes) % 8 = 0)
) STRICT;
CREATE INDEX counted_row_by_day ON counted_row (carrier, day);
