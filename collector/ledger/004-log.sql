-- The log over the ledger: interior hashes, checkpoints, cosignatures.

-- Roots of complete subtrees of 256^level leaves (RFC 6962 hashing), so that
-- roots and proofs read a few hundred hashes of a log of any length. Made from
-- merkle_leaf whenever a checkpoint is made; kept for ever like the leaves.
CREATE TABLE merkle_node (
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 7),
    idx INTEGER NOT NULL CHECK (idx >= 0), -- leaves from idx * 256^level
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;

-- What the collector signed about its log, in order; also in files.
CREATE TABLE checkpoint (
    number INTEGER PRIMARY KEY CHECK (number >= 1),
    size INTEGER NOT NULL CHECK (size >= 0), -- leaves
    made_us INTEGER NOT NULL,
    text TEXT NOT NULL,                -- what is signed: origin, size, root, time
    signature TEXT NOT NULL            -- the log's own signature line
) STRICT;

-- Outsiders' signatures that were brought back (C2SP tlog-cosignature).
CREATE TABLE cosignature (
    checkpoint INTEGER NOT NULL REFERENCES checkpoint (number),
    witness TEXT NOT NULL,
    signed_s INTEGER NOT NULL,         -- the witness's clock, seconds since 1970
    line TEXT NOT NULL,
    PRIMARY KEY (checkpoint, witness)
) STRICT, WITHOUT ROWID;
