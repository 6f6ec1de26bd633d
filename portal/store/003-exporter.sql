-- Routers and other exporters of NetFlow or IPFIX that belong to an enterprise
-- (design section 4): known by the address they send from, taken at their word
-- (UDP can be forged), and labelled so wherever their data counts.
CREATE TABLE exporter (
    id TEXT PRIMARY KEY CHECK (length(id) <= 31),
    address TEXT NOT NULL UNIQUE,      -- one address, in normal form
    enterprise_id TEXT NOT NULL REFERENCES enterprise (id),
    site_id TEXT NOT NULL REFERENCES site (id),
    -- One packet in so many is looked at, whatever the exporter itself says:
    -- NULL: as it says; 1: every packet.
    sampling INTEGER CHECK (sampling BETWEEN 1 AND 1000000),
    agreed_at INTEGER NOT NULL,        -- PRIV-07, as for probes
    denied_at INTEGER,
    is_sample INTEGER NOT NULL DEFAULT 0 CHECK (is_sample IN (0, 1))
) STRICT;
